"""Circles of who must come before whom: they prove that there is no order, and are found."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_histories import MAKERS, brute_force, random_ops
from test_checker_linearizability import history

from checker import Model, linearizable, models
from checker.check import Recorded, merge
from checker.explain import explain
from checker.precedence import Edge, precedence
from checker.problem import Table, build
from histories import History, Op, Trace


def edges(made: History, model: Model) -> list[Edge]:
    """A circle among all calls of a history of one part."""
    table = Table(model)
    problem = build(made.calls(), table)
    returned = [~event for event in problem.events if event < 0]
    return precedence(problem, table, len(problem.events) - 1, returned).circle()


@pytest.mark.parametrize("name", sorted(set(MAKERS) - {"kv"}))
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), wrong=st.sampled_from([0.0, 0.1, 0.4]))
def test_a_circle_proves_that_there_is_no_order(name: str, seed: int, wrong: float) -> None:
    model = models.by_name(name)
    made = History(random_ops(Random(seed), model, calls=8, wrong=wrong))
    assert not edges(made, model) or not brute_force(made.calls(), model)


def register_run(rng: Random, stale: bool) -> History:
    """Writes of distinct values; with ``stale`` a read may be of any value so far."""
    ops: list[Op] = []
    open_calls: dict[int, Op] = {}
    values: list[int | None] = [None]
    for _ in range(20):
        process = rng.randrange(4)
        op = open_calls.pop(process, None)
        if op is None:
            f = rng.choice(["read", "write"])
            op = open_calls[process] = Op(process, "invoke", f, len(ops) if f == "write" else None)
            ops.append(op)
            continue
        if op.f == "write":
            values.append(op.value)
        value = op.value if op.f == "write" else values[-1] if not stale else rng.choice(values)
        ops.append(op._replace(type="ok", value=value))
    return History(ops)


@settings(max_examples=400, deadline=None)
@given(seed=st.integers(0, 2**32), stale=st.booleans())
def test_registers_with_distinct_writes_fail_by_circles_only(seed: int, stale: bool) -> None:
    """Where every value has one writer, there is a circle whenever there is no order."""
    made = register_run(Random(seed), stale)
    assert bool(edges(made, models.register)) is not brute_force(made.calls(), models.register)


@pytest.mark.parametrize("text, model, lines", [
    ("0+write=1 0:write=1 0+write=2 0:write=2 1+read 1:read=1", models.register, [
        "op 0 (write 1) before op 2 (write 2): op 2 began after op 0 ended",
        "op 2 (write 2) before op 0 (write 1): op 4 saw what op 0 left, and came after op 2"]),
    ("0+write=1 0:write=1 1+read 1:read", models.register, [
        "op 0 (write 1) before op 2 (read -> nil): op 2 began after op 0 ended",
        "op 2 (read -> nil) before op 0 (write 1): op 2 saw how everything began"]),
    ("0+read 0:read=1 0+write=1 0:write=1", models.register, []),     # fails before the write
    ("0+read 0:read=7", models.register, []),
    ("0+inc 0:inc=1 0+inc 1+inc 0:inc=2 1:inc=2", models.counter, [
        "op 2 (inc -> 2) before op 3 (inc -> 2): op 2 saw what op 0 left, and op 3 came after "
        "that one",
        "op 3 (inc -> 2) before op 2 (inc -> 2): op 3 saw what op 0 left, and op 2 came after "
        "that one"]),
])
def test_evidence_has_the_circle(text: str, model: Model, lines: list[str]) -> None:
    verdict = linearizable(history(text), model)
    assert verdict.valid is False
    assert verdict.evidence.get("cycle", []) == lines


def test_an_answer_that_comes_later_is_not_known_yet() -> None:
    """The circle is one of the shortest failing prefix."""
    made = history("0+write=1 0:write=1 2+cas=[1,2] 1+read 1:read=3 2:cas=[1,2] "
                   "3+write=3 3:write=3")
    assert "cycle" not in linearizable(made, models.cas_register).evidence


def test_the_explanation_names_the_circle() -> None:
    made = history("0+write=1 0:write=1 0+write=2 0:write=2 1+read 1:read=1")
    verdict = merge({"linearizable": linearizable(made, models.register)})
    said = explain(Recorded({"name": "x"}, made, Trace()), verdict)
    at = said.index("For each would have to come before the next, and the last before the first:")
    assert said[at + 1] == "  op 0 (write 1) before op 2 (write 2): op 2 began after op 0 ended"
