"""Sequential consistency: against all orders, and where it and linearizability part."""

from __future__ import annotations

from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from objects import random_history
from random_histories import MAKERS, random_ops
from test_checker_linearizability import hard_history, history
from things import THINGS

from checker import Budget, Inconsistent, Model, OneOf, linearizable, models
from checker.consistency import sequential, whole
from histories import Call, History


def some_order(calls: list[Call], model: Model) -> bool:
    """Tries all orders of all calls; those of pending calls that do not fit are left out."""
    known = [call for call in calls if call.outcome != "fail"]
    return any(keeps_programs(order) and legal(order, model) for order in permutations(known))


def keeps_programs(order: tuple[Call, ...]) -> bool:
    return all(one.start < other.start for place, one in enumerate(order)
               for other in order[place:] if one is not other and one.process == other.process)


def legal(order: tuple[Call, ...], model: Model) -> bool:
    """Is there a way through, pending calls being free to happen or not?"""
    states = {model.init}
    for call in order:
        after = set(states) if call.end is None else set()
        for state in states:
            step = model.step(state, call.f, call.arg, call.ret)
            if not isinstance(step, Inconsistent):
                after |= step.states if isinstance(step, OneOf) else {step}
        states = after
    return bool(states)


@pytest.mark.parametrize("name", sorted(THINGS))
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), calls=st.integers(1, 6))
def test_agrees_with_all_orders(name: str, seed: int, calls: int) -> None:
    rng, model = Random(seed), models.by_name(name)
    thing = THINGS[name](rng)   # type: ignore[call-arg]
    made = random_history(rng, thing.draw, thing.apply, calls=calls, spoilt=True)
    assert sequential(made, model).valid is some_order(made.calls(), whole(model))


@pytest.mark.parametrize("name", sorted(MAKERS))
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), wrong=st.sampled_from([0.0, 0.1, 0.4]))
def test_agrees_where_there_are_parts(name: str, seed: int, wrong: float) -> None:
    """And whatever is linearizable is sequentially consistent."""
    model = models.by_name(name)
    made = History(random_ops(Random(seed), model, calls=6, wrong=wrong))
    valid = sequential(made, model).valid
    assert valid is some_order(made.calls(), whole(model))
    assert valid or linearizable(made, model).valid is False


@pytest.mark.parametrize("text, model, valid", [
    ("0+write=1 0:write=1 1+read 1:read", models.register, True),           # stale, but in order
    ("0+write=1 0:write=1 0+read 0:read", models.register, False),          # not one's own write
    ("0+write=1 0:write=1 1+read 1:read=1 1+read 1:read", models.register, False),
    # Each key alone is in order; both together are not.
    ('0+put=["x","1"] 0:put 0+get=["y",null] 0:get=["y",""] '
     '1+put=["y","1"] 1:put 1+get=["x",null] 1:get=["x",""]', models.kv, False),
])
def test_small_history(text: str, model: Model, valid: bool) -> None:
    assert sequential(history(text), model).valid is valid


def test_a_spent_budget_is_unknown_and_names_the_calls() -> None:
    verdict = sequential(hard_history(), models.kv, budget=Budget(steps_max=1000))
    assert verdict.valid is None
    assert "1000 configurations tried; the longest order ends before process" in verdict.why
