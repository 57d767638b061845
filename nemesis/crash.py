"""Crashes: a host stops, with all its memory and whatever it had not put on the wire.

The pair survives one failure at a time [paper 2.1], so a host is spared while no other could take
over, and the record says so.  Crashed hosts come back empty after a while.
"""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Kind, Nemesis, Rng
from nemesis.targets import SIDES, by_role, expendable, healed

DELAY_NS_MAX = 250 * MILLISECOND_NS
AWAY_NS = (500 * MILLISECOND_NS, 2500 * MILLISECOND_NS)


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """One crash; the primary's is the most telling.  The host returns later."""
    target = "primary" if rng.chance(1, 2) else rng.choice(SIDES)
    crash_ns = rng.below(DELAY_NS_MAX)
    return [Fault(crash_ns, "crash", {"target": target, "pick": rng.below(2)}),
            Fault(crash_ns + rng.between(*AWAY_NS), "restart")]


def crash(cluster: Cluster, value: Any) -> Any:
    """Crash the host that has the role now, unless no other could take over."""
    victim, why = expendable(cluster, value)
    if victim is None:
        return {"nothing": why}
    role = cluster.roles()[victim]
    cluster.crash(victim)
    return {"crashed": victim, "role": role}


def restart(cluster: Cluster, value: Any = None) -> Any:
    """Every crashed host comes back, with nothing in its memory."""
    crashed = [name for name, role in cluster.roles().items() if role == "crashed"]
    return healed(crashed, cluster.restart, "no host is crashed")


def heal(cluster: Cluster) -> None:
    """All hosts are up, but for those that are lost."""
    restart(cluster)


CRASH = Nemesis(
    name="crash",
    meaning="a host stops, and comes back empty: the primary, the backup, or either",
    faults={"crash": Kind(crash, by_role(*SIDES)), "restart": Kind(restart)},
    episode=episode,
    heal=heal,
)
