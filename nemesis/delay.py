"""Delays: a link takes much longer for a while; what was sent meanwhile arrives late, in order.

Most telling are the links that a failover depends on: what a primary sent to its backup or to the
disk may arrive when another machine is live already.
"""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Kind, Nemesis, Rng
from nemesis.parameters import duration_ns, one_of, pair_of

START_NS_MAX = 100 * MILLISECOND_NS
LENGTH_NS = (100 * MILLISECOND_NS, 1000 * MILLISECOND_NS)
DELAY_NS = (5 * MILLISECOND_NS, 700 * MILLISECOND_NS)
ROLES = ("primary", "backup", "alone", "spare")
NODES = ("disk", "cluster", "clients")
WAYS = ("both", "there", "back")
BETWEEN = (("primary", "backup"), ("primary", "disk"), ("primary", "clients"),
           ("backup", "disk"), ("spare", "primary"), ("spare", "disk"))


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """One pair of roles, both ways or one."""
    one, other = BETWEEN[rng.below(2)] if rng.chance(1, 2) else rng.choice(BETWEEN)
    ways = rng.choice(("both", *WAYS))
    start_ns = rng.below(START_NS_MAX)
    value = {"between": [one, other], "ways": ways, "delay_ns": rng.between(*DELAY_NS)}
    return [Fault(start_ns, "delay", value),
            Fault(start_ns + rng.between(*LENGTH_NS), "undelay")]


def delay(cluster: Cluster, value: Any) -> Any:
    """Slow down the links between whoever has these roles now."""
    one, other = (_holder(cluster, role) for role in value["between"])
    if one is None or other is None:
        return {"nothing": f"no host is {value['between'][0 if one is None else 1]}"}
    if one in NODES and other in NODES:
        return {"nothing": f"{one} and {other} do not talk to each other"}
    there, back = (one, other), (other, one)
    links = {"both": [there, back], "there": [there], "back": [back]}[value["ways"]]
    for link in links:
        cluster.delay(link, value["delay_ns"])
    return {"links": [list(link) for link in links], "delay_ns": value["delay_ns"]}


def _holder(cluster: Cluster, role: str) -> str | None:
    """The node that has a role; the disk and the clients are nodes themselves."""
    if role in NODES:
        return role
    return next((name for name, has in cluster.roles().items() if has == role), None)


def undelay(cluster: Cluster, value: Any = None) -> Any:
    """All links are fast."""
    for link in cluster.links():
        cluster.delay(link, 0)
    return {"healed": "all links"}


def heal(cluster: Cluster) -> None:
    """All links are fast."""
    undelay(cluster)


DELAY = Nemesis(
    name="delay",
    meaning="links between hosts, disk and clients take much longer for a while",
    faults={"delay": Kind(delay, {"between": pair_of(*ROLES, *NODES), "ways": one_of(*WAYS),
                                  "delay_ns": duration_ns()}),
            "undelay": Kind(undelay)},
    episode=episode,
    heal=heal,
)
