"""Monotonic time, from the trace: the guest's clock never goes back, over failovers too.

Each host has a clock of its own.  A backup is told the primary's readings by the log, and goes on
from the last of them when it is live.  So along one machine's past no reading is smaller than an
earlier one: within a generation in the order of the log, and from one generation to the next over
exactly the entries that the next one has executed.  Readings that died with the old primary bind
nobody.  A machine that runs alone logs nothing; its outputs tell the latest reading.
"""

from __future__ import annotations

from typing import Any

from checker.check import Record
from checker.verdict import Verdict
from histories import Event
from histories.value import quantity

CLOCKS = ("clock", "rdtsc", "rdtscp")
EXAMPLES_MAX = 16


class Past:
    """The readings of the machine that lives now."""

    def __init__(self) -> None:
        self.generation = 1
        self.latest = 0
        self.before: list[tuple[int, int]] = []     # (entry, latest reading by then), this log's
        self.base = 0                               # the latest reading before this log
        self.checked = 0
        self.problems: list[dict[str, Any]] = []

    def read(self, event: Event, value: int) -> None:
        """One reading, the next one of its generation."""
        self.checked += 1
        if value < self.latest:
            self.problems.append({
                "time": event.time, "node": event.node, "event": event.kind,
                "generation": event.data["generation"], "entry": event.data.get("seq"),
                "value": value, "earlier": self.latest})
        self.latest = max(self.latest, value)

    def log(self, event: Event) -> None:
        """A reading with an entry of its own."""
        self.read(event, event.data["value"])
        self.before.append((event.data["seq"], self.latest))

    def live(self, event: Event) -> None:
        """Another generation begins: with what its machine has executed."""
        executed = event.data.get("executed")
        if executed is not None:
            while self.before and self.before[-1][0] > executed:
                self.before.pop()
            self.latest = self.before[-1][1] if self.before else self.base
        self.generation = event.data["generation"]
        self.read(event, event.data["clock"])
        self.before, self.base = [], self.latest


def monotonic_time(record: Record) -> Verdict:
    """Every clock reading, against those in its machine's past."""
    past = Past()
    for event in record.trace.of("log", "output", "live"):
        if event.kind == "live":
            past.live(event)
        elif event.data["generation"] != past.generation:
            continue            # what a superseded machine reads binds nobody
        elif event.kind == "output":
            past.read(event, event.data["clock"])
        elif event.data.get("of") in CLOCKS:
            past.log(event)
    evidence: dict[str, Any] = {"checked": past.checked}
    if not past.problems:
        return Verdict(valid=True, evidence=evidence, why=(
            f"none of {quantity(past.checked, 'clock reading')} goes back"))
    first = past.problems[0]
    return Verdict(
        valid=False, why=(f"the guest's clock went back by {first['earlier'] - first['value']} ns "
                          f"on {first['node']} in generation {first['generation']}"),
        evidence={**evidence, "count": len(past.problems),
                  "problems": past.problems[:EXAMPLES_MAX]})
