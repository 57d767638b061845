"""Who goes live, from the trace: at most one machine in each generation, by right, and not none.

The shared disk decides each generation once [Scales et al. 2010, 2.3], and it is the witness.

- Whoever goes live must have won the test-and-set of the generation it leaves; two that go live
  out of the same generation have both been answering clients.
- Who wins must have asked, and goes live in time unless it fails, be it before the disk hears
  the question; who halts must have lost.  A pair in which both give up keeps no promise either.
- What its administrator has switched off stays off.
"""

from __future__ import annotations

from typing import Any

from checker.check import Record
from checker.verdict import Verdict
from histories import Event
from histories.value import quantity

# From the won test-and-set to going live: the log may have to be consumed by a slow host first.
LIVE_WITHIN_NS = 10_000_000_000

ARBITRATION = 0         # the flag that decides who goes live; the others are about moves
KINDS = ("suspect", "test-and-set", "live", "halt", "off", "crash", "divergence", "fault")


class Arbiter:
    """Every generation's decision, as the disk and the hosts tell; `problems` in order of time."""

    def __init__(self) -> None:
        self.winners: dict[int, str] = {}
        self.askers: dict[int, set[str]] = {}
        self.lived: dict[int, Event] = {}
        self.owed: dict[int, tuple[int, str]] = {}      # generation -> won when, by whom
        self.excused: set[str] = set()                  # hosts whose machine went wrong by itself
        self.died: set[str] = set()                     # hosts that crashed after they had asked
        self.off: int | None = None     # the generation that was live when it was switched off
        self.problems: list[dict[str, Any]] = []

    def hear(self, event: Event) -> None:
        """Take one event into account."""
        if event.kind == "test-and-set":
            self._decided(event)
        elif event.kind == "suspect":
            self.died.discard(event.node)
        elif event.kind == "live":
            self._live(event)
        elif event.kind == "halt":
            self._halted(event)
        elif event.kind == "off":
            if event.data["generation"] >= max(self.lived, default=1):
                self.off = event.data["generation"]
            self._excuse(event.node)
        else:
            self._excuse(event.node)
            if event.kind == "crash":
                self.died.add(event.node)
            else:
                self.excused.add(event.node)

    def end(self, time_ns: int) -> None:
        """The trace ends: who should have gone live and has not?"""
        for generation, (won_ns, node) in self.owed.items():
            if time_ns - won_ns > LIVE_WITHIN_NS:
                self._problem(won_ns, node, generation, "won the test-and-set and never went live")

    def _decided(self, event: Event) -> None:
        generation, winner = event.data["generation"], event.data["winner"]
        if event.data.get("flag", ARBITRATION) != ARBITRATION:
            return
        askers = self.askers.setdefault(generation, set())
        askers.add(event.data["asked"])
        if winner not in askers:
            self._problem(event.time, event.data["asked"], generation,
                          f"was told that {winner} has won, which never asked")
        if generation not in self.winners and winner not in self.died:
            self.owed[generation] = (event.time, winner)
        self.winners[generation] = winner

    def _live(self, event: Event) -> None:
        generation = event.data["generation"]
        self.owed.pop(generation - 1, None)
        if self.winners.get(generation - 1) != event.node:
            self._problem(event.time, event.node, generation,
                          "went live without winning the test-and-set")
        other = self.lived.setdefault(generation, event)
        if other is not event:
            self._problem(event.time, event.node, generation,
                          f"went live beside {other.node}", other=other.node, since=other.time)
        if self.off is not None and generation > self.off:
            self._problem(event.time, event.node, generation,
                          "went live although the machine had been switched off")

    def _halted(self, event: Event) -> None:
        node, generation = event.node, event.data["generation"]
        self._excuse(node)
        winner = self.winners.get(generation)
        if node in self.excused or winner not in (None, node):
            self.excused.discard(node)
            return
        self._problem(event.time, node, generation, "halted though it had not lost")

    def _excuse(self, node: str) -> None:
        """This host cannot go live any more."""
        self.owed = {generation: owed for generation, owed in self.owed.items() if owed[1] != node}

    def _problem(self, time_ns: int, node: str, generation: int, problem: str,
                 **data: Any) -> None:
        self.problems.append({"time": time_ns, "node": node, "generation": generation,
                              "problem": problem, **data})


def single_primary(record: Record) -> Verdict:
    """Every going live and every halt, against the disk's decisions and against each other."""
    arbiter = Arbiter()
    for event in record.trace.of(*KINDS):
        arbiter.hear(event)
    arbiter.end(max([event.time for event in record.trace.events[-1:]]
                    + [op.time for op in record.history.ops[-1:]], default=0))
    if not arbiter.problems:
        times = quantity(len(arbiter.lived), "going live", "goings live")
        return Verdict(valid=True, why=f"{times}, each by right")
    both = next((each for each in arbiter.problems if "other" in each), None)
    if both is not None:
        kind = "split brain"
        why = f"{both['other']} and {both['node']} are both live in generation {both['generation']}"
    else:
        kind = "no right"
        why = f"{arbiter.problems[0]['node']} {arbiter.problems[0]['problem']}"
    return Verdict(valid=False, why=why, evidence={"kind": kind, "problems": arbiter.problems})
