"""What a nemesis can do to a simulated system: the faults of hosts, services and links.

A crashed host has lost its memory and what it had not put on the wire.  A paused one stands still:
what reaches it meanwhile waits at its door, and it goes on as if no time had passed, whoever has
gone live in between.  A lost one never comes back.  The disk node and the cluster service crash
and pause like hosts; what is on the disk stays there, what the service knew of its hosts is gone.
"""

from __future__ import annotations

import heapq
from abc import ABC, abstractmethod
from typing import Any, Callable, NamedTuple, Union

from vmft.ailments import Chance
from vmft.cluster import ClusterService
from vmft.disk import DiskNode
from vmft.host_clock import HostClock
from vmft.messages import CLUSTER, DISK_NODE, Administer, Message, Send
from vmft.network import CLIENTS, Link, Network, Ratio
from vmft.replica import Replica
from vmft.triggers import Strike, Trigger, Triggers

ASTRAY = ("primary", "backup", "contending")    # roles of a host that another one has superseded


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


class Departure(NamedTuple):
    """What a node will put on the network at `send.at_ns`, if it is still there then."""

    source: str
    send: Send


Happening = Union[Delivery, Departure, Reply, Strike]


class Faulty(ABC):
    """A system that faults can be done to; its subclass lets time pass.

    `crashed`, `paused` and `lost` name hosts and services, `paused` with what waits for them.
    """

    now_ns: int
    network: Network
    disk: DiskNode
    cluster: ClusterService
    replicas: dict[str, Replica]
    crashed: dict[str, int]
    lost: dict[str, None]
    paused: dict[str, list[Delivery]]
    failing: dict[str, Ratio]       # hosts, and how many of their reads break off
    _wakes: dict[str, int | None]
    triggers: Triggers
    clocks: dict[str, HostClock]
    _heap: list[tuple[int, int, Happening]]

    @abstractmethod
    def _boot(self, name: str, status: str, peer: str = "") -> Replica:
        """A host starts from nothing but its own disk, if it has one."""

    @abstractmethod
    def _dispatch(self, source: str, send: Send) -> None:
        """Put a message on the network."""

    @abstractmethod
    def _push(self, at_ns: int, event: Happening) -> None:
        """Have something happen at a moment."""

    @abstractmethod
    def _note(self, at_ns: int, node: str, kind: str, data: dict[str, Any]) -> None:
        """Tell the observer."""

    @abstractmethod
    def _unsay(self, node: str) -> None:
        """Take back what a node would have told from now on: it does not get there."""

    @abstractmethod
    def _dropped(self, at_ns: int, source: str, to: str, message: Message, why: str) -> None:
        """Tell the observer that a message got lost."""

    # What there is

    def roles(self) -> dict[str, str]:
        """What each host is now: its replica's status, or "crashed", "lost" or "superseded".

        Superseded is who takes part in a generation that the disk has given to another host, and
        may not know it yet.
        """
        return {name: self._role(name, replica) for name, replica in self.replicas.items()}

    def _role(self, name: str, replica: Replica) -> str:
        if name in self.crashed:
            return "lost" if name in self.lost else "crashed"
        winner = self.disk.winners.get((replica.role.generation, 0))
        astray = replica.status in ASTRAY and winner not in (None, name)
        return "superseded" if astray else replica.status

    def services(self) -> dict[str, str]:
        """What the disk node and the cluster service are now: "up", "crashed" or "lost"."""
        return {name: "lost" if name in self.lost else
                "crashed" if name in self.crashed else "up" for name in (DISK_NODE, CLUSTER)}

    def links(self) -> list[Link]:
        """Every ordered pair of nodes that talk to each other."""
        nodes = [*self.replicas, DISK_NODE, CLUSTER, CLIENTS]
        return [(one, other) for one in nodes for other in nodes
                if one != other and (one in self.replicas or other in self.replicas)]

    # Hosts and services

    def crash(self, node: str) -> None:
        """A host or a service stops, and what it had not put on the wire is lost."""
        self.crashed[node] = self.now_ns
        self.paused.pop(node, None)
        self._wakes[node] = None
        self._unsay(node)
        self._note(self.now_ns, node, "crash" if node in self.replicas else "down", {})
        for held in self.network.forget(node):
            self._dropped(self.now_ns, held.source, held.to, held.message, "lost with its sender")
        self._forget_unsent(node)

    def at_moment(self, moment: str, nth: int, after_ns: int,
                  strike: Callable[[str], None]) -> None:
        """Strike when a moment comes for the n-th time from now on, or so long after it.

        Moments are those of vmft.triggers; `strike` is told the host whose moment it is.
        """
        self.triggers.waiting.append(Trigger(moment, nth, after_ns, strike))

    def disarm(self) -> None:
        """What has not been struck yet is spared."""
        self.triggers.waiting.clear()
        self._heap[:] = [each for each in self._heap if not isinstance(each[2], Strike)]
        heapq.heapify(self._heap)

    def _forget_unsent(self, node: str) -> None:
        """What a host was still putting on the wire, as the pages of a clone, never leaves."""
        unsent = {order: event for _, order, event in self._heap
                  if isinstance(event, Delivery) and event.source == node
                  and event.left_ns > self.now_ns}
        self._heap[:] = [each for each in self._heap
                         if not isinstance(each[2], Departure) or each[2].source != node]
        for _, event in sorted(unsent.items()):
            self._dropped(self.now_ns, node, event.to, event.message, "lost with its sender")
        self._heap[:] = [each for each in self._heap if each[1] not in unsent]
        heapq.heapify(self._heap)

    def restart(self, node: str) -> None:
        """A crashed host or service comes back, with nothing in its memory."""
        if node in self.lost or self.crashed.pop(node, None) is None:
            return
        if node in self.replicas:
            self.replicas[node] = self._boot(node, "spare")
            self.replicas[node].report_from(self.now_ns)
            self._wakes[node] = self.now_ns
        elif node == CLUSTER:
            self.cluster = ClusterService(self.cluster.capacities, self.cluster.bugs)
        self._note(self.now_ns, node, "restart" if node in self.replicas else "up", {})

    def lose_host(self, node: str) -> None:
        """A host or a service stops for good, with all that it has."""
        self.lost[node] = None
        if node not in self.crashed:
            self.crash(node)

    def pause(self, node: str) -> None:
        """A host or a service stands still; what reaches it waits."""
        if node not in self.crashed and node not in self.paused:
            self.paused[node] = []
            self._wakes[node] = None
            self._note(self.now_ns, node, "pause", {})

    def resume(self, node: str) -> None:
        """It goes on where it stood, and hears now what has reached it meanwhile."""
        waiting = self.paused.pop(node, None)
        if waiting is None:
            return
        self._note(self.now_ns, node, "resume", {"heard": len(waiting)})
        for event in waiting:
            self._push(self.now_ns, event)
        if node in self.replicas:
            self._wakes[node] = self.now_ns

    def standing(self) -> list[str]:
        """The hosts and services that are paused."""
        return list(self.paused)

    def slow(self, node: str, times: int) -> None:
        """A host's processor is so many times slower; 1 is full speed."""
        if self.replicas[node].slowdown == times:
            return
        self.replicas[node].slowdown = times
        self._note(self.now_ns, node, "slow", {"times": times})

    def fail_reads(self, node: str, numerator: int, denominator: int) -> None:
        """So many of a host's disk reads break off in the middle; 0 ends it."""
        self.failing[node] = Ratio(numerator, denominator)
        self._note(self.now_ns, node, "fail-reads", {"of": denominator, "fail": numerator})

    def ail(self, node: str, ailment: str, numerator: int, denominator: int,
            late_ns: int = 0) -> None:
        """So many of a host's requests to the shared disk suffer this, of vmft.ailments."""
        self.disk.ailments.chances[node, ailment] = Chance(numerator, denominator, late_ns)
        self._note(self.now_ns, node, "ail", {"ailment": ailment, "of": denominator,
                                              "fail": numerator, "late_ns": late_ns})

    def slow_disk(self, extra_ns: int) -> None:
        """Everything that the shared disk does takes so much longer."""
        self.disk.ailments.extra_ns = extra_ns
        self._note(self.now_ns, DISK_NODE, "slow-disk", {"extra_ns": extra_ns})

    def fill_disk(self) -> None:
        """The shared disk has no room for blocks that it does not hold."""
        self.disk.ailments.full = True
        self._note(self.now_ns, DISK_NODE, "full", {})

    def cure(self) -> dict[str, int]:
        """Nothing is wrong with the disk any more; answers what has been struck, by ailment."""
        ailing = self.disk.ailments
        if ailing.chances or ailing.extra_ns or ailing.full:
            self._note(self.now_ns, DISK_NODE, "cured", {})
        return ailing.cure()

    def jump_clock(self, node: str, by_ns: int) -> None:
        """A host's clock is set forward, or back."""
        self.clocks[node].jump(by_ns)
        self._note(self.now_ns, node, "clock-jump", {"by_ns": by_ns})

    def drift_clock(self, node: str, by_ppm: int) -> None:
        """A host's clock gains so many parts in a million, or loses them."""
        self.clocks[node].drift(self.now_ns, by_ppm)
        self._note(self.now_ns, node, "clock-drift", {"by_ppm": by_ppm})

    def correct_clock(self, node: str) -> None:
        """A host's clock is right again."""
        self.clocks[node].correct(self.now_ns)

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
        if self.network.cuts.isdisjoint(links):
            return
        self.network.cuts.difference_update(links)
        self._note(self.now_ns, "network", "join", {"links": links})

    def lose(self, link: Link, numerator: int, denominator: int) -> None:
        """So many of the channel's messages on this link vanish."""
        self.network.disturbance(link).lose = Ratio(numerator, denominator)
        self._note(self.now_ns, "network", "lose", {"link": link})

    def duplicate(self, link: Link, numerator: int, denominator: int) -> None:
        """So many of the channel's messages on this link arrive twice."""
        self.network.disturbance(link).duplicate = Ratio(numerator, denominator)
        self._note(self.now_ns, "network", "duplicate", {"link": link})

    def corrupt(self, link: Link, numerator: int, denominator: int) -> None:
        """So many of the channel's messages on this link arrive with a wrong bit."""
        self.network.disturbance(link).corrupt = Ratio(numerator, denominator)
        self._note(self.now_ns, "network", "corrupt", {"link": link})

    def reorder(self, link: Link, numerator: int, denominator: int, late_ns: int) -> None:
        """So many of the channel's messages on this link are overtaken, for so long at most."""
        self.network.disturbance(link).reorder = Ratio(numerator, denominator)
        self.network.disturbance(link).late_ns = late_ns
        self._note(self.now_ns, "network", "reorder", {"link": link, "late_ns": late_ns})

    def throttle(self, link: Link, bytes_per_s: int) -> None:
        """The channel's messages on this link share so little room."""
        self.network.disturbance(link).bytes_per_s = bytes_per_s
        self._note(self.now_ns, "network", "throttle", {"link": link, "bytes_per_s": bytes_per_s})

    def stall(self, link: Link) -> None:
        """The channel's messages on this link wait in the sender."""
        self.network.stalled.setdefault(link, [])
        self._note(self.now_ns, "network", "stall", {"link": link})

    def delay(self, link: Link, delay_ns: int) -> None:
        """Everything on this link takes so much longer; 0 ends it."""
        if self.network.delays_ns.get(link, 0) == delay_ns:
            return
        self.network.delays_ns[link] = delay_ns
        self._note(self.now_ns, "network", "delay", {"link": link, "delay_ns": delay_ns})

    def keep(self, link: Link) -> dict[str, int]:
        """The link does nothing to the channel any more; answers what it did, by kind."""
        if link not in self.network.disturbed and link not in self.network.stalled:
            return {}
        hit = self.network.calm(link)
        self._note(self.now_ns, "network", "keep", {"link": link, **({"hit": hit} if hit else {})})
        for held in self.network.resume(link):
            self._dispatch(held.source, Send(self.now_ns, held.to, held.message))
        return hit
