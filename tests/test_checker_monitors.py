"""Monitors agree with the search and with brute force, and their two forms with each other."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from every_model import MAKERS, loosened, monitored, random_history
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_histories import brute_force, random_ops

from checker import Budget, Model, linearizable, models, monitors
from checker.monitors import writes
from checker.monitors.prefix import Unsuited
from checker.narrow import shortest_prefix
from checker.native import MONITORS, numbered, search
from checker.problem import Table, build
from histories import History, Op

SHORT = Budget(steps_max=50_000)


def increments(seed: int, calls: int, wrong: float, crashed: float) -> History:
    """A run of a counter that only counts; some answers are changed, some never heard."""
    rng = Random(seed)
    ops: list[Op] = []
    told: dict[int, int | None] = {}
    count, fresh = 0, 0
    while calls or told:
        if calls and (not told or rng.random() < 0.5):
            ops.append(Op(fresh, "invoke", "inc"))
            told[fresh] = None
            fresh, calls = fresh + 1, calls - 1
            continue
        process = rng.choice(sorted(told))
        if told[process] is None and rng.random() < 0.8:
            count += 1
            told[process] = count
        elif rng.random() < crashed or told[process] is None:
            ops.append(Op(process, "info", "inc"))
            del told[process]
        else:
            answer = told.pop(process) or 0
            changed = rng.random() < wrong
            ops.append(Op(process, "ok", "inc", answer + rng.choice([-1, 1]) * changed))
    return History(ops)


@given(seed=st.integers(0, 2**32), calls=st.integers(0, 8), wrong=st.sampled_from([0, 0.1, 0.5]),
       crashed=st.sampled_from([0, 0.2]))
@settings(max_examples=400, deadline=None)
def test_fetch_and_add_agrees_with_brute_force(
    seed: int, calls: int, wrong: float, crashed: float
) -> None:
    history = increments(seed, calls, wrong, crashed)
    judged = monitors.judge(history, models.counter)
    assert judged is not None and judged == monitors.judge(history.calls(), models.counter)
    assert (judged.op is None) is brute_force(history.calls(), models.counter)
    if judged.op is not None:       # and it is the shortest prefix that fails
        assert not brute_force(loosened(history.calls(), judged.op), models.counter)
        assert brute_force(loosened(history.calls(), judged.op - 1), models.counter)


@given(seed=st.integers(0, 2**32), wrong=st.sampled_from([0, 0.01]))
@settings(max_examples=50, deadline=None)
def test_fetch_and_add_agrees_with_the_search(seed: int, wrong: float) -> None:
    history = increments(seed, 12, wrong, 0.1)
    table = Table(models.counter)
    found = search(build(history.calls(), table), table)
    assert linearizable(history, models.counter).valid is found.valid
    assert linearizable(history, models.counter).evidence["method"] == "fetch-and-add"


@pytest.mark.skipif(MONITORS is None, reason="there are no native monitors")
@given(seed=st.integers(0, 2**32), calls=st.integers(0, 60), wrong=st.sampled_from([0, 0.02]))
@settings(max_examples=100, deadline=None)
def test_both_forms_say_the_same(seed: int, calls: int, wrong: float) -> None:
    history = increments(seed, calls, wrong, 0.1)
    plain = monitors.judge(history.calls(), models.counter)
    assert monitors.judge(history, models.counter) == plain


def blamed_by_search(history: History, model: Model) -> int | None:
    """The op that ends the shortest prefix that fails, as searches find it; None if valid."""
    table = Table(model)
    problem = build(history.calls(), table)
    found = search(problem, table)
    assert found.valid is not None
    if found.valid:
        return None
    last = shortest_prefix(problem, table, found, Budget()).last
    return problem.call(~problem.events[last]).end


def soon_decided(history: History, model: Model) -> bool:
    """Not so where many enqueues never return: ten of them have three million orders."""
    table = Table(model)
    return search(build(history.calls(), table), table, SHORT).valid is not None


@pytest.mark.parametrize("name", [name for name in sorted(MAKERS) if ", " in name
                                  and MAKERS[name].model.partition is None])
@given(seed=st.integers(0, 2**32), calls=st.integers(10, 18))
@settings(max_examples=40, deadline=None)
def test_monitors_blame_the_op_that_the_search_blames(name: str, seed: int, calls: int) -> None:
    made = random_history(Random(seed), MAKERS[name], calls=calls)
    assume(soon_decided(made, MAKERS[name].model))
    for _method, op in monitored(made.calls(), MAKERS[name].model):
        assert op == blamed_by_search(made, MAKERS[name].model)


@pytest.mark.parametrize("name, seed", [
    ("priority, distinct", 18837),      # only the search of all calls knows that a prefix holds
    ("priority, distinct", 148367), ("stack, distinct", 149323), ("stack, distinct", 146589),
    ("priority, distinct", 18938),      # an item that is in the way of none but the last take
])
def test_what_only_the_search_can_tell_is_asked(name: str, seed: int) -> None:
    rng = Random(seed)
    made = random_history(rng, MAKERS[name], calls=rng.randrange(5, 14))
    judged = monitors.judge(made, MAKERS[name].model)
    assert judged is not None
    assert judged.op == blamed_by_search(made, MAKERS[name].model)


def test_a_fetch_among_reads_is_for_the_search() -> None:
    ops = [Op(0, "invoke", "read"), Op(0, "ok", "read", 0),
           Op(0, "invoke", "inc"), Op(0, "ok", "inc", 1)]
    assert monitors.judge(History(ops), models.counter) is None
    assert linearizable(History(ops), models.counter).evidence["method"] == "search"


@pytest.mark.parametrize("model, init, f, arg, answer", [
    (models.counter, 5, "inc", None, 6), (models.counter, 5, "read", None, 5),
    (models.queue, (1,), "dequeue", None, 1), (models.stack, (1,), "pop", None, 1),
    (models.priority_queue, (1,), "pop", None, 1), (models.set_model, {1}, "contains", 1, True),
])
def test_what_begins_with_something_is_for_the_search(
    model: Model, init: Any, f: str, arg: Any, answer: Any
) -> None:
    """Monitors take it for granted that there is nothing at first."""
    begun = replace(model, init=frozenset(init) if isinstance(init, set) else init)
    made = History([Op(0, "invoke", f, arg), Op(0, "ok", f, answer)])
    for calls in (made, made.calls()):
        assert linearizable(calls, begun).valid
        assert not linearizable(calls, model).valid


@pytest.mark.skipif(MONITORS is None, reason="nothing is told at once")
@pytest.mark.parametrize("name", ["cas-register", "register"])
def test_what_is_written_twice_is_told_at_once(name: str) -> None:
    """Of registers it is all that keeps a history from the monitor."""
    hopeless = 0
    for seed in range(300):
        model, table = models.by_name(name), Table(models.by_name(name))
        rng = Random(seed)
        made = History(random_ops(rng, model, calls=rng.randrange(8), clients=4, wrong=0.1))
        problem = numbered(made, table)
        try:
            writes.plainly(problem, table)
        except Unsuited:
            hopeless += 1
            assert writes.hopeless(problem, table)
        else:
            assert not writes.hopeless(problem, table)
    assert 20 < hopeless < 280
