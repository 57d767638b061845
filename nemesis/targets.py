"""Whom a fault strikes: hosts by what they are at that moment, not by name."""

from __future__ import annotations

from typing import Any, Callable, Sequence

from nemesis.nemesis import Cluster
from nemesis.parameters import Parameters, one_of, whole

PICKS = 1 << 16
ABLE = ("primary", "backup")        # each could go on without the other
SIDES = (*ABLE, "either")


def by_role(*roles: str) -> Parameters:
    """The parameters of a fault that strikes one host: its role, and which one if several."""
    return {"target": one_of(*roles), "pick": whole(0, PICKS)}


def hosts_that_are(cluster: Cluster, target: str) -> list[str]:
    """The hosts that have this role now; "either" is any side of a pair."""
    wanted = ABLE if target == "either" else (target,)
    return [name for name, role in cluster.roles().items() if role in wanted]


def picked(cluster: Cluster, value: Any) -> str | None:
    """The host that a value means now, if any."""
    found = hosts_that_are(cluster, value["target"])
    return found[value["pick"] % len(found)] if found else None


def expendable(cluster: Cluster, value: Any) -> tuple[str | None, str]:
    """The host that a value means, unless no other could take over; or why there is none.

    The pair survives one failure at a time [paper 2.1].
    """
    if len(hosts_that_are(cluster, "either")) < len(ABLE):
        return None, "no second host could take over"
    return picked(cluster, value), f"no host is {value['target']}"


def healed(names: Sequence[str], heal: Callable[[str], None], nothing: str) -> dict[str, Any]:
    """Heal each host or service of these names; what to record, `nothing` if there are none."""
    for name in names:
        heal(name)
    return {"healed": list(names)} if names else {"nothing": nothing}
