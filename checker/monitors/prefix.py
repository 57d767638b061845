"""What monitors share: moments, and the shortest prefix that fails.

A *moment* is twice the index of an op, and one more if a call returns there, so that at equal
indexes invocations come before returns: intervals are closed.  What has no end ends at NEVER.
"""

from __future__ import annotations

from bisect import bisect, bisect_left
from typing import Callable, Iterable, NamedTuple, Sequence

from histories.history import Call

NEVER = 1 << 62         # later than every moment


class Conflict(NamedTuple):
    """Few calls that no order explains, and a moment by which it is known that there is none.

    ``starts`` are the moments at which they are invoked, with all that makes what they saw; none
    where no few are known.  ``alone``: they fail whatever others were answered.  Of the ``loose``
    ones nobody heard, or it does not matter what.  ``told``: a later moment until which it takes
    these few to fail; 0 if they do by then.
    """

    known: int
    starts: Sequence[int] = ()
    loose: Sequence[int] = ()
    alone: bool = True
    told: int = 0


Fails = Callable[[int], "Conflict | None"]


class Unsuited(Exception):
    """The calls are not what a monitor is for, or it cannot tell: the search must judge."""


def span(call: Call) -> tuple[int, int]:
    """The moments between which a call takes effect."""
    return 2 * call.start, NEVER if call.end is None else 2 * call.end + 1


def returns(spans: Iterable[tuple[int, int]]) -> list[int]:
    """The moments at which calls return, in order."""
    return sorted({end for _start, end in spans if end != NEVER})


def at(calls: Sequence[Call], starts: Iterable[int]) -> list[Call]:
    """The calls that are invoked at some moments."""
    moments = [2 * call.start for call in calls]
    return [calls[bisect(moments, start) - 1] for start in starts]


def first_failure(ends: list[int], fails: Fails) -> Conflict | None:
    """Why the shortest prefix fails that does, and its end as ``known``; None if all hold.

    ``fails(end)`` judges the prefix that ends at this return: None if it holds, else why not.  The
    earlier the return that it names as ``known``, the fewer prefixes are judged.
    """
    worst = fails(ends[-1]) if ends else None
    if worst is None:
        return None
    low, high, step = 0, bisect_left(ends, worst.known), 1
    alone = worst
    while low < high:
        middle = max(low, high - step)
        found = fails(ends[middle])
        if found is None:
            low = middle + 1
        else:
            worst, high = found, bisect_left(ends, found.known)
            alone = worst if worst.alone else alone
        step = 2 * step if low == 0 else (high - low + 1) // 2
    worst = fails(ends[high]) or worst      # the same, whichever prefixes were judged
    if worst.alone or not alone.alone:
        return worst
    return alone._replace(known=worst.known, told=alone.known)
