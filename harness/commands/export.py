"""Print a stored run's history, or a history file, as Jepsen's EDN."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.commands.run import add_store
from histories import History
from histories.jepsen import dump_edn
from histories.read import read_history
from histories.store import resolve


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which history."""
    parser.add_argument("run", nargs="?", metavar="RUN|FILE",
                        help="a run's folder or name, or a history file (default: the latest run)")
    add_store(parser)


def execute(arguments: argparse.Namespace) -> int:
    """One op a line, for Jepsen, Knossos, Elle and their tools."""
    print(dump_edn(_history(arguments).ops), end="")
    return 0


def _history(arguments: argparse.Namespace) -> History:
    if arguments.run is not None and Path(arguments.run).is_file():
        return read_history(Path(arguments.run))
    return resolve(arguments.store, arguments.run).history
