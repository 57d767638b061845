"""Services that fail: the shared disk's node or the cluster service crashes, or stands still.

What is on the disk outlives its node, the flags of the test-and-set included.  While it is away
nobody can go live and nothing is read or written; what it had done and not yet told is asked
again.  The cluster service remembers nothing: hosts tell it again that they are there.
"""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Kind, Nemesis, Rng
from nemesis.parameters import one_of
from nemesis.targets import healed

START_NS_MAX = 200 * MILLISECOND_NS
AWAY_NS = (50 * MILLISECOND_NS, 2000 * MILLISECOND_NS)
DISK, CLUSTER = "disk", "cluster"
DRAWN = (DISK, DISK, CLUSTER)


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """One service crashes, or stands still, and is back later."""
    start_ns = rng.below(START_NS_MAX)
    end_ns = start_ns + rng.between(*AWAY_NS)
    value = {"service": rng.choice(DRAWN)}
    if rng.chance(1, 3):
        return [Fault(start_ns, "pause-service", value), Fault(end_ns, "resume-services")]
    return [Fault(start_ns, "crash-service", value), Fault(end_ns, "restart-services")]


def crash_service(cluster: Cluster, value: Any) -> Any:
    """The service stops."""
    name = value["service"]
    if cluster.services()[name] != "up":
        return {"nothing": f"{name} is {cluster.services()[name]}"}
    cluster.crash(name)
    return {"died": {name: "service"}}


def pause_service(cluster: Cluster, value: Any) -> Any:
    """The service stands still."""
    name = value["service"]
    if cluster.services()[name] != "up" or name in cluster.standing():
        return {"nothing": f"{name} does not run"}
    cluster.pause(name)
    return {"paused": {name: "service"}}


def restart_services(cluster: Cluster, value: Any = None) -> Any:
    """Every crashed service comes back."""
    crashed = [name for name, state in cluster.services().items() if state == "crashed"]
    return healed(crashed, cluster.restart, "no service is crashed")


def resume_services(cluster: Cluster, value: Any = None) -> Any:
    """Every service that stands still goes on."""
    standing = [name for name in cluster.services() if name in cluster.standing()]
    return healed(standing, cluster.resume, "no service stands still")


def heal(cluster: Cluster) -> None:
    """All services run, but for those that are lost."""
    restart_services(cluster)
    resume_services(cluster)


SERVICE = {"service": one_of(DISK, CLUSTER)}
SERVICES = Nemesis(
    name="services",
    meaning="the disk's node or the cluster service crashes or stands still, and comes back",
    faults={"crash-service": Kind(crash_service, SERVICE),
            "pause-service": Kind(pause_service, SERVICE),
            "restart-services": Kind(restart_services),
            "resume-services": Kind(resume_services)},
    episode=episode,
    heal=heal,
)
