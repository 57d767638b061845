"""Judge history files from anywhere: JSON lines, Jepsen EDN, etcd logs, Porcupine KV logs."""

from __future__ import annotations

import argparse
from pathlib import Path

from checker import linearizable, models
from checker.check import merge
from checker.explain import explain
from checker.verdict import EXIT_CODES
from harness.run import Recorded
from histories import Trace, UsageError
from histories.read import read_history


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which files, and what they should mean."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--model", required=True, help="what the calls should mean; see list")
    parser.add_argument("--format", help="the files' format, where it is not recognised")


def execute(arguments: argparse.Namespace) -> int:
    """Judge each file; invalid outranks unknown outranks valid."""
    model = models.by_name(arguments.model)
    verdicts = {}
    for path in arguments.files:
        history = read_history(path, arguments.format)
        try:
            verdict = merge({"linearizable": linearizable(history, model)})
        except UsageError as problem:
            raise UsageError(f"{path}: {problem}") from None
        verdicts[str(path)] = verdict
        record = Recorded({"name": f"{path}, model {model.name}"}, history, Trace())
        print("\n".join(explain(record, verdict)))
    return EXIT_CODES[merge(verdicts).valid]
