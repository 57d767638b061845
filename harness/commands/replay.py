"""Run a stored run again and compare the bytes of its history and its trace."""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from io import BytesIO
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO, NamedTuple

from checker.verdict import to_json, word
from harness.case import of_record
from harness.commands.run import add_store
from harness.publish import add_outlets, publish
from harness.run import run
from harness.test import from_json
from histories.store import HISTORY, TRACE, resolve
from histories.value import quantity


class Difference(NamedTuple):
    """The first line in which two files differ, from 1; None where a file has ended."""

    line: int
    stored: str | None
    now: str | None


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which run."""
    parser.add_argument("run", nargs="?", metavar="RUN",
                        help="its folder, or its name in the store (default: the latest)")
    add_store(parser)
    add_outlets(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Run it again; the same bytes, or the first line of each file that differs."""
    stored, start_s = resolve(arguments.store, arguments.run), time.monotonic()
    test = from_json(stored.test)
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(test, Path(folder))
        found = {name: first_difference(stored.path / name, outcome.path / name)
                 for name in (HISTORY, TRACE)}
    same = not any(found.values())
    text = [line for name, difference in found.items()
            for line in _lines(stored.path / name, difference)]
    case = of_record(test, stored.path, outcome.verdict, outcome.explanation,
                     took_s=time.monotonic() - start_s)
    if same:
        text.append(f"{word(outcome.verdict.valid).upper()}  as before: {outcome.verdict.why}")
    else:       # a run is a function of its test; when it is not, that is our fault
        case = replace(case, outcome="crashed", why="it is not the same run again",
                       text="\n".join(text))
    return publish(arguments, [case], text=text, data={
        "same": same, "results": to_json(outcome.verdict),
        "differences": {name: difference and difference._asdict()
                        for name, difference in found.items()}})


def _lines(path: Path, difference: Difference | None) -> list[str]:
    """What became of a file, for people."""
    if difference is None:
        size = path.stat().st_size if path.exists() else 0
        return [f"{path}: the same {quantity(size, 'byte')}"]
    stored, now = ("(the file ends)" if side is None else side
                   for side in (difference.stored, difference.now))
    return [f"{path}: line {difference.line} differs", f"  stored: {stored}", f"  now:    {now}"]


def first_difference(one: Path, other: Path) -> Difference | None:
    """Where two files differ first, or None; one that is not there is empty, as for `inspect`."""
    with _opened(one) as left, _opened(other) as right:
        for number, (before, after) in enumerate(zip_longest(left, right), 1):
            if before != after:
                return Difference(number, _show(before), _show(after))
    return None


def _opened(path: Path) -> BinaryIO:
    return path.open("rb") if path.exists() else BytesIO()


def _show(line: bytes | None) -> str | None:
    return None if line is None else line.decode("utf-8", "replace").rstrip()
