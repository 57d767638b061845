"""Answers that never go back: what is answered later is not less than what was known before.

An answer must be at least every answer that some client had before it asked.  That is exactly
linearizability of a number that only grows and shows itself to readers, decided in one pass.
"""

from __future__ import annotations

from typing import Any

from checker.verdict import Verdict
from histories import History
from histories.value import quantity

EXAMPLES_MAX = 16


def monotonic(history: History, *fs: str) -> Verdict:
    """The ok answers of the operations named, on one scale; they must be comparable."""
    names = dict.fromkeys(fs)
    latest: tuple[Any, int] | None = None       # the greatest answer so far, and its op
    known: dict[Any, tuple[Any, int] | None] = {}   # the same when each open call began
    checked, back = 0, []
    for op in history:
        if op.f not in names:
            continue
        if op.type == "invoke":
            known[op.process] = latest
            continue
        before = known.pop(op.process, None)
        if op.type != "ok":
            continue
        checked += 1
        if before is not None and op.value < before[0]:
            back.append({"op": op.index, "answer": op.value,
                         "earlier": {"op": before[1], "answer": before[0]}})
        if latest is None or latest[0] < op.value:
            latest = op.value, op.index
    return _verdict(checked, back)


def _verdict(checked: int, back: list[dict[str, Any]]) -> Verdict:
    if not back:
        return Verdict(valid=True, why=f"none of {quantity(checked, 'answer')} goes back",
                       evidence={"checked": checked})
    first = back[0]
    earlier = first["earlier"]
    return Verdict(
        valid=False,
        why=(f"op {first['op']} answered {first['answer']}, less than {earlier['answer']}, "
             f"which op {earlier['op']} had answered before it was asked"),
        evidence={"checked": checked, "count": len(back), "op": first["op"],
                  "ops": [earlier["op"], first["op"]], "back": back[:EXAMPLES_MAX]})
