"""A small language for scenarios on a pair: ask, wait, break, join, and look at what happened.

    pair = Pair()
    pair.inc()
    pair.run(100)
    pair.crash("n1")

Times are milliseconds of virtual time.  Everything that the pair says of itself is in `trace`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from checker import Verdict
from checker.check import check_all
from harness.drive import FRAME_HEADER
from harness.run import CHECKS
from histories import Event, History, Op, Trace
from vmft.backup import Backup
from vmft.settings import DEFAULT, MILLISECOND_NS, Settings
from vmft.sim import Sim
from workloads import WORKLOADS

INC, READ = 1, 2
ABOUT_CLIENTS = ("stats", "vacuity")
RULES = {name: check for name, check in CHECKS.items() if name not in ABOUT_CLIENTS}


class Record(NamedTuple):
    """What the rules are judged by."""

    test: dict[str, Any]
    history: History
    trace: Trace


class Pair:
    """Two hosts, n1 (the first primary) and n2, their disk, and one client that never waits.

    More hosts are spares.  `workload` names the guest, and what its clients may call.
    """

    def __init__(self, *bugs: str, settings: Settings = DEFAULT, seed: int = 1,
                 hosts: int = 2, workload: str = "counter") -> None:
        self.workload = WORKLOADS[workload]
        self.options = {"disk": settings.disk, "disk_reads": settings.disk_reads}
        self.trace = Trace()
        self.ops: list[Op] = []
        self.answers: dict[int, list[int]] = {}
        self.sim = Sim(self.workload.guest, seed=seed, observe=self._observe, bugs=frozenset(bugs),
                       settings=settings, hosts=hosts)

    def _observe(self, time_ns: int, node: str, kind: str, data: dict[str, Any]) -> None:
        self.trace.append(Event(time_ns, node, kind, data))

    # The client

    def inc(self) -> int:
        """Ask for an increment; answers the request's number."""
        return self.ask(INC)

    def ask(self, op: int) -> int:
        """Send a counter's request."""
        return self.call("inc" if op == INC else "read")

    def call(self, f: str, value: Any = None) -> int:
        """Send a request, as a process of its own; answers its number, the index of its op."""
        number = len(self.ops)
        self.ops.append(Op(number, "invoke", f, value, self.sim.now_ns, number))
        self.answers[number] = []
        self.sim.send(FRAME_HEADER.pack(number, 0) + self.workload.encode(f, value))
        return number

    def run(self, milliseconds: int) -> None:
        """Let time pass."""
        self.until(self.sim.now_ns + milliseconds * MILLISECOND_NS)

    def until(self, end_ns: int) -> None:
        """Let time pass until this moment."""
        while self.sim.now_ns < end_ns:
            for reply in self.sim.advance(end_ns):
                self._answered(reply.data)

    def _answered(self, frame: bytes) -> None:
        """A frame came; its first answer ends the call."""
        number, _ = FRAME_HEADER.unpack_from(frame)
        if not self.answers[number]:
            op = self.ops[number]
            done = self.workload.decode(op.f, op.value, frame[FRAME_HEADER.size:])
            self.ops.append(Op(number, done.type, op.f, done.value, self.sim.now_ns,
                               len(self.ops), done.error))
        self.answers[number].append(int.from_bytes(frame[20:28], "little"))

    # Faults

    def crash(self, node: str) -> None:
        """A host is gone."""
        self.sim.crash(node)

    def cut(self, *links: str) -> None:
        """Cut links, each written as `n1->n2` or `n1--n2` for both ways."""
        self.sim.cut([link for text in links for link in parse(text)])

    def join(self, *links: str) -> None:
        """Join links."""
        self.sim.join([link for text in links for link in parse(text)])

    def slow_backup(self, milliseconds: int) -> None:
        """The backup executes nothing for so long; it still receives."""
        backup = self.sim.replicas["n2"].role
        assert isinstance(backup, Backup)
        backup.busy_ns = self.sim.now_ns + milliseconds * MILLISECOND_NS

    # What happened

    def role(self, node: str) -> str:
        """What a host is now."""
        return self.sim.roles()[node]

    def position(self, node: str) -> int:
        """How far a host's machine has got."""
        machine = self.sim.replicas[node].machine
        assert machine is not None
        return machine.position

    def events(self, kind: str, node: str | None = None) -> list[Event]:
        """Everything of a kind that a node, or any, reported by now."""
        self.sim.close()
        return [event for event in self.trace.of(kind) if node in (None, event.node)]

    def judge(self) -> Verdict:
        """The pair's rules, and the client's view."""
        self.sim.close()
        record = Record(self.options, History(self.ops), self.trace)
        return check_all(record, {**RULES, **self.workload.checks})

    def broken(self) -> list[str]:
        """The names of the rules that do not hold."""
        return [name for name, part in self.judge().parts.items() if part.valid is not True]


def parse(text: str) -> list[tuple[str, str]]:
    """The links that a text names."""
    one, way, other = text.partition("->") if "->" in text else text.partition("--")
    return [(one, other)] if way == "->" else [(one, other), (other, one)]
