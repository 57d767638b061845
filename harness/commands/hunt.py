"""Hunt: run many seeds in parallel for a while; what failed before is tried first."""

from __future__ import annotations

import argparse
import re
import time

from harness.case import together
from harness.commands import run as run_command
from harness.commands.shrink import add_workers
from harness.corpus import Corpus
from harness.hunt import hunt
from harness.page import write_run_page
from harness.progress import progress
from harness.publish import publish
from harness.tally import Tally
from harness.test import within
from harness.workers import STOPPED, stopped, workers
from histories import UsageError
from histories.value import quantity

RUNS_MAX = 1_000_000_000
UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600}
BUDGET, NO_BUDGET = "1m", "100000h"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to run, from which seed on, and for how long."""
    run_command.arguments(parser)
    parser.set_defaults(nemesis="swarm")
    parser.add_argument("--budget", metavar="TIME", help="wall time: 90, 90s, 10m or 2h "
                        f"(default: {BUDGET}, or what --runs takes)")
    parser.add_argument("--runs", "--seeds", type=int, metavar="N", help="no more runs than this")
    add_workers(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Hunt, then say what was found, and store the first failure of each kind."""
    test = run_command.test_of(arguments)
    if arguments.runs is not None:
        within("runs", arguments.runs, 1, RUNS_MAX)
    budget_s = seconds(arguments.budget or (BUDGET if arguments.runs is None else NO_BUDGET))
    corpus, tally, end = Corpus(arguments.store), Tally(), []
    start_s = time.monotonic()

    def until() -> bool:
        return time.monotonic() - start_s >= budget_s

    try:
        with workers(arguments.jobs, arguments.dask) as executor, \
                progress(arguments.runs, "seeds") as line:
            for count, _ in enumerate(hunt(test, executor, corpus, tally, until), 1):
                line.update()
                line.set_postfix_str(f"{tally.failures} failed")
                if count == arguments.runs:
                    break
    except STOPPED as stop:
        end = [f"{stopped(stop)}; this is what was found by then"]
    took_s = time.monotonic() - start_s
    stored = tally.store(arguments.store)
    for each in stored:
        write_run_page(each.path, each.record, each.verdict, each.explanation)
    cases = tally.cases(stored, test.name, took_s)
    claimed = claim(tally, together(cases), took_s)
    return publish(
        arguments, cases, text=[*end, *tally.missing(), "", *tally.said(stored), "", claimed],
        data={"runs": tally.runs, "failures": tally.failures, "broken": len(tally.broken),
              "vacuous": tally.vacuous, "operations": tally.operations,
              "took_s": round(took_s, 3)})


def claim(tally: Tally, outcome: str, took_s: float) -> str:
    """What the hunt came to, in a line."""
    broken = f", {len(tally.broken)} broke off" if tally.broken else ""
    return (f"{outcome.upper()}  {quantity(tally.runs, 'seed')}, {tally.failures} failed{broken}, "
            f"in {took_s:.1f} s: {tally.runs / max(took_s, 1e-9):.2f} seeds per second of wall "
            f"time, {quantity(tally.operations, 'operation')}")


def seconds(text: str) -> int:
    """A budget in seconds: a number and s, m or h."""
    match = re.fullmatch(r"(\d{1,6})([smh]?)", text)
    if match is None:
        raise UsageError(f"budget is {text!r}, expected a number with s, m or h, such as 10m")
    return int(match[1]) * UNITS_S[match[2]]
