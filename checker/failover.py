"""Failover, from the trace: a suspicion ends with somebody live, and soon.

Time to go live is failure detection plus execution lag [Scales et al. 2010, 3.2].  Once a side of a
pair suspects the other, somebody must go live in the next generation within FAILOVER_NS_MAX,
counted from the first suspicion or from the latest change to hosts or network after it.  It is owed
while a host that suspected runs and reaches the disk both ways: where the disk cannot be reached,
waiting is right.  When the disk has named a winner, that host alone can go live.  A host that gave
up by itself excuses nobody.
"""

from __future__ import annotations

from typing import Any

from checker.check import Record
from checker.story import seconds
from checker.surroundings import CHANGES, DISK, Surroundings
from checker.verdict import Verdict
from histories import Event
from histories.value import quantity

FAILOVER_NS_MAX = 1_500_000_000     # what the lag may be, and asking the disk


class Takeover:
    """The latest suspicion, and what keeps it from ending."""

    def __init__(self) -> None:
        self.generation = 0                     # that was live last
        self.suspecting: dict[str, None] = {}   # hosts that could go live next
        self.winner: str | None = None
        self.since_ns: int | None = None
        self.around = Surroundings()
        self.longest_ns = self.count = 0
        self.problems: list[dict[str, Any]] = []

    def pass_time(self, now_ns: int) -> None:
        """Up to this moment nothing has changed."""
        if self.since_ns is None or now_ns <= self.since_ns + FAILOVER_NS_MAX:
            return
        able = [name for name in self.suspecting if self._able(name)]
        if able:
            self.problems.append({"time": now_ns, "since": self.since_ns, "able": able,
                                  "generation": self.generation + 1, "winner": self.winner})
            self._over()

    def take(self, event: Event) -> None:
        """One event that decides who could go live."""
        data, kind = event.data, event.kind
        self.around.hear(event)
        if kind == "live":
            self._live(event)
        elif kind == "suspect" and data["generation"] >= self.generation:
            self.generation = data["generation"]
            self.suspecting[event.node] = None
            self.since_ns = event.time if self.since_ns is None else self.since_ns
        elif kind == "test-and-set" and data.get("flag", 0) == 0 \
                and data["generation"] == self.generation and data["winner"] == data["asked"]:
            self.winner = data["winner"]    # not one of long ago, that has not even asked
        elif kind in ("crash", "off"):
            self.suspecting.pop(event.node, None)
        if kind in CHANGES and self.since_ns is not None:
            self.since_ns = event.time

    def _able(self, name: str) -> bool:
        return self.winner in (None, name) and not self.around.too_slow(name) \
            and self.around.reach(name, DISK)

    def _live(self, event: Event) -> None:
        if event.data["generation"] > self.generation:
            self.generation = event.data["generation"]
            self.count += 1
            if self.since_ns is not None:
                self.longest_ns = max(self.longest_ns, event.time - self.since_ns)
            self._over()

    def _over(self) -> None:
        self.since_ns = self.winner = None
        self.suspecting.clear()


def failover(record: Record) -> Verdict:
    """Every suspicion, and the time until somebody was live."""
    takeover = Takeover()
    for event in record.trace:
        takeover.pass_time(event.time)
        takeover.take(event)
    for op in record.history.ops[-1:]:
        takeover.pass_time(op.time)         # the machines may have fallen silent long before
    evidence: dict[str, Any] = {"failovers": takeover.count, "longest_ns": takeover.longest_ns}
    if not takeover.problems:
        return Verdict(valid=True, evidence=evidence, why=(
            f"{quantity(takeover.count, 'failover')}, the longest took "
            f"{seconds(takeover.longest_ns)}"))
    first = takeover.problems[0]
    return Verdict(
        valid=False, evidence={**evidence, "problems": takeover.problems},
        why=(f"nobody was live in generation {first['generation']} within "
             f"{FAILOVER_NS_MAX // 1_000_000} ms, although {first['able'][0]} could have been"))
