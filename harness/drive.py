"""The run loop: clients call, the nemesis strikes, the system answers, all on one clock.

One agenda of (time, order, action) drives everything; the system lets time pass between two
actions.  A client has one call open at a time.  A call that is not answered in time ends as info,
its process id retires, and the client goes on under a new one.
"""

from __future__ import annotations

import heapq
import struct
from typing import Any, Callable, Iterable, Protocol, Sequence

from harness.test import SECOND_NS, Test
from histories import NEMESIS, Op
from nemesis import Cluster, Fault, Nemesis, apply, heal, schedule
from vmft.prng import Rng
from workloads.workload import Client

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
        self.generator: Client | None = None
        self.open: Op | None = None


class Driver:
    """One run in progress; `record` is told every op, in order."""

    def __init__(self, test: Test, system: System, record: Callable[[Op], None]) -> None:
        self.test = test
        self.workload = test.workload_of()
        self.system = system
        self.record = record
        rng = Rng(test.seed, "harness")
        self.rng = rng
        self.processes = [Process(client, rng.split(f"client {client}"))
                          for client in range(test.clients)]
        self.calling = True     # clients go on with new operations
        self._ops = 0
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._actions = 0

    def run(self, families: Sequence[Nemesis], hosts: Sequence[str]) -> None:
        """The whole run: operations under faults, healing, a pause, the final operations."""
        end_ns = self.test.time_limit_s * SECOND_NS
        for process in self.processes:
            self._start(process)
        for planned in schedule(families, self.rng.split("nemesis"), hosts):
            if planned.time_ns >= end_ns:
                break
            self._plan(planned.time_ns, self._strike, families, planned.fault)
        self._until(end_ns)
        self.calling = False
        if families:
            self._heal(families)
            self._until(self.system.now_ns + SETTLE_NS)
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

    # Clients

    def _start(self, process: Process) -> None:
        """A client begins, under the process id that it has now."""
        process.generator = self.workload.ops(process.id, process.rng)
        self._go_on(process, None)

    def _go_on(self, process: Process, done: Op | None) -> None:
        """After a pause, the client's next operation; the rate has chance around it."""
        mean_ns = SECOND_NS * self.test.clients // self.test.rate_hz
        pause_ns = process.rng.below(2 * mean_ns + 1)
        self._plan(self.system.now_ns + pause_ns, self._next, process, done)

    def _next(self, process: Process, done: Op | None) -> None:
        if self.calling:
            self._invoke(process, done)

    def _invoke(self, process: Process, done: Op | None) -> None:
        """Ask the client what it does after `done`, its previous operation, and call."""
        assert process.generator is not None and process.open is None
        try:
            wanted = process.generator.send(done)  # type: ignore[arg-type]
        except StopIteration:
            return
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
        done = self._op(process.id, answer.type, op.f, answer.value, answer.error)
        self._go_on(process, done)

    def _timed_out(self, process: Process, op: Op) -> None:
        if process.open is not op:
            return
        process.open = None
        self._op(process.id, "info", op.f, op.value, "timeout")
        process.id += self.test.clients
        if self.calling:
            self._start(process)

    def _finish(self) -> None:
        """Every client's final operations, one after the other, each answered or given up."""
        for process in self.processes:
            self._advance_while(process)
            process.generator = self.workload.final(process.id)
            self._invoke(process, None)
            self._advance_while(process)

    def _advance_while(self, process: Process) -> None:
        """Until the client's open call has ended."""
        while process.open is not None:
            self._advance(self._agenda[0][0])

    # Faults

    def _strike(self, families: Sequence[Nemesis], fault: Fault) -> None:
        """Apply a fault; the record says what it did, beside what was planned."""
        planned = self._op(NEMESIS, "info", fault.f, fault.value)
        effect = apply(families, self.system, fault)
        self._op(NEMESIS, "info", fault.f, {"start": planned.index, "effect": effect})

    def _heal(self, families: Sequence[Nemesis]) -> None:
        heal(families, self.system)
        self._op(NEMESIS, "info", "heal", {
            "effect": {"healed": "everything", "roles": self.system.roles()}})

    def _op(self, process: int | str, kind: str, f: str, value: Any, error: Any = None) -> Op:
        op = Op(process, kind, f, value, self.system.now_ns, self._ops, error)
        self._ops += 1
        self.record(op)
        return op
