"""Disk errors: a host's reads fail for a while, some or most of them; writes do not."""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Kind, Nemesis, Rng
from nemesis.parameters import some_hosts, whole

START_NS_MAX = 50 * MILLISECOND_NS
LENGTH_NS = (100 * MILLISECOND_NS, 1000 * MILLISECOND_NS)
OF_MAX = 1_000_000
CHANCES = ((1, 4), (3, 4))


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """One host's, or everybody's."""
    start_ns = rng.below(START_NS_MAX)
    struck = [rng.choice(hosts)] if rng.chance(2, 3) else list(hosts)
    numerator, denominator = rng.choice(CHANCES)
    return [Fault(start_ns, "fail-reads",
                  {"hosts": struck, "fail": numerator, "of": denominator}),
            Fault(start_ns + rng.between(*LENGTH_NS), "read-well")]


def fail_reads(cluster: Cluster, value: Any) -> Any:
    """The reads of these hosts fail."""
    for host in value["hosts"]:
        cluster.fail_reads(host, value["fail"], value["of"])
    return value


def read_well(cluster: Cluster, value: Any = None) -> Any:
    """Nobody's reads fail."""
    for host in cluster.roles():
        cluster.fail_reads(host, 0, 1)
    return {"healed": "disk reads"}


def heal(cluster: Cluster) -> None:
    """Nobody's reads fail."""
    read_well(cluster)


DISK_ERRORS = Nemesis(
    name="disk-errors",
    meaning="a host's disk reads break off in the middle",
    faults={"fail-reads": Kind(fail_reads, {"hosts": some_hosts(), "fail": whole(1, OF_MAX),
                                            "of": whole(1, OF_MAX)}),
            "read-well": Kind(read_well)},
    episode=episode,
    heal=heal,
)
