"""What is native where it was built, and plain Python elsewhere: numbering calls, and searching.

With DOUBLE_ELEVEN_PURE in the environment, all is plain.  Both ways find the same.
"""

from __future__ import annotations

import importlib
import os
from array import array
from itertools import islice
from struct import Struct
from typing import Any, Callable, Iterator, Sequence

from checker import problem as numbers, search as plain
from checker.found import (
    ALL, CAUSES, CHECK_EVERY_STEPS, LEAVES_MAX, MEMORY_MAX, PATIENCE_GROWTH, Budget, Found, Help,
    ShortCut,
)
from checker.model import first_of_argument
from checker.problem import Problem, Table, build
from checker.reach import Stand, reach as plain_reach
from checker.sweep import sweep as plain_sweep
from histories.errors import UsageError
from histories.history import Call, History
from histories.op import Op
from histories.value import freeze

CALLS_PER_CHECK = 200   # so many of a class, and its rules are compared with what the model says

_NUMBER = Struct("=i")
_KINDS = 4      # a class and its kind as one number
_TOLD = 5       # below it, and above 1, the causes of unknown


def _native(load: Callable[[], Any]) -> Any:
    """A native module, or None where it was not built or is not wanted."""
    if os.environ.get("DOUBLE_ELEVEN_PURE"):
        return None
    try:
        return load()
    except ImportError:
        return None


NATIVE = _native(lambda: importlib.import_module("checker._search"))
COLUMNS = _native(lambda: importlib.import_module("checker._columns"))
NARROW = _native(lambda: importlib.import_module("checker._narrow"))
MONITORS = _native(lambda: importlib.import_module("checker._monitors"))


def numbered(history: History, table: Table) -> Problem:
    """The calls of a history as a problem; UsageError for what is malformed or unknown."""
    try:
        columns = COLUMNS and _columns(history, table)
    except UsageError:      # said again below, with its place
        columns = None
    if columns is None:
        return build(history.calls(), table)
    events, classes, places, *told = columns
    count = len(classes)
    kept = None
    if told:
        kinds, needs, targets, kept = told
        table.foretold((kinds, needs, targets),
                       lambda: _firsts(history, _numbers(places)[2 * count:]))
        if count >= CALLS_PER_CHECK * len(kinds):
            table.catch_up()
    return Problem(events, classes, lambda number: _call(
        history, _number(places, number), _number(places, count + number)), (), kept)


def _columns(history: History, table: Table) -> Any:
    model = table.model
    if model.rules and table.empty:
        keyed = model.partition is first_of_argument
        found = COLUMNS.number(history.ops, freeze, None, model.rules, model.init, keyed)
        if found is not None:
            return found

    def classify(invoke: Op, done: Op | None) -> int:
        number = table.classify(history.call(invoke, done))
        return number * _KINDS + table.kinds[number]

    return COLUMNS.number(history.ops, freeze, classify)


def _firsts(history: History, positions: Sequence[int]) -> Iterator[Call]:
    pairs = iter(positions)
    return (_call(history, start, end) for start, end in zip(pairs, pairs))


def _call(history: History, start: int, end: int) -> Call:
    """The call between two ops, by their positions; -1: it has no completion."""
    return history.call(history.ops[start], None if end < 0 else history.ops[end])


def loosened(
    problem: Problem, table: Table, tight: Sequence[int] | None, last: int
) -> Problem:
    """The problem up to an event, where only the tight calls return, with their answers.

    None: all are tight.
    """
    if NARROW is None:
        return numbers.loosened(problem, table, tight, last)

    def loosen(number: int) -> int:
        loose = table.loosened(number)
        return loose * _KINDS + table.kinds[loose]

    events, classes = NARROW.loosened(
        problem.events, problem.classes, None if tight is None else array("i", tight), last, loosen)
    return problem._replace(events=_numbers(events), classes=_numbers(classes), kept=None)


def search(
    problem: Problem, table: Table, budget: Budget = Budget(), cuts: ShortCut = ALL,
    help: Help | None = None,
) -> Found:
    """Look for a linearization of the problem's calls."""
    found = NATIVE and _searched(NATIVE.search, problem, table, budget, (cuts, help))
    return found or plain.search(problem, table, budget, cuts, help)


def sweep(problem: Problem, table: Table, budget: Budget = Budget()) -> Found:
    """Look for a linearization of the problem's calls, breadth first."""
    found = NATIVE and _searched(NATIVE.sweep, problem, table, budget, (ALL, None))
    return found or plain_sweep(problem, table, budget)


def reach(
    problem: Problem, table: Table, begun: Sequence[Stand], until: int, most: int
) -> list[Stand] | None:
    """Where what stands somewhere can stand behind so many returns; None if that are too many."""
    numbers = array("i")
    for each in begun:
        numbers += array("i", [each.at, each.state])
        for some in (each.done, each.covered):
            numbers += array("i", [len(some), *some])
        numbers += array("i", [len(each.used), *(n for pair in each.used for n in pair)])
    found = NATIVE and NATIVE.reach(
        (problem.events, problem.classes, table.kinds, table.needs, table.targets),
        (int(ALL), most, MEMORY_MAX, CHECK_EVERY_STEPS, 0, 0, 1), table.transition, numbers, until)
    if not NATIVE or found is NotImplemented:
        return plain_reach(problem, table, begun, until, most)
    return None if found is None else list(_stands(iter(_numbers(found))))


def _stands(numbers: Iterator[int]) -> Iterator[Stand]:
    """What numbers say, in the order in which they are told."""
    def some(size: int) -> list[int]:
        return list(islice(numbers, size * next(numbers)))

    for at in numbers:
        state, done, covered, used = next(numbers), some(1), some(1), some(2)
        yield Stand(at, state, done, covered, list(zip(used[::2], used[1::2])))


def _searched(
    function: Callable[..., Any], problem: Problem, table: Table, budget: Budget,
    given: tuple[ShortCut, Help | None]
) -> Found | None:
    """What a native search finds; None when more calls overlap than it has slots for."""
    cuts, help = given
    events, classes, _call_of, starts, kept = problem
    _steps_max, memory_max, expired, patience = budget
    steps_max = budget.steps(len(classes))
    found = function(
        kept or (events, classes, table.kinds, table.needs, table.targets),
        starts or (table.init,),
        (cuts, steps_max, memory_max, CHECK_EVERY_STEPS, LEAVES_MAX, patience, PATIENCE_GROWTH),
        table.transition, expired, help and (help, problem, table, budget))
    return _told(found, (steps_max, memory_max)) if found and found[-1] else found


def _told(found: Any, limits: tuple[int, int]) -> Found:
    """What is found where the native search says only how it ended."""
    if found.cause == _TOLD:
        told: Found = found.order
        return told._replace(steps=told.steps + found.steps)
    cause = CAUSES[found.cause - 1].format((*limits, 0)[found.cause - 2])
    ended: Found = found._replace(cause=cause)
    return ended


def _number(data: bytes, place: int) -> int:
    """One of these numbers."""
    return int(_NUMBER.unpack_from(data, place * _NUMBER.size)[0])


def _numbers(data: bytes) -> "array[int]":
    return array("i", data)
