"""Slow hosts: the backup's processor is many times slower for a while, and falls behind."""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Kind, Nemesis, Rng
from nemesis.parameters import whole

START_NS_MAX = 50 * MILLISECOND_NS
LENGTH_NS = (200 * MILLISECOND_NS, 2000 * MILLISECOND_NS)
TIMES_MAX = 1_000_000
TIMES = (100, 5000, 20_000, 200_000)


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """The backup is slow for a while."""
    start_ns = rng.below(START_NS_MAX)
    return [Fault(start_ns, "slow", {"times": rng.choice(TIMES)}),
            Fault(start_ns + rng.between(*LENGTH_NS), "full-speed")]


def slow(cluster: Cluster, value: Any) -> Any:
    """Slow down whoever is the backup now."""
    backup = next((name for name, role in cluster.roles().items() if role == "backup"), None)
    if backup is None:
        return {"nothing": "no host is backup"}
    cluster.slow(backup, value["times"])
    return {"host": backup, "times": value["times"]}


def full_speed(cluster: Cluster, value: Any = None) -> Any:
    """Everybody runs at full speed."""
    for name in cluster.roles():
        cluster.slow(name, 1)
    return {"healed": "all hosts"}


def heal(cluster: Cluster) -> None:
    """Everybody runs at full speed."""
    full_speed(cluster)


SLOW = Nemesis(
    name="slow",
    meaning="the backup's processor is many times slower for a while",
    faults={"slow": Kind(slow, {"times": whole(1, TIMES_MAX)}), "full-speed": Kind(full_speed)},
    episode=episode,
    heal=heal,
)
