"""The lag bound, from the trace: the backup keeps up.

Time to go live is failure detection plus execution lag, so a slow feedback on the primary's share
of the processor keeps the lag small [Scales et al. 2010, 3.2].  A lag counts when nothing has
changed for SETTLING_NS: a host, a service, a speed, a share, the network.  It does not count while
a host is so slow that the least share that the primary can be given is still more.
"""

from __future__ import annotations

from typing import Any

from checker.check import Record
from checker.story import seconds
from checker.surroundings import CHANGES, Surroundings
from checker.verdict import Verdict

LAG_NS_MAX = 1_000_000_000          # what the paper calls significant
SETTLING_NS = 1_500_000_000         # the feedback's time to work
EXAMPLES_MAX = 16


def lag_bound(record: Record) -> Verdict:
    """Every lag that an acknowledgement tells."""
    changed_ns, longest_ns = 0, 0
    problems: list[dict[str, Any]] = []
    around = Surroundings()
    for event in record.trace.of("ack", *CHANGES):
        around.hear(event)
        if event.kind in CHANGES:
            changed_ns = event.time
        elif any(around.too_slow(node, event.node) for node in around.slower):
            continue
        elif event.time >= changed_ns + SETTLING_NS:
            lag_ns = event.data["lag_ns"]
            longest_ns = max(longest_ns, lag_ns)
            if lag_ns > LAG_NS_MAX:
                problems.append({"time": event.time, "node": event.node, "lag_ns": lag_ns,
                                 "generation": event.data["generation"]})
    evidence: dict[str, Any] = {"longest_ns": longest_ns}
    if not problems:
        return Verdict(valid=True, why=f"the lag was at most {seconds(longest_ns)}",
                       evidence=evidence)
    first = problems[0]
    return Verdict(
        valid=False, why=(f"the backup of {first['node']} lagged {ms(first['lag_ns'])} behind, at "
                          f"most {ms(LAG_NS_MAX)} is right"),
        evidence={**evidence, "count": len(problems), "problems": problems[:EXAMPLES_MAX]})


def ms(time_ns: int) -> str:
    """A duration in whole milliseconds."""
    return f"{time_ns // 1_000_000} ms"
