"""*Distinct, by priority*: queues that give the least, into which each value is put once.

Asked of the calls: values are all whole numbers, or all strings.

An order exists if and only if what is taken was put, and taken once, each take of v has a moment,
after the invocation of v's put, at which nothing less than v is in, and each take that found
nothing has one at which nothing at all is.  That this is necessary is plain.  It suffices: build
an order from the least value on.  Given an order of all that is less than v and a moment t for
v's take, every lesser item has both its calls before t or both after it, or may have; nothing
after t returned before something before t was invoked; and what an order says of some items alone
is an order.  So those before t, v's take, and those after t are an order, into which v's put fits
anywhere before its take that real time allows: nobody who takes less minds that v is there.  A
take that found nothing comes last, as if of a value greater than all.  (This is decrease and
conquer; Lee & Mathur, OOPSLA 2025; the condition also in Bouajjani, Enea & Wang, CONCUR 2017.)

Least first, the time in which lesser items are in only grows, and is kept as a union of stretches.
Pending takes: see `items.judge`.
"""

from __future__ import annotations

from bisect import bisect
from typing import Any, Sequence

from checker.model import Model
from checker.monitors import items
from checker.monitors.items import Item, Some, Span, empty, fill, missing
from checker.monitors.prefix import NEVER, Conflict, Unsuited
from histories.history import Call


def judge(calls: Sequence[Call], model: Model) -> Conflict | None:
    """Why no order explains the shortest prefix that none does, or None; Unsuited for others."""
    known = items.traffic(calls, "insert")
    kinds = {type(value) for value in known.puts}
    if kinds and kinds != {int} and kinds != {str}:
        raise Unsuited
    return items.judge(calls, model, known, breaks)


def breaks(certain: list[Item], nothing: list[Span]) -> Some | None:
    """Some that no order explains, or None."""
    never = missing(nothing, empty(certain)) if nothing else None
    if never is not None:
        return Some(fill(certain, never), [never], never[1])
    marks = sorted({-1, *(item.put[1] for item in certain), *(item.take[0] for item in certain)})
    place = {mark: at for at, mark in enumerate(marks)}
    following = list(range(len(marks) + 1))     # the next stretch with nothing less in
    for item in sorted(certain, key=_value):
        if item.taken:
            soonest = bisect(marks, max(item.put[0], item.take[0])) - 1
            at = _find(following, soonest)
            if at == len(marks) or marks[at] > item.take[1]:
                return _in_the_way(certain, item)
        if item.inside:
            _fill(following, place[item.put[1]], place[item.take[0]])
    return None


def _in_the_way(certain: list[Item], item: Item) -> Some:
    """An item, and what is in all the time that it may be taken.

    What nobody took of that is due at the first take of something greater put after it.
    """
    less = [other for other in certain if other.value < item.value]
    filling = fill(less, (max(item.put[0], item.take[0]), item.take[1]))
    late = next((other for other in filling if other.take[1] >= NEVER), None)
    due = item.take[1] if late is None else min([item.take[1], *(
        other.take[1] for other in certain if other.value > late.value
        and max(other.put[0], other.take[0]) > late.put[1])])
    return Some([item, *filling], [], due)


def _value(item: Item) -> Any:
    return item.value


def _find(following: list[int], at: int) -> int:
    """The first stretch from here on that was not filled."""
    root = at
    while following[root] != root:
        root = following[root]
    while following[at] != root:
        following[at], at = root, following[at]
    return root


def _fill(following: list[int], start: int, end: int) -> None:
    at = _find(following, start)
    while at < end:
        following[at] = at + 1
        at = _find(following, at)
