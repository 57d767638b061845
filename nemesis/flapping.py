"""Flapping: links come and go, in the rhythm of the detector's patience.

Cut and joined again and again, each time for about as long as it takes to suspect somebody, so that
suspicions, answers and news of them cross each other.
"""

from __future__ import annotations

from typing import Sequence

from nemesis.nemesis import MILLISECOND_NS, Fault, Nemesis, Rng
from nemesis.partition import CUTS, DISK, START_NS_MAX, both_ways, cut_and_joined, heal

TIMES = (2, 6)
AWAY_NS = (20 * MILLISECOND_NS, 450 * MILLISECOND_NS)
BACK_NS = (1 * MILLISECOND_NS, 250 * MILLISECOND_NS)


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """One pair of nodes, both ways or one, several times."""
    host = rng.choice(hosts)
    links = both_ways([(host, rng.choice([DISK, *(each for each in hosts if each != host)]))])
    if rng.chance(1, 4):
        links = links[:1]
    faults, now_ns = [], rng.below(START_NS_MAX)
    for _ in range(rng.between(*TIMES)):
        end_ns = now_ns + rng.between(*AWAY_NS)
        faults += cut_and_joined(now_ns, end_ns, links)
        now_ns = end_ns + rng.between(*BACK_NS)
    return faults


FLAPPING = Nemesis(
    name="flapping",
    meaning="a link comes and goes, several times in a row",
    faults=CUTS,
    episode=episode,
    heal=heal,
)
