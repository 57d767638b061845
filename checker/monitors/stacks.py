"""*Distinct, stacked*: stacks onto which each value is pushed once.

Decrease and conquer (after Lee & Mathur, OOPSLA 2025).  Whatever is left out of an order together
with its pop leaves an order.  So it is enough to take away, one after the other, items that can be
put back into every order of the others:
- an item that need not be in at any moment: its push and pop can be at one moment, side by side;
- an item that can be below all others: its push was invoked before any other push returns, its pop
  returns after every other pop was invoked.  What is never popped returns after everything.
And if at some moment no item is in, those before it and those after it can be judged alone: nothing
after it returned before something before it was invoked.

Where none of this is possible there is no order.  For in an order of what is left, take the item
that is pushed first: either it is popped last, or never, and can be below all others; or after its
pop, with something to follow, no item is in.

A take that found nothing needs a moment at which no item is in, and then parts the others there.
Pending takes: see `items.judge`.  Items are taken from below as long as there are any, before
parting is tried; histories that part again and again at every depth would cost too much, and are
handed to the search.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Sequence

from checker.fewer import fewer
from checker.model import Model
from checker.monitors import items
from checker.monitors.items import Item, Some, Span, empty, fill, missing
from checker.monitors.prefix import NEVER, Conflict, Unsuited
from histories.history import Call

DEPTH_MAX = 200         # how often each item may be looked at, in the mean


def judge(calls: Sequence[Call], model: Model) -> Conflict | None:
    """Why no order explains the shortest prefix that none does, or None."""
    return items.judge(calls, model, items.traffic(calls, "push"), breaks)


def breaks(certain: list[Item], nothing: list[Span]) -> Some | None:
    """Some that no order explains, or None."""
    never = missing(nothing, empty(certain)) if nothing else None
    if never is not None:
        return Some(fill(certain, never), [never], never[1])
    rest = fewer(_stuck(certain), lambda some: bool(_stuck(some)))
    due = max((item.take[1] for item in rest if item.take[1] < NEVER), default=-1)
    return Some(rest, [], due) if rest else None


def _stuck(certain: list[Item]) -> list[Item]:
    """Items that are left when nothing can be taken away any more."""
    left = sorted((item for item in certain if item.inside), key=lambda item: item.put[1])
    effort = DEPTH_MAX * len(left)
    parts = [left] if left else []
    while parts:
        part = parts.pop()
        effort -= len(part)
        if effort < 0:
            raise Unsuited
        rest = _from_below(part)
        pieces = _parted(rest)
        if len(pieces) == 1:
            return rest
        parts += pieces
    return []


def _from_below(part: list[Item]) -> list[Item]:
    """What is left, in order of returns of pushes, without what can be below all others."""
    pushed = sorted(range(len(part)), key=lambda at: part[at].put[0], reverse=True)
    popped = sorted(range(len(part)), key=lambda at: part[at].take[0])
    gone = [False] * len(part)
    low: list[tuple[int, int]] = []     # a heap of what was pushed early enough, last pop first
    first = 0
    while popped:
        if gone[popped[-1]]:
            popped.pop()
            continue
        while gone[first]:
            first += 1
        while pushed and part[pushed[-1]].put[0] < part[first].put[1]:
            at = pushed.pop()
            heappush(low, (-part[at].take[1], at))
        if -low[0][0] <= part[popped[-1]].take[0]:
            break
        gone[heappop(low)[1]] = True
    return [item for at, item in enumerate(part) if not gone[at]]


def _parted(rest: list[Item]) -> list[list[Item]]:
    """The items, parted where none is in."""
    pieces: list[list[Item]] = []
    until = -1
    for item in rest:
        if item.put[1] > until:
            pieces.append([])
        pieces[-1].append(item)
        until = max(until, item.take[0])
    return pieces
