"""Both sides of the pair crash, at once or shortly after each other: more than was promised.

Nobody has the machine any more, so service is over; what was answered before must still be right,
and hosts that come back empty must not pretend to be the pair.
"""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.crash import AWAY_NS, heal, restart
from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Kind, Nemesis, Rng

START_NS_MAX = 250 * MILLISECOND_NS
HAVING = ("primary", "backup", "contending", "winner", "alone", "superseded")


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """Everybody who has the machine; they come back later."""
    start_ns = rng.below(START_NS_MAX)
    return [Fault(start_ns, "crash-both"), Fault(start_ns + rng.between(*AWAY_NS), "restart")]


def crash_both(cluster: Cluster, value: Any) -> Any:
    """Crash every host that has the machine."""
    died = {name: role for name, role in cluster.roles().items() if role in HAVING}
    if not died:
        return {"nothing": "nobody has the machine"}
    for name in died:
        cluster.crash(name)
    return {"died": died, "copies_left": 0}


CRASH_BOTH = Nemesis(
    name="crash-both",
    meaning="the primary and the backup crash together: service is over",
    faults={"crash-both": Kind(crash_both), "restart": Kind(restart)},
    episode=episode,
    heal=heal,
)
