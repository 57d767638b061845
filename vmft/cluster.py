"""The cluster service: knows the hosts, and picks one for a new backup.

Hosts report to it; a machine that runs alone asks it [paper 3.1].  A host is fit when it was heard
of lately, has room, and is not the one that asks: the two sides of a pair never share a host
[paper 3.3].  Among the fit it takes the one that was given the least.
"""

from __future__ import annotations

from vmft.messages import Effect, HostUp, Message, NeedBackup, Note, Place, Send
from vmft.settings import MILLISECOND_NS

SERVICE_NS = 100_000
SILENCE_NS = 1000 * MILLISECOND_NS      # after which a host is not counted on


class ClusterService:
    """Sans-IO; `capacities` is how many machines each host may run."""

    def __init__(self, capacities: dict[str, int], bugs: frozenset[str] = frozenset()) -> None:
        self.capacities = capacities
        self.bugs = bugs
        self.heard_ns: dict[str, int] = {}
        self.statuses: dict[str, HostUp] = {}
        self.placed: dict[str, int] = dict.fromkeys(capacities, 0)

    def handle(self, now_ns: int, source: str, message: Message) -> list[Effect]:
        """Take note of a host, or place a backup."""
        if isinstance(message, HostUp):
            self.heard_ns[source] = now_ns
            self.statuses[source] = message
        elif isinstance(message, NeedBackup):
            return self._place(now_ns, source, message)
        return []

    def _place(self, now_ns: int, source: str, request: NeedBackup) -> list[Effect]:
        done_ns = now_ns + SERVICE_NS
        fit = [host for host in self.capacities if self._fit(now_ns, host, source)
               and host not in request.refused]
        if source in fit:
            fit = [source]
        host = min(fit, key=lambda name: (self.placed[name], name), default="")
        if host:
            self.placed[host] += 1
        return [Note(done_ns, "place", {"generation": request.generation, "asked": source,
                                        "host": host, "fit": fit}),
                Send(done_ns, source, Place(request.generation, host))]

    def _fit(self, now_ns: int, host: str, source: str) -> bool:
        """Whether this host can take a machine of that source's pair."""
        if host == source:
            return "same-host" in self.bugs
        heard_ns = self.heard_ns.get(host)
        if heard_ns is None or now_ns - heard_ns > SILENCE_NS:
            return False
        return self.statuses[host].status == "spare" and self.capacities[host] > 0
