"""The check that is fed: against `linearizable` on every prefix, and in bounded memory."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from objects import random_history
from random_histories import MAKERS, random_ops
from things import THINGS

import checker.online
from checker import Budget, Model, Online, linearizable, models
from checker.past import Past
from histories import History, Op, UsageError


def agree(ops: list[Op], model: Model, settle_calls: int) -> bool:
    """Feed the ops; each prefix must be judged alike.  Answers the last verdict."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checker.online, "SETTLE_CALLS", settle_calls)
        online = Online(model)
        for length, op in enumerate(ops, 1):
            bad = online.feed(op)
            expected = linearizable(History(ops[:length]), model).valid
            assert online.verdict().valid is expected, ops[:length]
            assert (bad is None) is expected
            if not expected:
                return False
    return True


@pytest.mark.parametrize("name", sorted(MAKERS))
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), calls=st.integers(1, 25), settle_calls=st.integers(1, 6),
       wrong=st.sampled_from([0.0, 0.03, 0.3]), clients=st.integers(1, 6))
def test_agrees_on_every_prefix(
    name: str, *, seed: int, calls: int, settle_calls: int, wrong: float, clients: int
) -> None:
    model = models.by_name(name)
    made = random_ops(Random(seed), model, calls=calls, wrong=wrong, clients=clients)
    agree(History(made).ops, model, settle_calls)


@pytest.mark.parametrize("name", sorted(THINGS))
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), settle_calls=st.integers(1, 6), spoilt=st.booleans())
def test_agrees_on_every_prefix_of_things(
    name: str, seed: int, settle_calls: int, spoilt: bool
) -> None:
    rng = Random(seed)
    thing = THINGS[name](rng)   # type: ignore[call-arg]
    made = random_history(rng, thing.draw, thing.apply, calls=12, spoilt=spoilt)
    agree(made.ops, models.by_name(name), settle_calls)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MAKERS))
def test_agrees_on_every_prefix_of_many(name: str) -> None:
    model = models.by_name(name)
    for seed in range(3000):
        rng = Random(seed)
        made = random_ops(rng, model, calls=rng.randrange(1, 40), clients=rng.randrange(1, 8),
                          wrong=rng.choice([0.0, 0.0, 0.02, 0.1]))
        agree(History(made).ops, model, rng.randrange(1, 8))


def only_states(past: Past, other: Past) -> bool:
    return past.state == other.state


def without(name: str) -> Any:
    """A past that forgets something."""
    def past(*values: Any) -> Past:
        return replace(Past(*values), **{name: type(getattr(Past(None), name))()})
    return past


@pytest.mark.parametrize("place, name, bug, model", [
    (checker.past.Past, "is_worse", only_states, models.kv),
    (checker.past, "Past", without("done"), models.register),
    (checker.past, "Past", without("covered"), models.register),
])
def test_a_past_that_forgets_too_much_is_noticed(
    place: Any, name: str, bug: Any, model: Model
) -> None:
    """By the comparison above, so that it means something."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(AssertionError):
        patch.setattr(place, name, bug)
        for seed in range(600):
            made = random_ops(Random(seed), model, calls=30, wrong=0.0, clients=8)
            agree(History(made).ops, model, 3)


def part(online: Online) -> checker.online._Part:
    (only,) = online._parts.values()
    return only


def test_long_histories_stay_small() -> None:
    online, rng = Online(models.register), Random(1)
    for op in random_ops(rng, models.register, calls=3000, wrong=0.0, clients=3):
        assert online.feed(op) is None
        assert len(part(online).window) <= 4 * checker.online.SETTLE_CALLS
        assert len(part(online).pasts) < 50
    assert online.verdict().evidence["calls"] == 3000


@pytest.mark.parametrize("crashed", [18, 100, 500])
def test_crashed_increments_are_counted(crashed: int) -> None:
    """Identical calls that never return are a number, before the cut and behind it."""
    online = Online(models.counter)
    ops = [op for n in range(crashed) for op in (Op(n, "invoke", "inc"), Op(n, "info", "inc"))]
    for n in range(300):
        ops += [Op(9999, "invoke", "inc"), Op(9999, "ok", "inc", n + 1 + crashed // 2 * (n > 9))]
    assert all(online.feed(op) is None for op in ops)
    assert len(part(online).pasts) == 1
    assert online.feed(Op(9999, "invoke", "read")) is None
    bad = online.feed(Op(9999, "ok", "read", 301 + crashed))
    assert bad is not None and bad.valid is False


def test_crashed_writes_do_not_blow_up() -> None:
    online = Online(models.register)
    ops = [op for n in range(50) for op in (Op(n, "invoke", "write", n), Op(n, "info", "write", n))]
    for n in range(200):
        ops += [Op(99, "invoke", "read"), Op(99, "ok", "read", n // 10)]
    assert all(online.feed(op) is None for op in ops)
    assert len(part(online).pasts) == 1
    assert online.feed(Op(99, "invoke", "read")) is None
    bad = online.feed(Op(99, "ok", "read", 3))
    assert bad is not None and bad.valid is False


def test_a_violation_is_told_at_once_and_for_good() -> None:
    online = Online(models.kv)
    ops = [Op(0, "invoke", "put", ["x", "1"]), Op(0, "ok", "put", ["x", "1"]),
           Op(1, "invoke", "get", ["x", None]), Op(1, "ok", "get", ["x", "2"])]
    assert [online.feed(op) for op in ops[:3]] == [None] * 3
    bad = online.feed(ops[3])
    assert bad is not None and bad.valid is False
    assert bad.why == 'part "x": no order of the calls explains process 1: get ["x" nil] -> ' \
                      '["x" "2"] (op 3)'
    assert bad.evidence["op"] == 3 and bad.evidence["method"] == "online"
    assert online.feed(Op(7, "ok", "no call at all")) is bad is online.verdict()


def test_a_call_that_is_said_to_have_failed_is_taken_back() -> None:
    online = Online(models.register)
    ops = [Op(0, "invoke", "write", 1), Op(1, "invoke", "read"), Op(1, "ok", "read", 1)]
    assert [online.feed(op) for op in ops] == [None] * 3
    bad = online.feed(Op(0, "fail", "write", 1))
    assert bad is not None and bad.valid is False


@pytest.mark.parametrize("limit, cause", [
    ("WINDOW_MAX", "calls wait for what has not ended"), ("LOST_MAX", "calls have no known end")])
def test_a_limit_ends_in_unknown(monkeypatch: pytest.MonkeyPatch, limit: str, cause: str) -> None:
    """One part that gives up does not keep another from being invalid."""
    monkeypatch.setattr(checker.online, limit, 20)
    monkeypatch.setattr(checker.online, "SETTLE_CALLS", 4)
    online = Online(models.kv)
    bad = online.feed(Op(0, "invoke", "put", ["x", "slow"]))
    for n in range(1, 100):
        put = Op(n, "invoke", "put", ["x", str(n)])
        ended = "info" if limit == "LOST_MAX" else "ok"
        if limit == "LOST_MAX" and n == 1:
            online.feed(Op(0, "ok", "put", ["x", "slow"]))
        online.feed(put)
        bad = online.feed(put._replace(type=ended))
    assert bad is not None and bad.valid is None
    assert bad.why.startswith(f'part "x": gave up, 20 {cause}: at op ')
    if limit == "WINDOW_MAX":
        assert "1 call open (process 0: put" in bad.why
    online.feed(Op(200, "invoke", "get", ["y", None]))
    bad = online.feed(Op(200, "ok", "get", ["y", "never put"]))
    assert bad is not None and bad.valid is False


def test_what_is_known_is_said_though_time_is_up_before_it_is_explained() -> None:
    made = [Op(n, "invoke", "enqueue", n % 3) for n in range(9)]
    made += [op._replace(type="ok") for op in made]
    for item in (0, 1, 2, 0, 1, 2, 0, 1, 1):        # and what was put third is missing
        made += [Op(9, "invoke", "dequeue"), Op(9, "ok", "dequeue", item)]
    said: set[bool | None] = set()
    for patience in range(30):
        left = iter(range(patience))
        budget = Budget(expired=lambda left=left: next(left, None) is None)  # type: ignore[misc]
        online = Online(models.queue, budget=budget)
        bad = [online.feed(op) for op in made + made[-2:]][-1]
        assert bad is not None
        assert bad.evidence["op"] == 35
        said.add(bad.valid)
    assert said == {None, False}


@pytest.mark.parametrize("ops", [
    [Op(0, "ok", "read")],
    [Op(0, "invoke", "read"), Op(0, "invoke", "read")],
    [Op(0, "invoke", "read"), Op(0, "info", "read"), Op(0, "invoke", "read")],
    [Op(0, "invoke", "read"), Op(0, "ok", "write")],
    [Op("someone", "invoke", "read")],
    [Op(0, "odd", "read")],
    [Op(0, "invoke", "read", index=4), Op(1, "invoke", "read", index=4)],
    [Op(0, "invoke", "pop")],
    [Op(0, "invoke", "write", float("nan"))],
])
def test_bad_ops_are_refused_in_the_same_words(ops: list[Op]) -> None:
    with pytest.raises(UsageError) as expected:
        linearizable(History(ops), models.register)
    online = Online(models.register)
    with pytest.raises(UsageError) as refused:
        for op in ops:
            online.feed(op)
    assert str(refused.value) == str(expected.value)
