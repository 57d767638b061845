"""Vacuity: a run that did nothing, or whose faults met nothing, proves nothing.

Such a run is unknown, never valid.  A fault counts when it had an effect, and some call was open
between it and the next fault, or the healing.  ``missed`` in the evidence tells, by moments, what
came to nothing.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Iterator

from checker.check import Record
from checker.verdict import Verdict
from histories import NEMESIS, History, Op
from histories.value import quantity

MISSED_MAX = 200


def vacuity(record: Record) -> Verdict:
    """Something succeeded, and if faults were asked for, they met an open operation."""
    calls = record.history.calls()
    succeeded = sum(call.outcome == "ok" for call in calls)
    if succeeded == 0:
        return Verdict(valid=None, why=f"none of {quantity(len(calls), 'operation')} succeeded",
                       evidence={"missed": [
                           {"time": call.start_ns, "op": call.start,
                            "problem": f"did not succeed ({call.outcome})"}
                           for call in calls[:MISSED_MAX]]})
    did = f"{quantity(succeeded, 'operation')} succeeded"
    if not record.test.get("nemesis"):
        return Verdict(valid=True, why=f"{did}, no faults asked for")
    faults, met = count_faults(record.history)
    if met == 0:
        return Verdict(valid=None, why=f"{quantity(faults, 'fault')} had an effect, none met an "
                                       "open operation",
                       evidence={"missed": list(islice(_missed(record.history), MISSED_MAX))})
    return Verdict(valid=True, why=f"{did}, {met} of {quantity(faults, 'fault')} met an open one",
                   evidence={"succeeded": succeeded, "faults": faults, "met": met})


def count_faults(history: History) -> tuple[int, int]:
    """How many faults had an effect, and how many of them met an open call."""
    open_calls, faults, met = 0, 0, 0
    waiting = False         # the latest fault has met no call yet
    for op in history:
        if op.process != NEMESIS:
            open_calls += 1 if op.type == "invoke" else -1
        elif had_effect(op):
            faults += 1
            waiting = True
        elif "healed" in effect_of(op):
            waiting = False
        if waiting and open_calls > 0:
            met += 1
            waiting = False
    return faults, met


def _missed(history: History) -> Iterator[dict[str, Any]]:
    """Faults of which none met a call: those that came while nothing was open, or did nothing."""
    for op in history:
        if op.process == NEMESIS and had_effect(op):
            yield {"time": op.time, "problem": f"{op.f} met no open operation"}
        elif op.process == NEMESIS and "nothing" in effect_of(op):
            yield {"time": op.time,
                   "problem": f"{op.f} had no effect: {effect_of(op)['nothing']}"}


def effect_of(op: Op) -> dict[str, Any]:
    """What a nemesis op says that it did; empty for a plan."""
    effect = op.value.get("effect") if isinstance(op.value, dict) else None
    return effect if isinstance(effect, dict) else {}


def had_effect(op: Op) -> bool:
    """Whether a nemesis op reports that a fault began: not a plan, not "nothing", not its end."""
    effect = effect_of(op)
    return bool(effect) and "nothing" not in effect and "healed" not in effect
