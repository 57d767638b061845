"""The same search breadth first: all that the history up to a return can have led to, fewest first.

Depth first tries first what needs no call that never returns, and learns late that it has used up
one which was needed further on.  Here configurations are taken up by frontier, and at a frontier by
how many such calls they have used.  What one that is at least as well off has been taken up for
(`Memory` says when) is left alone: whatever it leads to, so does the other.  Behind a frontier
nothing is remembered.

Few classes of pending calls are ever short.  So at first none is *heeded*: they may be used more
often than they were invoked, and configurations that differ only in them are alike.  (A class that
leads to another state each time, as increments do, is heeded from the start: without limit there
would be no end of states.)  A class used too often is *overdrawn*.  A sweep allows more than the
history does; so

* where the furthest way overdraws nothing, it is an order of the history, to the end or up to the
  first return that none gets past;
* otherwise what it overdraws is heeded, and the sweep begins again.

(Just-in-time linearization: Lowe, CCPE 2017; refinement after counterexamples: Clarke and others,
CAV 2000.)
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import NamedTuple

from checker.found import Budget, Found
from checker.memory import Configuration, Memory
from checker.moves import Frame
from checker.problem import UNASKED, Problem, Table
from checker.search import Search


class Way(NamedTuple):
    """A configuration in the queue, in the order in which they are taken up.

    ``used`` counts the pending calls used, ``over`` has the bits of the classes overdrawn, and
    ``number`` is that of no other.
    """

    at: int
    overdrawn: int
    used: int
    number: int
    it: Configuration
    over: int


class Sweep(Search):
    """Breadth first from the initial configurations; ``run`` once."""

    def run(self) -> Found:
        """Sweep until the furthest way overdraws nothing, or the budget ends."""
        self.heeded = 0
        for number in self.pending:
            if self.table.targets[number] == UNASKED:
                self.heeded |= self.multisets.bit(number)
        while True:
            furthest, cause = self.sweep()
            if cause:
                return self.found(None, None, cause)
            if not furthest.over:
                return self.found(furthest.at == len(self.frontiers), furthest.it.order)
            self.heeded |= furthest.over

    def sweep(self) -> tuple[Way, str]:
        """The furthest way, and of those the first; or why the sweep had to end."""
        self.deepest, self.numbers = 0, 0
        self.leaves.clear()
        queue: list[Way] = []
        for state in reversed(self.starts):
            start = Configuration(0, 0, 0, state, 0, False, None)
            heappush(queue, self.way(self.settle(start), 0))
        furthest = queue[0]._replace(at=-1)
        while queue:
            way = heappop(queue)
            if way.at > furthest.at:
                furthest = way
                self.memory = Memory(self.multisets, self.frontiers)
                if way.at == len(self.frontiers):
                    break
            heeded = self.multisets.only(way.it.used, self.heeded)
            if self.memory.covering(way.it._replace(used=heeded)) is not None:
                continue
            self.memory.add(way.it, heeded)
            self.waiting = len(queue)
            cause = self.spent()
            if cause:
                return way, cause
            self.over = way.over
            for move in self.moves(Frame(way.it)):
                over = way.over | self.overdraft(way, move)
                heappush(queue, self.way(self.settle(move), over))
        return furthest, ""

    def way(self, it: Configuration, over: int) -> Way:
        """A configuration for the queue."""
        self.numbers += 1
        used = sum(self.multisets.counts[it.used].values())
        return Way(it.at, bin(over).count("1"), used, self.numbers, it, over)

    def overdraft(self, way: Way, move: Configuration) -> int:
        """The bit of the class of which the move uses more than were invoked, if it does."""
        assert move.order is not None
        call = move.order[1]
        if call < 0 or call in self.due:
            return 0
        number = self.classes[call]
        invoked = dict(self.frontiers[way.at].pending)[number]
        short = self.multisets.counts[way.it.used].get(number, 0) >= invoked
        return self.multisets.bit(number) if short else 0


def sweep(problem: Problem, table: Table, budget: Budget = Budget()) -> Found:
    """Look for a linearization of the problem's calls breadth first, in Python."""
    return Sweep(problem, table, budget).run()
