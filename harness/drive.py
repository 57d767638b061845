"""The run loop: clients call, the nemesis strikes, the system answers, all on one clock.

One agenda of (time, order, action) drives everything; the system lets time pass between two
actions.  A client has one call open at a time.  A call that is not answered in time ends as info,
its process id retires, and the client goes on under a new one.
"""

from __future__ import annotations

import heapq
import struct
from itertools import takewhile
from typing import Any, Callable, Iterable, Protocol, Sequence

from harness.plan import HEAL, Plan, PlannedFault, follow
from harness.test import SECOND_NS, Test
from histories import NEMESIS, Op
from nemesis import Cluster, Fault, Later, Nemesis, apply, heal, schedule
from vmft.prng import Rng
from workloads.workload import Client, Invocation, Turn

SETTLE_NS = 3 * SECOND_NS       # after healing, before the final operations

# A frame starts with the request's number and the client's.  The number is the index of the op
# that invoked it, so that the white-box trace and the history speak of the same thing.
FRAME_HEADER = struct.Struct("<QI")


class Reply(Protocol):
    """A frame that reached a client."""

    @property
    def data(self) -> bytes:
        """The frame, its header included."""


class System(Cluster, Protocol):
    """A system under test: what clients need, beside what a nemesis needs."""

    now_ns: int

    def send(self, data: bytes) -> None:
        """A client sends a frame to the service."""

    def advance(self, until_ns: int) -> Iterable[Reply]:
        """Let time pass until `until_ns`, or until a client receives something."""


class Process:
    """One client and the process id that it has now."""

    def __init__(self, client: int, rng: Rng) -> None:
        self.client = client
        self.rng = rng
        self.id = client
        self.generator: Client | None = None    # None: it does nothing more
        self.open: Op | None = None


class Driver:
    """One run in progress; `record` is told every op, in order."""

    def __init__(self, test: Test, system: System, record: Callable[[Op], None]) -> None:
        self.test = test
        self.workload = test.workload_of()
        self.system = system
        self.record = record
        self.plan = test.plan or Plan()
        self.end_ns = test.time_limit_s * SECOND_NS if self.plan.end_ns is None \
            else self.plan.end_ns
        rng = Rng(test.seed, "harness")
        self.rng = rng
        self.processes = [Process(client, rng.split(f"client {client}"))
                          for client in range(test.clients)]
        self._scripts = None if self.plan.ops is None else [
            iter([op for op in self.plan.ops if op.client == client])
            for client in range(test.clients)]
        self._final = False     # clients do their final operations, without pauses
        self._phase = 0         # how often all clients have met
        self._waiting: list[Process] = []
        self._ops = 0
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._actions = 0

    def run(self, families: Sequence[Nemesis], hosts: Sequence[str]) -> None:
        """The whole run: operations under faults, healing, a pause, the final operations."""
        for process in self.processes:
            self._start(process)
        for fault in self._faults(families, hosts):
            self._plan(fault.time_ns, self._strike, families, fault)
        self._until(self.end_ns)
        if self.plan.ops is None and families:
            self._heal(families)
            self._until(self.system.now_ns + SETTLE_NS)
        self._drain()
        if self.plan.ops is None:
            self._finish()

    # Time

    def _plan(self, time_ns: int, action: Callable[..., None], *arguments: Any) -> None:
        self._actions += 1
        heapq.heappush(self._agenda, (time_ns, self._actions, lambda: action(*arguments)))

    def _until(self, end_ns: int) -> None:
        """Let the run go on until a moment; what is planned for it is done."""
        while self.system.now_ns < end_ns:
            due_ns = self._agenda[0][0] if self._agenda else end_ns
            self._advance(min(due_ns, end_ns))

    def _advance(self, until_ns: int) -> None:
        """Hear the next answer, or else do what is planned for `until_ns`."""
        replies = self.system.advance(until_ns)
        for reply in replies:
            self._answered(reply.data)
        while self._agenda and self._agenda[0][0] <= self.system.now_ns:
            heapq.heappop(self._agenda)[2]()

    def _drain(self) -> None:
        """Let every client come to its end."""
        for process in self.processes:
            while process.generator is not None:
                self._advance(self._agenda[0][0])

    # Clients

    def _start(self, process: Process) -> None:
        """A client begins, under the process id that it has now; a script goes on."""
        process.generator = self.workload.ops(process.id, process.rng) \
            if self._scripts is None else follow(self._scripts[process.client])
        self._ask(process, None)

    def _ask(self, process: Process, done: Op | None) -> None:
        """Ask a client what it does after `done`, its previous operation, and when."""
        assert process.generator is not None and process.open is None
        try:
            wanted = process.generator.send(done)  # type: ignore[arg-type]
        except StopIteration:
            self._leave(process)
            return
        if wanted.type == "sync":
            self._waiting.append(process)
            self._meet()
            return
        pause_ns = self._pause_ns(process) if wanted.after_ns is None else wanted.after_ns
        if not self._final and self.system.now_ns + pause_ns > self.end_ns:
            self._leave(process)
        elif wanted.type == "wait" and pause_ns == 0:
            self._ask(process, self._turn(process))
        else:
            self._plan(self.system.now_ns + pause_ns, self._go_on, process, wanted)

    def _pause_ns(self, process: Process) -> int:
        """Before a client's next operation: the rate, with chance around it."""
        mean_ns = SECOND_NS * self.test.clients // self.test.rate_hz
        return 0 if self._final else process.rng.below(2 * mean_ns + 1)

    def _go_on(self, process: Process, wanted: Invocation) -> None:
        if wanted.type == "wait":
            self._ask(process, self._turn(process))
        else:
            self._invoke(process, wanted)

    def _turn(self, process: Process) -> Op:
        """What answers a wait."""
        turn = Turn(process.client, self._phase)
        return Op(process.id, "info", "wait", turn, self.system.now_ns)

    def _meet(self) -> None:
        """When nobody else is to come, all that wait go on."""
        here = self._waiting
        if here and len(here) == sum(each.generator is not None for each in self.processes):
            self._waiting = []
            self._phase += 1
            for process in sorted(here, key=lambda each: each.client):
                self._ask(process, self._turn(process))

    def _leave(self, process: Process) -> None:
        """A client has come to its end; nobody need wait for it."""
        process.generator = None
        self._meet()

    def _invoke(self, process: Process, wanted: Invocation) -> None:
        op = process.open = self._op(process.id, "invoke", wanted.f, wanted.value)
        frame = FRAME_HEADER.pack(op.index, process.client)
        self.system.send(frame + self.workload.encode(wanted.f, wanted.value))
        deadline_ns = self.system.now_ns + self.test.timeout_ms * 1_000_000
        self._plan(deadline_ns, self._timed_out, process, op)

    def _answered(self, frame: bytes) -> None:
        """A frame reached a client; late and second answers are ignored, as by any client."""
        request, client = FRAME_HEADER.unpack_from(frame)
        process = self.processes[client % len(self.processes)]
        op = process.open
        if op is None or op.index != request:
            return
        process.open = None
        answer = self.workload.decode(op.f, op.value, frame[FRAME_HEADER.size:])
        self._ask(process, self._op(process.id, answer.type, op.f, answer.value, answer.error))

    def _timed_out(self, process: Process, op: Op) -> None:
        if process.open is not op:
            return
        process.open = None
        self._op(process.id, "info", op.f, op.value, "timeout")
        process.id += self.test.clients
        if self._final:
            self._leave(process)
        else:
            self._start(process)

    def _finish(self) -> None:
        """Every client's final operations, one client after the other, each answered or given up.

        They begin a nanosecond after the previous client's answer, never in the same instant: so
        they begin at the same place among all events when a plan repeats them.
        """
        self._final = True
        for process in self.processes:
            process.generator = self.workload.final(process.id)
            self._ask(process, None)
            self._drain()
            self._until(self.system.now_ns + 1)

    # Faults

    def _faults(self, families: Sequence[Nemesis], hosts: Sequence[str]) -> list[PlannedFault]:
        """The plan's faults, or those that are drawn, up to the end."""
        if self.plan.faults is not None:
            return [fault for fault in self.plan.faults if fault.time_ns <= self.end_ns]
        drawn = schedule(families, self.rng.split("nemesis"), hosts)
        return [PlannedFault(each.time_ns, each.fault.f, each.fault.value)
                for each in takewhile(lambda each: each.time_ns < self.end_ns, drawn)]

    def _strike(self, families: Sequence[Nemesis], fault: PlannedFault) -> None:
        """Apply a fault; the record says what it did, beside what was planned."""
        if fault.f == HEAL:
            self._heal(families)
            return
        planned = self._op(NEMESIS, "info", fault.f, fault.value)
        effect = apply(families, self.system, Fault(0, fault.f, fault.value))
        if isinstance(effect, Later):
            effect = self._await(effect, planned)
        self._op(NEMESIS, "info", fault.f, {"start": planned.index, "effect": effect})

    def _await(self, later: Later, planned: Op) -> dict[str, str]:
        """Have a fault strike in its moment, and say so then."""
        def strike(host: str) -> None:
            self._op(NEMESIS, "info", planned.f, {
                "start": planned.index, "effect": later.strike(self.system, host)})

        self.system.at_moment(later.moment, later.nth, later.after_ns, strike)
        return {"nothing": f"waits for {later.moment} {later.nth} from now on"}

    def _heal(self, families: Sequence[Nemesis]) -> None:
        heal(families, self.system)
        self._op(NEMESIS, "info", "heal", {
            "effect": {"healed": "everything", "roles": self.system.roles()}})

    def _op(self, process: int | str, kind: str, f: str, value: Any, error: Any = None) -> Op:
        op = Op(process, kind, f, value, self.system.now_ns, self._ops, error)
        self._ops += 1
        self.record(op)
        return op
