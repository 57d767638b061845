"""Parts are told apart as the model says, and judged alike however many threads do it."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import replace
from random import Random
from typing import Any, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_histories import random_ops

from checker import Budget, Model, Verdict, linearizable, models, parts
from checker.model import argument, first_of_argument
from checker.native import COLUMNS, NATIVE
from checker.parts import judge_each, split
from checker.verdict import to_json
from histories import NEMESIS, History, Op, UsageError

needs_native = pytest.mark.skipif(NATIVE is None, reason="there is no native search")
KEYS = [0, 1, True, 1.0, None, "1", (1, 2), [1, 2], [1, 2, 3], {"a": [1]}, 300, 2**70, b"1"]
BY_FIRST = replace(models.kv, partition=first_of_argument)
BY_ALL = replace(models.kv, partition=argument)


# Telling apart

def slow(model: Model) -> Model:
    """The same model, whose partition nobody knows."""
    partition = model.partition
    assert partition is not None
    return replace(model, partition=lambda call: partition(call))


def told(history: History, model: Model) -> Any:
    """The parts as calls."""
    return [(key, part.calls() if isinstance(part, History) else part)
            for key, part in split(history, model).items()]


@given(st.lists(st.tuples(st.integers(-1, 3), st.sampled_from(KEYS),
                          st.sampled_from(["ok", "fail", "info", "invoke"])), max_size=20),
       st.sampled_from([BY_FIRST, BY_ALL]))
@settings(max_examples=150, deadline=None)
def test_parts_are_those_that_the_model_says(
    asked: list[tuple[int, Any, str]], model: Model
) -> None:
    """Equal keys are one part; what is open, failed or of the nemesis is where it belongs."""
    ops, retired = [Op(NEMESIS, "info", "cut")], set()
    for process, key, outcome in asked:
        if process not in retired:
            ops.append(Op(process, "invoke", "put", [key, "x"]))
            if outcome == "invoke":
                retired.add(process)
                continue
            ops.append(Op(process, outcome, "put", [key, "x"]))
            if outcome == "info":
                retired.add(process)
    made = History(ops)
    expected = made.by(model.partition)     # type: ignore[arg-type]
    assert told(made, model) == list(expected.items()) == told(made, slow(model))
    assert told(made, model) == list(split(made.calls(), model).items())


@pytest.mark.parametrize("ops, message", [
    ([Op(0, "invoke", "get", 3)], "op 0: kv cannot take get 3 .*: TypeError"),
    ([Op(0, "invoke", "get", [])], "op 0: kv cannot take get .*: IndexError"),
    ([Op(0, "ok", "get", ["k", 3])], "op 0: process 0 completes a call it has not invoked"),
    ([Op(0, "invoke", "get", [float("nan"), 3])], "op 0: a value is NaN"),
    ([Op(0, "invoke", "put", ["k", float("nan")])], "op 0: a value is NaN"),
    ([Op(0, "invoke", "get", ["k"])], "op 0: kv cannot take get .*: ValueError"),
    ([Op(0, "invoke", "pop", ["k", 3])], "op 0: kv knows no 'pop'"),
])
def test_what_has_no_part_is_refused_in_one_line(ops: list[Op], message: str) -> None:
    for model in (models.kv, slow(models.kv)):
        with pytest.raises(UsageError, match=message):
            linearizable(History(ops), model)


@pytest.mark.skipif(COLUMNS is None, reason="nothing is numbered natively")
@pytest.mark.parametrize("name", ["kv", "echo", "fenced-lease", "token"])
def test_the_models_with_parts_are_split_natively(name: str) -> None:
    op = Op(0, "invoke", "any", ["k", 3])
    part, = split(History([op]), models.by_name(name)).values()
    assert isinstance(part, History) and part.ops == [op._replace(index=0)]


# At the same time

def keyed(seed: int, keys: int) -> History:
    """Keys of all kinds, at the same time: valid, invalid, and such that no budget is enough."""
    rng = Random(seed)
    lanes = []
    for key in range(keys):
        kind = rng.choice(["valid", "invalid", "hard"])
        made = random_ops(Random(rng.random()), models.by_name("kv"), calls=rng.randrange(1, 25),
                          wrong=0.2 if kind == "invalid" else 0.0)
        lanes.append(hard(f"h{key}") if kind == "hard" else [op._replace(
            value=op.value and [f"{op.value[0]}{key}", op.value[1]]) for op in made])
    ops: list[Op] = []
    numbers: dict[tuple[int, object], int] = {}
    order = [key for key, lane in enumerate(lanes) for _each in lane]
    rng.shuffle(order)
    for key in order:
        op = lanes[key].pop(0)
        ops.append(op._replace(process=numbers.setdefault((key, op.process), len(numbers))))
    return History(ops)


def hard(key: str) -> list[Op]:
    """Pending appends of which a get shows many."""
    ops = [Op(n, kind, "append", [key, str(n % 3)])
           for n in range(24) for kind in ("invoke", "info")]
    return [*ops, Op(50, "invoke", "get", [key, None]), Op(50, "ok", "get", [key, "012" * 8 + "!"])]


def hard_ones() -> History:
    """Three of these."""
    return History([Op(int(op.process) + 100 * n, op.type, op.f, op.value)
                    for n, key in enumerate("abc") for op in hard(key)])


def text(verdict: Verdict) -> str:
    return json.dumps(to_json(verdict))


@given(st.integers(0, 2**32), st.integers(1, 12), st.sampled_from([50, 3_000]))
@settings(max_examples=20, deadline=None)
def test_the_verdict_does_not_depend_on_threads(seed: int, keys: int, steps: int) -> None:
    """Byte for byte, with all that it says: evidence, order, counts."""
    made = keyed(seed, keys)
    budget = Budget(steps_max=steps)
    alone = text(linearizable(made, models.kv, budget=budget, threads=1))
    for alone_steps_max in (-1, 0, 2_000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(parts, "ALONE_STEPS_MAX", alone_steps_max)
            for model in (models.kv, slow(models.kv)):
                assert text(linearizable(made, model, budget=budget, threads=3)) == alone


def test_all_kinds_of_parts_are_among_them() -> None:
    seen = set()
    for seed in range(10):
        verdict = linearizable(keyed(seed, 6), models.kv, budget=Budget(steps_max=50))
        seen |= {part.valid for part in verdict.parts.values()}
        seen.add(len(verdict.parts) < verdict.evidence["parts"])
    assert seen >= {False, None, True}


@needs_native
@pytest.mark.parametrize("steps, alone", [(10, True), (2_000, False)])
def test_others_are_called_when_it_takes_long(
    steps: int, alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "ALONE_STEPS_MAX", 1_000)
    judges = []

    def judge(part: Any, budget: Budget) -> Verdict:
        judges.append(threading.current_thread())
        assert budget.expired is not None
        for _each in range(steps // 1_024):
            assert not budget.expired()
        return Verdict(valid=True, why="", evidence={"steps": steps, "part": part})

    told = judge_each([[n] for n in range(20)], judge, Budget(), 2)     # type: ignore[list-item]
    assert [verdict.evidence["part"] for verdict in told] == [[n] for n in range(20)]
    assert (set(judges) == {threading.main_thread()}) is alone


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("bad", [[4], [4, 9], [0, 4], [9, 19]])
def test_the_first_part_that_raises_is_heard(
    bad: Sequence[int], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "ALONE_STEPS_MAX", 5)

    def step(state: Any, f: str, arg: Any, ret: Any) -> Any:
        if arg[0] in bad and arg[1] == "x":
            raise RuntimeError("no")
        return models.kv.step(state, f, arg, ret)

    calls = [Op(0, kind, "append", [key, value]) for key in range(20) for value in "abcdx"
             for kind in ("invoke", "ok")]
    with pytest.raises(UsageError, match=rf"^op {bad[0] * 10 + 8}: kv cannot take append "):
        linearizable(History(calls), replace(models.kv, step=step), threads=threads)


@pytest.mark.parametrize("threads", [1, 3])
def test_time_is_up_for_all_parts(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "ALONE_STEPS_MAX", -1)
    verdict = linearizable(
        hard_ones(), models.kv, budget=Budget(expired=lambda: True), threads=threads)
    assert verdict.valid is None
    assert [part.evidence["cause"] for part in verdict.parts.values()] == ["time is up"] * 3


@needs_native
@pytest.mark.parametrize("alone_steps_max", [-1, 2**60])
def test_control_c_ends_it(alone_steps_max: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether threads are at work or not; and no thread is left behind."""
    monkeypatch.setattr(parts, "ALONE_STEPS_MAX", alone_steps_max)
    timer = threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT])
    before = signal.signal(signal.SIGINT, signal.default_int_handler)   # a shell's & ignores it
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            linearizable(hard_ones(), models.kv, threads=2,
                         budget=Budget(steps_max=10**12, memory_max=4_000_000))
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert threading.active_count() == 1
