"""*Fetch and add*: increments by one that answer the new value, and nothing else.

The answers say the order, so they must be distinct, and nothing may be invoked after something of
a higher answer returned.  Values that nobody was told were made by pending increments: each takes
the one invoked first of those left, which must be invoked before anything of a higher answer
returns.  The increments that answered follow each other as their answers do, so what is asked of
them is that this order respects real time; and a pending one that an order puts into a gap can be
exchanged for one that was invoked earlier.  (Gibbons & Korach, SIAM J. Comput. 1997, give the same
argument for registers whose writes are distinct.)
"""

from __future__ import annotations

from typing import NamedTuple, Sequence

from checker.model import Model
from checker.monitors.prefix import Unsuited, first_failure, op_at, returns, span
from checker.native import MONITORS
from histories.history import Call, History


class Increment(NamedTuple):
    """A call that answered, or may have; pending ones answer 0."""

    answer: int
    start: int
    end: int


def natively(history: History, _model: Model) -> tuple[int, int | None] | None:
    """How many calls, and the first op that no order explains; None if it cannot say."""
    found = MONITORS and MONITORS.fetch_and_add(history.ops)
    if not found:
        return None
    calls, at = found
    return calls, None if at < 0 else history.ops[at].index


def judge(calls: Sequence[Call], _model: Model) -> int | None:
    """The first op that no order explains, or None."""
    increments = []
    for call in calls:
        if call.f != "inc" or call.arg is not None:
            raise Unsuited
        answer = 0 if call.end is None else call.ret
        if type(answer) is not int:
            raise Unsuited
        increments.append(Increment(answer, *span(call)))
    ends = returns(each[1:] for each in increments)
    return op_at(first_failure(ends, lambda last: _fails(increments, last)))


def _fails(increments: list[Increment], last: int) -> int | None:
    """Does no order explain what was seen up to a moment?  Then one by which that is so."""
    answered = sorted(each for each in increments if each.end <= last)
    spare = [each.start for each in increments if each.end > last]
    soonest = [last]                # the first return at this answer and above
    for each in reversed(answered):
        soonest.append(min(soonest[-1], each.end))
    soonest.reverse()
    before, taken = 0, 0
    for place, each in enumerate(answered):
        if each.answer <= before or each.start > soonest[place + 1]:
            return last
        taken += each.answer - before - 1
        if taken > len(spare) or taken and spare[taken - 1] > soonest[place]:
            return last
        before = each.answer
    return None
