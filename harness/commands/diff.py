"""Name the first difference between two stored runs; exit code 1 if there is one."""

from __future__ import annotations

import argparse

from checker.difference import difference
from harness.commands.run import add_store
from histories.store import resolve


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which two runs."""
    for name, metavar in (("one", "A"), ("other", "B")):
        parser.add_argument(name, metavar=metavar, help="a run's folder, or its name in the store")
    add_store(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Compare tests, histories and traces."""
    one, other = (resolve(arguments.store, name) for name in (arguments.one, arguments.other))
    lines = difference(one, other)
    if lines:
        print("\n".join([f"A: {one.path}", f"B: {other.path}", *lines]))
        return 1
    print(f"the same test, the same {len(one.history)} ops and {len(one.trace)} events")
    return 0
