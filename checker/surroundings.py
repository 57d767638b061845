"""Hosts, services and links as the trace tells them: what is owed depends on what is broken.

A bound on failover, lag or redundancy counts from the latest change to any of these, because what
was under way may have failed with it.
"""

from __future__ import annotations

from typing import Iterable

from histories import Event

SLOWER_MAX = 20     # times: what the least share of the processor, 5 %, can make up for
DISK, CLUSTER = "disk", "cluster"

BECOMES = {"spare": "spare", "restart": "spare", "backup": "backup", "live": "live",
           "halt": "halted", "crash": "crashed", "off": "off", "refuse": "refusing"}
LINKS = ("cut", "join", "lose", "stall", "duplicate", "corrupt", "reorder", "throttle", "keep",
         "delay")
STOPS = {"down": "up", "pause": "resume"}       # what ends what
HOSTS = ("boot", *BECOMES, *STOPS, *STOPS.values())

# What a nemesis or an administrator does to hosts, services and links.
CHANGES = ("boot", "crash", "restart", "slow", "order", *LINKS, *STOPS, *STOPS.values(),
           "slow-disk", "cured")

Link = tuple[str, str]


class Surroundings:
    """What is broken, as far as the trace has been read."""

    def __init__(self) -> None:
        self.roles: dict[str, str] = {}
        self.cut: set[Link] = set()
        self.disturbed: set[Link] = set()       # what becomes of the log is not certain
        self.delayed: set[Link] = set()
        self.slower: dict[str, int] = {}        # by how many times, hosts that are
        self.stopped: dict[str, None] = {}      # paused hosts and services, services that are down

    def hear(self, event: Event) -> None:
        """Take one event into account."""
        if event.kind in HOSTS:
            self._host(event)
        elif event.kind in ("cut", "join"):
            change = self.cut.update if event.kind == "cut" else self.cut.difference_update
            change((one, other) for one, other in event.data["links"])
        elif event.kind in LINKS:
            links = self.delayed if event.kind == "delay" else self.disturbed
            over = event.kind == "keep" or event.data.get("delay_ns") == 0
            one, other = event.data["link"]
            (links.discard if over else links.add)((one, other))
        elif event.kind == "slow":
            self.slower[event.node] = event.data["times"]

    def _host(self, event: Event) -> None:
        if event.kind in STOPS:
            self.stopped[event.node] = None
            return
        if event.kind in ("crash", *STOPS.values()):
            self.stopped.pop(event.node, None)
        if event.kind in ("crash", "restart"):
            self.slower.pop(event.node, None)   # one that comes back is as fast as any
        if event.kind not in STOPS.values():
            self.roles[event.node] = BECOMES.get(event.kind) or event.data["role"]

    def reach(self, *nodes: str) -> bool:
        """Whether these nodes run and can talk to each other, both ways."""
        return not self.cut & _links(nodes) and not any(name in self.stopped for name in nodes)

    def too_slow(self, node: str, beside: str | None = None) -> bool:
        """Whether a host is so slow that the other one's least share is more than it has.

        Without another: so slow that nothing in due time can be expected of it.
        """
        other = 1 if beside is None else self.slower.get(beside, 1)
        return self.slower.get(node, 1) > SLOWER_MAX * other

    def fit(self, live: str) -> list[str]:
        """The hosts to which this one's machine could be cloned now."""
        return [name for name, role in self.roles.items() if role == "spare"
                and self.reach(live, name, CLUSTER)
                and not (self.disturbed | self.delayed) & _links((live, name))]


def _links(nodes: Iterable[str]) -> set[Link]:
    names = tuple(nodes)
    return {(one, other) for one in names for other in names if one != other}
