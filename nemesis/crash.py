"""Crashes: a host stops for good, with whatever it had not put on the wire.

The pair survives one failure [paper 2.1], so the last host that could still serve is spared, and
the record says so.
"""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Nemesis, Rng, nothing

TARGETS = ("primary", "backup", "either")
DELAY_NS_MAX = 250 * MILLISECOND_NS
ABLE = ("primary", "backup")


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """One crash; the primary's is the most telling."""
    target = "primary" if rng.chance(1, 2) else rng.choice(TARGETS)
    return [Fault(rng.below(DELAY_NS_MAX), "crash", {"target": target, "pick": rng.below(2)})]


def crash(cluster: Cluster, value: Any) -> Any:
    """Crash the host that has the role now, unless no other could take over."""
    roles = cluster.roles()
    able = [name for name, role in roles.items() if role in ABLE]
    if len(able) < 2:
        return {"nothing": "no second host could take over"}
    wanted = [name for name in able if value["target"] in (roles[name], "either")]
    if not wanted:
        return {"nothing": f"no host is {value['target']}"}
    victim = wanted[value["pick"] % len(wanted)]
    cluster.crash(victim)
    return {"crashed": victim, "role": roles[victim]}


CRASH = Nemesis(
    name="crash",
    meaning="a host stops for good: the primary, the backup, or either",
    faults={"crash": crash},
    episode=episode,
    heal=nothing,
)
