"""The virtual network: who can reach whom, how long it takes, and what gets lost.

Every ordered pair of nodes is a link of its own, in order like a TCP connection.  The clients are
one node here.  Faults are per link: cut (nothing passes), lossy (some log messages vanish), stalled
(log messages wait in the sender's buffers; they arrive when the stall ends, and vanish with the
sender when it dies first), slow (everything takes so much longer, in order).
"""

from __future__ import annotations

from typing import NamedTuple

from vmft.messages import Log, Message
from vmft.prng import Rng

CLIENTS = "clients"
LATENCY_NS = 90_000
JITTER_NS = 30_000
LOOKAHEAD_NS = 50_000       # no message is faster: what nodes do within it cannot interact
assert LOOKAHEAD_NS < LATENCY_NS

Link = tuple[str, str]


class Ratio(NamedTuple):
    """A chance as two integers."""

    numerator: int
    denominator: int


class Held(NamedTuple):
    """A message in the buffers of a stalled link."""

    source: str
    to: str
    message: Message


class Network:
    """The links between named nodes, and their faults."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.cuts: set[Link] = set()
        self.lossy: dict[Link, Ratio] = {}
        self.delays_ns: dict[Link, int] = {}
        self.stalled: dict[Link, list[Held]] = {}
        self._latest_ns: dict[Link, int] = {}

    def route(self, at_ns: int, source: str, to: str, message: Message) -> int | str:
        """When a message sent at `at_ns` arrives, or why it does not."""
        link = (source, to)
        if link in self.cuts:
            return "cut"
        if isinstance(message, Log):
            if link in self.stalled:
                self.stalled[link].append(Held(source, to, message))
                return "stalled"
            ratio = self.lossy.get(link)
            if ratio is not None and self.rng.chance(*ratio):
                return "lost"
        return self._arrival_ns(at_ns, link)

    def resume(self, link: Link) -> list[Held]:
        """End a stall: what waited may go on now."""
        return self.stalled.pop(link, [])

    def forget(self, node: str) -> list[Held]:
        """A node died: what still waited in its buffers is gone with it."""
        gone: list[Held] = []
        for link, waiting in self.stalled.items():
            if link[0] == node:
                gone += waiting
                waiting.clear()
        return gone

    def _arrival_ns(self, at_ns: int, link: Link) -> int:
        arrival_ns = at_ns + LATENCY_NS + self.rng.below(JITTER_NS) + self.delays_ns.get(link, 0)
        arrival_ns = max(arrival_ns, self._latest_ns.get(link, 0))
        self._latest_ns[link] = arrival_ns
        return arrival_ns
