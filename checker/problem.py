"""From calls and a model to integers, which is all that a search sees.

Calls that do the same thing (same f, argument and answer) share a *class*; states are numbered
when first met; the transition of a state under a class is asked of the model once and memoized
(after Knossos' memoized models).  The same integers serve every search, whatever it is written in.

A model that may do one of several things is followed through sets of states: a set is what can be
the case after the calls so far (the power set construction), and is a numbered state like others.
"""

from __future__ import annotations

from array import array
from typing import Callable, Hashable, Iterable, NamedTuple, Sequence, TypeVar

from checker.model import ANY_STATE, UNKNOWN, Inconsistent, Model, OneOf
from histories.errors import UsageError
from histories.history import Call
from histories.value import show

READ, WRITE, UPDATE = 0, 1, 2
_KINDS = {"read": READ, "write": WRITE, "update": UPDATE}
ILLEGAL = -1
ANYWHERE = -1
UNASKED = -2
SPREAD_MAX = 200_000        # states, of all sets of them that a table has met
T = TypeVar("T")
_CLASS_BITS = 31
_FIXED = frozenset({int, str, bool, bytes, type(None)})     # what cannot be changed in place


class Problem(NamedTuple):
    """What a search is given.

    ``events`` lists, in order, ``n`` for the invocation of call ``n`` and ``~n`` for its return;
    a pending call has no return.  ``classes[n]`` is the class of call ``n``, ``call(n)`` the call
    itself, for explaining only.  Calls are numbered in the order of the history.  Those that cannot
    matter are left out: failed ones, pending reads, and invocations that no return follows.
    ``starts`` has the states in any of which they may begin; if it is empty, in the initial one.
    ``kept`` is the same as the first two in a form that the native search reads faster, or None.
    """

    events: "array[int]"
    classes: "array[int]"
    call: Callable[[int], Call]
    starts: Sequence[int] = ()
    kept: object = None


class Changed(UsageError):
    """A model has changed a state in place."""


class Spread(UsageError):
    """A model may be in so many states at once that they are not followed any further.

    ``call`` is the one that led there, ``cause`` says how many there were.
    """

    def __init__(self, call: Call, cause: str) -> None:
        super().__init__(f"op {call.start}: {cause} at {call}")
        self.call, self.cause = call, cause


class Table:
    """States, classes and transitions of a model as integers, filled as a search asks.

    By class: ``kinds``; ``needs``, the one state in which it is legal, or ANYWHERE; ``targets``,
    the state it leads to where that is always the same one, or ILLEGAL if it never is legal, or
    UNASKED where the state decides.

    ``unclear``: there are classes with answers of which the model says none of this, so that there
    is something to learn (`checker/learn.py`).

    Sets of states may hold ``spread_max`` in all; a transition beyond that raises Spread.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._step = model.step
        self._states: list[Hashable] = []
        self._classes: list[Call] = []
        self._waiting: Callable[[], Iterable[Call]] | None = None
        self.unclear = False
        self.kinds = array("i")
        self.needs = array("i")
        self.targets = array("i")
        self._state_numbers: dict[Hashable, int] = {}
        self._class_numbers: dict[tuple[str, Hashable, Hashable], int] = {}
        self._next: dict[int, int] = {}         # by state and class, as one number
        self._loosened: dict[int, int] = {}
        self.spread_max = SPREAD_MAX
        self._spread = 0
        self.init = self._number(model.init)

    @property
    def states(self) -> list[Hashable]:
        """The states, by number."""
        self.catch_up()
        return self._states

    @property
    def classes(self) -> list[Call]:
        """The first call that was met of each class."""
        self.catch_up()
        return self._classes

    @property
    def empty(self) -> bool:
        """Is nothing but the initial state numbered?"""
        return not self.kinds and len(self._states) == 1

    def foretold(
        self, columns: "tuple[array[int], array[int], array[int]]",
        calls: Callable[[], Iterable[Call]]
    ) -> None:
        """Take over what an empty table would say of a model's first classes.

        ``columns`` are its kinds, needs and targets.  ``calls`` gives the first call of each, and
        is asked only when a state or a class must be named.
        """
        self.kinds, self.needs, self.targets = columns
        self._waiting = calls

    def catch_up(self) -> None:
        """Number the classes that were foretold; UsageError if the model says otherwise."""
        if self._waiting is not None:
            calls, self._waiting = self._waiting(), None
            told = self.kinds[:], self.needs[:], self.targets[:]
            for column in (self.kinds, self.needs, self.targets):
                del column[:]
            for call in calls:
                self.classify(call)
            if told != (self.kinds, self.needs, self.targets):
                raise UsageError(f"model {self.model.name} has rules that disagree with its step, "
                                 "kind or needs")

    def classify(self, call: Call) -> int:
        """The number of the call's class."""
        self.catch_up()
        key = (call.f, call.arg, call.ret)
        number = self._class_numbers.get(key)
        if number is None:
            number = self._class_numbers[key] = self._add_class(call)
        return number

    def _add_class(self, call: Call) -> int:
        model = self.model
        if call.f not in model.fs:
            known = ", ".join(sorted(model.fs))
            raise UsageError(f"op {call.start}: {model.name} knows no {call.f!r}, only {known}")
        said = guarded(model, call, model.kind, call.f, call.arg)
        if said not in tuple(_KINDS):
            raise UsageError(f"op {call.start}: model {model.name} calls {call} a {said!r}, "
                             f"which is none of {', '.join(_KINDS)}")
        kind = _KINDS[said]
        need: Hashable = ANY_STATE
        if kind != WRITE:
            need = guarded(model, call, model.needs, call.f, call.arg, call.ret)
        number = len(self._classes)
        self._classes.append(call)
        self.kinds.append(kind)
        self.needs.append(ANYWHERE if need is ANY_STATE else self._number(need, call))
        self.targets.append(UNASKED)
        if need is not ANY_STATE:
            self.targets[number] = self._ask(self.needs[number], number)
        elif kind == WRITE:
            self.targets[number] = self._ask(self.init, number)
            self._ask(self.targets[number], number)     # refused where it leads elsewhere
        elif kind == UPDATE or call.ret is not UNKNOWN:
            self.unclear = True
        return number

    def loosened(self, number: int) -> int:
        """The class of the same call when nobody heard its answer."""
        found = self._loosened.get(number)
        if found is None:
            found = self._loosened[number] = self.classify(self.classes[number]._replace(
                ret=UNKNOWN, completion=None, outcome="info"))
        return found

    def step(self, state: int, number: int) -> int:
        """The next state, or ILLEGAL."""
        need = self.needs[number]
        if need != ANYWHERE:
            return self.targets[number] if state == need else ILLEGAL
        return self.transition(state, number)

    def transition(self, state: int, number: int) -> int:
        """The same for a class that may be legal in several states."""
        key = state << _CLASS_BITS | number
        found = self._next.get(key)
        if found is None:
            found = self._next[key] = self._ask(state, number)
        return found

    def _ask(self, state: int, number: int) -> int:
        """What the model says, numbered and checked against what it promised.

        A search of a user's model spends its time here, so what is rare is elsewhere.
        """
        if self._waiting is not None:
            self.catch_up()
        call, before = self._classes[number], self._states[state]
        try:
            after = OneOf if type(before) is OneOf else self._step(
                before, call.f, call.arg, call.ret)
        except Exception:
            after = OneOf       # asked again below, and then it is told
        if after is OneOf or isinstance(after, OneOf):
            after = self.apply(state, call)
            self._spread += len(after.states) if isinstance(after, OneOf) else 1
            if self._spread > self.spread_max:
                raise Spread(call, f"{self.spread_max} states that may all be the case")
        if type(before) not in _FIXED and self._state_numbers.get(before) != state:
            raise Changed(
                f"op {call.start}: model {self.model.name} changes its state in place at {call}; "
                "step must answer a new one"
            )
        found = ILLEGAL if isinstance(after, Inconsistent) else self._number(after, call)
        if self.kinds[number] != UPDATE:
            self._check_kind(state, number, found)
        return found

    def _check_kind(self, state: int, number: int, after: int) -> None:
        """Refuse a model whose reads change the state, or whose writes depend on it."""
        call, kind, target = self.classes[number], self.kinds[number], self.targets[number]
        if kind == READ and after not in (ILLEGAL, state):
            promise = "a read, but it changes"
        elif kind == WRITE and (after == ILLEGAL or target not in (UNASKED, after)):
            promise = "a write, but it depends on"
        else:
            return
        raise UsageError(
            f"op {call.start}: model {self.model.name} calls {call.f!r} {promise} "
            f"the state {show(self.states[state])}"
        )

    def apply(self, number: int, call: Call) -> Hashable | Inconsistent:
        """What the model itself says of a call in a state; OneOf several if it is not certain."""
        state, model = self.states[number], self.model
        before = sorted(state.states, key=show) if isinstance(state, OneOf) else [state]
        after: set[Hashable] = set()
        refused: list[Inconsistent] = []
        for each in before:
            answer = guarded(model, call, model.step, each, call.f, call.arg, call.ret)
            if isinstance(answer, Inconsistent):
                refused.append(answer)
            elif isinstance(answer, OneOf):
                after.update(guarded(model, call, frozenset, answer.states))
            elif len(before) == 1:
                return answer
            else:
                guarded(model, call, after.add, answer)
        if not after:
            return refused[0] if refused else Inconsistent(f"{call.f} leads to no state")
        if len(after) > 1:
            return OneOf(frozenset(after))
        (only,) = after
        return only

    def _number(self, state: Hashable, call: Call | None = None) -> int:
        """The number of a state, which a call needs or leads to."""
        try:
            number = self._state_numbers.get(state)
        except Exception as problem:
            raise self._bad_state(call, f"{type(problem).__name__}: {problem}") from None
        if number is None:
            if state is Inconsistent or state is OneOf:
                raise self._bad_state(call, f"{show(state)}, where one of its objects is meant")
            number = self._state_numbers[state] = len(self._states)
            self._states.append(state)
        return number

    def _bad_state(self, call: Call | None, problem: str) -> UsageError:
        before, after = ("", "") if call is None else (f"op {call.start}: ", f" at {call}")
        return UsageError(f"{before}model {self.model.name} has a bad state{after}: {problem}")


def loosened(
    problem: Problem, table: Table, tight: Sequence[int] | None, last: int
) -> Problem:
    """The problem up to an event, where only the tight calls return, with their answers.

    All others are as if nobody had heard of them again.  None: all are tight.
    """
    events, classes = array("i"), array("i", problem.classes)
    until = problem.events[:last + 1]
    returned = {~event for event in until if event < 0}
    if tight is not None:
        returned &= set(tight)
    for event in until:
        if event < 0:
            if ~event in returned:
                events.append(event)
            continue
        if event not in returned:
            classes[event] = table.loosened(classes[event])
            if table.kinds[classes[event]] == READ:
                continue
        events.append(event)
    while events and events[-1] >= 0:
        events.pop()
    return problem._replace(events=events, classes=classes, kept=None)


def build(calls: Iterable[Call], table: Table) -> Problem:
    """Number the calls of one part; at equal positions invocations go before returns."""
    classes = array("i")
    kept: list[Call] = []
    moments: list[tuple[int, bool, int]] = []
    for call in calls:
        number = table.classify(call)
        pending = call.end is None
        if call.outcome == "fail" or pending and table.kinds[number] == READ:
            continue
        moments.append((call.start, False, len(kept)))
        if call.end is not None:
            moments.append((call.end, True, len(kept)))
        kept.append(call)
        classes.append(number)
    moments.sort()
    while moments and not moments[-1][1]:
        moments.pop()
    events = array("i", [~number if returns else number for _at, returns, number in moments])
    return Problem(events, classes, kept.__getitem__)


def part_of(model: Model, call: Call) -> Hashable:
    """The part that a call belongs to; None where all is one part."""
    return None if model.partition is None else guarded(
        model, call, _hashable_part, model.partition, call)


def _hashable_part(partition: Callable[[Call], Hashable], call: Call) -> Hashable:
    (part,) = {partition(call)}     # which a set can hold
    return part


def guarded(model: Model, call: Call, function: Callable[..., T], *arguments: object) -> T:
    """Run a model's function; whatever it raises becomes a UsageError that names the call."""
    try:
        return function(*arguments)
    except Exception as problem:
        raise UsageError(
            f"op {call.start}: {model.name} cannot take {call}: {type(problem).__name__}: "
            f"{problem}; {call.f} expects {model.fs.get(call.f, 'nothing known')}"
        ) from None
