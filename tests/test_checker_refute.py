"""What is refuted locally has no order, and is refuted however much went before."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_histories import MAKERS, brute_force, random_ops
from test_checker_linearizability import cut
from test_checker_native import told

from bench.synthetic import Shape, make
from checker import Budget, models, native
from checker import search as plain
from checker.problem import Problem, Table, build
from checker.refute import Refuter, decide
from histories import Call, History

HASTY = Budget(patience=1)      # refutes at every step
NAMED = ("cas-register", "mutex", "register")       # their calls say which state they need


def drawn(seed: int, name: str, calls: int, wrong: float) -> list[Call]:
    rng = Random(seed)
    return History(random_ops(rng, models.by_name(name), calls=calls, wrong=wrong,
                              clients=rng.randrange(2, 7))).calls()


@pytest.mark.parametrize("name", sorted(set(MAKERS) - {"kv"}))
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), wrong=st.sampled_from([0.1, 0.4]))
def test_no_order_gets_past_what_is_refuted(name: str, seed: int, wrong: float) -> None:
    """Of every return and every window before it; what is not yet refuted may fail all the same."""
    model = models.by_name(name)
    calls = drawn(seed, name, 8, wrong)
    table = Table(model)
    problem = build(calls, table)
    refuter = Refuter(problem, table)
    for stuck in [~event for event in problem.events if event < 0]:
        refuter.go_to(stuck)
        end = problem.call(stuck).end
        assert end is not None
        passable = brute_force(cut(calls, end), model)
        for first in range(refuter.live[stuck] + 1):
            window = refuter.window(first)
            starts = refuter.starts(window)
            if starts and passable:
                assert native.search(window._replace(starts=starts), table).valid is True
        assert not passable or not refuter.refuted(stuck, 10_000)


def test_refuting_remembers_no_more_than_the_budget_says() -> None:
    """What takes more than a step remembers something, and then is not refuted."""
    refuted = {most: 0 for most in (0, 10_000)}
    for seed in range(60):
        table = Table(models.cas_register)
        problem = build(drawn(seed, "cas-register", 14, 0.4), table)
        found = native.search(problem, table)
        if found.stuck is None:
            continue
        for most in refuted:
            refuter = Refuter(problem, table, Budget(memory_max=most))
            refuted[most] += refuter.refuted(found.stuck, 10_000)
    assert 0 < refuted[0] < refuted[10_000]


@pytest.mark.parametrize("name", NAMED)
def test_most_that_fails_is_refuted(name: str) -> None:
    """With the whole history as its window it begins in the wrong state, and so misses some."""
    refuted, failed = 0, 0
    for seed in range(300):
        table = Table(models.by_name(name))
        problem = build(drawn(seed, name, 8, 0.4), table)
        found = native.search(problem, table)
        if found.stuck is not None:
            failed += 1
            refuted += Refuter(problem, table).refuted(found.stuck, 10_000)
    assert refuted > 0.7 * failed > 30


@pytest.mark.parametrize("name", sorted(set(MAKERS) - {"kv"}))
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), wrong=st.sampled_from([0.0, 0.1, 0.4]))
def test_a_hasty_search_agrees_with_brute_force(name: str, seed: int, wrong: float) -> None:
    model = models.by_name(name)
    calls = drawn(seed, name, 8, wrong)
    table = Table(model)
    problem = build(calls, table)
    found, slow = decide(problem, table, HASTY), native.search(problem, table)
    assert found.valid is slow.valid is brute_force(calls, model)
    assert found.stuck == slow.stuck


@pytest.mark.skipif(native.NATIVE is None, reason="there is no native search")
@pytest.mark.parametrize("name", NAMED)
def test_both_searches_are_refuted_at_the_same_step(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    results: list[list[Any]] = []
    for search in (native.search, plain.search):
        monkeypatch.setattr("checker.refute.search", search)
        results.append([])
        for seed in range(60):
            table = Table(models.by_name(name))
            problem = build(drawn(seed, name, 40, 0.1), table)
            budget = Budget(patience=1 + seed % 7, steps_max=2_000)
            results[-1].append(told(decide(problem, table, budget), table))
    assert results[0] == results[1]


@pytest.mark.parametrize("model, concurrency, crashed", [
    ("register", 10, 1), ("register", 10, 5), ("cas-register", 10, 5), ("cas-register", 30, 1),
])
def test_crashed_calls_do_not_hide_a_violation(model: str, concurrency: int, crashed: int) -> None:
    """Each way to have used up calls that never returned was a way to fail again."""
    table = Table(models.by_name(model))
    problem: Problem = build(make(Shape(model, 2_000, concurrency, crashed, True)).calls(), table)
    found = decide(problem, table)
    assert found.valid is False
    assert found.steps < 10_000
