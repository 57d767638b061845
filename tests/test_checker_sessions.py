"""Session guarantees: against all orders of every process, and known examples of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from objects import random_history
from random_histories import MAKERS, random_ops
from test_checker_consistency import legal
from test_checker_linearizability import hard_history, history, many_lost
from things import THINGS

import checker.sessions
from checker import UNKNOWN, Budget, Model, Verdict, linearizable, models
from checker.consistency import sequential, whole
from checker.levels import LEVELS, weaker
from checker.sessions import GUARANTEES, session
from checker.sources import sources
from histories import Call, History

RYW, MR, MW, WFR = GUARANTEES
Pair = tuple[Call, Call]


def some_orders(guarantee: str, calls: list[Call], model: Model) -> bool:
    """Tries all orders of all views, of the whole history at once."""
    known = [call for call in calls if call.outcome != "fail"]
    return all(some_order(guarantee, process, known, model)
               for process in {call.process for call in known})


def changes(call: Call, model: Model) -> bool:
    return model.kind(call.f, call.arg) != "read"


def looks(call: Call, model: Model) -> bool:
    return model.kind(call.f, call.arg) != "write"


def some_order(guarantee: str, process: int, known: list[Call], model: Model) -> bool:
    view = [call if call.process == process else call._replace(ret=UNKNOWN) for call in known
            if call.process == process or changes(call, model)]
    kept = pairs(guarantee, process, known, model)
    left_out = [call for call in view if call.outcome != "ok"]
    for bits in range(1 << len(left_out)):
        chosen = [call for call in view if call.outcome == "ok"
                  or bits >> left_out.index(call) & 1]
        for order in permutations(chosen):
            at = {call.start: place for place, call in enumerate(order)}
            if all(at[a] < at[b] for a, b in kept if a in at and b in at) and legal(
                    tuple(call._replace(outcome="ok", completion=call.start) for call in order),
                    whole(model)):
                return True
    return False


def pairs(guarantee: str, process: int, known: list[Call], model: Model) -> list[tuple[int, int]]:
    """What must keep its order, by the ops that invoke the calls."""
    found = []
    seen = sources(known, model)
    for place, second in enumerate(known):
        for first in known[:place]:
            if first.process != second.process:
                continue
            own = second.process == process
            look, change = looks(first, model), changes(first, model)
            then_look, then_change = looks(second, model), changes(second, model)
            if (guarantee == RYW and own and change and then_look
                    or guarantee == MR and own and look and then_look
                    or guarantee == MW and change and then_change
                    or guarantee == WFR and own and look and then_change):
                found.append((first.start, second.start))
            source = seen.get(first.start)
            if guarantee == WFR and then_change and source is not None and source is not second:
                found.append((source.start, second.start))
    return found


@contextmanager
def searching() -> Iterator[None]:
    """Without the short cut over linearizability."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checker.sessions, "linearizable",
                      lambda *_, **__: Verdict(valid=None, why="not asked"))
        yield


@pytest.mark.parametrize("guarantee", GUARANTEES)
@pytest.mark.parametrize("name", sorted(MAKERS))
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), wrong=st.sampled_from([0.0, 0.1, 0.4]))
def test_agrees_with_all_orders(guarantee: str, name: str, seed: int, wrong: float) -> None:
    model = models.by_name(name)
    made = History(random_ops(Random(seed), model, calls=5, wrong=wrong, clients=3))
    with searching():
        valid = session(guarantee, made, model).valid
    assert valid is some_orders(guarantee, made.calls(), model)


@pytest.mark.parametrize("name", sorted(THINGS))
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_is_stronger_implies_what_is_weaker(name: str, seed: int) -> None:
    """Linearizable, so sequentially consistent, so all four."""
    rng, model = Random(seed), models.by_name(name)
    thing = THINGS[name](rng)   # type: ignore[call-arg]
    made = random_history(rng, thing.draw, thing.apply, calls=7, spoilt=True)
    with searching():
        weak = [session(each, made, model).valid for each in GUARANTEES]
    middle = sequential(made, model).valid
    assert middle or not linearizable(made, model).valid
    assert all(weak) or not middle


@pytest.mark.parametrize("text, broken", [
    ("0+write=1 0:write=1 0+read 0:read", {RYW}),
    ("0+write=1 0:write=1 1+read 1:read", set()),
    ("0+write=1 0:write=1 1+read 1:read=1 1+read 1:read", {MR}),
    ("0+read 0:read=1 0+write=1 0:write=1", {WFR}),
    ("0+write=1 0:write=1 0+write=2 0:write=2 1+read 1:read=2 1+read 1:read=1", set()),
    # What each wrote after it had seen what the other wrote.
    ("0+read 0:read=1 0+write=2 0:write=2 1+read 1:read=2 1+write=1 1:write=1", {WFR}),
    ("0+read 0:read=7", {RYW, MR, MW, WFR}),
])
def test_small_history(text: str, broken: set[str]) -> None:
    made = history(text)
    found = {each for each in GUARANTEES if not session(each, made, models.register).valid}
    assert found == broken


def test_writes_of_one_process_keep_their_order() -> None:
    """A queue that gives back the second item first: the first was put in later."""
    made = history('0+enqueue="a" 0:enqueue="a" 0+enqueue="b" 0:enqueue="b" '
                   '1+dequeue 1:dequeue="b"')
    assert session(MW, made, models.queue).valid is False
    assert session(RYW, made, models.queue).valid is True
    assert session(MR, made, models.queue).valid is True


def test_processes_may_disagree() -> None:
    """About the order of what others wrote, which no one order explains."""
    made = history("0+write=1 1+write=2 0:write=1 1:write=2 "
                   "2+read 2:read=1 2+read 2:read=2 3+read 3:read=2 3+read 3:read=1")
    assert sequential(made, models.register).valid is False
    assert all(session(each, made, models.register).valid for each in GUARANTEES)


def test_evidence_names_the_process() -> None:
    verdict = session(RYW, history("3+write=1 3:write=1 3+read 3:read"), models.register)
    assert verdict.evidence["process"] == 3 and verdict.evidence["ops"] == [2]
    assert verdict.why == "no order for process 3 keeps read-your-writes; the longest order " \
                          "ends before read -> nil (op 2)"


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_a_spent_budget_is_unknown(guarantee: str) -> None:
    with searching():
        verdict = session(guarantee, hard_history(), models.kv, budget=Budget(steps_max=3))
    assert verdict.valid is None
    assert verdict.why.startswith("gave up, 3 configurations tried: process ")


@pytest.mark.parametrize("text, said", [
    ("0+write=1 0:write=1 1+read 1:read", ["It is sequentially consistent: only time is against "
                                           "it."]),
    ("0+write=1 0:write=1 0+read 0:read", [
        "It is not sequentially consistent either.",
        "Of the session guarantees monotonic-reads, monotonic-writes, writes-follow-reads hold; "
        "read-your-writes do not."]),
    ("0+read 0:read=1", [
        "It is not sequentially consistent either.",
        "Of the session guarantees none is known to hold; read-your-writes, monotonic-reads, "
        "monotonic-writes, writes-follow-reads do not."]),
])
def test_a_failing_check_says_what_still_holds(text: str, said: list[str]) -> None:
    assert weaker(history(text), models.register) == said


@pytest.mark.parametrize("level", sorted(LEVELS))
def test_sets_of_states_have_a_limit_at_every_level(
        level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown with its cause, and no refusal of a file whose verdict is known."""
    monkeypatch.setattr(checker.problem, "SPREAD_MAX", 1000)
    made = History(many_lost(22, 20))
    model = replace(models.unordered_queue, monitors=())
    verdict = LEVELS[level](made, model, budget=Budget(steps_max=2_000))
    assert verdict.valid is None
    assert verdict.evidence["cause"] == "1000 states that may all be the case"
    assert weaker(made, model) == ["Of the session guarantees none is known to hold."]
