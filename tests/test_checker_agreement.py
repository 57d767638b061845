"""Every judgement against all orders: searches with their short cuts, by what models say or what
is learned of them, and every monitor.

The slow test judges 700 histories of each maker, or as many as DOUBLE_ELEVEN_HISTORIES says: 3,500
are more than 100,000 in all, and take a core about ten minutes.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random

import pytest
from every_model import MAKERS, Maker, bare, loosened, monitored, random_history
from random_histories import brute_force

from checker import Model, linearizable
from checker import search as plain
from checker.learn import learn
from checker.monitors import MONITORS, WRITES, judge
from checker.native import search
from checker.problem import Table, build
from histories import Call, History

HISTORIES = 80              # of each maker, and more of those whose histories are for monitors
HISTORIES_FOR_MONITORS = 400
HISTORIES_LONG = int(os.environ.get("DOUBLE_ELEVEN_HISTORIES", "700"))   # of each
LEARNED_BY = 300            # transitions
Counts = Counter[tuple[str, "bool | None"]]


def check(maker: Maker, seed: int, counts: Counts) -> None:
    """Judge one history in every way there is, and count the ways and what they said."""
    rng = Random(seed)
    made = random_history(rng, maker, calls=rng.randrange(3, 13))
    calls, model = made.calls(), maker.model
    expected = brute_force(calls, model)
    verdict = linearizable(made, model)
    assert verdict.valid is expected, made.ops
    if model.partition is None:
        for way in (search, plain.search):
            table = Table(model)
            assert way(build(calls, table), table).valid is expected, made.ops
            counts["search", expected] += 1
        table = Table(bare(model))
        problem = build(calls, table)
        if learn(problem, table, LEARNED_BY):
            counts["learned", expected] += 1
            assert search(problem, table).valid is expected, made.ops
    parts = [calls] if model.partition is None else list(made.by(model.partition).values())
    for part in parts:
        check_monitors(part, model, counts)
    if not expected and model.partition is None:
        check_prefix(made, model, verdict.evidence["op"])


def check_monitors(calls: list[Call], model: Model, counts: Counts) -> None:
    """What monitors say of a part, their op included."""
    for method, op in monitored(calls, model):
        counts[method, op is None] += 1
        assert (op is None) is brute_force(calls, model), calls
        if op is not None:
            assert not brute_force(loosened(calls, op), model), calls
            assert brute_force(loosened(calls, op - 1), model), calls


def check_prefix(made: History, model: Model, op: int) -> None:
    """The op that a verdict blames ends the shortest prefix that fails; monitors say the same."""
    assert not brute_force(loosened(made.calls(), op), model), made.ops
    assert brute_force(loosened(made.calls(), op - 1), model), made.ops
    judged = judge(made, model)
    assert judged is None or judged.op == op, made.ops


def check_all(names: list[str], histories: int) -> Counts:
    """Judge so many histories of each maker."""
    counts: Counts = Counter()
    for name in names:
        for seed in range(histories):
            check(MAKERS[name], seed, counts)
    return counts


def assert_all_were_asked(counts: Counts, at_least: int) -> None:
    """Every monitor said yes and no, often; and so did searches by what was learned."""
    for method in ["search", "learned", *MONITORS, WRITES]:
        for said in (True, False):
            assert counts[method, said] >= at_least, (method, said, counts)


def test_all_agree() -> None:
    counts = check_all([name for name in sorted(MAKERS) if ", " not in name], HISTORIES)
    counts += check_all([name for name in sorted(MAKERS) if ", " in name], HISTORIES_FOR_MONITORS)
    assert_all_were_asked(counts, HISTORIES_FOR_MONITORS // 10)


@pytest.mark.slow
def test_all_agree_on_many() -> None:
    assert_all_were_asked(check_all(sorted(MAKERS), HISTORIES_LONG), HISTORIES_LONG // 10)
