"""The quiet phase: after healing, the system answers again within a bound.

Safety alone is easily had by a system that does nothing.  So when all faults have been undone,
every call that is made later than RECOVERED_NS_MAX must be answered, unless the faults were such
that service is legitimately over: `recoverable` is the one place that knows which.
"""

from __future__ import annotations

from typing import Any, Iterable

from checker.check import Record
from checker.vacuity import effect_of, had_effect
from checker.verdict import Verdict
from histories import NEMESIS, Op
from histories.value import quantity

RECOVERED_NS_MAX = 3_000_000_000        # detection, the test-and-set, the log, and a margin
EXAMPLES_MAX = 16
LAST_COPY = ("alone", "contending", "winner")   # of which no other host has the machine for sure
PAIR = {"primary", "backup"}


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
        return Verdict(valid=True, evidence={"owed": len(owed)}, why=(
            f"none of {quantity(len(owed), 'call')} after healing went unanswered"))
    problems = [{"time": call.start_ns, "op": call.start, "problem": "unanswered"}
                for call in unanswered[:EXAMPLES_MAX]]
    return Verdict(
        valid=False,
        why=(f"{len(unanswered)} of {quantity(len(owed), 'call')} went unanswered, though "
             f"everything was healed {RECOVERED_NS_MAX // 1_000_000_000} s before"),
        evidence={"owed": len(owed), "count": len(unanswered), "problems": problems})


def recoverable(faults: Iterable[Op]) -> str | None:
    """None when service must come back after these nemesis ops are healed; else why it need not.

    Five things end it, each beyond what a pair promises, which is to survive one failure at a time:

    - a power-off, which is for good;
    - a host died that had the machine's only copy: it ran alone, or had asked for or won the right
      to go live, so that the other side was dead, or lost by asking;
    - both sides of the pair died, their memory with them: no copy is left;
    - the disk is lost: nobody can go live any more, and nothing can be read or written;
    - all hosts are lost.

    Not among them: the loss of the cluster service, without which a machine goes on, but stays
    alone when it loses its backup.
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
        why = _died(effect)
        if why is not None:
            return f"{why} at op {op.index}"
    return None


def _died(effect: dict[str, Any]) -> str | None:
    """Why what died by a fault ends service, if so."""
    died = {effect["crashed"]: effect.get("role")} if "crashed" in effect \
        else effect.get("died", {})
    for name, role in died.items():
        if role in LAST_COPY:
            return f"{name} died, which had the only copy,"
        if name == "disk" and effect.get("for_good"):
            return "the disk was lost"
    if PAIR <= set(died.values()) or died and effect.get("copies_left") == 0:
        return f"{' and '.join(died)} died, and no copy was left,"
    return None
