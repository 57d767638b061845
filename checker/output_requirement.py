"""The output requirement, from the trace: a new primary goes on from what the world has seen.

Whoever takes over continues in a way that fits every output that has left before [Scales et al.
2010, 2.2].  Outputs are numbered from the machine's boot, by the machine itself, so the numbers go
on over failovers.  Four things must not happen:

- an output has left whose number the new primary has not reached: it will make another one;
- an output leaves again with other bytes;
- an output leaves with other bytes than it was made with, as a buffer used again would have it;
- a number is left out: an output that was computed never left, though nobody failed to know it.

Writes to the disk may be left out: a new primary issues them again as pending disk operations.
"""

from __future__ import annotations

from typing import Any

from checker.check import Record
from checker.verdict import Verdict
from histories import Event
from histories.value import quantity

EXAMPLES_MAX = 16


class Outputs:
    """What has left so far, by number; `problems` in the order in which they showed."""

    def __init__(self) -> None:
        self.first: dict[int, Event] = {}       # number -> its first release
        self.top = 0                            # the highest number that has left
        self.made: dict[int, Event] = {}        # number -> the output as computed last
        self.generation, self.known = 1, 0      # of the newest takeover: outputs it knew of
        self.problems: list[dict[str, Any]] = []

    def live(self, event: Event) -> None:
        """A machine goes on alone: everything that has left must be in its past."""
        self.generation, self.known = event.data["generation"], event.data["outputs"]
        if self.top > self.known:
            self._problem("unknown", event, self.first[self.top])

    def release(self, event: Event) -> None:
        """An output leaves, for the first time or again."""
        number, generation = event.data["number"], event.data["generation"]
        made = self.made.get(number)
        if made is not None and made.node == event.node and made.data["crc"] != event.data["crc"]:
            self._problem("altered", event, event)
        if number in self.first:
            if self.first[number].data["crc"] != event.data["crc"]:
                self._problem("changed", event, self.first[number])
            return
        self.first[number] = event
        if generation < self.generation and number > self.known:
            self._problem("unknown", event, event)
        for missing in range(self.top + 1, number):
            if missing in self.made and self.made[missing].data["device"] != "disk":
                self._problem("missing", event, event, missing)
        self.top = max(self.top, number)

    def _problem(self, problem: str, event: Event, release: Event, number: int = 0) -> None:
        """`event` shows it; `release` is the output that is contradicted."""
        self.problems.append({
            "problem": problem, "time": event.time, "node": event.node,
            "generation": event.data["generation"], "known": self.known,
            "number": number or release.data["number"], "released": release.time,
            "by": release.node, "request": release.data.get("request")})


def output_requirement(record: Record) -> Verdict:
    """Every output that left, against every going live and against what left before."""
    outputs = Outputs()
    takeovers = 0
    for event in record.trace.of("output", "release", "live"):
        if event.kind == "output":
            outputs.made[event.data["number"]] = event
        elif event.kind == "release":
            outputs.release(event)
        else:
            takeovers += 1
            outputs.live(event)
    evidence: dict[str, Any] = {"outputs": len(outputs.first), "takeovers": takeovers}
    if not outputs.problems:
        return Verdict(valid=True, evidence=evidence, why=(
            f"no contradiction in {quantity(len(outputs.first), 'output')} over "
            f"{quantity(takeovers, 'takeover')}"))
    return Verdict(valid=False, why=sentence(outputs.problems[0]), evidence={
        **evidence, "count": len(outputs.problems), "problems": outputs.problems[:EXAMPLES_MAX]})


def sentence(problem: dict[str, Any]) -> str:
    """A problem in one sentence."""
    number, node = problem["number"], problem["node"]
    if problem["problem"] == "unknown":
        known = quantity(problem["known"], "output")
        return (f"output {number} was let out by {problem['by']}, but generation "
                f"{problem['generation']} on {node} knows only {known}"
                if problem["by"] != node else
                f"{node} let out output {number} in generation {problem['generation']}, which a "
                f"newer one with {known} does not know")
    if problem["problem"] == "changed":
        return f"{node} let out output {number} again with other bytes than {problem['by']}"
    if problem["problem"] == "altered":
        return f"{node} let out output {number} with other bytes than it was made with"
    return f"output {number} never left, but {node} let out a later one"
