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
from checker.monitors.items import (
    Item, Some, Span, Traffic, empty, fill, missing, seen, traffic,
)
from checker.monitors.prefix import NEVER, Conflict, first_failure
from histories.history import Call


def in_order(calls: Sequence[Call], _model: Model) -> Conflict | None:
    """Why no order explains the shortest prefix that none does, or None; what is put first is
    taken first.
    """
    return _judge(traffic(calls, "enqueue"), in_turn=True)


def unordered(calls: Sequence[Call], _model: Model) -> Conflict | None:
    """The same where any item may be taken."""
    return _judge(traffic(calls, "enqueue"), in_turn=False)


def _judge(known: Traffic, *, in_turn: bool) -> Conflict | None:
    def fails(last: int) -> Conflict | None:
        now = seen(known, last)
        if isinstance(now, Conflict):
            return now
        some = _out_of_turn(now.items, now.pending) if in_turn else None
        if some is None and now.nothing:
            never = missing(now.nothing, empty(now.items, now.pending))
            some = never and _within(now.items, never)
        return some and known.conflict(some, now.pending, last)

    return first_failure(known.ends, fails)


def _within(items: list[Item], never: Span) -> Some:
    """Items that leave a take which found nothing no moment."""
    start, end = never
    taken = fill(items, never)
    if all(item.taken for item in taken):
        return Some(taken, [never], never[1])
    inside = [item for item in items if item.put[1] < end and item.take[0] > start]
    return Some(inside, [never], end)


def _out_of_turn(items: list[Item], pending: list[int]) -> Some | None:
    """Something that was overtaken, and what overtook it, if pending takes do not explain it."""
    later = sorted((item.put[0], item.take[1], at) for at, item in enumerate(items) if item.taken)
    starts = [start for start, _end, _at in later]
    soonest = [(NEVER, -1)]         # the first return of a take, of what is put from here on
    for _start, end, at in reversed(later):
        soonest.append(min(soonest[-1], (end, at)))
    soonest.reverse()
    due = []
    for item in items:
        limit, first = soonest[bisect(starts, item.put[1])]
        if item.taken and item.take[0] > limit:
            return Some([item, items[first]], [], limit)
        if not item.taken and limit != NEVER:
            due.append((limit, first, item))
    due.sort(key=lambda each: each[0])
    for place, (limit, _first, _item) in enumerate(due):
        helped = bisect(pending, limit)
        if place >= helped:
            owed = due[place - helped:place + 1]
            return Some([*(item for _limit, _first, item in owed),
                         *(items[first] for _limit, first, _item in owed)], [], limit)
    return None
