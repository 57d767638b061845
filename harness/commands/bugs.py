"""The kill matrix: every deliberate bug against the faults and checkers that should convict it."""

from __future__ import annotations

import argparse
import time
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from harness.case import Case
from harness.commands.run import add_store
from harness.commands.shrink import add_workers
from harness.failure import ERROR, find
from harness.matrix import Row, html, hunted, row, table, unbroken
from harness.progress import progress
from harness.publish import add_outlets, publish
from harness.tally import Tally
from harness.test import Test, choose, names, within
from harness.workers import answers, workers
from histories import UsageError
from histories.store import keep, ready
from histories.value import quantity
from vmft.bugs import BUGS

SEEDS = 20
SEEDS_MAX = 100_000
HTML, JSON = "bugs.html", "bugs.json"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which bugs, and how hard to look for them."""
    default = Test()
    parser.add_argument("--bug", action="append", default=[], metavar="NAME[,NAME...]",
                        help="only these (default: all)")
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N",
                        help="try no more for each bug (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=default.seed, help="the first seed")
    parser.add_argument("--time-limit", type=int, default=default.time_limit_s, metavar="S",
                        help="virtual seconds of each run (default: %(default)s)")
    parser.add_argument("--quick", action="store_true",
                        help="one conviction is enough for a bug, whoever else should convict")
    add_workers(parser)
    add_store(parser)
    add_outlets(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Look for all of them, then let the unbroken pair pass the same seeds."""
    wanted = names(",".join(arguments.bug)) or tuple(BUGS)
    for name in wanted:
        choose(BUGS, name, "bug")
    within("seeds", arguments.seeds, 1, SEEDS_MAX)
    ready(arguments.store)
    start_s = time.monotonic()
    base = Test(seed=arguments.seed, time_limit_s=arguments.time_limit)
    questions = hunted(wanted, base, arguments.seeds, thorough=not arguments.quick)
    with workers(arguments.jobs, arguments.dask) as executor:
        rows = []
        with progress(len(questions), "bugs") as line:
            for _, found in answers(executor, row, questions):
                rows.append(found)
                line.update()
        tally = _sound(executor, rows)
    stored, took_s = tally.store(arguments.store), time.monotonic() - start_s
    summary = _summary(rows, tally)
    data = {"summary": summary, "bugs": [each.to_json() for each in rows],
            "unbroken": {"runs": tally.runs, "failures": tally.failures}}
    _write(arguments.store, rows, summary, data)
    return publish(
        arguments, [*map(_case, rows), *tally.cases(stored, "the unbroken pair", took_s)],
        text=[*table(rows), "", *tally.said(stored), "", str(arguments.store / HTML),
              str(arguments.store / JSON), summary], data=data)


def _summary(rows: list[Row], tally: Tally) -> str:
    """How many were convicted, which were not, and how the pair without them did."""
    alive = [each.name for each in rows if each.killed is None]
    runs = sum(each.runs for each in rows)
    return (f"{len(rows) - len(alive)} of {quantity(len(rows), 'bug')} killed in "
            f"{quantity(runs, 'run')}; the unbroken pair: {tally.failures} of "
            f"{quantity(tally.runs, 'run')} failed{'; alive: ' * bool(alive)}{', '.join(alive)}")


def _case(found: Row) -> Case:
    """A bug that is convicted is as it should be; one that broke the run off tells nothing."""
    line, = table([found])
    without = "crashed" if ERROR in found.convicted else "invalid"
    return Case(group="bugs", name=found.name, why=line, text=line, command=found.command,
                outcome=without if found.killed is None else "valid")


def _sound(executor: Executor, rows: list[Row]) -> Tally:
    """The same seeds without the bugs."""
    tests, tally = unbroken(rows), Tally()
    with progress(len(tests), "runs of the unbroken pair") as line:
        for test, finding in answers(executor, find, tests):
            tally.add(test, finding)
            line.update()
    return tally


def _write(root: Path, rows: list[Row], summary: str, data: dict[str, Any]) -> None:
    """The matrix for people and for programs."""
    keep(root / JSON, data)
    try:
        (root / HTML).write_text(html(rows, summary), encoding="utf-8")
    except OSError as problem:
        raise UsageError(f"{problem.filename}: {problem.strerror}") from None
