"""Sweep: one fault at every log and output boundary of a short run, none left out."""

from __future__ import annotations

import argparse
import time

from harness.case import Case, together
from harness.commands import run as run_command
from harness.commands.shrink import add_workers
from harness.failure import find
from harness.progress import progress
from harness.publish import publish
from harness.sweep import FAULTS, moments, tests
from harness.tally import Tally
from harness.test import choose, names
from harness.workers import STOPPED, answers, stopped, workers
from histories import UsageError
from histories.store import ready
from histories.value import quantity

DEFAULT = "crash-primary,crash-backup,cut,truncate"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which run, and which faults."""
    run_command.arguments(parser)
    parser.set_defaults(time_limit=1, rate=20, clients=2)
    parser.add_argument("--fault", default=DEFAULT, metavar="NAME[,NAME...]",
                        help=f"of {', '.join(FAULTS)}, or all (default: %(default)s)")
    add_workers(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Sweep, and state the claim with its bounds."""
    test = run_command.test_of(arguments)
    if test.nemesis or test.plan is not None:
        raise UsageError("a sweep plans its own faults: see --fault instead of --nemesis or --plan")
    faults = tuple(FAULTS) if arguments.fault == "all" else names(arguments.fault)
    for name in faults:
        choose(FAULTS, name, "fault")
    ready(arguments.store)
    moments_ns, tally, end = moments(test), Tally(), []
    start_s = time.monotonic()
    whole = len(moments_ns) * len(faults)
    try:
        with workers(arguments.jobs, arguments.dask) as executor, \
                progress(whole, "runs") as line:
            for asked, finding in answers(executor, find, tests(test, faults, moments_ns)):
                tally.add(asked, finding)
                line.update()
                line.set_postfix_str(f"{tally.failures} failed")
    except STOPPED as stop:
        end = [f"{stopped(stop)}; this is what was found by then"]
    stored, claimed = tally.store(arguments.store), claim(tally, len(moments_ns), faults)
    cases = tally.cases(stored, test.name, time.monotonic() - start_s)
    if tally.runs < whole:
        cases.append(Case(group=test.name, name="the rest", outcome="unknown", why=claimed))
    return publish(
        arguments, cases, data={"claim": claimed},
        text=[*end, *tally.said(stored), f"{together(cases).upper()}  {claimed}"])


def claim(tally: Tally, count: int, faults: tuple[str, ...]) -> str:
    """What has been shown, no more and no less."""
    bounds = (f"{quantity(count, 'boundary', 'boundaries')} x {quantity(len(faults), 'fault')} "
              f"({', '.join(faults)})")
    broken = f", {len(tally.broken)} broke off" if tally.broken else ""
    if tally.runs < count * len(faults):
        return f"{tally.runs} of {bounds} were tried, {tally.failures} failed{broken}"
    if tally.proved and tally.proved + tally.vacuous == tally.runs:
        return (f"{bounds}, all {quantity(tally.proved, 'run')} valid in which the fault met an "
                "open operation")
    return f"{bounds}, {tally.failures} of {quantity(tally.runs, 'run')} failed{broken}"
