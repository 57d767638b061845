"""Replay divergence, from the trace: the backup did exactly what the log says.

A replica notices by itself, at the entry or at the next digest, and says so; this check makes
that a verdict.  A guest that failed on its own is one too: it cannot keep any promise.
"""

from __future__ import annotations

from checker.check import Record
from checker.verdict import Verdict
from histories.value import quantity


def divergence(record: Record) -> Verdict:
    """No replica reported that its replay or its guest went wrong."""
    events = record.trace.of("divergence", "fault")
    if not events:
        replayed = sum(event.data["last"] - event.data["first"] + 1
                       for event in record.trace.of("replay"))
        return Verdict(valid=True, why=f"{quantity(replayed, 'entry', 'entries')} replayed alike")
    first = events[0]
    if first.kind == "fault":
        why = f"the guest on {first.node} failed: {first.data['why']}"
    else:
        data = first.data
        why = (f"{first.node} diverged at entry {data['seq']} ({data['entry']} at instruction "
               f"{data['expected_at']}, found at {data['found_at']}): {data['why']}")
    return Verdict(valid=False, why=why, evidence={
        "events": [{"time": each.time, "node": each.node, **each.data} for each in events]})
