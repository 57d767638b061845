"""Print a stored run's history, or a history file, in another format; Jepsen's EDN by default."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.commands.run import add_store
from histories import History
from histories.read import WRITERS, read_history
from histories.store import resolve


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which history, and how."""
    parser.add_argument("run", nargs="?", metavar="RUN|FILE",
                        help="a run's folder or name, or a history file (default: the latest run)")
    parser.add_argument("--format", choices=list(WRITERS), default="edn",
                        help="jsonl: ours; json: for elle-cli; edn: for Jepsen, Knossos and Elle; "
                        "kv, log: for Porcupine (default %(default)s)")
    add_store(parser)


def execute(arguments: argparse.Namespace) -> int:
    """One op a line."""
    history = _history(arguments)
    history.pairs       # refuses what nobody could judge
    print(WRITERS[arguments.format](history.ops), end="")
    return 0


def _history(arguments: argparse.Namespace) -> History:
    if arguments.run is not None and Path(arguments.run).is_file():
        return read_history(Path(arguments.run))
    return resolve(arguments.store, arguments.run).history
