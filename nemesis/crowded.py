"""Crowded hosts: others compute there too, and most of all where the backup runs.

Where both processors are slow a guest is soon busy without pause, and a backup that gets half of
what the primary gets can keep up only if the primary is held back.
"""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Kind, Nemesis, Rng
from nemesis.parameters import whole
from nemesis.slow import TIMES_MAX, full_speed

START_NS_MAX = 50 * MILLISECOND_NS
LENGTH_NS = (3000 * MILLISECOND_NS, 5000 * MILLISECOND_NS)
TIMES = (1000, 2000)
LIVE, BACKUP_MORE = ("primary", "alone"), 2


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """Both are crowded for long enough that a lag which nobody bounds gets long."""
    start_ns = rng.below(START_NS_MAX)
    return [Fault(start_ns, "crowd", {"times": rng.choice(TIMES)}),
            Fault(start_ns + rng.between(*LENGTH_NS), "clear")]


def crowd(cluster: Cluster, value: Any) -> Any:
    """Slow down whoever is live and, twice as much, whoever is the backup now."""
    times = {name: value["times"] * (1 if role in LIVE else BACKUP_MORE)
             for name, role in cluster.roles().items() if role in (*LIVE, "backup")}
    for name, slower in times.items():
        cluster.slow(name, slower)
    return {"times": times} if times else {"nothing": "no host is live or backup"}


def heal(cluster: Cluster) -> None:
    """Everybody runs at full speed."""
    full_speed(cluster)


CROWDED = Nemesis(
    name="crowded",
    meaning="both hosts are slow for a while, the backup's even more, and the guest is busy",
    faults={"crowd": Kind(crowd, {"times": whole(1, TIMES_MAX // BACKUP_MORE)}),
            "clear": Kind(full_speed)},
    episode=episode,
    heal=heal,
)
