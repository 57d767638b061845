"""*Fetch and add*: increments by one that answer the new value, and nothing else.

The answers say the order, so they must be distinct, and nothing may be invoked after something of
a higher answer returned.  Values that nobody was told were made by pending increments: each takes
the one invoked first of those left, which must be invoked before anything of a higher answer
returns.  The increments that answered follow each other as their answers do, so what is asked of
them is that this order respects real time; and a pending one that an order puts into a gap can be
exchanged for one that was invoked earlier.  (Gibbons & Korach, SIAM J. Comput. 1997, give the same
argument for registers whose writes are distinct.)

So few increments fail by themselves, whatever others were answered, if one answers less than one,
or two the same, or one was invoked after one of a higher answer returned; or if too few others had
begun when the first returned of those that answer so much or more (`contradicts`).
"""

from __future__ import annotations

from array import array
from bisect import bisect
from typing import NamedTuple, Sequence

from checker.fewer import fewer
from checker.model import Model
from checker.monitors.prefix import NEVER, Conflict, Unsuited, at, first_failure, returns, span
from checker.native import MONITORS
from histories.history import Call, History

_FIELDS = 3         # of a Told that comes from the native monitor: two positions, and how many


class Increment(NamedTuple):
    """A call that answered, or may have; pending ones answer 0."""

    answer: int
    start: int
    end: int


class Told(NamedTuple):
    """A call that answered, and how many others and itself were invoked before it returned."""

    call: Call
    answer: int
    start: int
    end: int
    begun: int


def natively(history: History) -> "tuple[int, int | None, list[Told]] | None":
    """How many calls, the first op that no order explains, and few that fail.

    None if it cannot say.
    """
    found = MONITORS and MONITORS.fetch_and_add(history.ops)
    if not found:
        return None
    calls, place, numbers = found
    ops = history.ops
    fields = iter(array("i", numbers))
    few = [_told(history.call(ops[invoked], ops[completed]), begun)
           for invoked, completed, begun in zip(*[fields] * _FIELDS)]
    return calls, None if place < 0 else ops[place].index, few


def judge(calls: Sequence[Call], _model: Model) -> Conflict | None:
    """Why no order explains the shortest prefix that none does, or None; Unsuited for others."""
    increments = []
    for call in calls:
        if call.f != "inc" or call.arg is not None:
            raise Unsuited
        answer = 0 if call.end is None else call.ret
        if type(answer) is not int:
            raise Unsuited
        increments.append(Increment(answer, *span(call)))
    ends = returns(each[1:] for each in increments)
    return first_failure(ends, lambda last: _fails(increments, last))


def told(calls: Sequence[Call], conflict: Conflict) -> list[Told]:
    """The calls of a conflict, in order."""
    starts = [2 * call.start for call in calls]
    return [_told(call, bisect(starts, span(call)[1])) for call in at(calls, conflict.starts)]


def _told(call: Call, begun: int) -> Told:
    assert isinstance(call.ret, int)
    return Told(call, call.ret, *span(call), begun)


def _fails(increments: list[Increment], last: int) -> Conflict | None:
    """Why no order explains what was seen up to a moment, or None."""
    answered = sorted(each for each in increments if each.end <= last)
    spare = [each.start for each in increments if each.end > last]
    soonest = [NEVER]               # the first return at this answer and above
    for each in reversed(answered):
        soonest.append(min(soonest[-1], each.end))
    soonest.reverse()
    taken = 0
    for place, each in enumerate(answered):
        before = answered[place - 1] if place else Increment(0, 0, 0)
        if each.answer <= before.answer:
            return _conflict([before, each] if before.answer == each.answer > 0 else [each])
        if each.start > soonest[place + 1]:
            return _conflict([each, *(
                above for above in answered[place + 1:] if above.end == soonest[place + 1])])
        taken += each.answer - before.answer - 1
        if taken > len(spare) or taken and spare[taken - 1] > soonest[place]:
            return _conflict([
                above for above in answered[place:] if above.start < soonest[place]])
    return None


def _conflict(few: list[Increment]) -> Conflict:
    return Conflict(max(each.end for each in few), sorted(each.start for each in few))


def least(few: list[Told]) -> "tuple[list[Told], int]":
    """Some of these calls, of which none can be spared, and how far they let the counter get."""
    kept = fewer(few, lambda some: contradicts(some) is not None)
    count = contradicts(kept)
    assert count is not None
    return kept, count


def contradicts(few: Sequence[Told]) -> int | None:
    """Where the counter stands when these calls cannot go on; None if they can."""
    above = sorted(few, key=lambda each: (each.answer, each.start))
    before = 0
    while above:
        lowest, first = above[0], min(above, key=lambda each: each.end)
        waiting = sum(each.start < first.end for each in above)
        if lowest.answer <= before:
            return max(lowest.answer - 1, 0)
        if lowest.start > first.end:
            return first.answer - 1
        if first.begun - waiting < lowest.answer - 1:
            return first.begun - waiting
        before = lowest.answer
        above.pop(0)
    return None
