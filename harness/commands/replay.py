"""Run a stored run again and compare the bytes of its history and its trace."""

from __future__ import annotations

import argparse
import tempfile
from itertools import zip_longest
from pathlib import Path

from checker.verdict import EXIT_CODES, word
from harness.commands.run import add_store
from harness.run import run
from harness.test import from_json
from histories.store import HISTORY, TRACE, resolve

DIFFERS = 255       # a run is a pure function of its test; when it is not, that is our fault


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which run."""
    parser.add_argument("run", nargs="?", metavar="RUN",
                        help="its folder, or its name in the store (default: the latest)")
    add_store(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Run it again; the same bytes, or the first line that differs."""
    stored = resolve(arguments.store, arguments.run)
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(from_json(stored.test), Path(folder))
        for name in (HISTORY, TRACE):
            difference = first_difference(stored.path / name, outcome.path / name)
            if difference is not None:
                print(f"{stored.path / name}: {difference}")
                return DIFFERS
            size = (stored.path / name).stat().st_size
            print(f"{stored.path / name}: the same {size} bytes")
    print(f"{word(outcome.verdict.valid).upper()}  as before: {outcome.verdict.why}")
    return EXIT_CODES[outcome.verdict.valid]


def first_difference(one: Path, other: Path) -> str | None:
    """The first line in which two files differ, or None."""
    with one.open("rb") as left, other.open("rb") as right:
        for number, (before, after) in enumerate(zip_longest(left, right), 1):
            if before != after:
                return (f"line {number} differs\n  stored: {_show(before)}\n"
                        f"  now:    {_show(after)}")
    return None


def _show(line: bytes | None) -> str:
    return "(the file ends)" if line is None else line.decode("utf-8", "replace").rstrip()
