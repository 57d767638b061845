"""Breadth first finds what depth first finds, whatever is short, and the same natively."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_histories import MAKERS, brute_force
from test_checker_linearizability import assert_linearization, history
from test_checker_native import needs_native, random_calls, told

from bench.synthetic import Shape, make
from checker import Budget, models, native
from checker import search as plain
from checker import sweep as plain_sweep
from checker.found import Found
from checker.memory import Memory
from checker.problem import Table, build
from checker.refute import decide, help_search
from histories import History

NAMES = sorted(set(MAKERS) - {"kv"})


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=250, deadline=None)
@given(seed=st.integers(0, 2**32), calls=st.integers(1, 11), wrong=st.sampled_from([0, 0.1, 0.4]))
def test_a_sweep_agrees_with_brute_force(name: str, seed: int, calls: int, wrong: float) -> None:
    """The verdict, the order, and where no order gets any further."""
    model = models.by_name(name)
    made = random_calls(seed, name, calls, wrong)
    table = Table(model)
    problem = build(made, table)
    swept, found = native.sweep(problem, table), native.search(problem, table)
    assert swept.valid is found.valid is brute_force(made, model)
    assert swept.stuck == found.stuck
    assert swept.valid or swept.leaves
    for order in [swept.order, *(leaf.order for leaf in swept.leaves)]:
        assert len(set(order)) == len(order)
        assert_linearization([problem.call(number) for number in order], model)


@needs_native
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), calls=st.integers(1, 60), wrong=st.sampled_from([0, 0.02, 0.1]))
def test_both_sweeps_take_the_same_steps(name: str, seed: int, calls: int, wrong: float) -> None:
    made = random_calls(seed, name, calls, wrong)
    budget = Budget(steps_max=50 if seed % 2 else 2000)
    results = []
    for one in (native.sweep, plain_sweep.sweep):
        table = Table(models.by_name(name))
        results.append(told(one(build(made, table), table, budget), table))
    assert results[0] == results[1]


def writes_then_reads(reads: list[int]) -> str:
    """Pending writes of 0 to 4, ten of each, then reads one after another."""
    words = [f"{n}+write={n % 5} {n}?write={n % 5}" for n in range(50)]
    return " ".join(words + [f"60+read 60:read={value}" for value in reads])


@pytest.mark.parametrize("seen, expected", [(30, True), (31, False)])
def test_increments_without_limit_would_have_no_end(seen: int, expected: bool) -> None:
    text = " ".join(f"{n}+inc {n}?inc" for n in range(30)) + f" 50+read 50:read={seen}"
    table = Table(models.counter)
    assert native.sweep(build(history(text).calls(), table), table).valid is expected


@pytest.mark.parametrize("sweep", [native.sweep, plain_sweep.sweep])
@pytest.mark.parametrize("again, expected", [(9, True), (10, False)])
def test_what_is_short_is_heeded(sweep: Any, again: int, expected: bool) -> None:
    """Each read of 3 after another value takes one more of the ten writes of 3."""
    text = writes_then_reads([3] + [value for _n in range(again) for value in (n_other(_n), 3)])
    table = Table(models.register)
    assert sweep(build(history(text).calls(), table), table).valid is expected


def n_other(number: int) -> int:
    return (0, 1, 2, 4)[number % 4]


def spoilt(shape: Shape, every: int) -> History:
    """Reads that answer anything, one in so many: the pending writes must explain them."""
    rng = Random(shape.seed)
    return History([
        op._replace(value=rng.randrange(5))
        if op.type == "ok" and op.f == "read" and rng.randrange(every) == 0 else op
        for op in make(shape).ops])


@pytest.mark.parametrize("sweep", [native.sweep, plain_sweep.sweep])
def test_what_waits_is_counted_with_what_is_remembered(sweep: Any) -> None:
    """Four writes in any order, seen in one of them: 16 are remembered at most, at one return."""
    writes = [f"{n}+write={n}" for n in range(4)] + [f"{n + 9}+read" for n in range(4)]
    ends = [f"{n + 9}:read={n}" for n in range(4)] + [f"{n}:write={n}" for n in range(4)]
    text = " ".join([*writes, *ends, "50+read 50:read=99"])
    table = Table(models.register)
    problem = build(history(text).calls(), table)
    assert sweep(problem, table, Budget(memory_max=27)).valid is False
    found = sweep(problem, table, Budget(memory_max=26))
    assert (found.valid, found.cause) == (None, "26 configurations remembered")


@needs_native
@pytest.mark.parametrize("shape, every", [
    (Shape("register", 2_000, 10, 5, seed=1), 20), (Shape("register", 5_000, 5, 1, seed=2), 100),
    (Shape("register", 5_000, 5, 5, seed=2), 50), (Shape("cas-register", 5_000, 5, 5, seed=2), 50),
])
def test_scarce_pending_calls_are_no_reason_to_give_up(shape: Shape, every: int) -> None:
    table = Table(models.by_name(shape.model))
    problem = build(spoilt(shape, every).calls(), table)
    assert decide(problem, table, Budget(steps_max=100_000)).valid is not None


def test_depth_and_breadth_agree_on_what_is_scarce(monkeypatch: pytest.MonkeyPatch) -> None:
    """Impatient: as soon as it stands still a step, it sweeps."""
    monkeypatch.setattr("checker.refute.SWEEP_PATIENCE", 1)
    answers = []
    for seed in range(150):
        table = Table(models.register)
        problem = build(spoilt(Shape("register", 40, 4, 20, seed=seed), 4).calls(), table)
        slow = plain.search(problem, table)
        found = decide(problem, table, Budget(patience=1))
        assert (found.valid, found.stuck) == (slow.valid, slow.stuck)
        answers.append(slow.valid)
    assert 20 < sum(map(bool, answers)) < 130


@needs_native
def test_help_ends_both_searches_at_the_same_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a sweep finds meanwhile is the answer, its steps and the search's together."""
    monkeypatch.setattr("checker.refute.SWEEP_PATIENCE", 1)
    results: list[Any] = []
    for search in (native.search, plain.search):
        monkeypatch.setattr("checker.refute.search", search)
        results.append([])
        for seed in range(100):
            table = Table(models.register)
            problem = build(spoilt(Shape("register", 40, 4, 20, seed=seed), 4).calls(), table)
            results[-1].append(told(decide(problem, table, Budget(patience=1)), table))
    assert results[0] == results[1]


def test_a_sweep_takes_no_more_than_a_few_times_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of a million calls took minutes, where depth an instant later got through."""
    turns: list[int | None] = []

    def sweep(problem: Any, table: Any, budget: Budget) -> Found:
        turns.append(budget.steps_max)
        return Found(None, (), 0, [], 0)

    monkeypatch.setattr("checker.refute.sweep", sweep)
    monkeypatch.setattr("checker.refute.Refuter.refuted", lambda *_given: False)
    table = Table(models.register)
    problem = build(make(Shape("register", 40, 4)).calls(), table)
    helper = help_search(problem, table, Budget())
    assert not any(helper(0, steps) for steps in (1_000, 4_000, 16_000, 64_000))
    assert turns == [64_000, 256_000]


@pytest.mark.parametrize("search", [plain.search, native.search, native.sweep])
@pytest.mark.parametrize("seed, calls, wrong", [
    (877, 9, 0.1), (2295, 12, 0), (9004, 12, 0.05), (15766, 12, 0.05)])
def test_what_a_failure_says_of_others_is_no_more(
    search: Any, seed: int, calls: int, wrong: float
) -> None:
    """Histories on which each clause of the comparison, left out, gave a wrong verdict."""
    name = ("register", "cas-register")[seed % 2]
    made = random_calls(seed, name, calls, wrong)
    table = Table(models.by_name(name))
    assert search(build(made, table), table).valid is brute_force(made, models.by_name(name))


OWING = (       # eight calls: the fewest on which the rule below was needed
    "2+write=0 0+write=1 2?write=0 100+write=3 100:write=3 100+write=1 101+cas=[1,3] 0:write=1 "
    "0+write=0 101:cas=[1,3] 101+cas=[2,1] 0:write=0 0+cas=[1,2] 100?write=1 0?cas=[1,2] "
    "101:cas=[2,1]")


@pytest.mark.parametrize("search", [plain.search, native.search, native.sweep])
def test_what_failed_while_it_owed_a_call_says_nothing_of_others(search: Any) -> None:
    table = Table(models.cas_register)
    assert search(build(history(OWING).calls(), table), table).valid is True
    assert brute_force(history(OWING).calls(), models.cas_register)


def test_without_that_rule_the_answer_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    dooms = Memory._dooms
    monkeypatch.setattr(Memory, "_dooms", lambda memory, failure, it: dooms(
        memory, failure._replace(chained=False), it))
    table = Table(models.cas_register)
    assert plain.search(build(history(OWING).calls(), table), table).valid is False
