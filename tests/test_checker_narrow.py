"""The least that fails: exact against brute force, and the same from both searches."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from every_model import MAKERS
from every_model import random_history as random_monitored
from hypothesis import given, settings
from hypothesis import strategies as st
from objects import random_history
from random_histories import brute_force
from test_checker_linearizability import history
from things import THINGS

from checker import UNKNOWN, Inconsistent, Model, OneOf, linearizable, models, native
from checker import search as plain
from checker.monitors.prefix import Conflict
from checker.sweep import sweep as plain_sweep
from checker.verdict import Verdict
from histories import Call, History, Op
from histories.value import show

NAMES = sorted(set(THINGS) - {"kv"})
MONITORED = [name for name in sorted(MAKERS) if ", " in name and not MAKERS[name].model.partition]


def spoilt(name: str, seed: int, calls: int) -> History:
    rng = Random(seed)
    thing = THINGS[name](rng)   # type: ignore[call-arg]
    return random_history(rng, thing.draw, thing.apply, calls=calls, spoilt=True)


def fails(made: History, last: int, model: Model) -> bool:
    """Is there no order for the ops up to this one?  What fails later never happened."""
    ended = [call.start for call in made.calls() if call.end is not None and call.end <= last]
    return not brute_force(only(made.calls(), ended, last), model)


def only(calls: list[Call], tight: list[int], last: int) -> list[Call]:
    """The calls up to an op, all but some with neither end nor answer."""
    return [call if call.start in tight
            else call._replace(outcome="info", completion=None, ret=UNKNOWN)
            for call in calls if call.start <= last and call.outcome != "fail"]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), calls=st.integers(2, 8))
def test_the_prefix_and_the_core_are_the_least(name: str, seed: int, calls: int) -> None:
    model = replace(models.by_name(name), monitors=())
    made = spoilt(name, seed, calls)
    verdict = linearizable(made, model)
    if verdict.valid:
        return
    op, core = verdict.evidence["op"], verdict.evidence["core"]
    assert fails(made, op, model) and not fails(made, op - 1, model)
    assert verdict.evidence["core_smallest"]
    assert not brute_force(only(made.calls(), core, op), model)
    for spared in core:
        rest = [start for start in core if start != spared]
        assert brute_force(only(made.calls(), rest, op), model)


@pytest.mark.skipif(native.NATIVE is None, reason="there is no native search")
@pytest.mark.parametrize("name", sorted(THINGS))
def test_both_searches_tell_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[list[Verdict]] = []
    for pure in (False, True):
        if pure:
            monkeypatch.setattr("checker.refute.search", plain.search)
        told.append([linearizable(spoilt(name, seed, 12), models.by_name(name))
                     for seed in range(40)])
    assert told[0] == told[1]


@pytest.mark.parametrize("text, model, op, core", [
    # The second answer convicts when it is told, not when the first returns.
    ("0+inc 1+inc 0:inc=2 1:inc=2", models.counter, 3, [0, 1]),
    # A stale read needs the write that it is older than, and the read that saw that one.
    ("0+write=1 0:write=1 0+write=2 0:write=2 1+write=3 0+read 0:read=1 1:write=3",
     models.register, 6, [0, 2, 5]),
    ("0+write=1 0:write=1 0+read 0:read=7", models.register, 3, [2]),
])
def test_the_least_of_known_histories(text: str, model: Model, op: int, core: list[int]) -> None:
    evidence: Any = linearizable(history(text), replace(model, monitors=())).evidence
    assert (evidence["op"], sorted(evidence["core"])) == (op, core)


def test_a_model_that_needs_answers_is_judged_without_a_core() -> None:
    def step(state: Any, f: str, arg: Any, ret: Any) -> Any:
        return state + 1 if int(ret) == state else Inconsistent(f"told {ret} after {state}")

    told = Model(name="told", init=0, step=step, fs={"go": "a number"})
    verdict = linearizable(history("0+go 1+go 0:go=0 1:go=7"), told)
    assert verdict.valid is False
    assert verdict.evidence["op"] == 3 and "core" not in verdict.evidence


def walked(made: History, order: list[int], op: int, model: Model) -> list[str] | None:
    """The states after the calls of an order up to an op; None when one may lead to several."""
    calls = {call.start: call for call in made.calls()}
    state, states = model.init, []
    for start in order:
        call = calls[start]
        ended = call.end is not None and call.end <= op
        after = model.step(state, call.f, call.arg, call.ret if ended else UNKNOWN)
        if isinstance(after, (Inconsistent, OneOf)):
            return None
        state = after
        states.append(show(state))
    return states


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), calls=st.integers(2, 8))
def test_the_states_along_an_order_are_the_models(name: str, seed: int, calls: int) -> None:
    """One for each call, as the model itself goes; or none, where the search knew more."""
    model = replace(models.by_name(name), monitors=())
    made = spoilt(name, seed, calls)
    evidence = linearizable(made, model).evidence
    for order in evidence.get("orders", []):
        states = walked(made, order["calls"], evidence["op"], model)
        assert order["states"] in ([], states) or states is None
        assert not order["states"] or order["states"][-1] == order["state"]


def told(made: History, model: Model, *, whole: int) -> Verdict:
    """The verdict, where only histories of so many calls are explained as a whole."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("checker.linearizability.WHOLE_CALLS_MAX", whole)
        return linearizable(made, model)


@pytest.mark.parametrize("name", MONITORED)
def test_what_a_monitor_names_fails_by_itself(name: str) -> None:
    """Whatever all others answered; the least of it, and under the op that the search blames."""
    model, cores = MAKERS[name].model, 0
    for seed in range(150):
        made = random_monitored(Random(seed), MAKERS[name], calls=9)
        evidence = told(made, model, whole=0).evidence
        assert evidence.get("op") == told(made, model, whole=100).evidence.get("op"), made.ops
        if "core" not in evidence:
            continue
        core = evidence["core"]
        ends = [call.end for call in made.calls() if call.start in core and call.end is not None]
        last = max(evidence["op"], *ends)
        assert not brute_force(only(made.calls(), core, last), model), made.ops
        assert evidence["core_smallest"]
        for spared in core:
            rest = [start for start in core if start != spared]
            assert brute_force(only(made.calls(), rest, last), model), made.ops
        cores += 1
    assert cores > 15


@pytest.mark.parametrize("name", MONITORED)
def test_what_a_monitor_names_is_the_same_natively(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [random_monitored(Random(seed), MAKERS[name], calls=25) for seed in range(60)]
    first = [told(each, MAKERS[name].model, whole=0) for each in made]
    for place in ("monitors.increments.MONITORS", "monitors.writes.MONITORS"):
        monkeypatch.setattr(f"checker.{place}", None)
    monkeypatch.setattr("checker.refute.search", plain.search)
    monkeypatch.setattr("checker.refute.sweep", plain_sweep)
    assert [told(each, MAKERS[name].model, whole=0) for each in made] == first


def test_a_lost_item_has_no_core_where_others_might_have_taken_it() -> None:
    """What is told of it is an order of few calls."""
    ops = [Op(0, f, "enqueue", n) for n in range(150) for f in ("invoke", "ok")]
    ops += [op for n in [*range(7), 8] for op in (Op(0, "invoke", "dequeue"),
                                                  Op(0, "ok", "dequeue", n))]
    evidence = linearizable(History(ops), models.queue).evidence
    assert evidence["op"] == len(ops) - 1 and "core" not in evidence
    assert evidence["orders"][0]["rejected"][0]["why"] == "dequeue answered 8, 7 is next"


@pytest.mark.parametrize("place, bug", [
    ("checker.monitors.items.Traffic.conflict", lambda known, some, pending, last: Conflict(
        min(some.known, last), some.starts)),
    ("checker.monitors.increments.contradicts", lambda few: few[0].answer - 1 if few else None),
])
def test_a_core_that_is_too_small_is_noticed(place: str, bug: Any) -> None:
    """By the comparison above, so that it means something."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(AssertionError):
        patch.setattr(place, bug)
        for name in ("priority, distinct", "stack, distinct", "counter, increments"):
            test_what_a_monitor_names_fails_by_itself(name)
