"""A hunt: one test under many seeds, those that failed before first, until time is up."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import replace
from itertools import chain, takewhile
from typing import Callable, Iterator

from harness.corpus import Corpus
from harness.failure import find
from harness.tally import Tally
from harness.test import SEED_MAX, Test
from harness.workers import answers


def hunt(test: Test, executor: Executor, corpus: Corpus, tally: Tally,
         until: Callable[[], bool]) -> Iterator[Test]:
    """Run seed after seed from the test's own until `until` says so; yields each test it has run.

    `tally` and `corpus` are up to date at every moment, so that an interrupted hunt loses nothing.
    """
    known = corpus.like(test)
    seeds = (replace(test, seed=seed) for seed in range(test.seed, SEED_MAX + 1))
    fresh = (each for each in seeds if each not in known)
    questions = takewhile(lambda _: not until(), chain(known, fresh))
    for asked, finding in answers(executor, find, questions):
        tally.add(asked, finding)
        if finding.signature:
            corpus.add(asked, finding.signature)
        elif asked in known:
            corpus.remove(asked)
        yield asked
