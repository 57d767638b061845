"""The least of a failing history that still fails: its shortest prefix, and a core of few calls.

A call that is *loosened* may happen at any time after its invocation, with any answer, or never,
as if its client had never been answered.  In a prefix those calls are loose that have not returned
yet.  In a core they are all but a few: to leave calls out altogether would be no proof, and would
end at a single read, of a value whose write was left out.

The core is found by delta debugging over whole calls (`checker/fewer.py`).
"""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from checker.fewer import fewer
from checker.found import Budget, Found
from checker.monitors import judge_numbered
from checker.native import loosened
from checker.problem import Problem, Table
from checker.refute import Refuter, decide

PREFIX_STEPS_MIN = 20_000       # that each may take
STEPS_MAX = 20_000              # of all judgements for one core together, as are the next two
JUDGEMENT_STEPS_MAX = 5_000     # of one of them: where it takes more, so would those that follow
JUDGEMENTS_MAX = 500
EVENTS_MAX = 1_000_000


class Core(NamedTuple):
    """Calls that contradict each other, in the order of their returns.

    ``smallest``: it is known that none of them can be loosened.
    """

    calls: list[int]
    smallest: bool


class Prefix(NamedTuple):
    """A prefix that fails: the event that ends it, and what a search found, of what problem."""

    last: int
    found: Found
    searched: Problem


def shortest_prefix(problem: Problem, table: Table, found: Found, budget: Budget) -> Prefix:
    """The shortest prefix that fails.

    A search knows the answers of calls that return later, so it may be stuck earlier, never later.
    Where a window of the prefix is refuted in which it was stuck, that is the shortest, and is not
    searched again.  A prefix of which the search gives up is taken for one that holds.  Calls that
    failed did not happen, in prefixes that end before they did neither.
    """
    assert found.stuck is not None
    first = problem.events.index(~found.stuck)
    prefix = loosened(problem, table, None, first)
    if Refuter(prefix, table, budget).refuted(found.stuck, found.steps):
        return Prefix(first, found, problem)
    ends = [at for at in range(first, len(problem.events)) if problem.events[at] < 0]
    budget = budget._replace(steps_max=max(PREFIX_STEPS_MIN, 2 * found.steps))
    shortest = Prefix(ends[-1], found, problem)
    low, middle, high = 0, 0, len(ends) - 1
    while low < high:
        prefix = loosened(problem, table, None, ends[middle])
        tried = decide(prefix, table, budget)
        if tried.valid is False:
            high, shortest = middle, Prefix(ends[middle], tried, prefix)
        else:
            low = middle + 1
        middle = (low + high) // 2
    return shortest


class _Judge:
    """Which calls of a prefix fail on their own, as long as its patience lasts."""

    def __init__(self, problem: Problem, table: Table, last: int, budget: Budget) -> None:
        self.problem, self.table, self.last = problem, table, last
        self.budget, self.steps = budget, STEPS_MAX
        self.left = min(JUDGEMENTS_MAX, EVENTS_MAX // (last + 1))
        self.sure = True        # nothing was taken to hold because nobody knew

    def fails(self, tight: list[int]) -> bool:
        """Do these calls fail, all others being loose?  No, when nobody knows."""
        if not tight:
            return False
        self.left -= 1
        if self.left < 0:
            self.sure = False
            return False
        loose = loosened(self.problem, self.table, tight, self.last)
        judged = judge_numbered(loose, self.table)
        if judged is not None:
            return judged.op is not None
        most = min(self.steps, JUDGEMENT_STEPS_MAX)
        found = decide(loose, self.table, self.budget._replace(steps_max=most))
        self.steps -= min(found.steps, self.steps)
        if found.valid is None:
            self.left, self.sure = 0, False
        return found.valid is False


def core(problem: Problem, table: Table, last: int, budget: Budget) -> Core:
    """Few calls of the prefix that ends at an event, and fails, which fail on their own."""
    judge = _Judge(problem, table, last, budget)
    until = problem.events[:last + 1][::-1]
    size = 1
    while True:
        returns = list(islice((~event for event in until if event < 0), size))[::-1]
        if len(returns) < size or judge.fails(returns):
            break
        size *= 2
    return Core(fewer(returns, judge.fails, lambda: judge.left < 0), judge.sure)
