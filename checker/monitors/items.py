"""What queues and stacks have in common: items that are put once, and taken.

Asked of the calls: no value is put twice, and nil never.

Of a prefix: an item whose put returned, or which was taken, is *certain*; a put that is pending,
of an item that nobody took, can be left out.  Between the return of its put and the invocation of
its take an item is *in*, whatever the order is.  A take that answers that there was nothing needs
a moment at which no item is in.
"""

from __future__ import annotations

from bisect import bisect
from typing import Callable, Hashable, NamedTuple, Sequence

from checker.found import Budget
from checker.model import UNKNOWN, Model
from checker.monitors.prefix import NEVER, Unsuited, first_failure, op_at, returns, span
from checker.native import search
from checker.problem import Table, build
from histories.history import Call

STEPS_MAX = 100_000
Span = tuple[int, int]
NO_TAKE = (NEVER, NEVER + 1)


class Item(NamedTuple):
    """An item, and the moments of its put and its take."""

    value: Hashable
    put: Span
    take: Span

    @property
    def taken(self) -> bool:
        """Did somebody get it?"""
        return self.take != NO_TAKE

    @property
    def inside(self) -> bool:
        """Is it in for some time, whatever the order?"""
        return self.put[1] < self.take[0]


class Seen(NamedTuple):
    """A prefix: certain items, takes that found nothing, invocations of pending takes."""

    items: list[Item]
    nothing: list[Span]
    pending: list[int]


class Traffic(NamedTuple):
    """A history: where each value was put, takes with what they answered, lost answers."""

    puts: dict[Hashable, Span]
    takes: list[tuple[Span, Hashable]]
    lost: list[int]

    @property
    def ends(self) -> list[int]:
        """The moments of all returns."""
        return returns([*self.puts.values(), *(take for take, _value in self.takes)])


Holds = Callable[[list[Item], list[Span]], bool]


def traffic(calls: Sequence[Call], put: str) -> Traffic:
    """The calls sorted out."""
    known = Traffic({}, [], [])
    for call in calls:
        if call.f == put:
            if call.arg is None or call.arg in known.puts:
                raise Unsuited
            known.puts[call.arg] = span(call)
        elif call.end is None:
            known.lost.append(2 * call.start)
        else:
            known.takes.append((span(call), call.ret))
    return known


def seen(known: Traffic, last: int, *, until: int = 0) -> Seen | int:
    """What was seen up to a moment; or one by which something was taken that cannot be.

    A take that returns later, but before ``until``, gets what it will answer, if that is there.
    """
    nothing: list[Span] = []
    taken: dict[Hashable, Span] = {}
    pending = [start for start in known.lost if start < last]
    later: list[tuple[Span, Hashable]] = []
    for take, value in known.takes:
        if take[1] > last:
            later += [(take, value)] if take[0] < last else []
        elif value is None:
            nothing.append(take)
        elif known.puts.get(value, NO_TAKE)[0] > take[1]:
            return take[1]
        elif taken.setdefault(value, take) is not take:
            return max(take[1], taken[value][1])
    for (start, end), value in later:
        if end < until and value not in taken and known.puts.get(value, NO_TAKE)[0] < last:
            taken[value] = (start, NEVER)
        else:
            pending.append(start)
    return Seen(_certain(known, taken, last), nothing, sorted(pending))


def _certain(known: Traffic, taken: dict[Hashable, Span], last: int) -> list[Item]:
    items = []
    for value, put in known.puts.items():
        if put[1] > last:
            put = (put[0], NEVER)
        if put[1] != NEVER or value in taken:
            items.append(Item(value, put, taken.get(value, NO_TAKE)))
    return items


def empty(items: list[Item], pending: Sequence[int] = ()) -> list[Span]:
    """The stretches of time in which no item may be in, in order.

    An item that nobody is known to have taken may have been taken by a pending take, each by its
    own, invoked before.
    """
    marks = [(start, 0, -1) for start in pending]
    for item in items:
        if not item.taken:
            marks.append((item.put[1], 0, 1))
        elif item.inside:
            marks += [(item.put[1], 1, 0), (item.take[0], -1, 0)]
    found, since, inside, owed = [], -1, 0, 0
    for moment, came, more in sorted(marks):
        if not inside and owed <= 0:
            found.append((since, moment))
        inside, owed, since = inside + came, owed + more, moment
    if not inside and owed <= 0:
        found.append((since, NEVER))
    return found


def all_meet(spans: list[Span], stretches: list[Span]) -> bool:
    """Has every span a moment in one of the stretches?"""
    ends = [end for _start, end in stretches]
    for start, end in spans:
        at = bisect(ends, start)
        if at == len(ends) or stretches[at][0] > end:
            return False
    return True


def judge(calls: Sequence[Call], model: Model, known: Traffic, holds: Holds) -> int | None:
    """The first op that no order explains, or None, by a condition that knows no pending takes.

    What is left out of an order together with its take leaves an order.  So what nobody is known
    to have taken can be left out when a prefix is to be refuted.  And it holds if it does when
    pending takes get what they will answer, before the first return known to be wrong, and others
    never happen.  Between, only the search can tell.
    """
    ends, wrong = known.ends, NEVER

    def fails(last: int) -> int | None:
        nonlocal wrong
        now, foreseen = seen(known, last), seen(known, last, until=wrong)
        if isinstance(now, int):
            wrong = now
        elif isinstance(foreseen, Seen) and holds(foreseen.items, foreseen.nothing):
            return None
        elif now.pending and holds([item for item in now.items if item.taken], now.nothing):
            if last == ends[-1]:
                raise Unsuited
            if not _refuted(calls, model, last):
                return None
            wrong = last
        else:
            wrong = last
        return wrong

    return op_at(first_failure(ends, fails))


def _refuted(calls: Sequence[Call], model: Model, last: int) -> bool:
    """Does the search refute a prefix?  If it gives up, it does not."""
    prefix = [
        call if span(call)[1] <= last
        else call._replace(outcome="info", completion=None, ret=UNKNOWN)
        for call in calls if 2 * call.start < last]
    table = Table(model)
    return search(build(prefix, table), table, Budget(steps_max=STEPS_MAX)).valid is False
