"""The quiet phase: after healing, the system answers again within a bound.

Safety alone is easily had by a system that does nothing.  So when all faults have been undone,
every call that is made later than RECOVERED_NS_MAX must be answered, unless the faults were such
that service is legitimately over: `recoverable` is the one place that knows which.
"""

from __future__ import annotations

from typing import Iterable

from checker.check import Record
from checker.vacuity import effect_of, had_effect
from checker.verdict import Verdict
from histories import NEMESIS, Op

RECOVERED_NS_MAX = 3_000_000_000        # detection, the test-and-set, the log, and a margin
EXAMPLES_MAX = 16
LAST_COPY = ("alone", "contending")     # roles of which no other host has the machine for sure


def quiet(record: Record) -> Verdict:
    """Every call well after the healing, against whether it was answered."""
    healed_ns = max((op.time for op in record.history
                     if op.process == NEMESIS and op.f == "heal"), default=None)
    if healed_ns is None:
        return Verdict(valid=True, why="nothing was healed, so nothing is owed")
    over = recoverable(record.history)
    if over is not None:
        return Verdict(valid=True, why=f"service may be over: {over}", evidence={"over": over})
    owed = [call for call in record.history.calls()
            if call.start_ns >= healed_ns + RECOVERED_NS_MAX]
    unanswered = [call for call in owed if call.outcome == "info"]
    if not unanswered:
        return Verdict(valid=True, why=f"{len(owed)} calls after healing were answered",
                       evidence={"owed": len(owed)})
    problems = [{"time": call.start_ns, "op": call.start, "problem": "unanswered"}
                for call in unanswered[:EXAMPLES_MAX]]
    return Verdict(
        valid=False,
        why=(f"{len(unanswered)} of {len(owed)} calls were not answered, though everything was "
             f"healed {RECOVERED_NS_MAX // 1_000_000_000} s before"),
        evidence={"owed": len(owed), "count": len(unanswered), "problems": problems})


def recoverable(faults: Iterable[Op]) -> str | None:
    """None when service must come back after these nemesis ops are healed; else why it need not.

    It need not after a power-off, which is for good, nor when a host died that had the machine's
    only copy.
    """
    planned: dict[int, Op] = {}
    for op in faults:
        if op.process != NEMESIS:
            continue
        if not had_effect(op):
            planned[op.index] = op
            continue
        order = planned.get(op.value.get("start", -1), op).value
        if isinstance(order, dict) and order.get("order") == "power-off":
            return f"the machine was switched off at op {op.index}"
        effect = effect_of(op)
        if "crashed" in effect and effect.get("role") in LAST_COPY:
            return f"{effect['crashed']} died at op {op.index}, which had the only copy"
    return None
