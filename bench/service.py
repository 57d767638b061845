"""A client of a simulated service, for measuring: requests out, answers in, all in virtual time."""

from __future__ import annotations

from typing import Any

from harness.drive import FRAME_HEADER
from vmft.primary import Primary
from vmft.settings import DEFAULT, Settings
from vmft.sim import Sim
from workloads import WORKLOADS

START_NS = 5_000_000        # the guest is up by then


class Service:
    """A guest on `hosts` hosts: on one without replication, on two as a pair.

    `answered` holds when each request was answered; `events` what the hosts report, by kind.
    """

    def __init__(self, workload: str, hosts: int, settings: Settings = DEFAULT) -> None:
        self.workload = WORKLOADS[workload]
        self.answered: dict[int, int] = {}
        self.events: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        self.received_bytes = 0         # by the client
        self._numbers = 0
        self.sim = Sim(self.workload.guest, seed=1, observe=self._observe, settings=settings,
                       hosts=hosts)
        self.until(START_NS)

    def _observe(self, time_ns: int, node: str, kind: str, data: dict[str, Any]) -> None:
        self.events.setdefault(kind, []).append((time_ns, {**data, "node": node}))

    def send(self, f: str, value: Any) -> int:
        """Send a request; answers its number."""
        self._numbers += 1
        frame = FRAME_HEADER.pack(self._numbers, 0) + self.workload.encode(f, value)
        self.sim.send(frame)
        return self._numbers

    def advance(self, end_ns: int) -> list[int]:
        """Until this moment or until something arrives: the numbers of the requests answered."""
        numbers = []
        for reply in self.sim.advance(end_ns):
            self.received_bytes += len(reply.data)
            number, _ = FRAME_HEADER.unpack_from(reply.data)
            self.answered.setdefault(number, self.sim.now_ns)
            numbers.append(number)
        return numbers

    def until(self, end_ns: int) -> None:
        """Until this moment."""
        while self.sim.now_ns < end_ns:
            self.advance(end_ns)

    def call(self, f: str, value: Any) -> int:
        """Have one request answered; how long that took, in ns."""
        started_ns, number = self.sim.now_ns, self.send(f, value)
        while number not in self.answered:
            self.advance(self.sim.now_ns + START_NS)
        return self.sim.now_ns - started_ns

    @property
    def logged_bytes(self) -> int:
        """What the primary has logged; nothing without a backup."""
        role = self.sim.replicas["n1"].role
        return role.sender.bytes if isinstance(role, Primary) and role.sender is not None else 0
