"""No backup I/O, from the trace: only who lives in a generation speaks to the world in it.

The hypervisor drops what a backup's machine sends, and a backup reads nothing from the disk: what
the primary read comes with the log [Scales et al. 2010, 2].  The disk is the witness of its own
requests: what it served came from a generation's owner, and from no generation that was over by
its own test-and-set.  What it fenced off did no harm and is only counted.

Two options let a backup do some of it: read the shared disk for itself [4.2], in its generation and
while it goes live in the one that it has won; or write to a disk of its own, where nothing is
shared and nothing needs to be fenced [4.1].
"""

from __future__ import annotations

from typing import Any, Mapping

from checker.check import Record
from checker.verdict import Verdict
from histories import Event
from histories.value import quantity

EXAMPLES_MAX = 16

# An instruction that is under way when its host is told something ends first.
UNDER_WAY_NS = 20_000

SPEAKING = ("release", "advertise")
SERVED = ("disk-write", "disk-read")
BECOMING = ("boot", "live", "backup", "moved", "spare", "restart", "halt", "off")


class Owners:
    """Who lives in which generation, as far as the trace has been read."""

    def __init__(self, test: Mapping[str, Any]) -> None:
        self.local = test.get("disk") == "local"
        self.along = "disk-write" if self.local else \
            "disk-read" if test.get("disk_reads") == "backup" else None
        self.backups: set[tuple[str, int]] = set()  # (host, generation)
        self.ever: set[tuple[str, int]] = set()     # (host, generation)
        self.now: dict[str, int] = {}
        self.silent_ns: dict[str, int] = {}         # hosts that have halted, or are off
        self.fence = 1

    def become(self, event: Event) -> None:
        """A host is something else now."""
        node = event.node
        if event.kind in ("halt", "off"):
            self.silent_ns[node] = event.time
            return
        self.now.pop(node, None)
        self.silent_ns.pop(node, None)
        if event.kind == "live" or event.data.get("role") == "primary":
            self.now[node] = event.data.get("generation", 1)
            self.ever.add((node, self.now[node]))
        elif "backup" in (event.kind, event.data.get("role")):
            self.backups.add((node, event.data.get("generation", 1)))

    def may_speak(self, event: Event) -> str | None:
        """Why this host should have been silent, if so."""
        node, generation = event.node, event.data["generation"]
        if self.now.get(node) != generation:
            return f"is not the primary of generation {generation}"
        silent_ns = self.silent_ns.get(node)
        if silent_ns is not None and event.time > silent_ns + UNDER_WAY_NS:
            return "had halted"
        return None

    def may_ask(self, event: Event) -> str | None:
        """Why the disk should not have served this, if so."""
        source, generation = event.data["source"], event.data["generation"]
        if (source, generation) not in self.ever and not self._goes_along(event):
            return f"was never the primary of generation {generation}"
        if generation < self.fence and not self.local:
            return f"asked in generation {generation}, which was over"
        return None

    def _goes_along(self, event: Event) -> bool:
        """Whether a backup does this itself, by option."""
        source, generation = event.data["source"], event.data["generation"]
        sides = {(source, generation), (source, generation - 1)}
        return event.kind == self.along and bool(self.backups & sides)


def backup_io(record: Record) -> Verdict:
    """Every output and every disk request, against who lived at that moment."""
    owners = Owners(record.test)
    checked = fenced = 0
    problems: list[dict[str, Any]] = []
    for event in record.trace.of(*SPEAKING, *SERVED, *BECOMING, "fenced", "test-and-set"):
        why = None
        if event.kind in BECOMING:
            owners.become(event)
        elif event.kind == "fenced":
            fenced += 1
        elif event.kind == "test-and-set":
            if event.data.get("flag", 0) == 0:
                owners.fence = max(owners.fence, event.data["generation"] + 1)
        else:
            checked += 1
            why = owners.may_speak(event) if event.kind in SPEAKING else owners.may_ask(event)
        if why is not None:
            problems.append(_problem(event, why))
    evidence: dict[str, Any] = {"checked": checked, "fenced": fenced}
    if not problems:
        return Verdict(valid=True, evidence=evidence, why=(
            quantity(checked, "output or disk request", "outputs and disk requests")
            + f" came from a primary, {fenced} fenced off"))
    first = problems[0]
    return Verdict(valid=False, why=f"{first['event']} by {first['node']}, which {first['why']}",
                   evidence={**evidence, "count": len(problems),
                             "problems": problems[:EXAMPLES_MAX]})


def _problem(event: Event, why: str) -> dict[str, Any]:
    return {"time": event.time, "node": event.data.get("source", event.node), "event": event.kind,
            "why": why, "number": event.data.get("number")}
