"""Redundancy restored, from the trace: whoever went live alone soon has a backup again.

After a failover the cluster service finds a host and the machine is cloned there, without anybody
asking [Scales et al. 2010, 3.1].  It is owed while there is a fit host: a spare one that runs and
that the live machine and the cluster service can talk to, both ways, with no log loss and no delay
between the two hosts, and all of them running.  It is owed within RESTORED_NS_MAX of the going
live, or of the latest change to hosts or network if that was later; a change starts the clock
again, because a clone under way may have failed with it.  A machine that goes live again without
having been protected gets no new time.
"""

from __future__ import annotations

from typing import Any

from checker.check import Record
from checker.surroundings import HOSTS, LINKS, Surroundings
from checker.verdict import Verdict
from histories import Event
from histories.value import quantity

RESTORED_NS_MAX = 4_000_000_000     # a host's silence is noticed, a clone fails, another is made


class Debt:
    """Who is alone, since when a backup is owed to it, and what was never paid."""

    def __init__(self) -> None:
        self.around = Surroundings()
        self.alone: str | None = None
        self.generation = 0
        self.since_ns: int | None = None        # None: nothing is owed
        self.fit: list[str] = []
        self.restored = 0
        self.problems: list[dict[str, Any]] = []

    def pass_time(self, now_ns: int) -> None:
        """Up to this moment nothing has changed."""
        if self.alone is None or self.since_ns is None \
                or now_ns <= self.since_ns + RESTORED_NS_MAX:
            return
        self.problems.append({"time": now_ns, "node": self.alone, "generation": self.generation,
                              "since": self.since_ns, "fit": self.fit})
        self.alone = None

    def take(self, event: Event) -> None:
        """One event that changes who is owed what."""
        if event.kind == "protected":
            self.restored += self.alone is not None
            self.alone = None
            return
        self.around.hear(event)
        if event.kind == "live":
            again = self.alone == event.node
            self.alone, self.generation = event.node, event.data["generation"]
            if again:
                return
        elif event.kind in ("halt", "crash", "off") and event.node == self.alone:
            self.alone = None
        if self.alone is not None:
            self.fit = self.around.fit(self.alone)
            self.since_ns = event.time if self.fit else None


def redundancy(record: Record) -> Verdict:
    """Every going live, and the time until there was a backup again."""
    debt = Debt()
    for event in record.trace:
        debt.pass_time(event.time)
        if event.kind in HOSTS or event.kind in LINKS or event.kind == "protected":
            debt.take(event)
    evidence: dict[str, Any] = {"restored": debt.restored}
    if not debt.problems:
        return Verdict(valid=True, evidence=evidence, why=(
            f"redundancy was restored {quantity(debt.restored, 'time')}, and never owed for long"))
    first = debt.problems[0]
    return Verdict(
        valid=False, evidence={**evidence, "problems": debt.problems},
        why=(f"{first['node']} was alone in generation {first['generation']} for more than "
             f"{RESTORED_NS_MAX // 1_000_000} ms, although {first['fit'][0]} was free"))
