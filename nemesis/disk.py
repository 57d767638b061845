"""A disk that ails: writes fail or are torn, completions vanish or come late, it is slow, or full.

Reads that fail are a family of their own, nemesis.disk_errors: they strike every kind of disk,
these the shared one.
"""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Kind, Nemesis, Rng
from nemesis.parameters import Parameters, duration_ns, some_hosts, whole

START_NS_MAX = 100 * MILLISECOND_NS
LENGTH_NS = (50 * MILLISECOND_NS, 1000 * MILLISECOND_NS)
LATE_NS = (1 * MILLISECOND_NS, 400 * MILLISECOND_NS)
EXTRA_NS = (1 * MILLISECOND_NS, 200 * MILLISECOND_NS)
OF_REQUESTS = (1, 2, 4, 16)
ANY = 1_000_000
BY_CHANCE = ("fail-writes", "tear-writes", "lose-completions", "delay-completions")


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """One or two ailments, of one host's requests or of everybody's."""
    start_ns = rng.below(START_NS_MAX)
    faults = [Fault(start_ns, *_ailment(rng, hosts)) for _ in range(rng.between(1, 2))]
    return [*faults, Fault(start_ns + rng.between(*LENGTH_NS), "cure-disk")]


def _ailment(rng: Rng, hosts: Sequence[str]) -> tuple[str, dict[str, Any] | None]:
    f = rng.choice((*BY_CHANCE, "slow-disk", "fill-disk"))
    if f == "fill-disk":
        return f, None
    if f == "slow-disk":
        return f, {"extra_ns": rng.between(*EXTRA_NS)}
    value: dict[str, Any] = {
        "hosts": [rng.choice(hosts)] if rng.chance(1, 2) else list(hosts),
        "requests": 1, "of_requests": rng.choice(OF_REQUESTS)}
    return f, {**value, "late_ns": rng.between(*LATE_NS)} if f == BY_CHANCE[-1] else value


def _ail(f: str) -> Any:
    def ail(cluster: Cluster, value: Any) -> Any:
        """These hosts' requests suffer it."""
        if cluster.services()["disk"] == "lost":
            return {"nothing": "the disk is lost"}
        for host in value["hosts"]:
            cluster.ail(host, f, value["requests"], value["of_requests"], value.get("late_ns", 0))
        return value

    return ail


def slow_disk(cluster: Cluster, value: Any) -> Any:
    """Everything takes so much longer."""
    cluster.slow_disk(value["extra_ns"])
    return value


def fill_disk(cluster: Cluster, value: Any) -> Any:
    """There is no room any more."""
    cluster.fill_disk()
    return {"full": True}


def cure_disk(cluster: Cluster, value: Any = None) -> Any:
    """Nothing is wrong any more; the record says what was struck."""
    return {"healed": "the disk", "struck": cluster.cure()}


def heal(cluster: Cluster) -> None:
    """Nothing is wrong with the disk."""
    cure_disk(cluster)


SOME: Parameters = {"hosts": some_hosts(), "requests": whole(1, ANY), "of_requests": whole(1, ANY)}
DISK = Nemesis(
    name="disk",
    meaning="writes fail or are torn, completions vanish or come late, the disk is slow or full",
    faults={
        **{f: Kind(_ail(f), SOME) for f in BY_CHANCE[:-1]},
        BY_CHANCE[-1]: Kind(_ail(BY_CHANCE[-1]), {**SOME, "late_ns": duration_ns()}),
        "slow-disk": Kind(slow_disk, {"extra_ns": duration_ns()}),
        "fill-disk": Kind(fill_disk), "cure-disk": Kind(cure_disk)},
    episode=episode,
    heal=heal,
)
