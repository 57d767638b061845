"""Name the first difference between two stored runs; exit code 1 if there is one."""

from __future__ import annotations

import argparse
import json

from checker.difference import difference
from harness.commands.run import add_store
from harness.publish import add_json, say
from histories.store import resolve
from histories.value import quantity


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which two runs."""
    for name, metavar in (("one", "A"), ("other", "B")):
        parser.add_argument(name, metavar=metavar, help="a run's folder, or its name in the store")
    add_store(parser)
    add_json(parser)        # a difference is no verdict, so CI hears no more than this


def execute(arguments: argparse.Namespace) -> int:
    """Compare tests, histories and traces."""
    one, other = (resolve(arguments.store, name) for name in (arguments.one, arguments.other))
    lines = difference(one, other)
    if arguments.json:
        print(json.dumps({"command": "diff", "same": not lines, "a": str(one.path),
                          "b": str(other.path), "difference": lines}, indent=1))
    elif lines:
        say([f"A: {one.path}", f"B: {other.path}", *lines])
    else:
        say([f"the same test, the same {quantity(len(one.history), 'op')} and "
             f"{quantity(len(one.trace), 'event')}"])
    return 1 if lines else 0
