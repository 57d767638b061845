"""*Adds and reads*: a counter whose updates all add the same, and are not told how far it got.

Asked of the calls: every update adds one and the same amount, no update that returned answers a
value, and reads answer whole numbers.

The calls are swept in the order of their events while the counter is kept as low as possible.  It
is advanced in two cases only: an add returns that was not used yet, or a read returns that was
never open while the counter stood at its answer, and answers more.  Each time it advances it uses,
of the adds that are open, the one that returns first, pending ones last.  That leaves the counter
never higher than any order does: to wait loses no add, for those invoked stay at hand; and to use
the one that returns first, among calls that do the same, leaves the fewest to be forced later
(the exchange argument of earliest deadlines).  An order that satisfies a read has the counter at
its answer at some moment while it is open; at that moment the sweep is at it or below, so it
passes it while the read is open, or can be advanced to it: the order used as many adds.  So an
order exists if and only if the sweep ends.

Where the sweep fails is where the shortest failing prefix ends.  It knows when calls return after
that, but uses this only to choose between adds none of which has returned by then.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import NamedTuple, Sequence

from checker.model import UNKNOWN, Model
from checker.monitors.prefix import NEVER, Conflict, Unsuited, span
from histories.history import Call, History


class _Event(NamedTuple):
    """An invocation or a return, of an add, or of a read that answers so many adds."""

    moment: int
    end: int
    number: int
    answer: int | None


def hopeless(history: History) -> bool:
    """Is there an update that answers a value?  It tells without pairing calls."""
    return any(op.type == "ok" and op.f in ("inc", "dec") for op in history.ops)


def judge(calls: Sequence[Call], model: Model) -> Conflict | None:
    """Where the shortest prefix ends that no order explains, or None."""
    sweep = _Sweep()
    for event in _events(calls):
        if event.moment != event.end:
            sweep.invoke(event)
        elif not sweep.complete(event):
            return Conflict(event.end)
    return None


def _events(calls: Sequence[Call]) -> list[_Event]:
    amounts = {_amount(call) for call in calls if call.f != "read"} or {1}
    if len(amounts) > 1 or amounts == {0}:
        raise Unsuited
    (amount,) = amounts
    events = []
    for number, call in enumerate(calls):
        start, end = span(call)
        if call.f == "read" and call.end is None:
            continue
        answer = _count(call, amount) if call.f == "read" else None
        events.append(_Event(start, end, number, answer))
        if end != NEVER:
            events.append(_Event(end, end, number, answer))
    return sorted(events)


def _amount(call: Call) -> int:
    """How much a call adds."""
    amount = 1 if call.arg is None and call.f == "inc" else call.arg
    if call.f not in ("add", "inc") or call.f == "inc" and call.ret is not UNKNOWN:
        raise Unsuited
    if type(amount) is not int:
        raise Unsuited
    return amount


def _count(call: Call, amount: int) -> int:
    """How many adds a read answers; -1 for a number that is never reached."""
    if type(call.ret) is not int:
        raise Unsuited
    count, rest = divmod(call.ret, amount)
    return -1 if rest else count


class _Sweep:
    """How far the counter is, and what is open: adds not used, reads not satisfied."""

    def __init__(self) -> None:
        self.count = 0
        self.unused: list[tuple[int, int]] = []         # a heap: end, number
        self.used: set[int] = set()
        self.waiting: dict[int, set[int]] = {}          # reads, by answer

    def invoke(self, event: _Event) -> None:
        """A call is open."""
        if event.answer is None:
            heappush(self.unused, (event.end, event.number))
        elif event.answer != self.count:
            self.waiting.setdefault(event.answer, set()).add(event.number)

    def complete(self, event: _Event) -> bool:
        """A call returns; can it be explained?"""
        if event.answer is None:
            if event.number not in self.used:
                self.advance()
            self.used.discard(event.number)
            return True
        if event.number not in self.waiting.get(event.answer, ()):
            return True
        while self.unused and self.count < event.answer:
            self.advance()
        return self.count == event.answer

    def advance(self) -> None:
        """Use the add that returns first."""
        self.used.add(heappop(self.unused)[1])
        self.count += 1
        self.waiting.pop(self.count, None)
