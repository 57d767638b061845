"""Pauses: a host stands still for a while, and goes on as if no time had passed.

It is the most telling fault for a pair.  Whoever is paused for longer than the other side's
patience wakes up in a world that has gone on without it, with packets in its buffers that say
otherwise, and believes for a while that it is what it was.
"""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Kind, Nemesis, Rng
from nemesis.targets import ABLE, by_role, healed, hosts_that_are, picked

START_NS_MAX = 200 * MILLISECOND_NS
LENGTH_NS = (20 * MILLISECOND_NS, 3000 * MILLISECOND_NS)
TARGETS = ("primary", "backup", "either", "contending", "winner", "alone", "spare")
PAIR = "pair"                       # both sides at once
DRAWN = ("primary", "primary", "primary", "backup", "either", PAIR, "alone", "spare")


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """One pause, of the primary more often than not."""
    start_ns = rng.below(START_NS_MAX)
    return [Fault(start_ns, "pause", {"target": rng.choice(DRAWN), "pick": rng.below(2)}),
            Fault(start_ns + rng.between(*LENGTH_NS), "resume")]


def pause(cluster: Cluster, value: Any) -> Any:
    """Pause the host that has the role now, or both sides of the pair."""
    if value["target"] == PAIR:
        struck = [name for role in ABLE for name in hosts_that_are(cluster, role)]
    else:
        found = picked(cluster, value)
        struck = [found] if found is not None else []
    roles, standing = cluster.roles(), cluster.standing()
    paused = {name: roles[name] for name in struck if name not in standing}
    if not paused:
        return {"nothing": f"no host is {value['target']} and runs"}
    for name in paused:
        cluster.pause(name)
    return {"paused": paused}


def resume(cluster: Cluster, value: Any = None) -> Any:
    """Every host that stands still goes on."""
    standing = [name for name in cluster.roles() if name in cluster.standing()]
    return healed(standing, cluster.resume, "no host stands still")


def heal(cluster: Cluster) -> None:
    """Nobody stands still."""
    resume(cluster)


PAUSE = Nemesis(
    name="pause",
    meaning="a host stands still for a while, and goes on as if no time had passed",
    faults={"pause": Kind(pause, by_role(*TARGETS, PAIR)), "resume": Kind(resume)},
    episode=episode,
    heal=heal,
)
