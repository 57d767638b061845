"""Log loss: entries vanish on the logging channel, or wait in the primary and die with it.

The channel sends again what was not acknowledged, so a loss alone is only a delay.  It is what a
crash in the middle of it leaves behind that matters: a log whose tail is missing.
"""

from __future__ import annotations

from typing import Any, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Kind, Link, Nemesis, Rng

START_NS_MAX = 20 * MILLISECOND_NS
LENGTH_NS = (200 * MILLISECOND_NS, 500 * MILLISECOND_NS)


def episode(rng: Rng, hosts: Sequence[str]) -> list[Fault]:
    """A while in which the log does not get through, in one of three ways."""
    start_ns = rng.below(START_NS_MAX)
    how = rng.choice(("drop-all", "drop-some", "truncate"))
    return [Fault(start_ns, how), Fault(start_ns + rng.between(*LENGTH_NS), "keep")]


def channel(cluster: Cluster) -> Link | None:
    """The link that log entries travel on now, from the primary to the backup."""
    roles = cluster.roles()
    primary = next((name for name, role in roles.items() if role == "primary"), None)
    backup = next((name for name, role in roles.items() if role == "backup"), None)
    return None if primary is None or backup is None else (primary, backup)


def _drop(cluster: Cluster, numerator: int, denominator: int) -> Any:
    link = channel(cluster)
    if link is None:
        return {"nothing": "nobody logs to anybody"}
    cluster.lose(link, numerator, denominator)
    return {"link": list(link), "lost": f"{numerator} of {denominator}"}


def drop_all(cluster: Cluster, value: Any) -> Any:
    """Every log message vanishes."""
    return _drop(cluster, 1, 1)


def drop_some(cluster: Cluster, value: Any) -> Any:
    """Two of three log messages vanish."""
    return _drop(cluster, 2, 3)


def truncate(cluster: Cluster, value: Any) -> Any:
    """Log messages wait in the primary: if it dies, the tail of the log dies with it."""
    link = channel(cluster)
    if link is None:
        return {"nothing": "nobody logs to anybody"}
    cluster.stall(link)
    return {"link": list(link)}


def keep(cluster: Cluster, value: Any = None) -> Any:
    """The log gets through again; the record says what had become of it."""
    struck = {f"{source}->{to}": hit for source, to in cluster.links()
              if (hit := cluster.keep((source, to)))}
    return {"healed": "the log", "struck": struck}


def heal(cluster: Cluster) -> None:
    """The log gets through again, for good."""
    keep(cluster)


LOG_LOSS = Nemesis(
    name="log-loss",
    meaning="log entries are dropped on the channel, or its tail is cut off by a crash",
    faults={"drop-all": Kind(drop_all), "drop-some": Kind(drop_some),
            "truncate": Kind(truncate), "keep": Kind(keep)},
    episode=episode,
    heal=heal,
)
