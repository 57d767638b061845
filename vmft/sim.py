"""The simulated runtime: one heap of (time, order), virtual time in integer nanoseconds.

Same seed, same bytes.  A node executes ahead of the others only as far as nothing can reach it:
up to the next event in the heap, or the next moment another node could act plus the network's
smallest latency.  So every message, fault and interrupt hits a guest at the instruction that its
time says, and nothing is rounded to a step of the simulation.
"""

from __future__ import annotations

import heapq
from typing import Any, Callable, Mapping

from vmft.ailments import Ailments
from vmft.blocks import SERVICE_NS, Blocks
from vmft.cluster import ClusterService
from vmft.cpu import Breakpoint
from vmft.disk import DiskNode
from vmft.faulty import Delivery, Departure, Faulty, Happening, Reply
from vmft.guests.build import Image, load
from vmft.host_clock import HostClock
from vmft.local_disk import LocalDisk
from vmft.machine import Machine
from vmft.messages import (CLUSTER, DISK_NODE, SWITCH, Advertise, Effect, HostUp, Log, Message,
                           Note, Packet, Send)
from vmft.network import CLIENTS, LOOKAHEAD_NS, Network
from vmft.primary import Primary
from vmft.prng import Rng
from vmft.replica import Replica
from vmft.settings import DEFAULT, Settings
from vmft.triggers import Strike, Triggers

HOSTS = 3
HOST_NAMES = tuple(f"n{number}" for number in range(1, HOSTS + 1))
SKEW_NS_MAX = 2_000_000_000

MOMENT_TICKS_MAX = 10_000   # of all hosts together, at one moment: more is a host that never waits

Observer = Callable[[int, str, str, dict[str, Any]], None]


class StandsStill(Exception):
    """A host acts for ever at one moment: a defect of ours, which would hang the run."""


class Sim(Faulty):
    """A pair, its disk, its network and its clients, in virtual time.

    `observe(time_ns, node, kind, data)` hears everything that happens, in order of time.  A single
    host runs the same machine without replication.  `breakpoints` are those of each host's
    machines.
    """

    def __init__(self, guest: str | Image, *, seed: int, observe: Observer,
                 bugs: frozenset[str] = frozenset(), settings: Settings = DEFAULT,
                 hosts: int = HOSTS, breakpoints: Mapping[str, Breakpoint] | None = None) -> None:
        rng = Rng(seed, "sim")
        self.rng = rng
        self.bugs = bugs
        self.settings = settings
        self._breakpoints = breakpoints or {}
        self.now_ns = 0
        self.observe = observe
        self.network = Network(rng.split("network"))
        self.failing = {}
        self._errors = rng.split("disk errors")
        self.disk = DiskNode(bugs, self._breaks_off, Ailments(rng.split("disk ailments")))
        names = [f"n{number}" for number in range(1, hosts + 1)]
        self.clocks = {name: HostClock(_skew_ns(rng.split(name))) for name in names}
        self.cluster = ClusterService(dict.fromkeys(names, 1), bugs)
        self.service = names[0]     # where the switch sends frames for the service
        self.crashed, self.lost, self.paused = {}, {}, {}
        self.image = load(guest) if isinstance(guest, str) else guest
        self._boots = dict.fromkeys(names, 0)
        self.blocks = {name: Blocks() for name in names} if settings.disk == "local" else {}
        self.replicas = {name: self._boot(name, "spare") for name in names}
        if hosts == 1:
            self.replicas[names[0]] = self._boot(names[0], "alone")
        else:
            self.replicas[names[0]] = self._boot(names[0], "primary", peer=names[1])
            self.replicas[names[1]] = self._boot(names[1], "backup", peer=names[0])
        self._wakes = {name: 0 for name in self.replicas}
        self._heap = []
        self.triggers = Triggers()
        self._notes: list[tuple[int, int, str, str, dict[str, Any]]] = []
        self._order = 0
        self._still = 0             # ticks since time last went on
        for name, status in self.roles().items():
            self._note(0, name, "boot", {"role": status})

    def _boot(self, name: str, status: str, peer: str = "") -> Replica:
        """A host starts from nothing but its own disk, if it has one."""
        rng = self.rng.split(name)
        self._boots[name] += 1
        blocks, stop = self.blocks.get(name), self._breakpoints.get(name)
        disk = LocalDisk(name, blocks, self._breaks_off) if blocks is not None else None
        return Replica(name, lambda: Machine(self.image, blocks, stop), local_disk=disk,
                       status=status, peer=peer, bugs=self.bugs,
                       rng=rng.split(f"boot {self._boots[name]}"), settings=self.settings,
                       host_clock_ns=self.clocks[name])

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
        until_ns = self.triggers.until_ns(replica, now_ns, until_ns)
        before = _position(replica)
        self._perform(node, replica.tick(now_ns, until_ns))
        if self.triggers.waiting and isinstance(replica.role, Primary):
            reached = self.triggers.executed(node, _position(replica) - before)
            self._set_off(max(now_ns, replica.role.busy_ns), reached)
        wake_ns = replica.wake_ns(now_ns)
        self._wakes[node] = None if wake_ns is None else max(wake_ns, now_ns)

    def _deliver(self) -> list[Reply]:
        """Take the first event of the heap."""
        at_ns, _, event = heapq.heappop(self._heap)
        self.now_ns = at_ns
        if isinstance(event, Reply):
            return [event]
        if isinstance(event, Departure):
            self._dispatch(event.source, event.send)
            return []
        if isinstance(event, Strike):
            event.trigger.strike(event.node)
            return []
        if event.to in self.paused:
            self.paused[event.to].append(event)
        elif event.to in self.crashed:
            self._dropped(at_ns, event.source, event.to, event.message, "nobody there")
        elif event.to == DISK_NODE:
            self._perform(DISK_NODE, self.disk.handle(at_ns, event.source, event.message))
        elif event.to == CLUSTER:
            self._perform(CLUSTER, self.cluster.handle(at_ns, event.source, event.message))
        elif event.to not in self.replicas:
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
            elif node == DISK_NODE and effect.at_ns > self.now_ns + SERVICE_NS:
                self._push(effect.at_ns, Departure(node, effect))   # others may overtake it
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
        arrivals = self.network.route(send.at_ns, source, to, message)
        if isinstance(arrivals, str):
            self._dropped(send.at_ns, source, to, message, arrivals)
            return
        for time_ns, arriving in arrivals:
            if to == CLIENTS:
                assert isinstance(arriving, Packet)
                self._push(time_ns, Reply(time_ns, arriving.data))
            else:
                self._push(time_ns, Delivery(source, to, arriving, send.at_ns))

    def _push(self, at_ns: int, event: Happening) -> None:
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
        if self.triggers.waiting:
            self._set_off(at_ns, self.triggers.observe(node, kind, data))

    def _set_off(self, at_ns: int, strikes: list[Strike]) -> None:
        """Have these triggers strike in their time."""
        for strike in strikes:
            self._push(max(at_ns, self.now_ns) + strike.trigger.after_ns, strike)

    def _unsay(self, node: str) -> None:
        """A host may have executed ahead by a few microseconds, which have not been."""
        if node in self.replicas:
            self._notes = [each for each in self._notes
                           if each[2] != node or each[0] <= self.now_ns]
            heapq.heapify(self._notes)

    def _flush(self, before_ns: int | None) -> None:
        """Hand out, in order of time, what no later observation can precede."""
        while self._notes and (before_ns is None or self._notes[0][0] < before_ns):
            at_ns, _, node, kind, data = heapq.heappop(self._notes)
            self.observe(at_ns, node, kind, data)


def _position(replica: Replica) -> int:
    machine = replica.machine
    return 0 if machine is None else machine.position


def _skew_ns(rng: Rng) -> int:
    """How far a host's clock is off, by a constant of its own."""
    return SKEW_NS_MAX + rng.split("clock").below(SKEW_NS_MAX)
