"""What queues and stacks have in common: items that are put once, and taken.

Asked of the calls: no value is put twice, and nil never.

Whatever is left out of an order together with its take leaves an order.  So items that were taken,
and have no order by themselves, have none among others; that is so even where nobody knows what
others were answered.

Of a prefix: an item whose put returned, or which was taken, is *certain*; a put that is pending,
of an item that nobody took, can be left out.  Between the return of its put and the invocation of
its take an item is *in*, whatever the order is.  A take that answers that there was nothing needs
a moment at which no item is in.
"""

from __future__ import annotations

from bisect import bisect, insort
from heapq import nsmallest
from typing import Any, Callable, Hashable, NamedTuple, Sequence

from checker.found import Budget
from checker.model import UNKNOWN, Model
from checker.monitors.prefix import NEVER, Conflict, Unsuited, at, first_failure, returns, span
from checker.native import search
from checker.problem import Table, build
from histories.history import Call

STEPS_MAX = 20_000
Span = tuple[int, int]
NO_TAKE = (NEVER, NEVER + 1)


class Item(NamedTuple):
    """An item, and the moments of its put and its take."""

    value: Any
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


class Some(NamedTuple):
    """Items, and takes that found nothing, which no order explains.

    Those that nobody has taken would have to be gone by the moment that is ``due``.
    """

    items: list[Item]
    nothing: list[Span]
    due: int

    @property
    def taken(self) -> bool:
        """Was every item taken?"""
        return all(item.taken for item in self.items)

    @property
    def starts(self) -> list[int]:
        """Where their calls are invoked."""
        return sorted({item.put[0] for item in self.items}
                      | {item.take[0] for item in self.items if item.taken}
                      | {start for start, _end in self.nothing})

    @property
    def known(self) -> int:
        """When the last of their takes returned; what was not taken could be so still."""
        return max([end for _start, end in self.nothing]
                   + [item.take[1] for item in self.items if item.taken])


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

    def conflict(self, some: Some, pending: Sequence[int], last: int) -> Conflict:
        """Why a prefix fails that ends at a moment.

        As many other takes go with the items as can have taken one.
        """
        own, many = set(some.starts), len(some.items)
        if not some.taken:
            return Conflict(last, some.starts, nsmallest(many, pending), alone=False)
        others = [*self.lost, *(start for (start, _end), _value in self.takes)]
        loose = nsmallest(many, (start for start in others if start not in own))
        return Conflict(min(some.known, last), some.starts, loose)


Breaks = Callable[[list[Item], list[Span]], "Some | None"]


def traffic(calls: Sequence[Call], put: str) -> Traffic:
    """The calls sorted out; Unsuited if an item is put twice, or is none."""
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


def seen(known: Traffic, last: int, *, until: int = 0) -> Seen | Conflict:
    """What was seen up to a moment; or what was taken that cannot be.

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
            return Conflict(take[1], [take[0]])
        elif taken.setdefault(value, take) is not take:
            both = taken[value], take
            return Conflict(max(end for _start, end in both), sorted(
                [known.puts[value][0], *(start for start, _end in both)]))
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


def missing(spans: list[Span], stretches: list[Span]) -> Span | None:
    """A span without a moment in one of the stretches, if there is one."""
    ends = [end for _start, end in stretches]
    for start, end in spans:
        place = bisect(ends, start)
        if place == len(ends) or stretches[place][0] > end:
            return start, end
    return None


def fill(items: list[Item], span: Span) -> list[Item]:
    """Items of which one is in at each moment of a span; only such as were taken, if they do."""
    found = _filling([item for item in items if item.taken], span)
    return found if found and found[-1].take[0] > span[1] else _filling(items, span)


def _filling(items: list[Item], span: Span) -> list[Item]:
    """Items that fill a span from its begin on, each as far as can be."""
    found: list[Item] = []
    since, until = span
    best: Item | None = None
    for item in sorted((item for item in items if item.inside), key=lambda item: item.put[1]):
        if item.put[1] > since:
            if best is None:
                break
            found.append(best)
            since, best = best.take[0], None
            if since > until or item.put[1] > since:
                break
        if item.take[0] > since and (best is None or item.take[0] > best.take[0]):
            best = item
    return found if best is None else [*found, best]


def judge(
    calls: Sequence[Call], model: Model, known: Traffic, breaks: Breaks
) -> Conflict | None:
    """Why no order explains the shortest prefix that none does, or None; Unsuited if unsure.

    ``breaks`` knows no pending takes.  What nobody is known to have taken can be left out when a
    prefix is to be refuted.  And it holds if it does when pending takes get what they will answer,
    before the first return known to be wrong, or something that is in the way, or never happen.
    Between, only the search can tell: of few calls, or else of all.
    """
    ends, wrong = known.ends, NEVER
    gifts: dict[Hashable, int] = {}

    def fails(last: int) -> Conflict | None:
        nonlocal wrong
        found = why(last)
        if found is not None:
            wrong = found.known
        return found

    def why(last: int) -> Conflict | None:
        now = seen(known, last)
        if isinstance(now, Conflict):
            return now
        some = breaks(now.items, now.nothing)
        if some is None or some.taken or not now.pending:
            return some and known.conflict(some, now.pending, last)
        foreseen = seen(known, last, until=wrong)
        if isinstance(foreseen, Seen) and _helped(foreseen, breaks, gifts):
            return None
        least = breaks([item for item in now.items if item.taken], now.nothing)
        if least is not None:
            return known.conflict(least, now.pending, last)
        conflict = known.conflict(some, now.pending, last)
        if _refuted(picked(calls, conflict), model, last):
            return conflict
        if last == ends[-1]:
            raise Unsuited
        return Conflict(last) if _refuted(calls, model, last) else None

    return first_failure(ends, fails)


def _helped(now: Seen, breaks: Breaks, gifts: dict[Hashable, int]) -> bool:
    """Is there an order if pending takes get what is in the way of one?

    An item that nobody is known to have taken gets the latest take that was invoked before what it
    is in the way of is over; if that turns out too late, an earlier one.  What was found for
    another prefix comes first: ``gifts`` has, by item, where its take was invoked.
    """
    given = list(now.items)
    pending = list(now.pending)
    for place, item in enumerate(given):
        if not item.taken and gifts.get(item.value) in pending:
            pending.remove(gifts[item.value])
            given[place] = item._replace(take=(gifts[item.value], NEVER))
    while (some := breaks(given, now.nothing)) is not None:
        late = [item for item in some.items
                if item.take[1] >= NEVER and item.take[0] > some.due]
        place = bisect(pending, some.due) - 1
        if not late or place < 0:
            return False
        start = pending.pop(place)
        if late[0].taken:
            insort(pending, late[0].take[0])
        given[given.index(late[0])] = late[0]._replace(take=(start, NEVER))
        gifts[late[0].value] = start
    return True


def picked(calls: Sequence[Call], conflict: Conflict) -> list[Call]:
    """The calls of a conflict, in order; the loose ones as if nobody had heard of them again."""
    loose = set(conflict.loose)
    few = at(calls, sorted({*conflict.starts, *loose}))
    return [_unheard(call) if 2 * call.start in loose else call for call in few]


def _unheard(call: Call) -> Call:
    return call._replace(outcome="info", completion=None, ret=UNKNOWN)


def _refuted(calls: Sequence[Call], model: Model, last: int) -> bool:
    """Does the search refute a prefix?  If it gives up, it does not."""
    prefix = [call if span(call)[1] <= last else _unheard(call)
              for call in calls if 2 * call.start < last]
    table = Table(model)
    return search(build(prefix, table), table, Budget(steps_max=STEPS_MAX)).valid is False
