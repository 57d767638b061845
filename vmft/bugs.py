"""Rules that can be switched off by name, to prove that each checker can fail.

Off by default.  The names are what `--bug` takes; the row is the one in docs/vmft.md.
"""

from __future__ import annotations

from typing import NamedTuple


class Bug(NamedTuple):
    """A deliberate defect: what is broken, and the checkers that should convict it."""

    meaning: str
    convicted_by: tuple[str, ...]


BUGS = {
    "no-output-rule": Bug(
        "an output leaves at once, before the backup has acknowledged its log entry",
        ("linearizable", "output-rule")),
    "no-test-and-set": Bug(
        "whoever suspects the other goes live without asking the shared disk",
        ("single-primary",)),
}
