"""Calls are numbered natively as they are in Python, with rules and without them."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_histories import MAKERS, random_ops

from checker import ANY_STATE, UNKNOWN, Inconsistent, Model, linearizable, models, native
from checker.model import Rule, first_of_argument
from checker.problem import Problem, Table, build, loosened
from histories import History, Op, UsageError

RULED = [model for model in models.MODELS.values() if model.rules]
Two = namedtuple("Two", "a b")
needs_native = pytest.mark.skipif(native.COLUMNS is None, reason="nothing is numbered natively")

atoms = st.sampled_from([None, 0, 1, True, 1.0, 2, -1, 300, 2**70, "", "1", b"1", Fraction(1)])
values = st.recursive(
    atoms, lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner)
    | st.builds(Two, atoms, atoms) | st.frozensets(st.integers(0, 2), max_size=2), max_leaves=6)


def told(problem: Problem, table: Table) -> Any:
    """All that was numbered, and what the numbers stand for."""
    columns = (table.kinds, table.needs, table.targets)
    before = [list(column) for column in columns]
    names = (table.states, table.classes)
    assert before == [list(column) for column in columns], "what was foretold came true"
    calls = [problem.call(number) for number in range(len(problem.classes))]
    return [list(column) for column in problem[:2]], calls, before, names


def agree(history: History, model: Model) -> None:
    one, other = Table(model), Table(model)
    assert told(native.numbered(history, one), one) == told(build(history.calls(), other), other)


@pytest.mark.parametrize("name", sorted(MAKERS))
@given(seed=st.integers(0, 2**32), calls=st.integers(0, 60), rules=st.booleans())
@settings(max_examples=12, deadline=None)
def test_random_histories_are_numbered_alike(
    name: str, seed: int, calls: int, rules: bool
) -> None:
    model = models.by_name(name)
    ops = random_ops(Random(seed), model, calls=calls, wrong=0.1, clients=5)
    agree(History(ops), model if rules else replace(model, rules={}))


@given(st.lists(st.tuples(st.integers(-1, 4), st.sampled_from(["read", "write", "cas"]), values,
                          st.sampled_from(["ok", "fail", "info"])), max_size=12))
@settings(max_examples=100, deadline=None)
def test_equal_values_are_one_whatever_they_look_like(
    asked: list[tuple[int, str, Any, str]]
) -> None:
    """True and 1 and 1.0 and 1/1, lists and tuples: Python's equality decides."""
    ops, retired = [], set()
    for process, f, value, outcome in asked:
        if process not in retired:
            arg = [value, value] if f == "cas" else value
            ops += [Op(process, "invoke", f, arg), Op(process, outcome, f, arg)]
        if outcome == "info":
            retired.add(process)
    agree(History(ops), models.cas_register)


@pytest.mark.parametrize("model", RULED, ids=lambda model: model.name)
@given(values, values, values)
@settings(max_examples=50, deadline=None)
def test_rules_say_what_the_model_says(model: Model, first: Any, second: Any, ret: Any) -> None:
    for f, rule in model.rules.items():
        answer = ret
        arg = (first, second) if "old" in rule else first
        found = {"arg": arg, "ret": ret, "old": first, "new": second, "": ANY_STATE,
                 "init": model.init}
        need, leads = found[rule.needs], found[rule.leads]
        if model.partition is first_of_argument:
            arg, answer = ("k", arg), ("k", ret)
        kind = "write" if need is ANY_STATE else "read" if need == leads else "update"
        assert model.kind(f, arg) == kind
        assert kind == "write" or model.needs(f, arg, answer) == need
        assert model.step(model.init if need is ANY_STATE else need, f, arg, answer) == leads
    some_only = model.partition is first_of_argument     # kv: it has increments and appends, too
    assert set(model.rules) == set(model.fs) or some_only and set(model.rules) < set(model.fs)


@given(seed=st.integers(0, 2**32), name=st.sampled_from(sorted(MAKERS)), data=st.data())
@settings(max_examples=60, deadline=None)
def test_calls_are_loosened_alike(seed: int, name: str, data: st.DataObject) -> None:
    """The same events, and the same classes, numbered in the same order."""
    model = models.by_name(name)
    history = History(random_ops(Random(seed), model, calls=30, wrong=0.1, clients=5))
    results: list[Any] = []
    tight: Any = ()
    for loosen in (native.loosened, loosened):
        table = Table(model)
        problem = native.numbered(history, table)
        if not results:
            calls = st.integers(0, max(0, len(problem.classes) - 1))
            tight = data.draw(st.none() | st.lists(calls, unique=True))
            last = data.draw(st.integers(0, max(0, len(problem.events) - 1)))
        results.append(told(loosen(problem, table, tight, last), table))
    assert results[0] == results[1]


@pytest.mark.parametrize("f,arg", [("cas", 3), ("cas", [1, 2, 3]), ("pop", None), ("cas", None)])
def test_what_rules_cannot_take_is_refused_as_ever(f: str, arg: Any) -> None:
    history = History([Op(0, "invoke", f, arg), Op(0, "ok", f, arg)])
    with pytest.raises(UsageError, match="op 0: cas-register"):
        native.numbered(history, Table(models.cas_register))


@needs_native
def test_a_class_that_comes_later_finds_the_others_there() -> None:
    """What was foretold is numbered before anything else is."""
    table = Table(models.register)
    history = History([Op(0, "invoke", "write", 3), Op(0, "ok", "write", 3),
                       Op(0, "invoke", "read"), Op(0, "ok", "read", 3)])
    problem = native.numbered(history, table)
    pending = problem.call(0)._replace(arg=4, outcome="info", completion=None, ret=UNKNOWN)
    assert table.classify(pending) == 2
    assert table.states == [None, 3, 4]
    assert list(table.targets) == [1, 1, 2]


def test_rules_of_a_user_are_followed() -> None:
    """A model with a rule is judged by it, where calls are numbered natively."""
    def step(state: Any, f: str, arg: Any, ret: Any) -> Any:
        return ret if state == arg else Inconsistent("no")

    model = Model(name="chain", init=0, step=step, fs={"go": "from; answers to"},
                  needs=lambda f, arg, ret: arg, rules={"go": Rule("arg", "ret")})
    ops = [Op(0, kind, "go", n + (kind == "ok")) for n in range(4) for kind in ("invoke", "ok")]
    agree(History(ops), model)


@needs_native
@pytest.mark.parametrize("calls, refused", [(20, False), (2_000, True)])
def test_rules_are_compared_with_the_model_where_that_costs_little(
    calls: int, refused: bool
) -> None:
    """Few classes among many calls; else when a failure is explained."""
    lying = replace(models.register, rules={**models.register.rules, "write": Rule("arg", "arg")})
    ops = [Op(0, kind, "write", 3) for _each in range(calls) for kind in ("invoke", "ok")]
    first = [Op(0, "invoke", "read"), Op(0, "ok", "read")]
    if not refused:
        native.numbered(History([*first, *ops]), Table(lying))
        return
    with pytest.raises(UsageError, match="model register has rules that disagree"):
        linearizable(History([*first, *ops]), lying)


@needs_native
def test_rules_that_disagree_with_the_model_are_refused() -> None:
    """What they foretold is compared with what the model says, once it is asked."""
    bad = replace(models.register, kind=lambda f, arg: "update")
    history = History([Op(0, "invoke", "read"), Op(0, "ok", "read", 3)])
    table = Table(bad)
    native.numbered(history, table)
    with pytest.raises(UsageError, match="model register has rules that disagree"):
        table.states
