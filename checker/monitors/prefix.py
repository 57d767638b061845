"""What monitors share: moments, and the shortest prefix that fails.

A *moment* is twice the index of an op, and one more if a call returns there, so that at equal
indexes invocations come before returns: intervals are closed.  What has no end ends at NEVER.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Callable, Iterable

from histories.history import Call

NEVER = 1 << 62         # later than every moment
Fails = Callable[[int], "int | None"]


class Unsuited(Exception):
    """The calls are not what a monitor is for, or it cannot tell: the search must judge."""


def span(call: Call) -> tuple[int, int]:
    """The moments between which a call takes effect."""
    return 2 * call.start, NEVER if call.end is None else 2 * call.end + 1


def returns(spans: Iterable[tuple[int, int]]) -> list[int]:
    """The moments at which calls return, in order."""
    return sorted({end for _start, end in spans if end != NEVER})


def op_at(moment: int | None) -> int | None:
    """The op at a moment, if there is one."""
    return None if moment is None else moment // 2


def first_failure(ends: list[int], fails: Fails) -> int | None:
    """The return that ends the shortest prefix that fails; None if all hold.

    ``fails(end)`` judges the prefix that ends at this return: None if it holds, else a return, not
    later, whose prefix fails too; the better this guess, the fewer prefixes are judged.
    """
    worst = fails(ends[-1]) if ends else None
    if worst is None:
        return None
    low, high, step = 0, bisect_left(ends, worst), 1
    while low < high:
        middle = max(low, high - step)
        worst = fails(ends[middle])
        if worst is None:
            low = middle + 1
        else:
            high = bisect_left(ends, worst)
        step = 2 * step if low == 0 else (high - low + 1) // 2
    return ends[high]
