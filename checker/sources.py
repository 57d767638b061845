"""Which call a read saw, where only one can have made what it saw.

A call that needs a certain state follows the one call that leads there, if there is one.  That is
known of registers whose writes are distinct, of counters whose answers are all known, and the like
(the read mapping of Gibbons & Korach, SIAM J. Comput. 1997).
"""

from __future__ import annotations

from typing import Hashable, Sequence

from checker.model import Model
from checker.problem import ANYWHERE, ILLEGAL, READ, UNASKED, UPDATE, WRITE, Table, guarded
from histories.history import Call

Sources = dict[int, "Call | None"]


def parts_of(calls: Sequence[Call], model: Model) -> list[list[Call]]:
    """The calls by part, in order, without those that failed."""
    parts: dict[Hashable, list[Call]] = {}
    for call in calls:
        if call.outcome != "fail":
            key = guarded(model, call, model.partition, call) if model.partition else None
            parts.setdefault(key, []).append(call)
    return list(parts.values())


def sources(calls: Sequence[Call], model: Model) -> Sources:
    """For calls that were answered, by the op that invokes them: the only call that can have led
    to what they saw; None where that is how everything began.  Others are left out.
    """
    found: Sources = {}
    for part in parts_of(calls, model):
        found.update(_of_part(part, Table(model)))
    return found


def _of_part(calls: list[Call], table: Table) -> Sources:
    makers: dict[int, list[Call]] = {}
    readers: list[tuple[Call, int]] = []
    for call in calls:
        number = table.classify(call)
        kind, need, target = table.kinds[number], table.needs[number], table.targets[number]
        if kind == UPDATE and target == UNASKED:
            return {}       # it may lead anywhere
        if kind != READ and target != ILLEGAL:
            makers.setdefault(target, []).append(call)
        if kind != WRITE and need != ANYWHERE and call.outcome == "ok":
            readers.append((call, need))
    found: Sources = {}
    for call, need in readers:
        made = [maker for maker in makers.get(need, []) if maker is not call]
        if need == table.init and not made:
            found[call.start] = None
        elif need != table.init and len(made) == 1:
            found[call.start] = made[0]
    return found
