"""Shrink a failing run: fewer operations and faults, shorter times, and the same failure."""

from __future__ import annotations

import argparse
import time
from typing import Any

from checker.check import Record
from checker.vacuity import count_faults
from harness.case import Case, of_run
from harness.commands.run import add_store, add_test, test_of
from harness.failure import convicting, signature
from harness.page import write_run_page
from harness.plan import HEAL, Plan, planned
from harness.progress import progress
from harness.publish import add_outlets, publish
from harness.run import Outcome, checks_of, conclude, run
from harness.show import facts
from harness.shrink import RUNS_MAX, Progress, Shrinker, explicit
from harness.test import Test, from_json, within
from harness.workers import workers
from histories import UsageError
from histories.store import REPORT, Run, ready, resolve
from histories.value import quantity

BOUND_MAX = 1_000_000_000
NOT_AGAIN = "run again, it does not fail in the same way; see replay for what differs"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which run, and how hard to try."""
    parser.add_argument("run", nargs="?", metavar="RUN",
                        help="its folder, or its name in the store; or the options of a run that "
                             "is made first (default: the latest)")
    add_test(parser)
    parser.set_defaults(workload=None)
    parser.add_argument("--runs", type=int, default=RUNS_MAX, metavar="N",
                        help="try no more than this (default: %(default)s)")
    add_workers(parser)
    add_store(parser)
    add_outlets(parser)


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Who does the work."""
    parser.add_argument("--jobs", type=int, default=0, metavar="N",
                        help="worker processes (default: one a core)")
    parser.add_argument("--dask", metavar="ADDRESS",
                        help="a Dask scheduler to do the work instead, tcp://host:port")


def execute(arguments: argparse.Namespace) -> int:
    """Shrink it, store what is left, explain that."""
    within("runs", arguments.runs, 1, BOUND_MAX)
    ready(arguments.store)
    start_s = time.monotonic()
    stored = _wanted(arguments)
    test = from_json(stored.test)
    before = planned(stored.history, test.clients)
    shrinker = shrink(stored, explicit(test, before), arguments)
    if shrinker.decided_ns is None:
        return publish(arguments, [_not_again(stored, test)], text=[NOT_AGAIN], data={})
    origin = f"{stored.path.parent.name}/{stored.path.name}"
    outcome = run(shrinker.best, arguments.store, shrunk_from=origin, runs=shrinker.runs)
    page = write_run_page(outcome.path, outcome.record, outcome.verdict, outcome.explanation)
    return publish(
        arguments, [of_run(outcome, shrinker.best, time.monotonic() - start_s)],
        text=[*said(stored, before, shrinker, outcome), "", f"report: {outcome.path}/{REPORT}",
              page, "", *outcome.explanation],
        data={**facts(outcome.record, outcome.verdict), "shrunk_from": origin,
              "before": _counts(before, stored), "after": _counts(shrinker.plan, outcome.record),
              "runs": shrinker.runs, "at_the_bound": shrinker.ended,
              "failure": list(shrinker.signature)})


def _wanted(arguments: argparse.Namespace) -> Run:
    """The stored run that is meant, or the one that the options describe."""
    if arguments.workload is None:
        return resolve(arguments.store, arguments.run)
    if arguments.run is not None:
        raise UsageError("shrink takes a stored run or the options of one (--workload), not both")
    return Run(run(test_of(arguments), arguments.store).path)


def shrink(stored: Run, test: Test, arguments: argparse.Namespace) -> Shrinker:
    """Search, with progress; Ctrl-C keeps the smallest run so far."""
    verdict, _ = conclude(stored, checks_of(test))
    if verdict.valid is not False:
        raise UsageError(f"{stored.path}: this run did not fail, there is nothing to shrink")
    with workers(arguments.jobs, arguments.dask) as executor, \
            progress(arguments.runs, "runs") as line:
        def tell(now: Progress) -> None:
            line.update(now.runs - line.n)
            line.set_postfix_str(f"{quantity(now.operations, 'operation')}, "
                                 f"{quantity(now.faults, 'fault')}, "
                                 f"{now.end_ns // 1_000_000} ms")

        shrinker = Shrinker(test, signature(verdict), executor, runs_max=arguments.runs, tell=tell)
        try:
            shrinker.shrink()
        except KeyboardInterrupt:
            if shrinker.decided_ns is None:
                raise
            line.write("interrupted: the smallest run so far is kept")
    return shrinker


def _not_again(stored: Run, test: Test) -> Case:
    """A run is a function of its test; when it is not, that is our fault."""
    return Case(group=test.name, name=f"seed {test.seed}", outcome="crashed", why=NOT_AGAIN,
                command=f"python -m checker replay {stored.path.parent.name}/{stored.path.name}")


def said(stored: Record, before: Plan, shrinker: Shrinker, outcome: Outcome) -> list[str]:
    """What became smaller, and what is left to be done, in order."""
    after = shrinker.plan
    lines = [f"{_size(before, stored)} shrunk to {_size(after, outcome.record)} in "
             f"{quantity(shrinker.runs, 'run')}, with the same failure "
             f"({', '.join(convicting(shrinker.signature))})"]
    if shrinker.ended:
        lines.append("The bound on runs was reached; it may get smaller yet, see --runs.")
    if all(fault.f == HEAL for fault in after.faults or ()):
        lines.append("No fault is needed.")
    steps = sorted([(op.time_ns, f"client {op.client}: {op.f}", op.value)
                    for op in after.ops or ()]
                   + [(fault.time_ns, f"nemesis: {fault.f}", fault.value)
                      for fault in after.faults or ()], key=lambda step: step[0])
    return lines + [f"  {time_ns / 1e6:>10.3f} ms  {what}" + ("" if value is None else f" {value}")
                    for time_ns, what, value in steps]


def _counts(plan: Plan, record: Record) -> dict[str, Any]:
    """How much a run holds; what ends a fault is none."""
    return {"operations": len(plan.ops or ()), "faults": count_faults(record.history)[0],
            "end_ns": plan.end_ns or 0}


def _size(plan: Plan, record: Record) -> str:
    counts = _counts(plan, record)
    return (f"{quantity(counts['operations'], 'operation')} and "
            f"{quantity(counts['faults'], 'fault')} in {counts['end_ns'] / 1e6:.0f} ms")
