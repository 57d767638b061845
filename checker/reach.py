"""All that a stretch of a history can have led to: configurations, breadth first, fewest first.

The moves are those of the search, so each of its short cuts serves here too, and what is no better
off than another is left out.  Configurations are taken up by frontier, and there by how many
pending calls they have used, so that most of what is worse comes after what it is worse than.

`checker/_reach.h` is the same, move by move.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple, Sequence

from checker.found import Budget
from checker.memory import Configuration
from checker.moves import Frame
from checker.problem import Problem, Table
from checker.search import Search


class Stand(NamedTuple):
    """Where a history can stand: so many returns are behind it, in a state.

    ``done`` are the calls that took effect and return later, ``covered`` those that may have,
    unseen, right before the last write; ``used`` counts the pending ones that did, by class.
    """

    at: int
    state: int
    done: Sequence[int]
    covered: Sequence[int]
    used: Sequence[tuple[int, int]]


def reach(
    problem: Problem, table: Table, begun: Sequence[Stand], until: int, most: int
) -> list[Stand] | None:
    """Where what stands somewhere can stand behind so many returns; None if that are too many.

    ``most`` configurations are tried.
    """
    search = Search(problem, table, Budget())
    reached: list[Stand] = []
    queue: list[tuple[int, int, int, Configuration]] = []
    numbers = count()

    def put(it: Configuration) -> None:
        used = sum(search.multisets.counts[it.used].values())
        heappush(queue, (it.at, used, next(numbers), it))

    for each in begun:
        put(search.settle(_begin(search, each)))
    while queue:
        it = heappop(queue)[-1]
        if it.at < len(search.frontiers):
            if search.memory.covering(it) is not None:
                continue
            search.memory.add(it, it.used)
        most -= 1
        if most < 0:
            return None
        if it.at >= until:
            reached.append(_stand(search, it))
            continue
        for move in search.moves(Frame(it)):
            put(search.settle(move))
    return reached


def _begin(search: Search, stand: Stand) -> Configuration:
    at = stand.at
    calls = search.frontiers[at].calls if at < len(search.frontiers) else []
    bits = {call: bit for call, bit, _class in calls}
    used = 0
    for number, many in stand.used:
        for _each in range(many):
            used = search.multisets.more(used, number)
    done, covered = (sum(bits[call] for call in some) for some in (stand.done, stand.covered))
    return Configuration(at, done, covered, stand.state, used, False, None)


def _stand(search: Search, it: Configuration) -> Stand:
    calls = search.frontiers[it.at].calls if it.at < len(search.frontiers) else []
    return Stand(it.at, it.state, [call for call, bit, _class in calls if it.done & bit],
                 [call for call, bit, _class in calls if it.covered & bit],
                 sorted(search.multisets.counts[it.used].items()))
