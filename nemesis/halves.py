"""Halves: all nodes fall apart into two groups that do not reach each other.

Services and clients are on one side or the other like hosts, so a group may have the clients and
not the disk: what looks alive to them cannot go live.
"""

from __future__ import annotations

from typing import Sequence

from nemesis.nemesis import Fault, Nemesis, Rng
from nemesis.parameters import SERVICES
from nemesis.partition import CUTS, LENGTH_NS, START_NS_MAX, both_ways, cut_and_joined, heal


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """Every node draws its side; the first host and one other node are never on the same one."""
    nodes = (*hosts, *SERVICES)
    sides = {node: rng.below(2) for node in nodes}
    sides[rng.choice(nodes[1:])] = 1 - sides[nodes[0]]
    apart = [(one, other) for place, one in enumerate(nodes) for other in nodes[place + 1:]
             if sides[one] != sides[other] and one in hosts]
    start_ns = rng.below(START_NS_MAX)
    return cut_and_joined(start_ns, start_ns + rng.between(*LENGTH_NS), both_ways(apart))


HALVES = Nemesis(
    name="halves",
    meaning="all nodes fall apart into two groups that do not reach each other",
    faults=CUTS,
    episode=episode,
    heal=heal,
)
