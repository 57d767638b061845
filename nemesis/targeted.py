"""Targeted faults: they wait for a moment of the protocol, and strike in it.

Chance hits long states; what is over in microseconds it hardly ever does.  So these strike at the
n-th output, log entry, acknowledgement or instruction from now on, while a clone is under way, and
between the two halves of going live: between a suspicion and the test-and-set, and between winning
and the first output.
"""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Kind, Later, Nemesis, Rng
from nemesis.parameters import duration_ns, one_of, whole
from nemesis.partition import both_ways

MICROSECOND_NS = 1_000
START_NS_MAX = 300 * MILLISECOND_NS
LENGTH_NS = (300 * MILLISECOND_NS, 2500 * MILLISECOND_NS)
NTH_MAX = 1_000_000_000
# How far away each moment is when it is drawn; an idle guest executes little.
AT_WORK = {"output": 20, "release": 20, "entry": 100, "acknowledgement": 50, "instruction": 50_000}
# How long each of these may last: where in it to strike.
GOING_LIVE_NS = {"suspicion": 300 * MICROSECOND_NS, "victory": 400 * MICROSECOND_NS,
                 "live": 2 * MILLISECOND_NS, "clone": 20 * MILLISECOND_NS,
                 "switch": 500 * MICROSECOND_NS}
MOMENTS = (*AT_WORK, *GOING_LIVE_NS)
DEEDS = ("crash", "kill", "pause", "isolate", "cut-off")
GOING_ON = ("primary", "backup", "contending", "winner", "alone")
DISK = "disk"


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """One strike at work, and often another while somebody goes live because of it."""
    start_ns = rng.below(START_NS_MAX)
    moment = rng.choice([*AT_WORK])
    faults = [Fault(start_ns, "strike-at", {
        "moment": moment, "nth": rng.between(1, AT_WORK[moment]), "after_ns": 0,
        "do": rng.choice(("crash", "crash", "pause", "isolate", "cut-off")),
        "whom": rng.choice(("itself", "itself", "other"))})]
    if rng.chance(2, 3):
        moment = rng.choice([*GOING_LIVE_NS])
        faults.append(Fault(start_ns, "strike-at", {
            "moment": moment, "nth": 1, "after_ns": rng.below(GOING_LIVE_NS[moment]),
            "do": "kill" if rng.chance(1, 16) else rng.choice(("crash", "pause", "isolate",
                                                              "cut-off")),
            "whom": rng.choice(("itself", "itself", "other"))}))
    return [*faults, Fault(start_ns + rng.between(*LENGTH_NS), "let-go")]


def strike_at(cluster: Cluster, value: Any) -> Later:
    """Wait for the moment."""
    def strike(now: Cluster, host: str) -> Any:
        return {"moment": value["moment"], "host": host, **_strike(now, host, value)}

    return Later(value["moment"], value["nth"], value["after_ns"], strike)


def _strike(cluster: Cluster, host: str, value: Any) -> dict[str, Any]:
    """Do it to the host whose moment it is, or to another one that could go on."""
    roles = cluster.roles()
    others = [name for name, role in roles.items() if name != host and role in GOING_ON]
    if value["whom"] == "other":
        if not others:
            return {"nothing": "there is no other"}
        host, others = others[0], [host]
    if roles.get(host) in (None, "crashed", "lost"):
        return {"nothing": f"{host} is down"}
    if value["do"] == "crash" and not any(roles.get(name) in GOING_ON for name in others):
        return {"nothing": "no second host could take over"}
    if value["do"] in ("crash", "kill"):
        left = sum(roles.get(name) in GOING_ON for name in others)
        cluster.crash(host)
        return {"crashed": host, "role": roles[host], "copies_left": left}
    if value["do"] == "pause" and host in cluster.standing():
        return {"nothing": f"{host} stands still already"}
    if value["do"] == "pause":
        cluster.pause(host)
        return {"paused": {host: roles[host]}}
    ends = [name for name in roles if name != host] + [DISK] * (value["do"] == "cut-off")
    links = both_ways([(host, end) for end in ends])
    cluster.cut([(source, to) for source, to in links])
    return {"cut": links, "roles": roles}


def let_go(cluster: Cluster, value: Any = None) -> Any:
    """Whoever was struck is up, runs and is reached; who was not yet is spared."""
    cluster.disarm()
    crashed = [name for name, role in cluster.roles().items() if role == "crashed"]
    standing = cluster.standing()
    for name in crashed:
        cluster.restart(name)
    for name in standing:
        cluster.resume(name)
    cluster.join(cluster.links())
    return {"healed": [*crashed, *standing]}


def heal(cluster: Cluster) -> None:
    """Nothing waits, and nothing is left of what has struck."""
    let_go(cluster)


TARGETED = Nemesis(
    name="targeted",
    meaning="faults at the n-th output, entry, acknowledgement or instruction, inside a clone, and "
            "between the two halves of going live",
    faults={"strike-at": Kind(strike_at, {
        "moment": one_of(*MOMENTS), "nth": whole(1, NTH_MAX), "after_ns": duration_ns(),
        "do": one_of(*DEEDS), "whom": one_of("itself", "other")}),
        "let-go": Kind(let_go)},
    episode=episode,
    heal=heal,
)
