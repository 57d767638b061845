"""The simulated runtime: one heap of (time, order), virtual time in integer nanoseconds.

Same seed, same bytes.  A node executes ahead of the others only as far as nothing can reach it:
up to the next event in the heap, or the next moment another node could act plus the network's
smallest latency.  So every message, fault and interrupt hits a guest at the instruction that its
time says, and nothing is rounded to a step of the simulation.
"""

from __future__ import annotations

import heapq
from typing import Any, Callable, NamedTuple, Union

from vmft.blocks import Blocks
from vmft.cluster import ClusterService
from vmft.disk import DiskNode
from vmft.guests.build import Image, load
from vmft.local_disk import LocalDisk
from vmft.machine import Machine
from vmft.messages import (CLUSTER, DISK_NODE, SWITCH, Administer, Advertise, Effect, HostUp, Log,
                           Message, Note, Packet, Send)
from vmft.network import CLIENTS, LOOKAHEAD_NS, Link, Network, Ratio
from vmft.prng import Rng
from vmft.replica import Replica
from vmft.settings import DEFAULT, Settings

HOSTS = 3
HOST_NAMES = tuple(f"n{number}" for number in range(1, HOSTS + 1))
SKEW_NS_MAX = 2_000_000_000

MOMENT_TICKS_MAX = 10_000   # of all hosts together, at one moment: more is a host that never waits

Observer = Callable[[int, str, str, dict[str, Any]], None]


class StandsStill(Exception):
    """A host acts for ever at one moment: a defect of ours, which would hang the run."""


class Delivery(NamedTuple):
    """A message on its way, or about to leave at `left_ns`."""

    source: str
    to: str
    message: Message
    left_ns: int


class Reply(NamedTuple):
    """A frame that reached a client."""

    time_ns: int
    data: bytes


class Sim:
    """A pair, its disk, its network and its clients, in virtual time.

    `observe(time_ns, node, kind, data)` hears everything that happens, in order of time.  A single
    host runs the same machine without replication.
    """

    def __init__(self, guest: str | Image, *, seed: int, observe: Observer,
                 bugs: frozenset[str] = frozenset(), settings: Settings = DEFAULT,
                 hosts: int = HOSTS) -> None:
        rng = Rng(seed, "sim")
        self.rng = rng
        self.bugs = bugs
        self.settings = settings
        self.now_ns = 0
        self.observe = observe
        self.network = Network(rng.split("network"))
        self.failing: dict[str, Ratio] = {}     # hosts, and how many of their reads break off
        self._errors = rng.split("disk errors")
        self.disk = DiskNode(bugs, self._breaks_off)
        names = [f"n{number}" for number in range(1, hosts + 1)]
        self.cluster = ClusterService(dict.fromkeys(names, 1), bugs)
        self.service = names[0]     # where the switch sends frames for the service
        self.crashed: dict[str, int] = {}
        self.image = load(guest) if isinstance(guest, str) else guest
        self._boots = dict.fromkeys(names, 0)
        self.blocks = {name: Blocks() for name in names} if settings.disk == "local" else {}
        self.replicas = {name: self._boot(name, "spare") for name in names}
        if hosts == 1:
            self.replicas[names[0]] = self._boot(names[0], "alone")
        else:
            self.replicas[names[0]] = self._boot(names[0], "primary", peer=names[1])
            self.replicas[names[1]] = self._boot(names[1], "backup", peer=names[0])
        self._wakes: dict[str, int | None] = {name: 0 for name in self.replicas}
        self._heap: list[tuple[int, int, Union[Delivery, Reply]]] = []
        self._notes: list[tuple[int, int, str, str, dict[str, Any]]] = []
        self._order = 0
        self._still = 0             # ticks since time last went on
        for name, status in self.roles().items():
            self._note(0, name, "boot", {"role": status})

    def _boot(self, name: str, status: str, peer: str = "") -> Replica:
        """A host starts from nothing but its own disk, if it has one."""
        rng = self.rng.split(name)
        self._boots[name] += 1
        blocks = self.blocks.get(name)
        disk = LocalDisk(name, blocks, self._breaks_off) if blocks is not None else None
        return Replica(name, lambda: Machine(self.image, blocks), local_disk=disk, status=status,
                       peer=peer, bugs=self.bugs,
                       rng=rng.split(f"boot {self._boots[name]}"), settings=self.settings,
                       host_clock_ns=_clock(rng))

    # For the harness

    def send(self, data: bytes) -> None:
        """A client sends a frame to the service's address."""
        self._dispatch(CLIENTS, Send(self.now_ns, SWITCH, Packet(data)))

    def advance(self, until_ns: int) -> list[Reply]:
        """Let time pass until `until_ns`, or until a client receives something."""
        while True:
            event_ns = self._heap[0][0] if self._heap else until_ns
            node, wake_ns = self._next_wake()
            if min(event_ns, wake_ns) >= until_ns:
                break
            if event_ns <= wake_ns:
                self._flush(event_ns)
                replies = self._deliver()
                if replies:
                    return replies
            else:
                self._flush(wake_ns)
                self._tick(node, wake_ns, min(event_ns, until_ns))
        self._flush(until_ns)
        self.now_ns = until_ns
        return []

    def close(self) -> None:
        """Hand out the last observations."""
        self._flush(None)

    # For the nemesis

    def roles(self) -> dict[str, str]:
        """What each host is now: its replica's status, or "crashed"."""
        return {name: "crashed" if name in self.crashed else replica.status
                for name, replica in self.replicas.items()}

    def links(self) -> list[Link]:
        """Every ordered pair of nodes that talk to each other."""
        nodes = [*self.replicas, DISK_NODE, CLUSTER, CLIENTS]
        return [(one, other) for one in nodes for other in nodes
                if one != other and (one in self.replicas or other in self.replicas)]

    def crash(self, node: str) -> None:
        """A host stops, and what it had not put on the wire is lost."""
        self.crashed[node] = self.now_ns
        self._wakes[node] = None
        self._note(self.now_ns, node, "crash", {})
        for held in self.network.forget(node):
            self._dropped(self.now_ns, held.source, held.to, held.message, "lost with its sender")
        self._forget_unsent(node)

    def _forget_unsent(self, node: str) -> None:
        """What a host was still putting on the wire, as the pages of a clone, never leaves."""
        unsent = {order: event for _, order, event in self._heap
                  if isinstance(event, Delivery) and event.source == node
                  and event.left_ns > self.now_ns}
        for _, event in sorted(unsent.items()):
            self._dropped(self.now_ns, node, event.to, event.message, "lost with its sender")
        self._heap = [each for each in self._heap if each[1] not in unsent]
        heapq.heapify(self._heap)

    def restart(self, node: str) -> None:
        """A crashed host comes back, with nothing in its memory."""
        if self.crashed.pop(node, None) is None:
            return
        self.replicas[node] = self._boot(node, "spare")
        self.replicas[node].report_from(self.now_ns)
        self._wakes[node] = self.now_ns
        self._note(self.now_ns, node, "restart", {})

    def slow(self, node: str, times: int) -> None:
        """A host's processor is so many times slower; 1 is full speed."""
        self.replicas[node].slowdown = times
        self._note(self.now_ns, node, "slow", {"times": times})

    def fail_reads(self, node: str, numerator: int, denominator: int) -> None:
        """So many of a host's disk reads break off in the middle; 0 ends it."""
        self.failing[node] = Ratio(numerator, denominator)
        self._note(self.now_ns, node, "fail-reads", {"of": denominator, "fail": numerator})

    def administer(self, order: str, value: int = 0) -> None:
        """Give an order to whoever is live."""
        for name, replica in self.replicas.items():
            if replica.status in ("primary", "alone") and name not in self.crashed:
                self._push(self.now_ns, Delivery(
                    CLUSTER, name, Administer(order, value), self.now_ns))

    def cut(self, links: list[Link]) -> None:
        """Nothing passes these links any more."""
        self.network.cuts.update(links)
        self._note(self.now_ns, "network", "cut", {"links": links})

    def join(self, links: list[Link]) -> None:
        """These links pass again."""
        self.network.cuts.difference_update(links)
        self._note(self.now_ns, "network", "join", {"links": links})

    def lose(self, link: Link, numerator: int, denominator: int) -> None:
        """So many of the log messages on this link vanish."""
        self.network.lossy[link] = Ratio(numerator, denominator)
        self._note(self.now_ns, "network", "lose", {"link": link})

    def stall(self, link: Link) -> None:
        """Log messages on this link wait in the sender."""
        self.network.stalled.setdefault(link, [])
        self._note(self.now_ns, "network", "stall", {"link": link})

    def delay(self, link: Link, delay_ns: int) -> None:
        """Everything on this link takes so much longer; 0 ends it."""
        self.network.delays_ns[link] = delay_ns
        self._note(self.now_ns, "network", "delay", {"link": link, "delay_ns": delay_ns})

    def keep(self, link: Link) -> None:
        """The link loses and delays no log messages any more."""
        self.network.lossy.pop(link, None)
        self._note(self.now_ns, "network", "keep", {"link": link})
        for held in self.network.resume(link):
            self._dispatch(held.source, Send(self.now_ns, held.to, held.message))

    # Events

    def _next_wake(self) -> tuple[str, int]:
        """The host that acts next, and when; far away if none does."""
        best, best_ns = "", 1 << 62
        for name, wake_ns in self._wakes.items():
            if wake_ns is not None and wake_ns < best_ns:
                best, best_ns = name, wake_ns
        return best, best_ns

    def _tick(self, node: str, now_ns: int, limit_ns: int) -> None:
        self._still = self._still + 1 if now_ns == self.now_ns else 0
        if self._still > MOMENT_TICKS_MAX:
            raise StandsStill(f"{node} acts again and again at {now_ns} ns, seed {self.rng.seed}")
        self.now_ns = now_ns
        others = [ns for name, ns in self._wakes.items() if name != node and ns is not None]
        until_ns = min([limit_ns] + [ns + LOOKAHEAD_NS for ns in others])
        replica = self.replicas[node]
        self._perform(node, replica.tick(now_ns, until_ns))
        wake_ns = replica.wake_ns(now_ns)
        self._wakes[node] = None if wake_ns is None else max(wake_ns, now_ns)

    def _deliver(self) -> list[Reply]:
        """Take the first event of the heap."""
        at_ns, _, event = heapq.heappop(self._heap)
        self.now_ns = at_ns
        if isinstance(event, Reply):
            return [event]
        if event.to == DISK_NODE:
            self._perform(DISK_NODE, self.disk.handle(at_ns, event.source, event.message))
        elif event.to == CLUSTER:
            self._perform(CLUSTER, self.cluster.handle(at_ns, event.source, event.message))
        elif event.to in self.crashed or event.to not in self.replicas:
            self._dropped(at_ns, event.source, event.to, event.message, "nobody there")
        else:
            self.replicas[event.to].receive(at_ns, event.source, event.message)
            self._wakes[event.to] = at_ns
        return []

    def _breaks_off(self, host: str) -> bool:
        """Whether this host's next read fails."""
        ratio = self.failing.get(host)
        return ratio is not None and ratio.numerator > 0 and self._errors.chance(*ratio)

    def _perform(self, node: str, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Note):
                self._note(effect.at_ns, node, effect.kind, effect.data)
            else:
                self._dispatch(node, effect)

    def _dispatch(self, source: str, send: Send) -> None:
        """Put a message on the network."""
        message = send.message
        if isinstance(message, Advertise):
            self.service = source
            self._note(send.at_ns, source, "advertise", {"generation": message.generation})
            return
        to = send.to
        if to == SWITCH:
            to = self.service if source == CLIENTS else CLIENTS
            if source != CLIENTS:
                self.service = source       # the switch learns where frames come from
        arrival = self.network.route(send.at_ns, source, to, message)
        if isinstance(arrival, str):
            self._dropped(send.at_ns, source, to, message, arrival)
        elif to == CLIENTS:
            assert isinstance(message, Packet)
            self._push(arrival, Reply(arrival, message.data))
        else:
            self._push(arrival, Delivery(source, to, message, send.at_ns))

    def _push(self, at_ns: int, event: Union[Delivery, Reply]) -> None:
        self._order += 1
        heapq.heappush(self._heap, (at_ns, self._order, event))

    # Observations

    def _dropped(self, at_ns: int, source: str, to: str, message: Message, why: str) -> None:
        data: dict[str, Any] = {"to": to, "message": type(message).__name__, "why": why}
        if isinstance(message, Log):
            data |= {"first": message.first, "last": message.last}
        elif isinstance(message, Packet):
            data["request"] = int.from_bytes(message.data[:8], "little")
        if isinstance(message, HostUp):
            return
        self._note(at_ns, source, "stalled" if why == "stalled" else "drop", data)

    def _note(self, at_ns: int, node: str, kind: str, data: dict[str, Any]) -> None:
        self._order += 1
        heapq.heappush(self._notes, (at_ns, self._order, node, kind, data))

    def _flush(self, before_ns: int | None) -> None:
        """Hand out, in order of time, what no later observation can precede."""
        while self._notes and (before_ns is None or self._notes[0][0] < before_ns):
            at_ns, _, node, kind, data = heapq.heappop(self._notes)
            self.observe(at_ns, node, kind, data)


def _clock(rng: Rng) -> Callable[[int], int]:
    """A host's clock: virtual time, off by a constant of its own."""
    skew_ns = SKEW_NS_MAX + rng.split("clock").below(SKEW_NS_MAX)
    return lambda now_ns: now_ns + skew_ns
