"""Runs by seed, with what came of them; many at once, in processes of their own."""

from __future__ import annotations

import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from harness import test as plan
from harness.run import run


class Result(NamedTuple):
    """What came of a run."""

    seed: int
    valid: bool | None
    why: str
    convicted_by: frozenset[str]
    explanation: tuple[str, ...]
    completed: int


def result(seed: int, nemesis: tuple[str, ...], bugs: tuple[str, ...] = (),
           time_limit_s: int = 30) -> Result:
    """Run, and forget the folder."""
    test = plan.Test(nemesis=nemesis, bugs=bugs, seed=seed, time_limit_s=time_limit_s)
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(test, Path(folder))
    parts = outcome.verdict.parts
    return Result(seed, outcome.verdict.valid, outcome.verdict.why,
                  frozenset(name for name, part in parts.items() if part.valid is False),
                  tuple(outcome.explanation),
                  sum(call.outcome == "ok" for call in outcome.record.history.calls()))


def of_seeds(seeds: range, nemesis: tuple[str, ...], bugs: tuple[str, ...] = ()) -> list[Result]:
    """The results of full runs with these seeds, on all cores."""
    with ProcessPoolExecutor() as pool:
        return list(pool.map(partial(result, nemesis=nemesis, bugs=bugs), seeds))
