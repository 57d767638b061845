"""A guest on a live machine without a pair around it, with a disk of its own, and its tape.

It is a system that clients can be driven against; nothing goes wrong in it.
"""

from __future__ import annotations

import heapq
from typing import Any, NamedTuple

from tape import Tape

from harness.drive import Driver
from harness.test import Test
from histories import History, Op, Trace
from vmft import devices as dev
from vmft import entry as log
from vmft.digest import take
from vmft.guests.build import load
from vmft.machine import BLOCK_SIZE, Machine
from vmft.prng import Rng
from vmft.recorder import Recorder
from vmft.replayer import Replayer

WIRE_NS = 100_000           # between a client and the machine, about
DISK_NS_MIN, DISK_NS_MAX = 200_000, 1_000_000
ANSWER_NS_MAX = 200_000_000
DIGEST_EVERY = 64           # entries

Blocks = dict[int, bytes]


class Reply(NamedTuple):
    """A frame that reached a client."""

    data: bytes


class Recorded(NamedTuple):
    """What a checker judges."""

    test: dict[str, Any]
    history: History
    trace: Trace


class Bare:
    """A live machine; everything from outside reaches it at moments that `seed` decides.

    `blocks` is what the disk holds.  Operations take effect when they are issued and complete in
    any order; `failing` of a thousand of them report an error and do nothing.
    """

    def __init__(self, guest: str, seed: int, blocks: Blocks | None = None,
                 failing: int = 0) -> None:
        self.now_ns = 0
        self.blocks: Blocks = {} if blocks is None else blocks
        self.failing = failing
        self.rng = Rng(seed, "bare")
        self.tape = Tape()
        self.machine = Machine(load(guest))
        self.recorder = Recorder(self.machine, self.rng.split("machine"), lambda now_ns: now_ns)
        self.recorder.emit = self.tape.emit
        self._coming: list[tuple[int, int, int, bytes]] = []
        self._replies: list[tuple[int, int, bytes]] = []
        self._order = 0
        self._digest_due = DIGEST_EVERY

    def send(self, data: bytes) -> None:
        """A client sends a frame."""
        self._come(self.now_ns + self.rng.between(WIRE_NS // 2, 2 * WIRE_NS), dev.NIC, data)

    def advance(self, until_ns: int) -> list[Reply]:
        """Let time pass until `until_ns`, or until a client receives something."""
        while self.now_ns < until_ns:
            if self._replies and self._replies[0][0] <= self.now_ns:
                return [Reply(heapq.heappop(self._replies)[2])]
            self._step(until_ns)
        return []

    def digest(self) -> None:
        """Write down what the machine's state amounts to."""
        self.tape.emit(log.DIGEST, self.machine.position,
                       take(self.machine))

    def _step(self, until_ns: int) -> None:
        """Until the next thing happens."""
        while self._coming and self._coming[0][0] <= self.now_ns:
            _, _, device, data = heapq.heappop(self._coming)
            self.recorder.accept(self.now_ns, device, data)
        if self._coming:
            until_ns = min(until_ns, self._coming[0][0])
        if self._replies:
            until_ns = min(until_ns, max(self._replies[0][0], self.now_ns + 1))
        wake_ns = self.recorder.wake_ns(self.now_ns)
        if wake_ns is None or wake_ns >= until_ns:
            self.now_ns = until_ns
            return
        self.now_ns = self.recorder.run(max(wake_ns, self.now_ns), until_ns)
        for operation in self.recorder.take_requests():
            self._operate(operation)
        for output in self.recorder.take_outputs():
            self.tape.outputs.append(output)
            if output.operation is not None:
                self._operate(output.operation)
            elif output.device == dev.NIC:
                self._order += 1
                heapq.heappush(self._replies, (self.now_ns + WIRE_NS, self._order, output.data))
        if len(self.tape.entries) >= self._digest_due:
            self._digest_due = len(self.tape.entries) + DIGEST_EVERY
            self.digest()

    def _operate(self, operation: dev.DiskOperation) -> None:
        """Do a disk operation; its completion comes later."""
        failed = self.rng.chance(self.failing, 1000)
        content = b"" if failed else self._move(operation)
        done_ns = self.now_ns + self.rng.between(DISK_NS_MIN, DISK_NS_MAX)
        completion = dev.COMPLETION.pack(operation.number, operation.tag, failed)
        self._come(done_ns, dev.DISK, completion + content)

    def _move(self, operation: dev.DiskOperation) -> bytes:
        """Write what an operation carries, or answer what it reads."""
        numbers = range(operation.block, operation.block + operation.blocks)
        if operation.command == dev.READ:
            return b"".join(self.blocks.get(number, bytes(BLOCK_SIZE)) for number in numbers)
        for place, number in enumerate(numbers):
            self.blocks[number] = operation.data[place * BLOCK_SIZE:][:BLOCK_SIZE]
        return b""

    def _come(self, at_ns: int, device: int, data: bytes) -> None:
        self._order += 1
        heapq.heappush(self._coming, (at_ns, self._order, device, data))


def drive(system: Bare, workload: str, **options: Any) -> Recorded:
    """A workload's clients, driven against a bare machine; `options` are those of a Test."""
    test = Test(workload=workload, **options)
    ops: list[Op] = []
    Driver(test, system, ops.append).run([], [])  # type: ignore[arg-type]
    system.digest()
    return Recorded(test.to_json(), History(ops), Trace())


def call(system: Bare, payload: bytes) -> bytes:
    """What the guest answers to a request; both are without the frame's header."""
    header = bytes(12)
    system.send(header + payload)
    end_ns = system.now_ns + ANSWER_NS_MAX
    while system.now_ns < end_ns:
        for reply in system.advance(end_ns):
            if reply.data.startswith(header):
                return reply.data[len(header):]
    raise AssertionError("no answer")


def replay(guest: str, tape: Tape) -> Replayer:
    """The tape's entries on a fresh machine; Divergence where they do not fit."""
    replayer = Replayer(Machine(load(guest)))
    replayer.append(tape.entries)
    replayer.run(0, 1 << 60)
    return replayer
