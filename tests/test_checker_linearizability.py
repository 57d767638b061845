"""The linearizability judge against all orders, real histories, and what breaks checkers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_histories import MAKERS, brute_force, random_ops

import checker.problem
from checker import Budget, Inconsistent, Model, Online, linearizable, models
from checker.problem import Table, build
from checker.native import search
from histories import UNKNOWN, Call, History, Op, UsageError
from histories.read import read_history

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
MODEL_OF_FOLDER = {
    "porcupine-etcd": models.cas_register,
    "cas-register": models.cas_register,
    "porcupine-kv": models.kv,
    "mutex": models.mutex,
}


def history(text: str) -> History:
    """A history from words: "0+inc 0:inc=1" is process 0 invoking inc and being answered 1.

    ``+`` invokes, ``:`` is ok, ``!`` is fail, ``?`` is info; values are JSON.
    """
    kinds = {"+": "invoke", ":": "ok", "!": "fail", "?": "info"}
    ops = []
    for word in text.split():
        place = min(word.index(mark) for mark in kinds if mark in word)
        f, _, value = word[place + 1:].partition("=")
        ops.append(
            Op(int(word[:place]), kinds[word[place]], f, json.loads(value) if value else None)
        )
    return History(ops)


def judge(text: str, model: Model) -> bool | None:
    return linearizable(history(text), model).valid


# Against brute force

def agree(seed: int, name: str, calls: int, wrong: float) -> bool:
    """Judge one random history twice; the answer, once both have agreed on it."""
    rng = Random(seed)
    model = models.by_name(name)
    clients = rng.randrange(2, 7)
    made = History(random_ops(rng, model, calls=calls, wrong=wrong, clients=clients))
    expected = brute_force(made.calls(), model)
    assert linearizable(made, model).valid is expected, made.ops
    assert linearizable(made, forgetful(model, rng)).valid is expected, made.ops
    return expected


def forgetful(model: Model, rng: Random) -> Model:
    """The same model, with some operations no longer known as reads or writes."""
    known = {f for f in model.fs if rng.random() < 0.5}
    return replace(
        model, rules={}, kind=lambda f, arg: model.kind(f, arg) if f in known else "update"
    )


@pytest.mark.parametrize("name", sorted(MAKERS))
@given(seed=st.integers(0, 2**32), calls=st.integers(1, 9), wrong=st.sampled_from([0.0, 0.1, 0.4]))
@settings(max_examples=300, deadline=None)
def test_agrees_with_brute_force(name: str, seed: int, calls: int, wrong: float) -> None:
    agree(seed, name, calls, wrong)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MAKERS))
def test_agrees_with_brute_force_on_many(name: str) -> None:
    answers = [
        agree(seed, name, 2 + seed % 11, (0, 0.03, 0.1, 0.4)[seed % 4]) for seed in range(20_000)
    ]
    assert 0.1 < sum(answers) / len(answers) < 0.95


@pytest.mark.parametrize("name", sorted(set(MAKERS) - {"kv"}))
@given(seed=st.integers(0, 2**32), wrong=st.sampled_from([0.0, 0.3]))
@settings(max_examples=150, deadline=None)
def test_a_witness_is_an_order_and_a_failure_is_where_it_says(
    name: str, seed: int, wrong: float
) -> None:
    model = models.by_name(name)
    calls = History(random_ops(Random(seed), model, calls=8, wrong=wrong)).calls()
    table = Table(model)
    problem = build(calls, table)
    found = search(problem, table)
    if found.valid:
        assert_linearization([problem.call(n) for n in found.order], model)
        missing = set(range(len(problem.classes))) - set(found.order)
        assert all(problem.call(n).end is None for n in missing)
        return
    assert found.stuck is not None
    end = problem.call(found.stuck).end
    assert end is not None
    assert not brute_force(cut(calls, end), model)
    assert brute_force(cut(calls, end - 1), model)
    for leaf in found.leaves:
        assert_linearization([problem.call(n) for n in leaf.order], model)


def cut(calls: list[Call], last: int) -> list[Call]:
    """The calls invoked up to an op; those that end later may happen, with their answers."""
    return [
        call if call.end is not None and call.end <= last
        else call._replace(outcome="info", completion=None)
        for call in calls if call.start <= last and call.outcome != "fail"
    ]


def assert_linearization(order: list[Call], model: Model) -> None:
    state: Any = model.init
    for place, call in enumerate(order):
        assert all(later.end is None or later.end > call.start for later in order[place:])
        state = model.step(state, call.f, call.arg, call.ret)
        assert not isinstance(state, Inconsistent)


# Real histories

def real_histories() -> list[tuple[str, bool]]:
    listed = DATA / "verdicts.json"
    return sorted(json.loads(listed.read_text()).items()) if listed.exists() else []


@pytest.mark.skipif(not DATA.exists(), reason="the folder of real histories is not there")
@pytest.mark.parametrize("name, expected", real_histories())
def test_real_history(name: str, expected: bool) -> None:
    verdict = linearizable(read_history(DATA / name), MODEL_OF_FOLDER[Path(name).parent.name])
    assert verdict.valid is expected


# What breaks checkers

@pytest.mark.parametrize("text, model, expected", [
    ("", models.register, True),
    ("0+read 0:read=3", models.register, False),
    ("0+read 0:read", models.register, True),
    ("0+read 0?read 1+write=1 1?write 2+write=2", models.register, True),
    ("0+write=1 0:write=1 1+read 1:read=2", models.register, False),
    ("0+write=1 0!write=1 1+read 1:read=1", models.register, False),
    ("0+write=1 0?write=1 1+read 1:read=1", models.register, True),
    ("0+write=1 0?write=1 1+read 1:read 1+read 1:read=1", models.register, True),
    ("0+write=1 0?write=1 1+read 1:read=1 1+read 1:read", models.register, False),
    ("0+inc 0:inc=1 1+inc 1:inc=1", models.counter, False),
    ("0+inc 1+inc 1:inc=2 0:inc=1", models.counter, True),
    ("0+inc 0:inc=1 1+inc 1:inc=2 2+read 2:read=1", models.counter, False),
    ("0+cas=[null,1] 0:cas=[null,1] 1+read 1:read=1", models.cas_register, True),
    ("0+acquire 0:acquire 1+acquire 1:acquire", models.mutex, False),
    ("0+acquire 0:acquire 1+acquire 0+release 1:acquire 0:release", models.mutex, True),
])
def test_small_history(text: str, model: Model, expected: bool) -> None:
    assert judge(text, model) is expected


@pytest.mark.parametrize("crashed", [18, 100])
@pytest.mark.parametrize("seen, expected", [(7, True), (0, True), (1000, False)])
def test_crashed_identical_increments(crashed: int, seen: int, expected: bool) -> None:
    words = [f"{n}+inc {n}?inc" for n in range(crashed)]
    words.append(f"500+read 500:read={seen} 500+inc 500:inc={seen + 1}")
    assert judge(" ".join(words), models.counter) is expected


@pytest.mark.parametrize("seen, expected", [(49, True), (50, False)])
def test_fifty_crashed_distinct_writes(seen: int, expected: bool) -> None:
    words = [f"{n}+write={n} {n}?write={n}" for n in range(50)]
    words += [f"60+read 60:read={n}" for n in range(0, 50, 7)]
    words.append(f"60+read 60:read={seen}")
    assert judge(" ".join(words), models.register) is expected


def test_a_hundred_keys_with_one_bad() -> None:
    words = []
    for key in range(100):
        value = json.dumps([str(key), "x"], separators=(",", ":"))
        seen = value if key != 73 else '["73","y"]'
        words.append(f'{key}+put={value} {key}:put={value} {key}+get={value} {key}:get={seen}')
    verdict = linearizable(history(" ".join(words)), models.kv)
    assert verdict.valid is False
    assert verdict.why.startswith('part "73": ')
    assert list(verdict.parts) == ['"73"']
    assert verdict.evidence["op"] == 73 * 4 + 3


@pytest.mark.parametrize("last, expected", [(0, True), (99, True), (100, False)])
def test_more_than_64_calls_at_once(last: int, expected: bool) -> None:
    invoked = [f"{n}+write={n}" for n in range(100)]
    returned = [f"{n}:write={n}" for n in range(100)]
    text = " ".join([*invoked, *returned, f"0+read 0:read={last}"])
    assert judge(text, models.register) is expected


def test_calls_that_touch_at_one_moment_overlap() -> None:
    write = Call(0, "write", 1, 1, 0, 10, "ok")
    read = Call(1, "read", None, None, 10, 20, "ok")
    assert linearizable([write, read], models.register).valid is True


@pytest.mark.parametrize("value", ['[1,[2,{"a":[3]}]]', '{"a":{"b":1}}', "1" * 400, '"\\u0000"'])
def test_values_of_any_shape(value: str) -> None:
    assert judge(f"0+write={value} 0:write={value} 1+read 1:read={value}", models.register)
    assert not judge(f"0+write={value} 0:write={value} 1+read 1:read=[]", models.register)


def test_nan_is_refused() -> None:
    ops = [Op(0, "invoke", "write", float("nan"))]
    with pytest.raises(UsageError, match="op 0: a value is NaN"):
        linearizable(History(ops), models.register)


# What it says

def test_the_double_eleven_is_explained() -> None:
    ten = " ".join(f"0+inc 0:inc={n}" for n in range(1, 11))
    verdict = linearizable(history(f"{ten} 1+inc 1:inc=11 2+inc 2:inc=11"), models.counter)
    assert verdict.why == "no order of the calls explains process 2: inc -> 11 (op 23)"
    assert verdict.evidence["op"] == 23
    assert verdict.evidence["ops"] == [22, 23]
    assert verdict.evidence["orders"] == [{
        "calls": list(range(0, 21, 2)),
        "omitted": 0,
        "states": [str(number) for number in range(1, 12)],
        "state": "11",
        "rejected": [{
            "op": 22, "call": "inc -> 11",
            "why": "inc answered 11, the counter stood at 11 and must answer 12",
        }],
    }]
    json.dumps(verdict.evidence)


def hard_history() -> History:
    """Unique pending appends of which a get shows many: too many orders for any search."""
    words = [f'{n}+append=["k","{n % 3}"] {n}?append' for n in range(30)]
    words.append('50+get=["k",null] 50:get=["k","' + "012" * 10 + '!"]')
    return history(" ".join(words))


def test_a_spent_budget_is_unknown_with_its_cause() -> None:
    verdict = linearizable(hard_history(), models.kv, budget=Budget(steps_max=1000))
    assert verdict.valid is None
    assert "1000 configurations tried" in verdict.why
    assert "30 more without a known end (process 0: append [\"k\" \"0\"]" in verdict.why
    assert "..." in verdict.why and len(verdict.evidence["ops"]) > 30
    verdict = linearizable(hard_history(), models.kv, budget=Budget(memory_max=1000))
    assert "1000 configurations remembered" in verdict.why
    verdict = linearizable(hard_history(), models.kv, budget=Budget(expired=lambda: True))
    assert "time is up" in verdict.why


def test_the_default_budget_grows_with_the_history() -> None:
    """A long history is never unknown for its length alone."""
    assert Budget().steps(0) <= 1_000_000
    assert Budget().steps(10_000_000) >= 100_000_000
    assert Budget(steps_max=5).steps(10_000_000) == 5


# Models of others

@pytest.mark.parametrize("text, model, message", [
    ("0+pop 0:pop=1", models.register, "op 0: register knows no 'pop', only read, write"),
    ("0+cas=3 0:cas=3", models.cas_register, "op 0: cas-register cannot take cas 3: TypeError"),
    ('0+inc="x" 0:inc=1', models.counter, "op 0: counter cannot take inc \"x\" -> 1: TypeError"),
    ("0+get=1 0:get=1", models.kv, "op 0: kv cannot take get 1: TypeError"),
])
def test_a_call_that_the_model_cannot_take(text: str, model: Model, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        judge(text, model)
    assert message in str(caught.value)


def test_a_model_with_unhashable_states() -> None:
    bad = Model(name="bad", init=0, step=lambda *_: [], fs={"go": "nothing"})  # type: ignore
    with pytest.raises(UsageError, match="model bad has a bad state"):
        judge("0+go 0:go", bad)


def test_a_read_that_writes_is_refused() -> None:
    bad = replace(models.counter, monitors=(), kind=lambda f, arg: "read")
    with pytest.raises(UsageError, match="calls 'inc' a read, but it changes the state 0"):
        judge("0+inc 0:inc=1", bad)


@pytest.mark.parametrize("text", ["0+inc 0:inc=3", "0+inc 0?inc 1+inc 1:inc=2"])
def test_a_write_that_depends_on_the_state_is_refused(text: str) -> None:
    bad = replace(models.counter, monitors=(), kind=lambda f, arg: "write")
    with pytest.raises(UsageError, match="calls 'inc' a write, but it depends on the state"):
        judge(text, bad)


def test_a_model_of_ones_own() -> None:
    def step(state: Any, f: str, arg: Any, ret: Any) -> Any:
        if f == "push":
            return (*state, arg)
        if ret is UNKNOWN or state and state[-1] == ret:
            return state[:-1]
        return Inconsistent(f"popped {ret} from {state}")

    stack = Model(name="my stack", init=(), step=step, fs={"push": "a value", "pop": "nothing"})
    assert judge("0+push=1 0:push=1 0+push=2 0:push=2 0+pop 0:pop=2", stack)
    assert judge("0+push=1 0:push=1 0+push=2 0:push=2 0+pop 0:pop=1", stack) is False


# Many states at once

def many_lost(items: int, lost: int) -> list[Op]:
    """Items that any of some lost takes may have got, and two that both got the first."""
    ops = [Op(0, kind, "enqueue", item) for item in range(items) for kind in ("invoke", "ok")]
    ops += [Op(1 + n, "invoke", "dequeue") for n in range(lost)]
    return ops + [Op(0, kind, "dequeue", value) for _twice in range(2)
                  for kind, value in (("invoke", None), ("ok", 0))]


def test_what_is_convicted_is_explained_as_far_as_its_sets_of_states_are_followed() -> None:
    verdict = linearizable(History(many_lost(22, 20)), models.unordered_queue)
    assert verdict.valid is False
    assert verdict.evidence["op"] == 67


def test_sets_of_states_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown, with the call that led there, since they may grow without bounds."""
    monkeypatch.setattr(checker.problem, "SPREAD_MAX", 1000)
    made = History(many_lost(22, 20))
    alone = replace(models.unordered_queue, monitors=())
    verdict = linearizable(made, alone)
    assert verdict.valid is None
    assert verdict.evidence["cause"] == "1000 states that may all be the case"
    assert made.ops[verdict.evidence["op"]].type == "invoke"
    online = Online(alone)
    said = [online.feed(op) for op in made.ops][-1]
    assert said is not None
    assert said.valid is None
    assert said.evidence["cause"] == verdict.evidence["cause"]
