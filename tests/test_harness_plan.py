"""Plans: a run repeats itself from its own plan, and what a plan leaves open is drawn as ever."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.check import Recorded
from harness import test as what
from harness.cli import main
from harness.plan import (
    HEAL, INLINE_CHARACTERS_MAX, Plan, PlannedFault, PlannedOp, from_json, planned, read)
from harness.run import rehearse, run
from histories import NEMESIS, UsageError
from histories.store import HISTORY, latest
from nemesis import NEMESES
from workloads import WORKLOADS

SHORT = what.Test(time_limit_s=2, rate_hz=20, clients=3)
MS = 1_000_000


def record_of(test: what.Test) -> Recorded:
    """What happens in a run."""
    return rehearse(test)[0]


@settings(max_examples=12)
@given(st.sampled_from(sorted(WORKLOADS)), st.integers(0, what.SEED_MAX),
       st.lists(st.sampled_from(sorted(NEMESES)), unique=True, max_size=3))
def test_a_run_repeats_itself_from_its_own_plan(workload: str, seed: int,
                                                nemesis: list[str]) -> None:
    """Every op and every event again, though nothing is drawn any more but the network's pace."""
    test = replace(SHORT, workload=workload, seed=seed, nemesis=tuple(nemesis))
    first = record_of(test)
    again = record_of(replace(test, plan=planned(first.history, test.clients)))
    assert again.history == first.history
    assert again.trace.events == first.trace.events


def test_a_plan_of_faults_leaves_the_clients_to_chance() -> None:
    """Up to the fault, the run is the one without it; afterwards there is healing as ever."""
    calm = record_of(SHORT).history
    plan = Plan(faults=(PlannedFault(500 * MS, "crash", {"target": "primary", "pick": 0}),))
    broken = record_of(replace(SHORT, nemesis=("crash",), plan=plan)).history
    assert [op for op in broken if op.time < 500 * MS] == [op for op in calm if op.time < 500 * MS]
    struck = [op.f for op in broken if op.process == NEMESIS]
    assert struck == ["crash", "crash", HEAL]


def test_explicit_operations_are_all_there_are() -> None:
    """Each no earlier than planned, one after the other where they would overlap."""
    plan = Plan(ops=(PlannedOp(5 * MS, 1, "inc"), PlannedOp(5 * MS, 1, "read"),
                     PlannedOp(7 * MS, 0, "inc")), end_ns=50 * MS)
    calls = record_of(replace(SHORT, plan=plan)).history.calls()
    assert [(call.process, call.f, call.ret) for call in calls] == [
        (1, "inc", 1), (1, "read", 1), (0, "inc", 2)]
    assert calls[0].start_ns == 5 * MS and calls[1].start_ns == calls[0].end_ns
    assert calls[2].start_ns == 7 * MS


def test_a_client_goes_on_with_its_plan_after_a_timeout() -> None:
    """Under a new process id."""
    links = [["clients", "n1"]]
    plan = Plan(ops=(PlannedOp(5 * MS, 0, "inc"), PlannedOp(6 * MS, 0, "read")),
                faults=(PlannedFault(MS, "cut", {"links": links}),), end_ns=2000 * MS)
    calls = record_of(replace(SHORT, nemesis=("partition",), plan=plan)).history.calls()
    assert [(call.process, call.f, call.outcome) for call in calls] == [
        (0, "inc", "info"), (3, "read", "info")]


def test_the_test_prints_and_stores_its_plan(tmp_path: Path) -> None:
    """In one line while it is short; a stored test.json will do as the argument too."""
    plan = Plan(faults=(PlannedFault(1, "crash", {"target": "backup", "pick": 0}),))
    test = replace(SHORT, nemesis=("crash",), plan=plan)
    assert test.name == "counter-crash-planned"
    assert f"--plan '{plan}'" in test.command()
    stored = json.loads(json.dumps(test.to_json()))
    assert what.from_json(stored) == test
    file = tmp_path / "test.json"
    file.write_text(json.dumps(stored), encoding="utf-8")
    assert read(str(file), tmp_path) == read(str(plan), tmp_path) == plan


def test_the_command_of_a_long_plan_names_its_file_in_the_store(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its content, so that a report does not depend on where the run is stored; and it works."""
    monkeypatch.chdir(tmp_path)
    plan = Plan(ops=tuple(PlannedOp(at * MS, at % 3, "inc") for at in range(300)), end_ns=500 * MS)
    assert len(str(plan)) > INLINE_CHARACTERS_MAX
    first = run(replace(SHORT, plan=plan), Path("store"))
    command = shlex.split(str(first.record.test["command"]))
    assert command[:3] == ["python", "-m", "checker"]
    assert main(command[3:]) == 0
    again = latest(Path("store"))
    assert again.path.resolve() != first.path.resolve() and again.test == first.record.test
    assert (again.path / HISTORY).read_bytes() == (first.path / HISTORY).read_bytes()


STEPS = st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 2), st.text(),
                           st.none() | st.integers() | st.lists(st.text()))).map(
    lambda rows: sorted(rows, key=lambda row: row[0]))


@given(st.none() | STEPS.map(lambda rows: tuple(PlannedOp(*row) for row in rows)),
       st.none() | STEPS.map(lambda rows: tuple(PlannedFault(row[0], *row[2:]) for row in rows)),
       st.none() | st.integers(0, 10**12))
def test_a_plan_survives_its_json(ops: Any, faults: Any, end_ns: int | None) -> None:
    """Whatever it holds."""
    plan = Plan(ops=ops, faults=faults, end_ns=end_ns)
    assert from_json(json.loads(str(plan))) == plan


@pytest.mark.parametrize("data, problem", [
    ([], "expected an object with ops, faults or end_ns"),
    ({"op": []}, "expected an object with ops, faults or end_ns"),
    ({"end_ns": -1}, "end_ns is -1, expected a number of nanoseconds"),
    ({"ops": {}}, "ops: expected a list of at most 1000000 steps"),
    ({"ops": [[1, 0]]}, "ops: expected [time_ns, client, f, value] each"),
    ({"ops": [5]}, "ops: expected [time_ns, client, f, value] each"),
    ({"faults": [[1]]}, "faults: expected [time_ns, f, value] each"),
    ({"faults": [["1", "crash"]]}, "faults[0] is ['1', 'crash', None]: expected a time in ns and a "
                                   "name"),
    ({"ops": [[1, "0", "inc"]]}, "ops[0] is [1, '0', 'inc', None]: expected a time in ns, a client,"
                                 " a name"),
    ({"ops": [[2, 0, "inc"], [1, 0, "inc"]]}, "ops are not in order of time"),
    ({"ops": [[1, 3, "inc"]]}, "ops[0]: there is no client 3 of 3"),
    ({"ops": [[1, 0, "cas"]]}, "ops[0]: the workload cannot say cas None (KeyError: 'cas')"),
    ({"faults": [[1, "crash"]]}, "faults[0]: the test's nemeses know no 'crash'; there is cut, "
                                 "heal, join"),
    ({"faults": [[1, "cut", 5]]}, "faults[0]: cut: its value is 5, expected an object"),
    ({"faults": [[1, "cut"]]}, "faults[0]: cut: links is missing, expected a list of [node, node], "
                               "one of each a host"),
    ({"faults": [[1, "cut", {"links": [["n1", "n9"]]}]]},
     "faults[0]: cut: links is [['n1', 'n9']], expected a list of [node, node], one of each a "
     "host"),
    ({"faults": [[1, "cut", {"links": [["n1", "n2"]], "ms": 1}]]},
     "faults[0]: cut: 'ms' is unknown; there is links"),
    ({"faults": [[1, "heal", {"all": True}]]},
     "faults[0]: heal: 'all' is unknown; there is no parameter"),
])
def test_a_wrong_plan_is_refused_in_one_line(data: Any, problem: str) -> None:
    """That says which step, and what was expected."""
    with pytest.raises(UsageError) as refused:
        replace(SHORT, nemesis=("partition",), plan=from_json(data))
    assert str(refused.value) == f"plan: {problem}"


def test_an_argument_that_is_no_json_is_refused() -> None:
    """With the place."""
    with pytest.raises(UsageError, match="--plan: not JSON"):
        read("{", Path())
