"""What a stretch of a history can have led to: the same natively and not, and all of it."""

from __future__ import annotations

from random import Random
from typing import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_histories import MAKERS, random_ops
from test_checker_online import agree

import checker.online
import checker.past
from checker import Online, linearizable, models
from checker.native import NATIVE, reach
from checker.problem import Problem, Table, build
from checker.reach import Stand
from checker.reach import reach as plain_reach
from histories import History


def run(name: str, calls: int) -> History:
    """Eight clients; some answers are lost."""
    model = models.by_name(name)
    return History(random_ops(Random(3), model, calls=calls, wrong=0.0, clients=8))


def both(
    problem: Problem, table: Table, begun: Sequence[Stand], until: int, most: int
) -> list[Stand] | None:
    """What both find, if it is the same."""
    found = reach(problem, table, begun, until, most)
    assert found == plain_reach(problem, table, begun, until, most)
    return found


@pytest.mark.skipif(NATIVE is None, reason="there is no native search")
@pytest.mark.parametrize("name", sorted(MAKERS))
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), settle_calls=st.integers(1, 6), clients=st.integers(1, 8))
def test_both_reach_the_same(name: str, seed: int, settle_calls: int, clients: int) -> None:
    model = models.by_name(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checker.past, "reach", both)
        made = random_ops(Random(seed), model, calls=30, wrong=0.0, clients=clients)
        assert agree(History(made).ops, model, settle_calls)


@pytest.mark.parametrize("name", ["register", "cas-register"])
@pytest.mark.parametrize("violation", [False, True])
def test_long_histories_with_crashes_are_judged_as_a_whole(name: str, violation: bool) -> None:
    """The op at which it stops is the one that ends the shortest prefix that fails."""
    made = run(name, 300)
    if violation:
        last = max(op.index for op in made.ops[:500] if op.type == "ok" and op.f == "read")
        made = History([op._replace(value=99) if op.index == last else op for op in made.ops])
    expected = linearizable(made, models.by_name(name))
    online = Online(models.by_name(name))
    stopped = next((op.index for op in made.ops if online.feed(op) is not None), None)
    assert online.verdict().valid is expected.valid is not violation
    assert stopped == expected.evidence.get("op")


def test_too_many_are_not_told() -> None:
    made = run("register", 60)
    table = Table(models.register)
    problem = build(made.calls(), table)
    begun = [Stand(0, table.init, [], [], [])]
    assert both(problem, table, begun, 20, 10) is None
    assert both(problem, table, begun, 20, 100_000)


@pytest.mark.skipif(NATIVE is None, reason="there is no native search")
@pytest.mark.parametrize("stand", [
    Stand(-1, 0, [], [], []), Stand(101, 0, [], [], []), Stand(0, -1, [], [], []),
    Stand(0, 0, [1000], [], []), Stand(0, 0, [], [-1], []), Stand(0, 0, [], [], [(-2, 1)]),
    Stand(0, 0, [], [], [(0, 2**31 - 1)]),
])
def test_numbers_that_are_no_stand_are_refused(stand: Stand) -> None:
    made = run("register", 50)
    table = Table(models.register)
    with pytest.raises(ValueError):
        reach(build(made.calls(), table), table, [stand], 30, 100)
