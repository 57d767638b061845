"""Duplicates, from the trace: an output leaves twice only around a failover, byte for byte alike.

Outputs are not exactly-once: a new primary cannot know whether the last ones left, and sends them
again; TCP and the blocks of a disk absorb what is the same [Scales et al. 2010, 2.2].  The same
reply sent twice is legal, another one in its place is not, and neither is a repetition within one
generation, where everybody knew.  An output is known by its number, which the machine itself gives:
a client that asks twice is answered by two outputs.
"""

from __future__ import annotations

from typing import Any

from checker.check import Record
from checker.verdict import Verdict
from histories import Event
from histories.value import quantity

EXAMPLES_MAX = 16
DIFFERENT, NEEDLESS = "with other bytes", "though nothing had failed"


def duplicates(record: Record) -> Verdict:
    """Every output that left more than once, against the first time."""
    first: dict[int, Event] = {}
    latest: dict[int, int] = {}     # number -> the generation in which it left last
    repeated = 0
    problems: list[dict[str, Any]] = []
    for event in record.trace.of("release"):
        number, generation = event.data["number"], event.data["generation"]
        before = first.setdefault(number, event)
        if before is not event:
            repeated += 1
            if event.data["crc"] != before.data["crc"]:
                problems.append(_problem(DIFFERENT, before, event))
            elif latest[number] == generation:
                problems.append(_problem(NEEDLESS, before, event))
        latest[number] = generation
    evidence: dict[str, Any] = {"outputs": len(first), "repeated": repeated}
    if not problems:
        return Verdict(valid=True, evidence=evidence, why=(
            f"{repeated} of {quantity(len(first), 'output')} left again, each alike and after a "
            "failover"))
    worst = problems[0]
    return Verdict(
        valid=False, why=f"{worst['node']} let out output {worst['number']} again "
                         f"{worst['problem']}",
        evidence={**evidence, "count": len(problems), "problems": problems[:EXAMPLES_MAX]})


def _problem(problem: str, first: Event, again: Event) -> dict[str, Any]:
    return {"problem": problem, "time": again.time, "node": again.node,
            "number": again.data["number"], "generation": again.data["generation"],
            "request": again.data.get("request"), "first": first.time, "by": first.node}
