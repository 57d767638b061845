"""Partitions: links between two nodes that pass nothing for a while, one way or both ways."""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Kind, Nemesis, Rng
from nemesis.parameters import some_links

START_NS_MAX = 100 * MILLISECOND_NS
LENGTH_NS = (100 * MILLISECOND_NS, 1500 * MILLISECOND_NS)
CLIENTS, DISK, CLUSTER = "clients", "disk", "cluster"


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """Cut one pair of nodes, or a host from everything, and join it again."""
    links = both_ways(_pairs(rng, hosts))
    if rng.chance(1, 3):
        forward = rng.below(2)
        links = links[forward::2]
    start_ns = rng.below(START_NS_MAX)
    return cut_and_joined(start_ns, start_ns + rng.between(*LENGTH_NS), links)


def _pairs(rng: Rng, hosts: Sequence[str]) -> list[tuple[str, str]]:
    """What to separate: half of the time the hosts from each other."""
    between = [(one, other) for i, one in enumerate(hosts) for other in hosts[i + 1:]]
    if rng.chance(1, 8):
        return between + [(host, DISK) for host in hosts]       # the disk is out for everybody
    if rng.chance(1, 2):
        return [rng.choice(between)]
    host = rng.choice(hosts)
    if rng.chance(1, 3):
        return [pair for pair in between if host in pair] + [(host, DISK)]
    return [(host, rng.choice((DISK, CLIENTS, DISK, CLIENTS, CLUSTER)))]


def both_ways(pairs: list[tuple[str, str]]) -> list[list[str]]:
    """The links there and back, for each pair of nodes."""
    return [list(link) for pair in pairs for link in (pair, pair[::-1])]


def cut_and_joined(start_ns: int, end_ns: int, links: list[list[str]]) -> list[Fault]:
    """These links pass nothing for a while."""
    return [Fault(start_ns, "cut", {"links": links}), Fault(end_ns, "join", {"links": links})]


def cut(cluster: Cluster, value: Any) -> Any:
    """Cut the links."""
    cluster.cut([(source, to) for source, to in value["links"]])
    return {"cut": value["links"], "roles": cluster.roles()}


def join(cluster: Cluster, value: Any) -> Any:
    """Join the links."""
    cluster.join([(source, to) for source, to in value["links"]])
    return {"healed": value["links"]}


def heal(cluster: Cluster) -> None:
    """Everybody reaches everybody."""
    cluster.join(cluster.links())


LINKS = {"links": some_links()}
CUTS = {"cut": Kind(cut, LINKS), "join": Kind(join, LINKS)}
PARTITION = Nemesis(
    name="partition",
    meaning="links between hosts, services and clients pass nothing for a while, one way or both",
    faults=CUTS,
    episode=episode,
    heal=heal,
)
