"""Run a test: drive a workload against the system under faults, record, judge, explain."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from checker.verdict import Verdict
from harness.case import of_run
from harness.page import write_run_page
from harness.plan import read
from harness.publish import add_outlets, publish
from harness.run import run
from harness.show import facts, summary
from harness.test import Test, names
from histories.store import REPORT

STORE = Path("store")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What decides a run, where it is stored, and who wants to hear of it."""
    add_test(parser)
    add_store(parser)
    add_outlets(parser)


def add_test(parser: argparse.ArgumentParser) -> None:
    """What decides a run."""
    default = Test()
    parser.add_argument("--workload", default=default.workload, help="what clients do")
    parser.add_argument("--nemesis", metavar="NAME[,NAME...]", help="what goes wrong")
    parser.add_argument("--bug", action="append", default=[], metavar="NAME",
                        help="a rule to switch off; may be repeated")
    parser.add_argument("--seed", type=int, default=default.seed,
                        help="decides everything that is left to chance")
    parser.add_argument("--clients", type=int, default=default.clients,
                        help="how many clients, each with one open call at most")
    parser.add_argument("--rate", type=int, default=default.rate_hz, metavar="HZ",
                        help="operations per second of virtual time, all clients together")
    parser.add_argument("--time-limit", type=int, default=default.time_limit_s, metavar="S",
                        help="virtual seconds")
    parser.add_argument("--timeout", type=int, default=default.timeout_ms, metavar="MS",
                        help="how long a client waits for an answer")
    parser.add_argument("--disk", default=default.disk, metavar="shared|local",
                        help="all hosts share one disk, or each has its own")
    parser.add_argument("--disk-reads", default=default.disk_reads, metavar="log|backup",
                        help="a backup gets what was read from the log, or reads it too")
    parser.add_argument("--plan", metavar="PLAN|FILE",
                        help="operations or faults, explicitly, as JSON; or a stored test.json")
    parser.add_argument("--fail-fast", action="store_true",
                        help="end the run at the first answer that is not linearizable")
    parser.add_argument("--system", default=default.system, help="what is tested")
    parser.add_argument("--runtime", default=default.runtime,
                        help="how it is run: sim is simulated, in virtual time")


def add_store(parser: argparse.ArgumentParser) -> None:
    """Where runs are kept."""
    parser.add_argument("--store", type=Path, default=STORE, metavar="DIR",
                        help="folder of the stored runs (default: %(default)s)")


def test_of(arguments: argparse.Namespace) -> Test:
    """The test that the arguments describe."""
    return Test(
        workload=arguments.workload, nemesis=names(arguments.nemesis),
        bugs=names(",".join(arguments.bug)), system=arguments.system, runtime=arguments.runtime,
        seed=arguments.seed, clients=arguments.clients, rate_hz=arguments.rate,
        time_limit_s=arguments.time_limit, timeout_ms=arguments.timeout,
        disk=arguments.disk, disk_reads=arguments.disk_reads, fail_fast=arguments.fail_fast,
        plan=None if arguments.plan is None else read(arguments.plan, arguments.store))


def tell(verdict: Verdict) -> None:
    """Say what is wrong while the run still goes on."""
    print(f"already invalid: {verdict.why}", file=sys.stderr)


def execute(arguments: argparse.Namespace) -> int:
    """Run it and say what came of it."""
    test, start_s = test_of(arguments), time.monotonic()
    outcome = run(test, arguments.store, told=tell if sys.stderr.isatty() else None)
    page = write_run_page(outcome.path, outcome.record, outcome.verdict, outcome.explanation)
    case = of_run(outcome, test, time.monotonic() - start_s)
    return publish(
        arguments, [case],
        text=[*summary(outcome.record, outcome.verdict), "",
              f"report: {outcome.path}/{REPORT}", page, "", *outcome.explanation],
        data=facts(outcome.record, outcome.verdict))
