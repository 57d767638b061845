"""Exact monitors: verdicts in near-linear time where a data type allows it, without a search.

A model names its monitors, and each looks at the calls whether it is for them; where none is, the
search judges.  A monitor is never wrong: each module says what it asks of the calls, which
condition it checks, why that is equivalent to linearizability, and whence it comes.

All speak of prefixes as the search does: of a call that returns after the prefix nobody knows
whether it happened, nor its answer.  So the op that a monitor blames, the last of the shortest
prefix that fails, is the one that the search would.
"""

from __future__ import annotations

from typing import Callable, NamedTuple, Sequence

from checker.model import Model
from checker.monitors import adds, elements, increments, priorities, queues, stacks, writes
from checker.monitors.prefix import Unsuited
from checker.problem import Problem, Table
from histories.errors import UsageError
from histories.history import Call, History

Monitor = Callable[[Sequence[Call], Model], "int | None"]
Native = Callable[[History, Model], "tuple[int, int | None] | None"]


class Judged(NamedTuple):
    """What a monitor found in how many calls: the first op that no order explains, or None."""

    method: str
    calls: int
    op: int | None


MONITORS: dict[str, Monitor] = {
    "fetch-and-add": increments.judge,
    "adds-and-reads": adds.judge,
    "distinct-elements": elements.judge,
    "distinct-in-order": queues.in_order,
    "distinct-unordered": queues.unordered,
    "distinct-by-priority": priorities.judge,
    "distinct-stacked": stacks.judge,
}
WRITES = "distinct-writes"      # of numbered calls
NATIVE: dict[str, Native] = {"fetch-and-add": increments.natively}
HOPELESS: dict[str, Callable[[History], bool]] = {"adds-and-reads": adds.hopeless}


def judge(history: History | Sequence[Call], model: Model) -> Judged | None:
    """What the model's monitors say; None when none of them is for calls like these."""
    for method in model.monitors:
        if method == WRITES:
            continue
        if method not in MONITORS:
            raise UsageError(f"model {model.name}: there is no monitor {method!r}, "
                             f"only {', '.join([*MONITORS, WRITES])}")
        if isinstance(history, History):
            found = NATIVE[method](history, model) if method in NATIVE else None
            if found is not None:
                return Judged(method, *found)
            if method in HOPELESS and HOPELESS[method](history):
                continue
        known = history.calls() if isinstance(history, History) else history
        if any(call.f not in model.fs for call in known):
            return None
        happened = [call for call in known if call.outcome != "fail"]
        try:
            return Judged(method, len(happened), MONITORS[method](happened, model))
        except Unsuited:
            pass
    return None


def judge_numbered(problem: Problem, table: Table) -> Judged | None:
    """The same of numbered calls."""
    if WRITES not in table.model.monitors or writes.hopeless(problem, table):
        return None
    try:
        last = writes.judge(problem, table)
    except Unsuited:
        return None
    op = None if last is None else problem.call(~problem.events[last]).end
    return Judged(WRITES, len(problem.classes), op)
