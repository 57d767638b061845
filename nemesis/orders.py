"""Administrators at work: orders that a pair must carry out without losing anything.

A planned failover, a move to another host and a smaller share of the processor are no faults, but
the moments at which they are carried out are as delicate.  Switching off is for good.
"""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Kind, Nemesis, Rng
from nemesis.parameters import one_of, optional, whole

START_NS_MAX = 200 * MILLISECOND_NS
WHOLE_PERCENT = 100
SHARES_PERCENT = (20, 50, WHOLE_PERCENT)
ORDERS = ("failover", "share", "power-off")
MOVES = ("move-primary", "move-backup")
PICKS = 1 << 16


def order(cluster: Cluster, value: Any) -> Any:
    """Give an order to whoever is live."""
    live = [name for name, role in cluster.roles().items() if role in ("primary", "alone")]
    if not live:
        return {"nothing": "nobody is live"}
    usual = WHOLE_PERCENT if value["order"] == "share" else 0
    cluster.administer(value["order"], value.get("value", usual))
    return {"told": live}


def move(cluster: Cluster, value: Any) -> Any:
    """Have one side of the pair move to a host that is free."""
    free = [name for name, role in cluster.roles().items() if role == "spare"]
    if not free:
        return {"nothing": "no host is free"}
    host = free[value["pick"] % len(free)]
    told = order(cluster, {"order": value["order"], "value": int(host[1:])})
    return {**told, "to": host} if "told" in told else told


def planned_failover(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """The primary hands over to its backup."""
    return [Fault(rng.below(START_NS_MAX), "order", {"order": "failover"})]


def share(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """The machine gets another share of the processor."""
    return [Fault(rng.below(START_NS_MAX), "order",
                  {"order": "share", "value": rng.choice(SHARES_PERCENT)})]


def moves(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """One side of the pair moves."""
    return [Fault(rng.below(START_NS_MAX), "move",
                  {"order": rng.choice(MOVES), "pick": rng.below(PICKS)})]


def power_off(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """The machine is switched off; nobody may bring it back."""
    return [Fault(rng.below(START_NS_MAX), "order", {"order": "power-off"})]


def _restore(cluster: Cluster) -> None:
    cluster.administer("share", WHOLE_PERCENT)


def _nothing(cluster: Cluster) -> None:
    """There is nothing to heal."""


ORDERED = {"order": Kind(order, {
    "order": one_of(*ORDERS), "value": optional(whole(1, WHOLE_PERCENT))})}

FAILOVER = Nemesis(name="failover", meaning="the primary hands over to its backup, on purpose",
                   faults=ORDERED, episode=planned_failover, heal=_nothing)
SHARE = Nemesis(name="share", meaning="the machine gets a smaller or larger share of the processor",
                faults=ORDERED, episode=share, heal=_restore)
MOVE = Nemesis(name="move", meaning="the primary or the backup moves to another host",
               faults={"move": Kind(move, {"order": one_of(*MOVES), "pick": whole(0, PICKS)})},
               episode=moves, heal=_nothing)
POWER_OFF = Nemesis(name="power-off", meaning="the machine is switched off, for good",
                    faults=ORDERED, episode=power_off, heal=_nothing)
