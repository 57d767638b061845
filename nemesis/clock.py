"""Clocks: a host's clock jumps, or runs too fast or too slow.

The guest's own clock must not notice: it never goes back, and never runs on by more than has
passed, also when another host with another clock takes over.
"""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Kind, Nemesis, Rng
from nemesis.parameters import some_hosts, whole

START_NS_MAX = 200 * MILLISECOND_NS
LENGTH_NS = (100 * MILLISECOND_NS, 2500 * MILLISECOND_NS)
HOUR_NS = 3_600_000_000_000
JUMPS_NS = (50 * MILLISECOND_NS, 3_000 * MILLISECOND_NS, HOUR_NS)
PPM_MAX = 50_000
DRIFTS_PPM = (200, 10_000, PPM_MAX)


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """One host's clock, or everybody's by as much; it is set right later."""
    start_ns = rng.below(START_NS_MAX)
    struck = [rng.choice(hosts)] if rng.chance(2, 3) else list(hosts)
    sign = 1 if rng.chance(1, 2) else -1
    fault = Fault(start_ns, "jump-clock", {"hosts": struck, "by_ns": sign * rng.choice(JUMPS_NS)}) \
        if rng.chance(2, 3) else \
        Fault(start_ns, "drift-clock", {"hosts": struck, "by_ppm": sign * rng.choice(DRIFTS_PPM)})
    return [fault, Fault(start_ns + rng.between(*LENGTH_NS), "correct-clocks")]


def jump_clock(cluster: Cluster, value: Any) -> Any:
    """Set these hosts' clocks forward or back."""
    for host in value["hosts"]:
        cluster.jump_clock(host, value["by_ns"])
    return value


def drift_clock(cluster: Cluster, value: Any) -> Any:
    """Have these hosts' clocks gain or lose."""
    for host in value["hosts"]:
        cluster.drift_clock(host, value["by_ppm"])
    return value


def correct_clocks(cluster: Cluster, value: Any = None) -> Any:
    """All clocks are right, which is a jump for those that were not."""
    for host in cluster.roles():
        cluster.correct_clock(host)
    return {"healed": "all clocks"}


def heal(cluster: Cluster) -> None:
    """All clocks are right."""
    correct_clocks(cluster)


CLOCK = Nemesis(
    name="clock",
    meaning="a host's clock jumps, or runs too fast or too slow",
    faults={"jump-clock": Kind(jump_clock, {"hosts": some_hosts(),
                                            "by_ns": whole(-24 * HOUR_NS, 24 * HOUR_NS)}),
            "drift-clock": Kind(drift_clock, {"hosts": some_hosts(),
                                              "by_ppm": whole(-PPM_MAX, PPM_MAX)}),
            "correct-clocks": Kind(correct_clocks)},
    episode=episode,
    heal=heal,
)
