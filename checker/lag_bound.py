"""The lag bound, from the trace: the backup keeps up, and a failover takes no longer than that.

Time to go live is failure detection plus execution lag, so a slow feedback on the primary's share
of the processor keeps the lag small [Scales et al. 2010, 3.2].  A lag counts when nothing has
changed for SETTLING_NS: a host's speed, a share, the network.  A failover is timed from the
suspicion, or from the last such change after it: while the disk cannot be reached, waiting is
right.
"""

from __future__ import annotations

from typing import Any

from checker.check import Record
from checker.verdict import Verdict
from histories import Event

LAG_NS_MAX = 1_000_000_000          # what the paper calls significant
SETTLING_NS = 1_500_000_000         # the feedback's time to work
FAILOVER_NS_MAX = 1_500_000_000     # the lag, and asking the disk
EXAMPLES_MAX = 16

CHANGES = ("boot", "slow", "order", "cut", "join", "lose", "stall", "keep", "delay",
           "crash", "restart")


def lag_bound(record: Record) -> Verdict:
    """Every lag that an acknowledgement tells, and every failover's time."""
    changed_ns, lag_ns, failover_ns = 0, 0, 0
    suspected_ns: dict[tuple[str, int], int] = {}
    problems: list[dict[str, Any]] = []
    for event in record.trace.of("ack", "suspect", "live", *CHANGES):
        if event.kind in CHANGES:
            changed_ns = event.time
        elif event.kind == "suspect":
            suspected_ns[event.node, event.data["generation"]] = event.time
        elif event.kind == "live":
            since_ns = suspected_ns.get((event.node, event.data["generation"] - 1), event.time)
            took_ns = event.time - max(since_ns, changed_ns)
            failover_ns = max(failover_ns, took_ns)
            if took_ns > FAILOVER_NS_MAX:
                problems.append(_problem("failover", event, took_ns, FAILOVER_NS_MAX))
        elif event.time >= changed_ns + SETTLING_NS:
            lag_ns = max(lag_ns, event.data["lag_ns"])
            if event.data["lag_ns"] > LAG_NS_MAX:
                problems.append(_problem("lag", event, event.data["lag_ns"], LAG_NS_MAX))
    evidence: dict[str, Any] = {"lag_ns": lag_ns, "failover_ns": failover_ns}
    if not problems:
        return Verdict(valid=True, why=f"lag at most {ms(lag_ns)}, failover at most "
                                       f"{ms(failover_ns)}", evidence=evidence)
    first = problems[0]
    what = f"{first['node']} took {ms(first['took_ns'])} to go live" \
        if first["what"] == "failover" else \
        f"the backup of {first['node']} lagged {ms(first['took_ns'])} behind"
    return Verdict(valid=False, why=f"{what}, at most {ms(first['bound_ns'])} is right",
                   evidence={**evidence, "count": len(problems),
                             "problems": problems[:EXAMPLES_MAX]})


def ms(time_ns: int) -> str:
    """A duration in whole milliseconds."""
    return f"{time_ns // 1_000_000} ms"


def _problem(what: str, event: Event, took_ns: int, bound_ns: int) -> dict[str, Any]:
    return {"what": what, "time": event.time, "node": event.node, "took_ns": took_ns,
            "bound_ns": bound_ns, "generation": event.data["generation"]}
