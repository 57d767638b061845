"""The logging channel at its worst: its messages come twice, late, damaged, or hardly at all.

The paper leaves all that to TCP.  Here entries carry their number and a checksum, and whoever
receives them takes what continues what it has, nothing else.  Acknowledgements, too, may come twice
or late: one of long ago must not be taken for news.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

from nemesis.log_loss import channel, heal, keep
from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Kind, Link, Nemesis, Rng
from nemesis.parameters import Parameters, duration_ns, one_of, whole

START_NS_MAX = 50 * MILLISECOND_NS
LENGTH_NS = (100 * MILLISECOND_NS, 1200 * MILLISECOND_NS)
LATE_NS = (1 * MILLISECOND_NS, 400 * MILLISECOND_NS)
BYTES_PER_S = (20_000, 100_000, 500_000)
OF_MESSAGES = (1, 2, 5, 20)
WAYS = ("log", "acks")


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """One or two kinds of trouble, the log's or the acknowledgements', for a while."""
    start_ns = rng.below(START_NS_MAX)
    faults = [Fault(start_ns, *_trouble(rng)) for _ in range(rng.between(1, 2))]
    return [*faults, Fault(start_ns + rng.between(*LENGTH_NS), "keep")]


def _trouble(rng: Rng) -> tuple[str, dict[str, Any]]:
    f = rng.choice(("duplicate", "reorder", "corrupt", "throttle", "drop"))
    value: dict[str, Any] = {"way": rng.choice(WAYS)}
    if f == "throttle":
        return f, {**value, "bytes_per_s": rng.choice(BYTES_PER_S)}
    value |= {"messages": 1, "of_messages": rng.choice(OF_MESSAGES)}
    return f, {**value, "late_ns": rng.between(*LATE_NS)} if f == "reorder" else value


def _link(cluster: Cluster, value: Any) -> Link | None:
    """Where the log or its acknowledgements travel now."""
    link = channel(cluster)
    return link if link is None or value["way"] == "log" else link[::-1]


def _apply(strike: Callable[..., None], cluster: Cluster, value: Any, *amounts: int) -> Any:
    link = _link(cluster, value)
    if link is None:
        return {"nothing": "nobody logs to anybody"}
    strike(link, *amounts)
    return {**value, "link": list(link)}


def drop(cluster: Cluster, value: Any) -> Any:
    """Some messages vanish."""
    return _apply(cluster.lose, cluster, value, value["messages"], value["of_messages"])


def duplicate(cluster: Cluster, value: Any) -> Any:
    """Some messages come twice."""
    return _apply(cluster.duplicate, cluster, value, value["messages"], value["of_messages"])


def corrupt(cluster: Cluster, value: Any) -> Any:
    """Some messages come with a wrong bit."""
    return _apply(cluster.corrupt, cluster, value, value["messages"], value["of_messages"])


def reorder(cluster: Cluster, value: Any) -> Any:
    """Some messages come late, behind others."""
    return _apply(cluster.reorder, cluster, value, value["messages"], value["of_messages"],
                  value["late_ns"])


def throttle(cluster: Cluster, value: Any) -> Any:
    """There is little room; what finds the queue full vanishes."""
    return _apply(cluster.throttle, cluster, value, value["bytes_per_s"])


SOME: Parameters = {"way": one_of(*WAYS), "messages": whole(1, 1_000_000),
                    "of_messages": whole(1, 1_000_000)}
CHANNEL = Nemesis(
    name="channel",
    meaning="messages of the logging channel are lost, repeated, overtaken, damaged or crowded out",
    faults={"drop": Kind(drop, SOME), "duplicate": Kind(duplicate, SOME),
            "corrupt": Kind(corrupt, SOME),
            "reorder": Kind(reorder, {**SOME, "late_ns": duration_ns()}),
            "throttle": Kind(throttle, {"way": one_of(*WAYS),
                                        "bytes_per_s": whole(1, 1_000_000_000)}),
            "keep": Kind(keep)},
    episode=episode,
    heal=heal,
)
