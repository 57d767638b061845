"""The Output Rule, from the trace: nothing left before the backup had its log entry.

An output may leave a primary only when the backup has received and acknowledged the entry of that
very output [Scales et al. 2010, 2.2].  The witness is the backup itself: its own `acknowledge`
events say what it had when, whatever the primary believed.  A machine without a backup (its
release carries no acknowledgement) is free.
"""

from __future__ import annotations

from typing import Any

from checker.check import Record
from checker.verdict import Verdict
from histories import Event
from histories.value import quantity

EXAMPLES_MAX = 16


def output_rule(record: Record) -> Verdict:
    """Every output that left a primary, against what its backup had at that moment."""
    received: dict[int, int] = {}       # generation -> last entry in the backup's buffer
    checked, early = 0, []
    for event in record.trace.of("acknowledge", "release"):
        data = event.data
        if event.kind == "acknowledge":
            received[data["generation"]] = max(
                data["received"], received.get(data["generation"], 0))
        elif data["acknowledged"] is not None:
            checked += 1
            had = received.get(data["generation"], 0)
            if data["seq"] > had:
                early.append(_evidence(event, had))
    if not early:
        return Verdict(valid=True, evidence={"checked": checked}, why=(
            f"{quantity(checked, 'output')} left, none before its entry was safe"))
    first = early[0]
    return Verdict(
        valid=False,
        why=(f"{len(early)} of {quantity(checked, 'output')} left too early; output "
             f"{first['number']} left when the backup had entries up to {first['had']}, its own is "
             f"{first['seq']}"),
        evidence={"checked": checked, "count": len(early), "early": early[:EXAMPLES_MAX]})


def _evidence(event: Event, had: int) -> dict[str, Any]:
    return {"time": event.time, "node": event.node, "had": had, **event.data}
