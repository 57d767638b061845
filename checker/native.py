"""Which search is taken: the native one where it was built, else the plain one.

With DOUBLE_ELEVEN_PURE in the environment, the plain one.  Both find the same.
"""

from __future__ import annotations

import importlib
import os
from array import array
from typing import Any

from checker import search as plain
from checker.found import ALL, CAUSES, CHECK_EVERY_STEPS, LEAVES_MAX, Budget, Found, Leaf, ShortCut
from checker.problem import Problem, Table


def _native() -> Any:
    """The native module, or None where it was not built or is not wanted."""
    if os.environ.get("DOUBLE_ELEVEN_PURE"):
        return None
    try:
        return importlib.import_module("checker._search")
    except ImportError:
        return None


NATIVE = _native()


def search(
    problem: Problem, table: Table, budget: Budget = Budget(), cuts: ShortCut = ALL
) -> Found:
    """Look for a linearization of the problem's calls."""
    if NATIVE is None:
        return plain.search(problem, table, budget, cuts)
    answer = NATIVE.search(
        problem.events, problem.classes, table.kinds, table.needs, table.targets,
        (table.init, int(cuts), budget.steps_max, budget.memory_max, CHECK_EVERY_STEPS,
         LEAVES_MAX),
        table.step, budget.expired)
    if answer is None:      # more calls overlap than it has slots for
        return plain.search(problem, table, budget, cuts)
    status, steps, stuck, order, leaves = answer
    cause = CAUSES[status - 1] if status > 1 else ""
    cause = cause.format((budget.steps_max, budget.memory_max, 0)[status - 2] if cause else "")
    return Found(
        {0: True, 1: False}.get(status), _numbers(order), None if status == 0 else stuck,
        [Leaf(_numbers(calls), state) for calls, state in leaves], steps, cause)


def _numbers(data: bytes) -> "array[int]":
    numbers = array("i")
    numbers.frombytes(data)
    return numbers
