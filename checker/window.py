"""What is open when: the calls of a problem, return by return, as the plain search walks them."""

from __future__ import annotations

from bisect import insort
from typing import NamedTuple, Tuple

from checker.problem import ANYWHERE, READ, UNASKED, UPDATE, WRITE, Problem, Table

Open = Tuple[int, int, int]


class Frontier(NamedTuple):
    """What is open before one return.

    ``calls`` has those that return, as (call, bit, class), in the order of their returns, so the
    first is the one that returns now; ``writes`` has the bits of the writes among them.
    ``reads`` those of the reads.  ``pending`` holds (class, how many were invoked so far) of the
    calls that never return.
    """

    calls: list[Open]
    writes: int
    reads: int
    pending: tuple[tuple[int, int], ...]


def frontiers(problem: Problem, table: Table) -> list[Frontier]:
    """One Frontier for each return event."""
    due = {~event: place for place, event in enumerate(problem.events) if event < 0}
    open_now: list[tuple[int, Open]] = []
    free: list[int] = []
    bits = 0
    counts: dict[int, int] = {}
    pending: tuple[tuple[int, int], ...] = ()
    result = []
    for event in problem.events:
        if event < 0:
            calls = [entry for _due, entry in open_now]
            writes = sum(bit for _n, bit, kind in calls if table.kinds[kind] == WRITE)
            reads = sum(bit for _n, bit, kind in calls if table.kinds[kind] == READ)
            result.append(Frontier(calls, writes, reads, pending))
            free.append(calls[0][1])
            open_now.pop(0)
            continue
        number = problem.classes[event]
        if event in due:
            bits += not free
            bit = free.pop() if free else 1 << (bits - 1)
            insort(open_now, (due[event], (event, bit, number)))
        else:
            counts[number] = counts.get(number, 0) + 1
            pending = tuple(counts.items())
    return result


def rescues(problem: Problem, table: Table) -> dict[int, int] | None:
    """For each call that needs a state: the first frontier at which the last call that leads to
    that state, of those invoked before it returns, is open; -1 if there is none.

    None when some class may lead anywhere, so that nothing can be said.
    """
    found: dict[int, int] = {}
    latest: dict[int, int] = {}
    returned = 0
    for event in problem.events:
        number = problem.classes[event if event >= 0 else ~event]
        kind, need, target = table.kinds[number], table.needs[number], table.targets[number]
        if kind == UPDATE and target == UNASKED:
            return None
        if event < 0:
            if kind != WRITE and need != ANYWHERE:
                found[~event] = latest.get(need, -1)
            returned += 1
        elif kind != READ:
            latest[target] = returned
    return found
