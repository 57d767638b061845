"""The disk is out of reach: for one host, for both sides of the pair, or for everybody.

Where it cannot be reached, waiting is right: neither is silence a victory, nor is it a defeat.  The
hosts often lose each other as well, since who suspects nobody asks the disk for nothing.
"""

from __future__ import annotations

from typing import Sequence

from nemesis.nemesis import MILLISECOND_NS, Fault, Nemesis, Rng
from nemesis.partition import CUTS, DISK, START_NS_MAX, both_ways, cut_and_joined, heal

LENGTH_NS = (200 * MILLISECOND_NS, 2500 * MILLISECOND_NS)


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """Some hosts from the disk, requests or answers or both; often two hosts from each other."""
    number = rng.between(1, len(hosts))
    first = rng.below(len(hosts))
    struck = [hosts[(first + place) % len(hosts)] for place in range(number)]
    links = both_ways([(host, DISK) for host in struck])
    if rng.chance(1, 3):
        links = links[rng.below(2)::2]
    start_ns = rng.below(START_NS_MAX)
    faults = cut_and_joined(start_ns, start_ns + rng.between(*LENGTH_NS), links)
    if rng.chance(1, 2):
        apart = both_ways([(struck[0], hosts[(first + 1) % len(hosts)])])
        away_ns = rng.below(START_NS_MAX)
        faults += cut_and_joined(away_ns, away_ns + rng.between(*LENGTH_NS), apart)
    return sorted(faults, key=lambda fault: fault.delay_ns)


DISK_CUT = Nemesis(
    name="disk-cut",
    meaning="one host, several or all do not reach the disk, or are not reached by it",
    faults=CUTS,
    episode=episode,
    heal=heal,
)
