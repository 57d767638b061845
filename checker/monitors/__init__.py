"""Exact monitors: verdicts in near-linear time where a data type allows it, without a search.

A model names its monitors, and each looks at the calls whether it is for them; where none is, the
search judges.  A monitor is never wrong: each module says what it asks of the calls, which
condition it checks, why that is equivalent to linearizability, and whence it comes.

All speak of prefixes as the search does: of a call that returns after the prefix nobody knows
whether it happened, nor its answer.  So the op that a monitor blames, the last of the shortest
prefix that fails, is the one that the search would.

All but that of numbered calls take it for granted that there is nothing at first: a counter begins
at 0, and what holds items is empty.  They are not asked of a model that begins elsewhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, NamedTuple, Sequence

from checker.model import Model
from checker.monitors import adds, elements, increments, items, priorities, queues, stacks, writes
from checker.monitors.prefix import Conflict, Unsuited, at
from checker.problem import Problem, Table
from histories.errors import UsageError
from histories.history import Call, History

Monitor = Callable[[Sequence[Call], Model], "Conflict | None"]
FEW_MAX = 100


class Few(NamedTuple):
    """Few calls that no order explains by themselves, by a model that begins where they do.

    What they are answered after an ``op`` does not matter: the one that is blamed, or if it takes
    longer a later one.  ``all`` are these and others that can make a difference where some of them
    are loosened; None: nobody knows what would then be so.  ``core``: those of them of which none
    can be spared, where that is known.
    """

    calls: Sequence[Call]
    model: Model
    op: int
    all: Sequence[Call] | None
    core: Sequence[Call] = ()


class Judged(NamedTuple):
    """What a monitor found in how many calls: the first op that no order explains, or None.

    ``few`` is None where it cannot say, or where they are more than FEW_MAX.
    """

    method: str
    calls: int
    op: int | None
    few: Few | None = None


FETCH = "fetch-and-add"
MONITORS: dict[str, Monitor] = {
    FETCH: increments.judge,
    "adds-and-reads": adds.judge,
    "distinct-elements": elements.judge,
    "distinct-in-order": queues.in_order,
    "distinct-unordered": queues.unordered,
    "distinct-by-priority": priorities.judge,
    "distinct-stacked": stacks.judge,
}
WRITES = "distinct-writes"      # of numbered calls
HOPELESS: dict[str, Callable[[History], bool]] = {"adds-and-reads": adds.hopeless}


def judge(history: History | Sequence[Call], model: Model) -> Judged | None:
    """What the model's monitors say; None when none of them is for calls like these.

    UsageError if the model names a monitor that there is not.
    """
    for method in model.monitors:
        if method == WRITES:
            continue
        if method not in MONITORS:
            raise UsageError(f"model {model.name}: there is no monitor {method!r}, "
                             f"only {', '.join([*MONITORS, WRITES])}")
        if model.init:
            continue
        if isinstance(history, History):
            found = increments.natively(history) if method == FETCH else None
            if found is not None:
                calls, op, told = found
                few = None if op is None else _counted(told, model, op)
                return Judged(method, calls, op, few)
            if method in HOPELESS and HOPELESS[method](history):
                continue
        known = history.calls() if isinstance(history, History) else history
        if any(call.f not in model.fs for call in known):
            return None
        happened = [call for call in known if call.outcome != "fail"]
        try:
            conflict = MONITORS[method](happened, model)
        except Unsuited:
            continue
        if conflict is None:
            return Judged(method, len(happened), None)
        few = _few(method, happened, model, conflict)
        return Judged(method, len(happened), conflict.known // 2, few)
    return None


def _few(
    method: str, calls: Sequence[Call], model: Model, conflict: Conflict
) -> Few | None:
    if method == FETCH:
        return _counted(increments.told(calls, conflict), model, conflict.known // 2)
    if not conflict.starts or len(conflict.starts) > FEW_MAX:
        return None
    op = (conflict.told or conflict.known) // 2
    all_of_it = items.picked(calls, conflict)
    if not conflict.alone:
        return Few(all_of_it, model, op, None)
    return Few(at(calls, conflict.starts), model, op, all_of_it)


def _counted(told: list[increments.Told], model: Model, op: int) -> Few:
    """Increments, begun where all others can have brought the counter before."""
    kept, count = increments.least(told)
    core = [each.call for each in kept]
    return Few(core, replace(model, init=count), op, None, core)


def judge_numbered(problem: Problem, table: Table) -> Judged | None:
    """The same of numbered calls."""
    if WRITES not in table.model.monitors or writes.hopeless(problem, table):
        return None
    try:
        fault = writes.judge(problem, table)
    except Unsuited:
        return None
    if fault is None:
        return Judged(WRITES, len(problem.classes), None)
    op = problem.call(~problem.events[fault.last]).completion
    assert op is not None
    few = [problem.call(n) for n in fault.few[:FEW_MAX + 1]]
    told = Few(few, table.model, op, few) if len(few) <= FEW_MAX else None
    return Judged(WRITES, len(problem.classes), op, told)
