"""Which call a read saw, where only one can have made what it saw.

A call that needs a certain state follows the one call that leads there, if there is one.  That is
known of registers whose writes are distinct, of counters whose answers are all known, and the like
(the read mapping of Gibbons & Korach, SIAM J. Comput. 1997).
"""

from __future__ import annotations

from typing import Hashable, Iterable, Sequence

from checker.model import Model
from checker.problem import ANYWHERE, READ, UNASKED, UPDATE, WRITE, Table, part_of
from histories.history import Call

Sources = dict[int, "Call | None"]
INITIAL = -1        # no call: how everything began


def parts_of(calls: Sequence[Call], model: Model) -> list[list[Call]]:
    """The calls by part, in order, without those that failed."""
    parts: dict[Hashable, list[Call]] = {}
    for call in calls:
        if call.outcome != "fail":
            parts.setdefault(part_of(model, call), []).append(call)
    return list(parts.values())


def sources(calls: Sequence[Call], model: Model) -> Sources:
    """For calls that were answered, by the op that invokes them: the only call that can have led
    to what they saw; None where that is how everything began.  Others are left out.
    """
    found: Sources = {}
    for part in parts_of(calls, model):
        table = Table(model)
        classes = [table.classify(call) for call in part]
        answered = [n for n, call in enumerate(part) if call.outcome == "ok"]
        for reader, made in sources_of(classes, answered, table).items():
            found[part[reader].start] = None if made == INITIAL else part[made]
    return found


def sources_of(
    classes: Sequence[int], answered: Iterable[int], table: Table
) -> dict[int, int]:
    """The same for those calls of one part that are said to be answered, by their numbers.

    ``classes`` has the class of each call.  INITIAL stands for how everything began.
    """
    kinds, targets = table.kinds, table.targets
    answered = list(answered)
    makers: dict[int, int] = {}
    several = set()
    changing = {number for number in set(classes) if kinds[number] != READ}
    if any(kinds[number] == UPDATE and targets[number] == UNASKED for number in changing):
        return {}       # it may lead anywhere
    needed = {table.needs[classes[call]] for call in answered}
    making = {number for number in changing if targets[number] in needed}
    for call in [call for call, number in enumerate(classes) if number in making]:
        target = targets[classes[call]]
        if target in makers:
            several.add(target)
        makers[target] = call
    found: dict[int, int] = {}
    for call in answered:
        need = table.needs[classes[call]]
        if kinds[classes[call]] == WRITE or need == ANYWHERE or need in several:
            continue
        if need == table.init and need not in makers:
            found[call] = INITIAL
        elif need != table.init and need in makers:
            found[call] = makers[need]
    return found
