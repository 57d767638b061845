"""From calls and a model to integers, which is all that a search sees.

Calls that do the same thing (same f, argument and answer) share a *class*; states are numbered
when first met; the transition of a state under a class is asked of the model once and memoized
(after Knossos' memoized models).  The same integers serve every search, whatever it is written in.
"""

from __future__ import annotations

from typing import Callable, Hashable, Iterable, NamedTuple, TypeVar

from checker.model import Inconsistent, Model
from histories.errors import UsageError
from histories.history import Call
from histories.value import show

READ, WRITE, UPDATE = 0, 1, 2
_KINDS = {"read": READ, "write": WRITE, "update": UPDATE}
ILLEGAL = -1
T = TypeVar("T")


class Problem(NamedTuple):
    """What a search is given.

    ``events`` lists, in order, ``n`` for the invocation of call ``n`` and ``~n`` for its return;
    a pending call has no return.  ``classes[n]`` is the class of call ``n``.  ``calls`` is for
    explaining only.  Calls that cannot matter are left out: failed ones, pending reads, and
    pending calls that no return follows.
    """

    events: list[int]
    classes: list[int]
    calls: list[Call]


class Table:
    """States, classes and transitions of a model as integers, filled as a search asks."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.states: list[Hashable] = []
        self.classes: list[Call] = []
        self.kinds: list[int] = []
        self._state_numbers: dict[Hashable, int] = {}
        self._class_numbers: dict[tuple[str, Hashable, Hashable], int] = {}
        self._written: dict[int, int] = {}
        self._next: dict[tuple[int, int], int] = {}
        self.init = self._number(model.init)

    def classify(self, call: Call) -> int:
        """The number of the call's class."""
        key = (call.f, call.arg, call.ret)
        number = self._class_numbers.get(key)
        if number is None:
            if call.f not in self.model.fs:
                known = ", ".join(sorted(self.model.fs))
                raise UsageError(
                    f"op {call.start}: {self.model.name} knows no {call.f!r}, only {known}"
                )
            number = self._class_numbers[key] = len(self.classes)
            self.classes.append(call)
            self.kinds.append(_KINDS[guarded(self.model, call, self.model.kind, call.f, call.arg)])
        return number

    def step(self, state: int, number: int) -> int:
        """The next state, or ILLEGAL."""
        found = self._next.get((state, number))
        if found is None:
            after = self.apply(state, self.classes[number])
            found = ILLEGAL if isinstance(after, Inconsistent) else self._number(after)
            self._check_kind(state, number, found)
            self._next[state, number] = found
        return found

    def _check_kind(self, state: int, number: int, after: int) -> None:
        """Refuse a model whose reads change the state, or whose writes depend on it."""
        call, kind = self.classes[number], self.kinds[number]
        if kind == READ and after not in (ILLEGAL, state):
            promise = "a read, but it changes"
        elif kind == WRITE and (
            after == ILLEGAL or self._written.setdefault(number, after) != after
        ):
            promise = "a write, but it depends on"
        else:
            return
        raise UsageError(
            f"op {call.start}: model {self.model.name} calls {call.f!r} {promise} "
            f"the state {show(self.states[state])}"
        )

    def apply(self, state: int, call: Call) -> Hashable | Inconsistent:
        """What the model itself says of a call in a state."""
        model = self.model
        return guarded(model, call, model.step, self.states[state], call.f, call.arg, call.ret)

    def _number(self, state: Hashable) -> int:
        try:
            number = self._state_numbers.get(state)
        except TypeError as problem:
            raise UsageError(f"model {self.model.name} has a bad state: {problem}") from None
        if number is None:
            number = self._state_numbers[state] = len(self.states)
            self.states.append(state)
        return number


def build(calls: Iterable[Call], table: Table) -> Problem:
    """Number the calls of one part; at equal positions invocations go before returns."""
    numbered: list[Call] = []
    classes: list[int] = []
    moments: list[tuple[int, bool, int]] = []
    for call in calls:
        number = table.classify(call)
        pending = call.end is None
        if call.outcome == "fail" or pending and table.kinds[number] == READ:
            continue
        moments.append((call.start, False, len(numbered)))
        if call.end is not None:
            moments.append((call.end, True, len(numbered)))
        numbered.append(call)
        classes.append(number)
    moments.sort()
    while moments and not moments[-1][1]:
        moments.pop()
    events = [~number if returns else number for _at, returns, number in moments]
    return Problem(events, classes, numbered)


def guarded(model: Model, call: Call, function: Callable[..., T], *arguments: object) -> T:
    """Run a model's function; whatever it raises becomes one line that names the call."""
    try:
        return function(*arguments)
    except Exception as problem:
        raise UsageError(
            f"op {call.start}: {model.name} cannot take {call}: {type(problem).__name__}: "
            f"{problem}; {call.f} expects {model.fs.get(call.f, 'nothing known')}"
        ) from None
