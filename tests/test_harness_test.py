"""A test as a value: it prints as the command that runs it, and survives its JSON."""

from __future__ import annotations

import json
import shlex
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import test as plan
from harness.cli import parser
from harness.commands.run import test_of as plan_of
from histories import UsageError
from nemesis import NEMESES
from vmft.bugs import BUGS
from vmft.settings import DISK_READS, DISKS
from workloads import WORKLOADS


def some_of(names: Any) -> st.SearchStrategy[tuple[str, ...]]:
    """Any of these names, in any order."""
    return st.lists(st.sampled_from(sorted(names)), unique=True).map(tuple)


PLANS = st.builds(
    plan.Test, workload=st.sampled_from(sorted(WORKLOADS)), nemesis=some_of(NEMESES),
    bugs=some_of(BUGS), seed=st.integers(0, plan.SEED_MAX),
    clients=st.integers(1, plan.CLIENTS_MAX), rate_hz=st.integers(1, plan.RATE_HZ_MAX),
    time_limit_s=st.integers(1, plan.TIME_LIMIT_S_MAX), timeout_ms=st.integers(1, 10_000),
    disk_reads=st.sampled_from(DISK_READS),
    fail_fast=st.booleans()) | st.builds(plan.Test, disk=st.sampled_from(DISKS))


@given(PLANS)
def test_a_test_prints_as_the_command_that_runs_it(test: plan.Test) -> None:
    """Through the shell and the real parser, with nothing lost."""
    words = shlex.split(test.command())
    assert words[:4] == ["python", "-m", "checker", "run"]
    assert plan_of(parser().parse_args(words[3:])) == test


@given(PLANS)
def test_a_test_survives_its_json(test: plan.Test) -> None:
    """And what test.json says beyond it is ignored."""
    data = json.loads(json.dumps({**test.to_json(), "command": "", "versions": {}}))
    assert plan.from_json(data) == test


def test_a_command_leaves_out_what_has_its_default() -> None:
    """But never the seed."""
    assert plan.Test().command() == "python -m checker run --workload counter --seed 1"
    assert replace(plan.Test(), nemesis=("crash", "partition"), bugs=("no-output-rule",),
                   clients=7).command() == (
        "python -m checker run --workload counter --nemesis crash,partition "
        "--bug no-output-rule --seed 1 --clients 7")


def test_every_field_reaches_the_command() -> None:
    """A field that the command forgets would be a run that cannot be repeated."""
    reached = {*plan.OPTIONS, "workload", "nemesis", "bugs", "seed"}
    assert reached == {field.name for field in fields(plan.Test)}


@pytest.mark.parametrize("change, problem", [
    ({"workload": "x"}, "unknown workload 'x'; there is "),
    ({"nemesis": ("crash", "x")}, "unknown nemesis 'x'; there is channel, "),
    ({"bugs": ("x",)}, "unknown bug 'x'; there is "),
    ({"system": "x"}, "unknown system 'x'; there is "),
    ({"runtime": "x"}, "unknown runtime 'x'; there is "),
    ({"disk": "x"}, "unknown kind of disk 'x'; there is local, shared"),
    ({"disk_reads": "x"}, "unknown place of disk reads 'x'; there is "),
    ({"disk": "local", "disk_reads": "backup"}, "where the disk is shared, not local"),
    ({"seed": -1}, "seed is -1, expected a whole number from 0 to"),
    ({"seed": 1 << 64}, "seed is 18446744073709551616, expected a whole number from 0 to"),
    ({"seed": 1.0}, "seed is 1.0, expected a whole number"),
    ({"seed": True}, "seed is True, expected a whole number"),
    ({"clients": 0}, "clients is 0, expected a whole number from 1 to 1000"),
    ({"clients": 1001}, "clients is 1001, expected"),
    ({"rate_hz": 0}, "rate is 0, expected"),
    ({"time_limit_s": 0}, "time limit is 0, expected"),
    ({"timeout_ms": 0}, "timeout is 0, expected"),
    ({"fail_fast": 1}, "fail fast is 1, expected true or false"),
    ({"seed": None}, "seed is None, expected"),
    ({"workload": None}, "unknown workload None"),
    ({"workload": {}}, "test.json: "),
    ({"nemesis": 5}, "test.json: "),
])
def test_a_wrong_test_is_refused_in_one_line(change: dict[str, Any], problem: str) -> None:
    """That says what there is, or what was expected."""
    with pytest.raises(UsageError) as refused:
        plan.from_json({**plan.Test().to_json(), **change})
    said = str(refused.value)
    assert said.startswith("test.json: ") and problem in said and "\n" not in said


@pytest.mark.parametrize("text, names", [
    (None, ()), ("", ()), ("none", ()), ("crash", ("crash",)), ("a,b", ("a", "b")),
    (" a , b ,", ("a", "b")), ("a,b,a", ("a", "b")), ("none,a", ("a",))])
def test_names_come_in_a_list_with_commas(text: str | None, names: tuple[str, ...]) -> None:
    """Spaces and repetition do no harm."""
    assert plan.names(text) == names
