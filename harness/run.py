"""One run, from a Test to a stored verdict.

test.json is written first, the history and the trace as they happen, then the results: whatever
ends the process, what is there can be read.  What is judged is what was recorded.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Mapping

from checker.backup_io import backup_io
from checker.check import Checker, Record, Recorded, check_all
from checker.disk_operations import disk_operations
from checker.divergence import divergence
from checker.duplicates import duplicates
from checker.explain import explain
from checker.failover import failover
from checker.lag_bound import lag_bound
from checker.monotonic_time import monotonic_time
from checker.output_requirement import output_requirement
from checker.output_rule import output_rule
from checker.quiet import quiet
from checker.redundancy import redundancy
from checker.single_primary import single_primary
from checker.stats import stats
from checker.vacuity import vacuity
from checker.verdict import Verdict, to_json
from harness.drive import Driver
from harness.test import Test
from harness.watch import Told, Violated, Watch
from histories import Event, History, Op, Trace
from histories.store import REPORT, RunWriter, create
from vmft.cpu import Breakpoint
from vmft.sim import Observer, Sim

# What must hold for every workload on this system.
CHECKS: dict[str, Checker] = {
    "output-rule": output_rule,
    "output-requirement": output_requirement,
    "duplicates": duplicates,
    "single-primary": single_primary,
    "no-backup-io": backup_io,
    "disk-operations": disk_operations,
    "divergence": divergence,
    "lag-bound": lag_bound,
    "failover": failover,
    "redundancy": redundancy,
    "monotonic-time": monotonic_time,
    "quiet": quiet,
    "stats": stats,
    "vacuity": vacuity,
}


@dataclass(frozen=True)
class Outcome:
    """Where a run is stored, what it recorded, what was concluded, and why."""

    path: Path
    record: Recorded
    verdict: Verdict
    explanation: list[str]


def run(test: Test, root: Path, told: Told | None = None, **notes: Any) -> Outcome:
    """Run a test, store it below `root`, judge it; test.json holds the notes too.

    `told` hears at once when what the clients saw is no longer linearizable.
    """
    description = {**describe(test), **notes}
    if test.plan is not None:
        test.plan.store(root)
    with create(root, test.name, description) as writer:
        record = execute(test, description, writer, told)
        verdict, explanation = conclude(record, checks_of(test))
        writer.results(to_json(verdict))
        writer.text(REPORT, "\n".join(explanation) + "\n")
    return Outcome(writer.path, record, verdict, explanation)


def describe(test: Test) -> dict[str, Any]:
    """What test.json holds: the test, the command that runs it, and what it ran with."""
    return {**test.to_json(), "name": test.name, "command": test.command(), "versions": versions()}


@cache
def versions() -> dict[str, str]:
    """What a result may depend on."""
    found = {"python": platform.python_version()}
    for name in ("double-eleven", "unicorn"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def rehearse(test: Test) -> tuple[Recorded, Verdict]:
    """Run a test in memory and judge it; nothing is stored or explained."""
    record = execute(test, describe(test))
    return record, check_all(record, checks_of(test))


def execute(test: Test, description: dict[str, Any], writer: RunWriter | None = None,
            told: Told | None = None) -> Recorded:
    """Drive the system under test; with a writer, all that happens is stored as it happens."""
    ops: list[Op] = []
    events: list[Event] = []
    watch = Watch(test, told)

    def record(op: Op) -> None:
        ops.append(op)
        if writer is not None:
            writer.op(op)
        watch.see(op)

    def observe(time_ns: int, node: str, kind: str, data: dict[str, Any]) -> None:
        event = Event(time_ns, node, kind, data)
        events.append(event)
        if writer is not None:
            writer.event(event)

    system = system_of(test, observe)
    try:
        Driver(test, system, record).run(test.nemeses(), list(system.replicas))
    except Violated:
        pass
    system.close()
    return Recorded(description, History(ops), Trace(events))


def system_of(
    test: Test, observe: Observer, breakpoints: Mapping[str, Breakpoint] | None = None
) -> Sim:
    """The system under test, before anything has happened."""
    return Sim(test.workload_of().guest, seed=test.seed, observe=observe,
               bugs=frozenset(test.bugs), settings=test.settings(), breakpoints=breakpoints)


def checks_of(test: Test) -> dict[str, Checker]:
    """The workload's own checks, then those for every workload."""
    return {**test.workload_of().checks, **CHECKS}


def conclude(record: Record, checks: dict[str, Checker]) -> tuple[Verdict, list[str]]:
    """The verdict and its explanation; an explanation that fails changes no verdict."""
    verdict = check_all(record, checks)
    try:
        return verdict, explain(record, verdict)
    except Exception as error:      # explaining must never hide what was found
        return verdict, [verdict.why, f"(explaining this failed: {type(error).__name__}: {error})"]
