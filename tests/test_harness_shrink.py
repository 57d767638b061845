"""Shrinking: smaller, and failing in the same way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.vacuity import count_faults
from harness import shrink
from harness.cli import main
from harness.failure import Finding, convicting, find
from harness.plan import Plan, PlannedFault, PlannedOp, planned
from harness.run import rehearse
from harness.shrink import Progress, Shrinker, explicit, without
from harness.test import Test as Run
from harness.workers import Here

MS = 1_000_000


def shrunk(test: Run, **options: Any) -> Shrinker:
    """A drawn test, run, made explicit and shrunk."""
    record, _ = rehearse(test)
    shrinker = Shrinker(explicit(test, planned(record.history, test.clients)),
                        find(test).signature, Here(), **options)
    shrinker.shrink()
    return shrinker


def first_failing(test: Run, checker: str) -> Run:
    """The test under the first seed that this checker convicts."""
    seeds = (replace(test, seed=seed) for seed in range(1, 50))
    return next(each for each in seeds if checker in convicting(find(each).signature))


def test_a_double_eleven_shrinks_to_two_increments_and_a_fault() -> None:
    """And fails in the same way as the run that it came from."""
    test = Run(nemesis=("log-loss", "crash"), bugs=("no-output-rule",), clients=3, rate_hz=30,
               time_limit_s=3)
    shrinker = shrunk(first_failing(test, "linearizable"))
    assert len(shrinker.plan.ops or ()) <= 6 and len(shrinker.plan.faults or ()) <= 2
    assert find(shrinker.best).signature == shrinker.signature
    assert "linearizable" in convicting(shrinker.signature)


def test_a_split_brain_shrinks_to_a_cut_and_what_shows_it() -> None:
    """Two machines that answer."""
    test = Run(nemesis=("partition",), bugs=("no-test-and-set",), rate_hz=20, time_limit_s=3)
    shrinker = shrunk(first_failing(test, "single-primary"))
    assert "single-primary split brain" in shrinker.signature
    assert len(shrinker.plan.ops or ()) <= 6
    assert {fault.f for fault in shrinker.plan.faults or ()} <= {"cut", "join"}
    assert find(shrinker.best).signature == shrinker.signature


LONG = {
    "no-output-rule": (Run(nemesis=("log-loss", "crash")), "linearizable"),
    "no-test-and-set": (Run(nemesis=("partition",)), "single-primary"),
    "lost-buffer": (Run(nemesis=("slow", "crash")), "linearizable"),
    "pending-forgotten": (
        Run(workload="kv", nemesis=("crash", "delay"), rate_hz=1000), "disk-operations"),
}


@pytest.mark.slow
@pytest.mark.parametrize("bug", LONG)
def test_a_thousand_operations_shrink_to_six(bug: str) -> None:
    """And all faults to two: two elevens, a split brain, a lost entry, a lost write."""
    test, checker = LONG[bug]
    test = first_failing(replace(test, bugs=(bug,)), checker)
    assert len(rehearse(test)[0].history.calls()) > 1000
    shrinker = shrunk(test)
    left, _ = rehearse(shrinker.best)
    assert find(shrinker.best).signature == shrinker.signature
    assert len(shrinker.plan.ops or ()) <= 6 and count_faults(left.history)[0] <= 2


def test_a_failure_that_needs_no_fault_loses_all() -> None:
    """An early output is one without any nemesis."""
    shrinker = shrunk(Run(nemesis=("partition",), bugs=("no-output-rule",), seed=3, clients=2,
                          time_limit_s=2, rate_hz=20))
    assert convicting(shrinker.signature) == ("output-rule",)
    assert shrinker.plan.faults == () and len(shrinker.plan.ops or ()) == 1
    assert shrinker.best.nemesis == ()


def sham(monkeypatch: pytest.MonkeyPatch, needed: set[int], *, other: set[int]) -> list[int]:
    """Runs that fail when all these operations are in, otherwise when any of the others is."""
    sizes: list[int] = []

    def judged(test: Run) -> Finding:
        assert test.plan is not None
        moments = {op.time_ns for op in test.plan.ops or ()}
        sizes.append(len(moments))
        how = ("a",) if needed <= moments else ("b",) if other & moments else ()
        return Finding(not how, "", how, 0, max(moments, default=0) if how else None, ())

    monkeypatch.setattr(shrink, "find", judged)
    return sizes


def test_what_fails_in_another_way_is_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """However small it is."""
    plan = Plan(ops=tuple(PlannedOp(at, 0, "inc") for at in range(64)), faults=(), end_ns=64)
    sham(monkeypatch, {17, 42}, other={5})
    monkeypatch.setattr(Shrinker, "_gaps", lambda self, least_ns=0: None)
    monkeypatch.setattr(Shrinker, "_cut", lambda self: None)
    shrinker = Shrinker(Run(plan=plan), ("a",), Here())
    shrinker.shrink()
    assert [op.time_ns for op in shrinker.plan.ops or ()] == [17, 42]


def test_the_bound_on_runs_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been reached by then is the result, and progress was told run by run."""
    plan = Plan(ops=tuple(PlannedOp(at, 0, "inc") for at in range(64)), faults=(), end_ns=64)
    sizes = sham(monkeypatch, {17, 42}, other=set())
    told: list[Progress] = []
    shrinker = Shrinker(Run(plan=plan), ("a",), Here(), runs_max=7, tell=told.append)
    shrinker.shrink()
    assert len(sizes) == 7 == shrinker.runs and shrinker.ended
    assert [each.runs for each in told] == [1, 2, 3, 4, 5, 6, 7]


def test_a_run_that_does_not_fail_again_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """After one attempt."""
    plan = Plan(ops=(PlannedOp(1, 0, "inc"),), faults=(), end_ns=64)
    sham(monkeypatch, {2}, other={1})
    shrinker = Shrinker(Run(plan=plan), ("a",), Here())
    assert shrinker.shrink() == Run(plan=plan)
    assert shrinker.decided_ns is None and shrinker.runs == 1


@given(st.lists(st.integers(), unique=True, max_size=40), st.integers(1, 50))
def test_pieces_cover_everything_once(items: list[int], piece: int) -> None:
    """Each candidate lacks one piece, and all pieces together are the items."""
    lacking = [[each for each in items if each not in rest] for rest in without(items, piece)]
    assert [each for part in reversed(lacking) for each in part] == items
    assert all(0 < len(part) <= piece for part in lacking)


STEPS = st.lists(st.integers(0, 10**10), max_size=12).map(sorted)


@given(STEPS, STEPS, st.integers(0, 10**10), st.integers(0, 10**10))
def test_moving_a_plan_keeps_its_order(ops: list[int], faults: list[int], end_ns: int,
                                       moment_ns: int) -> None:
    """No step before the beginning, none behind another that it came before."""
    plan = Plan(ops=tuple(PlannedOp(at, 0, "inc") for at in ops),
                faults=tuple(PlannedFault(at, "x") for at in faults),
                end_ns=max([end_ns, *ops, *faults]))
    for moved in (shrink._after(plan, moment_ns), shrink._before(plan, moment_ns),
                  shrink._rounded(plan), shrink._rounded(shrink._after(plan, moment_ns))):
        for steps in (moved.ops or (), moved.faults or ()):
            times = [step.time_ns for step in steps]
            assert times == sorted(times) and min(times, default=0) >= 0
            assert max(times, default=0) <= max(moved.end_ns or 0, max(ops + faults, default=0))


def test_a_shorter_list_in_a_fault_is_tried() -> None:
    """The shortest first, and nothing else is touched."""
    fault = PlannedFault(1, "cut", {"links": [1, 2, 3, 4], "why": "x"})
    tried = [each.value for each in shrink._simpler(fault)]
    assert tried[0] == {"links": [1, 2], "why": "x"} and len(tried) == 6
    assert not list(shrink._simpler(PlannedFault(1, "crash", None)))


def test_a_smaller_number_in_a_fault_is_tried() -> None:
    """The smallest first, never nothing."""
    tried = [each.value["delay_ns"] for each in shrink._simpler(
        PlannedFault(1, "delay", {"between": "x", "delay_ns": 5000, "all": True}))]
    assert tried == [5, 500, 2500]


def test_explicit_forgets_what_a_plan_makes_meaningless() -> None:
    """A swarm has become its families."""
    test = Run(nemesis=("swarm",), seed=5, rate_hz=7, time_limit_s=9)
    made = explicit(test, Plan(ops=()))
    assert made.nemesis == tuple(family.name for family in test.nemeses())
    assert made == replace(Run(), nemesis=made.nemesis, seed=5, plan=Plan(ops=()))


def test_the_options_of_a_run_will_do(tmp_path: Path,
                                      capsys: pytest.CaptureFixture[str]) -> None:
    """The line that a report ends with: it is run first; and not both can be meant."""
    options = ["--workload", "counter", "--nemesis", "partition", "--bug", "no-test-and-set",
               "--seed", "1", "--jobs", "1", "--store", str(tmp_path)]
    assert main(["shrink", *options, "--runs", "3"]) == 1
    assert "shrunk to" in capsys.readouterr().out
    assert main(["shrink", "some/1", *options]) == 254
    assert "not both" in capsys.readouterr().err
