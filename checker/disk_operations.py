"""Disk operations over a takeover, from the trace: what was pending, once more, and nothing else.

A new primary cannot know whether the operations that were on their way have been carried out, and
nobody will tell it.  So it issues again exactly those that were started and not completed in the
log [Scales et al. 2010, 3.4]: one that it forgets leaves the guest waiting for ever, one too many
may write over something newer.  And an operation ends once in each generation.
"""

from __future__ import annotations

from typing import Any

from checker.check import Record
from checker.verdict import Verdict
from histories import Event
from histories.value import quantity


def disk_operations(record: Record) -> Verdict:
    """Reissued operations against those pending at each takeover; every operation's end."""
    completed: set[tuple[int, int]] = set()
    reissued: dict[int, list[int]] = {}
    takeovers: list[Event] = []
    problems: list[dict[str, Any]] = []
    for event in record.trace.of("live", "reissue", "complete"):
        if event.kind == "live":
            if "pending" in event.data:
                takeovers.append(event)
            continue
        generation, number = event.data["generation"], event.data["number"]
        if event.kind == "reissue":
            reissued.setdefault(generation, []).append(number)
        elif (generation, number) in completed:
            problems.append(_problem(event, f"operation {number} ended twice"))
        else:
            completed.add((generation, number))
    for event in takeovers:
        problems += _compare(event, reissued.get(event.data["generation"], []))
    if problems:
        first = min(problems, key=lambda problem: problem["time"])
        return Verdict(valid=False, why=f"on {first['node']}, {first['problem']}",
                       evidence={"problems": problems})
    pending = sum(len(event.data["pending"]) for event in takeovers)
    why = (f"{quantity(len(completed), 'operation')} ended once, {pending} pending at "
           f"{quantity(len(takeovers), 'takeover')} and issued again")
    return Verdict(valid=True, why=why)


def _compare(live: Event, again: list[int]) -> list[dict[str, Any]]:
    """What was forgotten, and what was too much."""
    pending = live.data["pending"]
    forgotten = [number for number in pending if number not in again]
    extra = [number for number in again if number not in pending]
    problems = []
    if forgotten:
        problems.append(_problem(live, f"operation {forgotten[0]} was not issued again"))
    if extra:
        problems.append(_problem(live, f"operation {extra[0]} was issued again, though completed"))
    return problems


def _problem(event: Event, problem: str) -> dict[str, Any]:
    return {"time": event.time, "node": event.node, "problem": problem,
            "generation": event.data["generation"]}
