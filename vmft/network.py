"""The virtual network: who can reach whom, how long it takes, and what gets lost.

Every ordered pair of nodes is a link of its own, in order like a TCP connection.  The clients are
one node here.  Faults are per link: cut (nothing passes), stalled (log messages wait in the
sender's buffers; they arrive when the stall ends, and vanish with the sender when it dies first),
slow (everything takes so much longer, in order), and the disturbances of the logging channel, which
strike log messages one way and acknowledgements the other.

What a link did to the channel's messages is counted, so that a fault can be told as it was.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from vmft.messages import Ack, Log, Message
from vmft.prng import Rng

CLIENTS = "clients"
LATENCY_NS = 90_000
JITTER_NS = 30_000
LOOKAHEAD_NS = 50_000       # no message is faster: what nodes do within it cannot interact
assert LOOKAHEAD_NS < LATENCY_NS
AGAIN_NS_MAX = 50_000_000   # within which the second copy of a message arrives
QUEUE_NS_MAX = 200_000_000  # what would wait longer for a throttled link is lost
HEADER_BYTES = 60           # of a message, beside the records that it carries
SECOND_NS = 1_000_000_000

Link = tuple[str, str]


class Ratio(NamedTuple):
    """A chance as two integers."""

    numerator: int
    denominator: int


NEVER = Ratio(0, 1)


@dataclass
class Disturbance:
    """What a link does to messages of the logging channel; `bytes_per_s` 0 is no limit."""

    lose: Ratio = NEVER
    duplicate: Ratio = NEVER
    corrupt: Ratio = NEVER
    reorder: Ratio = NEVER
    late_ns: int = 0
    bytes_per_s: int = 0


class Held(NamedTuple):
    """A message in the buffers of a stalled link."""

    source: str
    to: str
    message: Message


class Arrival(NamedTuple):
    """A message, and when it arrives."""

    time_ns: int
    message: Message


class Network:
    """The links between named nodes, and their faults."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.cuts: set[Link] = set()
        self.disturbed: dict[Link, Disturbance] = {}
        self.delays_ns: dict[Link, int] = {}
        self.stalled: dict[Link, list[Held]] = {}
        self.hit: dict[Link, Counter[str]] = {}
        self._latest_ns: dict[Link, int] = {}
        self._free_ns: dict[Link, int] = {}     # when a throttled link can take more

    def route(self, at_ns: int, source: str, to: str, message: Message) -> list[Arrival] | str:
        """What arrives of a message sent at `at_ns`, and when; or why nothing does."""
        link = (source, to)
        if link in self.cuts:
            return "cut"
        if isinstance(message, (Log, Ack)):
            if link in self.stalled:
                self.stalled[link].append(Held(source, to, message))
                self._count(link, "stalled")
                return "stalled"
            if link in self.disturbed:
                return self._disturb(at_ns, link, self.disturbed[link], message)
        return [Arrival(self._arrival_ns(at_ns, link), message)]

    def disturbance(self, link: Link) -> Disturbance:
        """What this link does to the channel, to be changed."""
        return self.disturbed.setdefault(link, Disturbance())

    def calm(self, link: Link) -> dict[str, int]:
        """End all disturbances of a link; answers how many messages each kind has struck."""
        self.disturbed.pop(link, None)
        self._free_ns.pop(link, None)
        return dict(self.hit.pop(link, {}))

    def _disturb(self, at_ns: int, link: Link, how: Disturbance,
                 message: Log | Ack) -> list[Arrival] | str:
        """Do to one message of the channel whatever chance has for it."""
        if self._strikes(link, how.lose, "lost"):
            return "lost"
        if how.bytes_per_s:
            begin_ns = max(at_ns, self._free_ns.get(link, 0))
            if begin_ns > at_ns + QUEUE_NS_MAX:
                self._count(link, "crowded out")
                return "crowded out"
            at_ns = begin_ns + size_of(message) * SECOND_NS // how.bytes_per_s
            self._free_ns[link] = at_ns
        if self._strikes(link, how.corrupt, "damaged"):
            damaged = self._damage(message)
            if damaged is None:
                return "damaged"
            message = damaged
        if self._strikes(link, how.reorder, "reordered"):
            arrivals = [Arrival(self._flight_ns(at_ns, link) + self.rng.below(how.late_ns + 1),
                                message)]
        else:
            arrivals = [Arrival(self._arrival_ns(at_ns, link), message)]
        if self._strikes(link, how.duplicate, "duplicated"):
            again_ns = arrivals[0].time_ns + self.rng.below(AGAIN_NS_MAX)
            arrivals.append(Arrival(again_ns, message))
        return arrivals

    def _strikes(self, link: Link, chance: Ratio, what: str) -> bool:
        if chance.numerator == 0 or not self.rng.chance(*chance):
            return False
        self._count(link, what)
        return True

    def _count(self, link: Link, what: str) -> None:
        self.hit.setdefault(link, Counter())[what] += 1

    def _damage(self, message: Log | Ack) -> Log | None:
        """One bit of the records is wrong; a message without any shows by its frame's checksum."""
        if isinstance(message, Ack) or not message.records:
            return None
        bit = self.rng.below(8 * len(message.records))
        records = bytearray(message.records)
        records[bit // 8] ^= 1 << bit % 8
        return message._replace(records=bytes(records))

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

    def _flight_ns(self, at_ns: int, link: Link) -> int:
        return at_ns + LATENCY_NS + self.rng.below(JITTER_NS) + self.delays_ns.get(link, 0)

    def _arrival_ns(self, at_ns: int, link: Link) -> int:
        arrival_ns = max(self._flight_ns(at_ns, link), self._latest_ns.get(link, 0))
        self._latest_ns[link] = arrival_ns
        return arrival_ns


def size_of(message: Log | Ack) -> int:
    """What a message of the channel takes on a wire, in bytes."""
    return HEADER_BYTES + (len(message.records) if isinstance(message, Log) else 0)
