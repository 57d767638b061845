"""Split brain, from the trace: at most one machine goes live in each generation, and by right.

Whoever goes live must have won the test-and-set of the generation it leaves, as the shared disk
itself tells; two that go live out of the same generation have both been answering clients.  And
nobody goes live out of a generation whose machine has been switched off.
"""

from __future__ import annotations

from typing import Any

from checker.check import Record
from checker.verdict import Verdict


def single_primary(record: Record) -> Verdict:
    """Every going live, against the disk's test-and-set and against each other."""
    winners: dict[int, str] = {}
    lived: dict[int, dict[str, Any]] = {}
    problems: list[dict[str, Any]] = []
    off: int | None = None          # the generation that was live when it was switched off
    for event in record.trace.of("test-and-set", "live", "off"):
        generation = event.data["generation"]
        if event.kind == "off":
            off = generation if generation >= max(lived, default=1) else off
            continue
        if event.kind == "test-and-set":
            if event.data.get("flag", 0) == 0:      # the others are about moves
                winners[generation] = event.data["winner"]
            continue
        this = {"time": event.time, "node": event.node, "generation": generation}
        if winners.get(generation - 1) != event.node:
            problems.append({**this, "problem": "without winning the test-and-set"})
        if off is not None and generation > off:
            problems.append({**this, "problem": "although the machine had been switched off"})
        other = lived.setdefault(generation, this)
        if other is not this:
            problems.append({**this, "problem": f"beside {other['node']}, live since",
                             "other": other["node"], "since": other["time"]})
    if not problems:
        return Verdict(valid=True, why=f"{len(lived)} machines went live, each by right")
    both = next((each for each in problems if "other" in each), None)
    if both is not None:
        kind = "split brain"
        why = f"{both['other']} and {both['node']} are both live in generation {both['generation']}"
    else:
        kind = "no right"
        why = f"{problems[0]['node']} went live {problems[0]['problem']}"
    return Verdict(valid=False, why=why, evidence={"kind": kind, "problems": problems})
