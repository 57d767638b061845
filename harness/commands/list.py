"""Show what there is: workloads, nemeses, bugs, models, and the stored runs."""

from __future__ import annotations

import argparse

from checker import models
from checker.verdict import from_json, word
from harness.commands.run import add_store
from harness.sweep import FAULTS
from histories import UsageError
from histories.store import Run, runs
from nemesis import NEMESES, SWARM
from vmft.bugs import BUGS
from workloads import WORKLOADS


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which store."""
    add_store(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Print the tables."""
    _table("workloads", {name: each.meaning for name, each in WORKLOADS.items()})
    _table("nemeses, to be combined with commas",
           {**{name: each.meaning for name, each in NEMESES.items()},
            SWARM: "some of these, drawn by the seed"})
    _table("faults to sweep with", {name: each.meaning for name, each in FAULTS.items()})
    _table("bugs", {name: each.meaning for name, each in BUGS.items()})
    _table("models, for check",
           {name: ", ".join(model.fs) for name, model in models.MODELS.items()})
    _table(f"runs in {arguments.store}",
           {f"{each.path.parent.name}/{each.path.name}": _verdict(each)
            for each in runs(arguments.store)})
    return 0


def _table(title: str, rows: dict[str, str]) -> None:
    width = max((len(name) for name in rows), default=0)
    print(f"{title}:")
    print("\n".join(f"  {name:<{width}}  {text}" for name, text in rows.items()) or "  none")
    print()


def _verdict(run: Run) -> str:
    """What a stored run came to, in a line; one that cannot be read says so."""
    try:
        if run.results is None:
            return "did not end"
        return f"{word(from_json(run.results).valid):<7}  {run.test.get('command', '')}"
    except UsageError as problem:
        return f"unreadable: {problem}"
