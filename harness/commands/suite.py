"""Run a declared set of tests in parallel: one table, one exit code; a violation beats unknown."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Sequence

from harness.case import Case, together
from harness.commands.run import add_store
from harness.progress import progress
from harness.publish import add_outlets, publish
from harness.suite import counted, judge, not_judged, read, settled, table
from harness.workers import STOPPED, answers, stopped, workers
from histories.value import quantity

EXPLAINED_MAX = 5       # the others are named by their commands


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which tests, and who runs them."""
    parser.add_argument("file", type=Path, metavar="FILE",
                        help="the tests, as TOML: see examples/suite.toml")
    parser.add_argument("--jobs", type=int, default=0, metavar="N",
                        help="worker processes (default: one a core)")
    add_store(parser)
    add_outlets(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Run all, then explain the first failures and count the rest."""
    declared = read(arguments.file, arguments.store)
    cases: list[Case] = []
    start_s = time.monotonic()
    try:
        with workers(arguments.jobs) as executor, progress(len(declared), "runs") as line:
            for _, case in answers(executor, judge, declared):
                cases.append(case)
                line.update()
                line.set_postfix_str(counted(cases))
    except STOPPED as stop:
        cases += [not_judged(each, "unknown", f"not run: {stopped(stop)}")
                  for each in declared[len(cases):]]
    cases = settled(cases)
    end = (f"{together(cases).upper()}  {quantity(len(cases), 'run')} of {arguments.file}: "
           f"{counted(cases)}, in {time.monotonic() - start_s:.1f} s")
    return publish(arguments, cases, text=[*said(cases), *table(cases), "", end], data={})


def said(cases: Sequence[Case]) -> list[str]:
    """What is neither valid nor vacuous: the first in full, one of each test before a second."""
    bad = [case for case in cases if case.outcome not in ("valid", "vacuous")]
    firsts = list({case.group: case for case in reversed(bad)}.values())[::-1]
    shown = firsts[:EXPLAINED_MAX]
    lines: list[str] = []
    for case in shown:
        written = [f"stored: {case.artifacts[0]}"] if case.artifacts else []
        lines += [f"{case.title}", *written, "", *case.text.splitlines(), "", ""]
    for case in bad:
        if case not in shown:
            lines += [f"{case.title}: {case.why}", f"  {case.command}"]
    return [*lines, *([""] if bad else [])]
