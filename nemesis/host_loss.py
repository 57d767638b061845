"""Host loss: a host is gone for good, and healing does not bring it back.

The machine moves on to the hosts that are left, until one is.  A plan may also take the last one,
or a service that all need; then service may be over, and the record says what was lost.
"""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Kind, Nemesis, Rng
from nemesis.parameters import SERVICES, one_of
from nemesis.targets import SIDES, by_role, expendable, picked

START_NS_MAX = 250 * MILLISECOND_NS
DRAWN = (*SIDES, "spare")
LOSABLE = SERVICES[:2]


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """One host; once in a while all of them, or a service."""
    if rng.chance(1, 50):
        return [Fault(rng.below(START_NS_MAX), "lose-all",
                      {"what": rng.choice(("hosts", *LOSABLE))})]
    return [Fault(rng.below(START_NS_MAX), "lose-host",
                  {"target": rng.choice(DRAWN), "pick": rng.below(2)})]


def lose_host(cluster: Cluster, value: Any) -> Any:
    """Lose the host that has the role now, unless no other could take over."""
    if value["target"] == "spare":
        victim, why = picked(cluster, value), "no host is spare"
    else:
        victim, why = expendable(cluster, value)
    if victim is None:
        return {"nothing": why}
    died = {victim: cluster.roles()[victim]}
    cluster.lose_host(victim)
    return {"died": died, "for_good": True}


def lose_all(cluster: Cluster, value: Any) -> Any:
    """Lose every host, or a service."""
    roles = {name: role for name, role in {**cluster.roles(), **cluster.services()}.items()
             if role != "lost" and (name in LOSABLE) == (value["what"] != "hosts")}
    died = roles if value["what"] == "hosts" else \
        {name: role for name, role in roles.items() if name == value["what"]}
    if not died:
        return {"nothing": f"{value['what']} lost already"}
    for name in died:
        cluster.lose_host(name)
    effect = {"died": died, "for_good": True}
    return {**effect, "copies_left": 0} if value["what"] == "hosts" else effect


def heal(cluster: Cluster) -> None:
    """What is lost stays lost."""


HOST_LOSS = Nemesis(
    name="host-loss",
    meaning="a host is gone for good, with all that it had",
    faults={"lose-host": Kind(lose_host, by_role(*DRAWN)),
            "lose-all": Kind(lose_all, {"what": one_of("hosts", *LOSABLE)})},
    episode=episode,
    heal=heal,
)
