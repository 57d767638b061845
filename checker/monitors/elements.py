"""*Distinct elements*: sets whose elements are each added once and removed once at most.

Asked of the calls: add, remove and contains only, no element added twice or removed twice, and
contains answers true or false.

Calls on different elements have nothing to do with each other, so each element is judged alone
(Horn & Kroening, FORTE 2015, call this P-compositionality).  What happens to one is, apart from
contains, one of three things, and each is possible if and only if moments for it can be found:
- it is never added; then nothing saw it.
- it is added at a moment a, and not removed after: what saw it returns after a, what missed it was
  invoked before a, and so was a remove that returned, which had its moment before a.
- it is added at a and removed at r > a: what saw it was invoked before r and returns after a, what
  missed it was invoked before a or returns after r.
In the last case a is chosen as late, and r as early, as the others allow; then most of what missed
it is explained.  If that would put r before a, both can be at one moment, and all of it is.
A pending add or remove happens or not, which is among these cases; pending contains say nothing.

(Lee & Mathur, OOPSLA 2025, treat sets whose add and remove answer whether they changed it.)
"""

from __future__ import annotations

from typing import Hashable, NamedTuple, Sequence

from checker.fewer import fewer
from checker.model import Model
from checker.monitors.prefix import NEVER, Conflict, Unsuited, first_failure, returns, span
from histories.history import Call

Span = tuple[int, int]


class _Element:
    """The calls on one element, as the moments between which each takes effect."""

    def __init__(self) -> None:
        self.add: Span | None = None
        self.remove: Span | None = None
        self.saw: list[Span] = []
        self.missed: list[Span] = []

    def take(self, call: Call) -> None:
        """Count a call."""
        if call.f == "add" and self.add is None:
            self.add = span(call)
        elif call.f == "remove" and self.remove is None:
            self.remove = span(call)
        elif call.f != "contains" or call.end is not None and type(call.ret) is not bool:
            raise Unsuited
        elif call.end is not None:
            (self.saw if call.ret else self.missed).append(span(call))

    def first_failure(self) -> Conflict | None:
        """Why the shortest prefix fails that does, or None."""
        ends = returns(self.saw + self.missed + self._changes())
        return first_failure(ends, self._fails)

    def _changes(self) -> list[Span]:
        return [each for each in (self.add, self.remove) if each is not None]

    def _fails(self, last: int) -> Conflict | None:
        return None if self._until(last).holds() else Conflict(last)

    def told(self, last: int) -> list[int]:
        """Where few calls were invoked that fail up to a moment."""
        now = self._until(last)

        def fails(some: list[tuple[Span, bool]]) -> bool:
            saw = [each for each, seen in some if seen]
            missed = [each for each, seen in some if not seen]
            return not now._replace(saw=saw, missed=missed).holds()

        asked = sorted([(each, True) for each in now.saw] + [(each, False) for each in now.missed])
        few = [each for each, _seen in fewer(asked, fails)]
        return sorted(start for start, _end in few + self._changes() if start < last)

    def _until(self, last: int) -> _Seen:
        return _Seen(
            _loose(self.add, last), _loose(self.remove, last),
            [each for each in self.saw if each[1] <= last],
            [each for each in self.missed if each[1] <= last])


class _Seen(NamedTuple):
    """What is known of an element up to a moment."""

    add: Span | None
    remove: Span | None
    saw: list[Span]
    missed: list[Span]

    def holds(self) -> bool:
        """Does some order explain it?"""
        if self.add is None or self.add[1] == NEVER:
            if not self.saw:
                return True
            if self.add is None:
                return False
        return self._added(self.add) or self.remove is not None and self._both(
            self.add, self.remove)

    def _added(self, add: Span) -> bool:
        """Added, and not removed after that?"""
        earlier = [self.remove[0]] if self.remove is not None and self.remove[1] != NEVER else []
        earlier += [start for start, _end in self.missed]
        return max([add[0], *earlier]) < min([add[1], *(end for _start, end in self.saw)])

    def _both(self, add: Span, remove: Span) -> bool:
        """Added, then removed?"""
        latest = min([add[1], *(end for _start, end in self.saw)])
        earliest = max([add[0], remove[0], *(start for start, _end in self.saw)])
        if add[0] > latest or earliest > remove[1]:
            return False
        return not any(start > latest and end < earliest for start, end in self.missed)


def _loose(call: Span | None, last: int) -> Span | None:
    """A call as it is known at a moment."""
    if call is None or call[0] > last:
        return None
    return call if call[1] <= last else (call[0], NEVER)


def judge(calls: Sequence[Call], _model: Model) -> Conflict | None:
    """Why no order explains the shortest prefix that none does, or None."""
    elements: dict[Hashable, _Element] = {}
    for call in calls:
        elements.setdefault(call.arg, _Element()).take(call)
    worst: tuple[Conflict, _Element] | None = None
    for element in elements.values():
        found = element.first_failure()
        if found is not None and (worst is None or found.known < worst[0].known):
            worst = found, element
    return worst and worst[0]._replace(starts=worst[1].told(worst[0].known))
