"""*Distinct, in order* and *distinct, unordered*: queues into which each value is put once.

Without pending takes, an order exists if and only if
1. what is taken was put, and taken once, not before its put was invoked;
2. where order is kept: no a was put before b (a's put returned before b's was invoked) but b taken
   before a, or b taken and a never;
3. each take that found nothing has a moment at which no item is in.
(Henzinger, Sezgin & Vafeiadis, CONCUR 2013, theorem 1; Bouajjani, Emmi, Enea & Hamza, ICALP 2015.)
That 3 suffices: at such a moment every item has both its calls before it or both after it, or may
have; nothing after it returned before something before it was invoked; so the sides are judged
alone, and one follows the other.  For 2: both orders are interval orders, and in a cycle of such
two a shortest one has length two.

Pending takes get items that nobody is known to have taken, each its own, or never happen.  Say an
item is *due* at the first return of a take of something put after it, from 2; and that if a
take that found nothing has its moment at t, what was put before t is due at t.  An item can be
given any pending take that was invoked before it is due.  So there are enough if at each time no
more items are due than takes were pending.  Whether this is so does not depend on which moments
were chosen: an item put before another is due no later by 2, so that of what is due by 2 and what
is due by 3 at a time, one includes the other, and each can be counted alone.
"""

from __future__ import annotations

from bisect import bisect
from typing import Sequence

from checker.model import Model
from checker.monitors.items import Item, Traffic, all_meet, empty, seen, traffic
from checker.monitors.prefix import NEVER, first_failure, op_at
from histories.history import Call


def in_order(calls: Sequence[Call], _model: Model) -> int | None:
    """The first op that no order explains, or None, where what is put first is taken first."""
    return _judge(traffic(calls, "enqueue"), in_turn=True)


def unordered(calls: Sequence[Call], _model: Model) -> int | None:
    """The first op that no order explains, or None, where any item may be taken."""
    return _judge(traffic(calls, "enqueue"), in_turn=False)


def _judge(known: Traffic, *, in_turn: bool) -> int | None:
    def fails(last: int) -> int | None:
        now = seen(known, last)
        if isinstance(now, int):
            return now
        found = _out_of_turn(now.items, now.pending, last) if in_turn else None
        if found is None and now.nothing:
            if not all_meet(now.nothing, empty(now.items, now.pending)):
                return last
        return found

    return op_at(first_failure(known.ends, fails))


def _out_of_turn(items: list[Item], pending: list[int], last: int) -> int | None:
    """A moment by which something was overtaken, as far as pending takes do not explain it."""
    later = sorted((item.put[0], item.take[1]) for item in items if item.taken)
    starts = [start for start, _end in later]
    soonest = [NEVER]               # the first return of a take, of what is put from here on
    for _start, end in reversed(later):
        soonest.append(min(soonest[-1], end))
    soonest.reverse()
    due = []
    for item in items:
        limit = soonest[bisect(starts, item.put[1])]
        if item.taken and item.take[0] > limit:
            return item.take[1]
        if not item.taken and limit != NEVER:
            due.append(limit)
    for place, limit in enumerate(sorted(due)):
        if place >= len(pending) or pending[place] > limit:
            return last
    return None
