"""What is learned of a model's classes is so in every state, and no verdict changes by it."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from every_model import MAKERS, bare, loosened, random_history
from hypothesis import given, settings
from hypothesis import strategies as st
from random_histories import brute_force
from test_checker_linearizability import history, judge
from test_checker_native import told

from bench.synthetic import Shape, make
from checker import Inconsistent, Model, linearizable, models, native
from checker import search as plain
from checker.found import ALL, Budget, ShortCut
from checker.learn import ROUNDS_MAX, learn
from checker.problem import ANYWHERE, ILLEGAL, READ, UNASKED, UPDATE, WRITE, Problem, Table, build
from checker.refute import Refuter
from histories import UNKNOWN, Call, History, Op, UsageError

MOST = 2_000
ALONE = [name for name in sorted(MAKERS) if MAKERS[name].model.partition is None]


def drawn(seed: int, name: str, calls: int = 9) -> list[Call]:
    return random_history(Random(seed), MAKERS[name], calls=calls).calls()


def learned(calls: list[Call], model: Model) -> tuple[Problem, Table]:
    table = Table(model)
    problem = build(calls, table)
    learn(problem, table, MOST)
    return problem, table


# What is learned

@pytest.mark.parametrize("name", ALONE)
@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_it_is_so_in_every_state(name: str, seed: int) -> None:
    """Of the problem's classes and of their loosened forms, by a table that learned nothing."""
    model = bare(MAKERS[name].model)
    problem, table = learned(drawn(seed, name), model)
    used, other = set(problem.classes), Table(model)
    states = range(len(table.states))
    numbers = [other._number(state) for state in table.states]
    for number in sorted(used | {table.loosened(each) for each in used}):
        call, kind, need = table.classes[number], table.kinds[number], table.needs[number]
        if (kind, need, table.targets[number]) == (UPDATE, ANYWHERE, UNASKED):
            continue
        after = {state: other.step(numbers[state], other.classify(call)) for state in states}
        legal = {state: table.states.index(other.states[found])
                 for state, found in after.items() if found != ILLEGAL}
        if kind == READ:
            assert all(state == found for state, found in legal.items())
        if kind == WRITE:
            assert set(legal) == set(states)
        if need != ANYWHERE:
            assert set(legal) <= {need}
        if table.targets[number] != UNASKED:
            assert set(legal.values()) <= {table.targets[number]}


@pytest.mark.parametrize("name", ["register", "cas-register", "mutex", "owner-mutex", "set"])
def test_it_is_what_the_models_of_the_checker_say(name: str) -> None:
    """In as many words, where each value is written, and each lock taken and given back."""
    model = MAKERS[name].model
    for seed in range(20):
        calls = [*drawn(seed, name, 12), *everything(name)]
        table, other = learned(calls, bare(model))[1], Table(model)
        for call in table.classes:
            mine, theirs = table.classify(call), other.classify(call)
            if call.outcome == "fail" or call.ret is UNKNOWN or other.targets[theirs] == UNASKED:
                continue
            assert table.kinds[mine] == other.kinds[theirs], call
            assert named(table, mine) == named(other, theirs), call


def everything(name: str) -> list[Call]:
    """Calls that lead to every state."""
    fs = {"register": ["write"], "cas-register": ["write"], "set": ["add", "remove"]}
    args: dict[str, list[Any]] = {
        "register": [0, 1, 2], "cas-register": [0, 1, 2], "mutex": [None]}
    return [Call(99, f, arg, arg, 1000 + n, 2000 + n, "ok")
            for f in fs.get(name, ["acquire", "release"])
            for n, arg in enumerate(args.get(name, [1, 2]))]


def named(table: Table, number: int) -> Any:
    """What a class needs and leads to."""
    return [value if value < 0 else table.states[value]
            for value in (table.needs[number], table.targets[number])]


# What is made of it

@pytest.fixture(name="at_once")
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is learned before the search begins."""
    monkeypatch.setattr("checker.learn.CALLS_PER_TRANSITION", 1 / MOST)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("name", sorted(MAKERS))
@given(seed=st.integers(0, 2**32), kinds=st.booleans())
@settings(max_examples=40, deadline=None)
def test_step_alone_is_judged_as_brute_force_does(name: str, seed: int, kinds: bool) -> None:
    """Or with kinds said, or some; and the prefix that is blamed is the shortest."""
    model, rng = MAKERS[name].model, Random(seed)
    known = {f for f in model.fs if rng.random() < 0.5}
    twin = bare(model) if not kinds else replace(
        bare(model), kind=lambda f, arg: model.kind(f, arg) if f in known else "update")
    made = History(random_history(rng, MAKERS[name], calls=rng.randrange(3, 9)))
    verdict = linearizable(made, twin)
    assert verdict.valid is brute_force(made.calls(), twin), made.ops
    if not verdict.valid and model.partition is None:
        op = verdict.evidence["op"]
        assert not brute_force(loosened(made.calls(), op), twin), made.ops
        assert brute_force(loosened(made.calls(), op - 1), twin), made.ops
        assert "core" in verdict.evidence


@pytest.mark.usefixtures("at_once")
def test_what_a_loosened_call_leads_to_is_known_too() -> None:
    """As long as nobody has heard which token was drawn, any may be told."""
    alone = replace(bare(models.token), partition=None)
    verdict = linearizable(
        history('0+draw="s" 1+ask="s" 1:ask=["s","b"] 0:draw=["s","a",null]'), alone)
    assert (verdict.valid, verdict.evidence["op"]) == (False, 3)


@pytest.mark.parametrize("name", ALONE)
@given(seed=st.integers(0, 2**32), cuts=st.integers(0, int(ALL)))
@settings(max_examples=15, deadline=None)
def test_every_short_cut_is_sound(name: str, seed: int, cuts: int) -> None:
    """And both searches take the same steps."""
    model = bare(MAKERS[name].model)
    calls = drawn(seed, name)
    results = []
    for search in (native.search, plain.search):
        problem, table = learned(calls, model)
        results.append(told(search(problem, table, Budget(), ShortCut(cuts)), table))
    assert results[0] == results[1]
    assert results[0][0].valid is brute_force(calls, model)


@pytest.mark.parametrize("name", ["register", "cas-register", "mutex", "lease", "set"])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_windows_are_sound(name: str, seed: int) -> None:
    """No order gets past what a window refutes."""
    model = bare(MAKERS[name].model)
    calls = drawn(seed, name)
    problem, table = learned(calls, model)
    refuter = Refuter(problem, table)
    for stuck in [~event for event in problem.events if event < 0]:
        refuter.go_to(stuck)
        end = problem.call(stuck).end
        assert end is not None
        if refuter.refuted(stuck, 10_000):
            assert not brute_force(loosened_but_with_answers(calls, end), model)


def loosened_but_with_answers(calls: list[Call], last: int) -> list[Call]:
    """The calls up to an op; those that end later may have happened, with their answers."""
    return [call if call.end is not None and call.end <= last
            else call._replace(outcome="info", completion=None)
            for call in calls if call.start <= last and call.outcome != "fail"]


@pytest.mark.parametrize("shape", [
    Shape("register", 2_000, 10), Shape("register", 2_000, 10, 1),
    Shape("cas-register", 2_000, 10, 1), Shape("cas-register", 2_000, 10, 1, True),
    Shape("cas-register", 10_000, 30, 1)])
def test_a_search_takes_about_as_many_steps_as_with_all_said(shape: Shape) -> None:
    """As long as calls that turn out to be reads, and never return, are left out."""
    made, model = make(shape), replace(models.by_name(shape.model), monitors=())
    one, other = linearizable(made, bare(model)), linearizable(made, model)
    assert one.valid is other.valid is not shape.violation
    assert one.evidence["steps"] <= 1.05 * other.evidence["steps"]


@pytest.mark.parametrize("seen, expected", [(19, True), (20, False)])
def test_a_short_history_that_is_hard(seen: int, expected: bool) -> None:
    """Twenty pending writes of distinct values: without short cuts there is no end."""
    words = [f"{n}+write={n} {n}?write={n}" for n in range(20)]
    words += [f"60+read 60:read={n}" for n in range(0, 20, 7)]
    words.append(f"60+read 60:read={seen}")
    assert judge(" ".join(words), bare(models.register)) is expected


# What cannot be learned

def test_there_may_be_no_end_of_states() -> None:
    for model in (models.queue, models.counter):
        problem, table = learned(drawn(1, "queue" if model is models.queue else "counter"),
                                 bare(model))
        assert set(table.needs) == {ANYWHERE} and set(table.targets) == {UNASKED}


@pytest.mark.usefixtures("at_once")
def test_states_that_grow_and_grow_are_left_alone() -> None:
    """A square of a square of a square has more digits than there is memory."""
    def step(state: Any, f: str, arg: Any, ret: Any) -> Any:
        return state * state

    square = Model(name="square", init=3, fs={"square": "nothing"}, step=step)
    assert judge("0+square 0:square", square) is True
    table = learned(history("0+square 0:square").calls(), square)[1]
    assert len(table.states) <= ROUNDS_MAX + 1


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("odd", [ZeroDivisionError, [], Inconsistent])
def test_what_no_search_asks_may_raise(odd: Any) -> None:
    """Three is written after all other values, and then nothing is; nor is it asked loosely."""
    def step(state: Any, f: str, arg: Any, ret: Any) -> Any:
        if state == 3 and arg != 3:
            if odd is ZeroDivisionError:
                raise odd
            return odd
        return models.register.step(state, f, arg, ret)

    model = replace(bare(models.register), step=step)
    text = " ".join(f"0+write={n} 0:write={n}" for n in (1, 2, 3))
    assert judge(text, model) is True
    assert judge(f"{text} 1+read 1:read=2", replace(model, step=lambda state, f, arg, ret: (
        models.register.step(state, f, arg, ret) if state != 3 or f == "read" else odd))) is False
    with pytest.raises(UsageError, match="op 6: .*register"):
        judge(f"{text} 0+write=4 0:write=4", model)


@pytest.mark.usefixtures("at_once")
def test_a_model_that_changes_its_state_is_named_with_the_call() -> None:
    class Box:
        """A value that can be changed in place."""

        def __init__(self, value: int) -> None:
            self.value = value

        def __hash__(self) -> int:
            return self.value

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Box) and self.value == other.value

    def step(state: Any, f: str, arg: Any, ret: Any) -> Any:
        state.value = arg
        return state

    bad = Model(name="bad", init=Box(0), step=step, fs={"put": "a number"})
    message = "model bad changes its state in place at put 7; step must answer a new one"
    with pytest.raises(UsageError, match=message):
        judge("0+put=7 0:put=7", bad)


def test_an_answer_that_the_model_cannot_do_without() -> None:
    """Nothing is learned, and the verdict is the same."""
    def step(state: Any, f: str, arg: Any, ret: Any) -> Any:
        return (state + 1) % 3 if int(ret) == state else Inconsistent("no")

    told_by = Model(name="told", init=0, step=step, fs={"go": "a number"})
    ops = [Op(0, kind, "go", n % 3) for n in range(400) for kind in ("invoke", "ok")]
    assert linearizable(History(ops), told_by).valid is True
    bad = linearizable(History([*ops, Op(0, "invoke", "go"), Op(0, "ok", "go", 2)]), told_by)
    assert bad.valid is False and bad.evidence["op"] == 801
