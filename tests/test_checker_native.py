"""The native search finds what the plain one finds, and each short cut is sound."""

from __future__ import annotations

from array import array
from random import Random
from typing import Any

import fuzz_native
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_histories import MAKERS, brute_force, random_ops

from checker import Budget, Model, models
from checker import native, search as plain
from checker.found import ALL, Found, ShortCut
from checker.problem import Problem, Table, build
from histories import Call, History

needs_native = pytest.mark.skipif(native.NATIVE is None, reason="there is no native search")
MODELS = sorted(set(MAKERS) - {"kv"})


def random_calls(seed: int, name: str, calls: int, wrong: float) -> list[Call]:
    rng = Random(seed)
    clients = rng.randrange(2, 9)
    return History(random_ops(
        rng, models.by_name(name), calls=calls, wrong=wrong, clients=clients)).calls()


def told(found: Found, table: Table) -> Any:
    """What was found, without the numbers of states, which depend on who asked first."""
    leaves = [(list(leaf.order), table.states[leaf.state]) for leaf in found.leaves]
    return found._replace(order=list(found.order), leaves=[]), leaves


def both(calls: list[Call], model: Model, budget: Budget, cuts: ShortCut) -> tuple[Any, Any]:
    """The results of the native and of the plain search."""
    results = []
    for one in (native.search, plain.search):
        table = Table(model)
        results.append(told(one(build(calls, table), table, budget, cuts), table))
    return results[0], results[1]


@needs_native
@pytest.mark.parametrize("name", MODELS)
@given(seed=st.integers(0, 2**32), calls=st.integers(1, 60), wrong=st.sampled_from([0, 0.02, 0.1]),
       cuts=st.integers(0, int(ALL)))
@settings(max_examples=60, deadline=None)
def test_both_searches_take_the_same_steps(
    name: str, seed: int, calls: int, wrong: float, cuts: int
) -> None:
    budget = Budget(steps_max=50 if seed % 2 else 2000)
    made = random_calls(seed, name, calls, wrong)
    one, other = both(made, models.by_name(name), budget, ShortCut(cuts))
    assert one == other


@needs_native
@pytest.mark.parametrize("name", ["cas-register", "register"])
@given(seed=st.integers(0, 2**32), calls=st.integers(0, 60), wrong=st.sampled_from([0, 0.02, 0.1]),
       cuts=st.integers(0, int(ALL)))
@settings(max_examples=100, deadline=None)
def test_what_numbering_keeps_is_searched_as_its_columns_are(
    name: str, seed: int, calls: int, wrong: float, cuts: int
) -> None:
    """And again, since each search lays out what it comes to; and breadth first."""
    rng = Random(seed)
    made = History(random_ops(
        rng, models.by_name(name), calls=calls, wrong=wrong, clients=rng.randrange(2, 9)))
    results = []
    for keeps in (True, True, False):
        table = Table(models.by_name(name))
        problem = native.numbered(made, table)
        assert problem.kept is not None
        problem = problem if keeps else problem._replace(kept=None)
        for _again in range(2):
            results.append([told(native.search(problem, table, cuts=ShortCut(cuts)), table),
                            told(native.sweep(problem, table), table)])
    table = Table(models.by_name(name))
    problem = native.numbered(made, table)
    slow = told(plain.search(problem, table, cuts=ShortCut(cuts)), table)
    assert all(each == results[0] for each in results)
    assert results[0][0] == slow


@pytest.mark.parametrize("off", list(ShortCut), ids=lambda cut: cut.name)
@pytest.mark.parametrize("name", MODELS)
@given(seed=st.integers(0, 2**32), wrong=st.sampled_from([0.0, 0.1, 0.4]))
@settings(max_examples=20, deadline=None)
def test_each_short_cut_is_sound(off: ShortCut, name: str, seed: int, wrong: float) -> None:
    """Without it and with nothing but it, the verdict is that of brute force."""
    model = models.by_name(name)
    calls = random_calls(seed, name, 8, wrong)
    expected = brute_force(calls, model)
    for cuts in (ALL & ~off, off):
        table = Table(model)
        assert native.search(build(calls, table), table, cuts=cuts).valid is expected


@needs_native
@given(st.tuples(*[st.lists(st.integers(-3, 6), max_size=12)] * 5),
       st.lists(st.integers(-1, 3), max_size=3), st.integers(0, 63))
@settings(max_examples=500, deadline=None)
def test_any_integers_are_refused_or_searched(
    columns: tuple[list[int], ...], starts: list[int], cuts: int
) -> None:
    """Numbers that are no problem are one clear error, and never a crash."""

    arrays = tuple(array("i", column) for column in columns)
    limits = (cuts, 500, 500, 10, 8, 3, 4)
    try:
        answer = native.NATIVE.search(arrays, tuple(starts), limits, lambda state, number: -1, None,
                                      (lambda: lambda stuck, steps: False,))
    except ValueError as problem:
        assert str(problem) == "these numbers are no problem"
    else:
        assert answer is None or answer.cause in ("", 2, 3)


@needs_native
@pytest.mark.parametrize("state", [2**31 - 1, 2**26, -2, 2**40])
def test_a_number_that_is_no_state_is_refused(state: int) -> None:
    """Told by the table or answered by the model; 2**31 - 1 ended the process."""
    columns = tuple(array("i", column) for column in ([0, ~0], [0], [2], [-1], [-2]))
    limits = (int(ALL), 500, 500, 10, 8, 500, 2)
    with pytest.raises(ValueError, match=f"^{state} is no state"):
        native.NATIVE.search(columns, (0,), limits, lambda _state, _number: state, None, None)
    with pytest.raises(ValueError, match="no problem"):
        native.NATIVE.search(columns, (0, state), limits, lambda _state, _number: -1, None, None)
    for place in (3, 4) if 0 < state < 2**31 else ():
        told = (*columns[:place], array("i", [state]), *columns[place + 1:])
        with pytest.raises(ValueError, match="no problem"):
            native.NATIVE.search(told, (0,), limits, lambda _state, _number: -1, None, None)


@needs_native
def test_a_call_that_needs_a_state_has_a_target() -> None:
    """Its target told as not asked yet, -2, was taken for a state."""
    columns = tuple(array("i", column) for column in ([0, ~0], [0], [2], [0], [-2]))
    limits = (int(ALL), 500, 500, 10, 8, 500, 2)
    with pytest.raises(ValueError, match="no problem"):
        native.NATIVE.search(columns, (0,), limits, None, None, None)


@pytest.mark.skipif(native.MONITORS is None, reason="there is no native monitor")
@pytest.mark.parametrize("columns", [
    ([0], [7], [2], [-1], [-2]), ([3], [0], [2], [-1], [-2]), ([~0], [0], [2], [-1], [-2]),
    ([0], [0], [2], [], [-2]), ([0], [0], [2], [2**31 - 1], [0]),
])
def test_a_monitor_is_no_less_careful(columns: tuple[list[int], ...]) -> None:
    """A class that is none led outside of an array."""
    with pytest.raises(ValueError, match="^these numbers are no problem"):
        native.MONITORS.distinct_writes(*[array("i", column) for column in columns], 0)


def test_arbitrary_input_is_answered_or_refused() -> None:
    """A few of the cases that `make sanitize` tries for longer."""
    outcomes = {fuzz_native.attempt(seed) for seed in range(1000)}
    assert "history_case answered" in outcomes
    assert native.NATIVE is None or "function_case answered" in outcomes


@needs_native
def test_what_a_model_raises_comes_out() -> None:
    """An error of the model, met in the middle of the native search, is the caller's."""
    def step(state: Any, f: str, arg: Any, ret: Any) -> Any:
        if state == 2:
            raise KeyError("two")
        return state + 1

    model = Model(name="bad", init=0, step=step, fs={"go": "nothing"})
    calls = [Call(0, "go", None, None, 2 * n, 2 * n + 1, "ok") for n in range(5)]
    table = Table(model)
    with pytest.raises(Exception, match="bad cannot take go -> nil: KeyError"):
        native.search(build(calls, table), table)


@needs_native
@pytest.mark.parametrize("width", [63, 64, 65, 300, 2100])
def test_any_number_of_calls_may_overlap(width: int) -> None:
    """Beyond the slots that the native search has, the plain one takes over."""
    calls = [Call(n, "write", n % 3, None, n, width + n, "ok") for n in range(width)]
    calls.append(Call(width, "read", None, 1, 3 * width, 3 * width + 1, "ok"))
    table = Table(models.register)
    problem: Problem = build(calls, table)
    assert native.search(problem, table).valid is True
