"""Delays: a link takes much longer for a while; what was sent meanwhile arrives late, in order."""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Nemesis, Rng

START_NS_MAX = 100 * MILLISECOND_NS
LENGTH_NS = (100 * MILLISECOND_NS, 1000 * MILLISECOND_NS)
DELAY_NS = (5 * MILLISECOND_NS, 700 * MILLISECOND_NS)


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """Half of the time between two hosts, else between a host and the disk or the clients."""
    host = rng.choice(hosts)
    others = [name for name in hosts if name != host]
    other = rng.choice(others) if rng.chance(1, 2) else rng.choice(("disk", "clients"))
    links = [[host, other], [other, host]]
    if rng.chance(1, 3):
        links = [rng.choice(links)]
    start_ns = rng.below(START_NS_MAX)
    delay_ns = rng.between(*DELAY_NS)
    return [Fault(start_ns, "delay", {"links": links, "delay_ns": delay_ns}),
            Fault(start_ns + rng.between(*LENGTH_NS), "delay", {"links": links, "delay_ns": 0})]


def delay(cluster: Cluster, value: Any) -> Any:
    """Make the links this slow."""
    for source, to in value["links"]:
        cluster.delay((source, to), value["delay_ns"])
    return value


def heal(cluster: Cluster) -> None:
    """All links are fast."""
    for link in cluster.links():
        cluster.delay(link, 0)


DELAY = Nemesis(
    name="delay",
    meaning="links between hosts, disk and clients take much longer for a while",
    faults={"delay": delay},
    episode=episode,
    heal=heal,
)
