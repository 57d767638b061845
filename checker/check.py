"""What a checker is, and how several become one verdict.

A checker is a function from a record (test, history, trace) to a verdict.  Checkers are isolated
from each other: one that crashes is unknown, with its error as the cause, and hides nothing that
the others found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping, Protocol

from checker.verdict import Verdict, merge_valid
from histories import History, Trace


class Record(Protocol):
    """What is judged: what was run, what the clients saw, what the machines did."""

    @property
    def test(self) -> dict[str, Any]:
        """The test, as stored."""

    @property
    def history(self) -> History:
        """What the clients saw."""

    @property
    def trace(self) -> Trace:
        """What the machines did; empty for a system that tells nothing."""


@dataclass(frozen=True)
class Recorded:
    """A record in memory, finished: what was run, what the clients saw, what the machines did."""

    test: dict[str, Any]
    history: History
    trace: Trace


Checker = Callable[[Record], Verdict]


def check_all(record: Record, checks: Mapping[str, Checker]) -> Verdict:
    """Run every check and merge: false outranks unknown outranks true.  Nothing is raised."""
    parts = {name: run_isolated(record, check) for name, check in checks.items()}
    return merge(parts)


def run_isolated(record: Record, check: Checker) -> Verdict:
    """The check's verdict; unknown with the error when it crashes."""
    try:
        return check(record)
    except Exception as error:      # whatever it is, the other checks must be heard
        return Verdict(valid=None, why=f"the check itself failed: {type(error).__name__}: {error}",
                       evidence={"error": repr(error)})


def merge(parts: Mapping[str, Verdict]) -> Verdict:
    """One verdict of several; `why` names those that decided."""
    valid = merge_valid(part.valid for part in parts.values())
    deciding = [name for name, part in parts.items() if part.valid is valid]
    if valid is True:
        why = "the check holds" if len(parts) == 1 else f"all {len(parts)} checks hold"
    else:
        why = "; ".join(f"{name}: {parts[name].why}" for name in deciding)
    return Verdict(valid=valid, why=why, parts=dict(parts))
