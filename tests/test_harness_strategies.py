"""The public strategies: their plans run, their tests are tests, and both shrink."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from harness.plan import HEAL, Plan, planned
from harness.run import rehearse
from harness.strategies import drawn_tests, schedules
from harness.test import Test
from histories import UsageError
from nemesis import NEMESES
from workloads import WORKLOADS

FAULTS = ("crash", "partition", "log-loss")
FEW = settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(plan=schedules("counter", nemesis=FAULTS, ops_max=8, episodes_max=2))
def test_the_pair_keeps_its_promises_under_any_schedule(plan: Plan) -> None:
    """As a user would write it."""
    test = Test(nemesis=FAULTS, clients=3, plan=plan)
    record, verdict = rehearse(test)
    assert verdict.valid is not False, verdict.why
    calls = planned(record.history, 3).ops or ()
    assert len(calls) == len(plan.ops or ()), "every planned operation was called"


@FEW
@given(data=st.data(), workload=st.sampled_from(sorted(WORKLOADS)),
       nemesis=st.lists(st.sampled_from(sorted(NEMESES)), unique=True))
def test_schedules_fit_every_workload_and_family(data: st.DataObject, workload: str,
                                                 nemesis: list[str]) -> None:
    """A test takes them, and they end with healing and a pause when there are faults."""
    plan = data.draw(schedules(workload, nemesis=nemesis))
    assert replace(Test(), workload=workload, nemesis=tuple(nemesis), plan=plan).plan == plan
    if plan.faults:
        assert plan.faults[-1].f == HEAL and plan.end_ns is not None


def test_a_schedule_shrinks_to_what_matters() -> None:
    """Hypothesis does it: the smallest schedule with a crash of a backup."""
    plan = find(schedules("counter", nemesis=("partition", "crash")),
                lambda plan: any(fault.f == "crash" and fault.value["target"] == "backup"
                                 for fault in plan.faults or ()),
                settings=settings(max_examples=2000, phases=[Phase.generate, Phase.shrink]))
    assert [fault.f for fault in plan.faults or ()] == ["crash", "restart", HEAL]
    assert len(plan.ops or ()) == 3, "no operation but the final ones"


@given(drawn_tests(bugs=("no-output-rule",), workload="kv"))
def test_tests_have_what_was_fixed(test: Test) -> None:
    """And whatever else there may be."""
    assert test.bugs == ("no-output-rule",) and test.workload == "kv"


def test_a_family_that_there_is_not_is_refused() -> None:
    """In one line."""
    with pytest.raises(UsageError, match="unknown nemesis 'flood'"):
        find(schedules("counter", nemesis=("flood",)), lambda plan: True)
