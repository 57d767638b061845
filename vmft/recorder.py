"""Live execution: run the machine, and write down what it could not repeat by itself.

Used by a primary and by a survivor that runs alone.  Virtual time is spent by executing: a
retired instruction takes INSTRUCTION_NS, more when the machine has only a share of the processor.
Interrupts are delivered at the very instruction that the guest has reached when they are due and
it can take them; nothing is rounded to an epoch [paper 2.1, 6].
"""

from __future__ import annotations

import zlib
from typing import Callable, NamedTuple

from vmft import control
from vmft import devices as dev
from vmft import entry as log
from vmft.machine import RESULTS, TIMER, Machine
from vmft.prng import Rng

INSTRUCTION_NS = 20
EXIT_NS = 1_000             # to leave the guest for the hypervisor and come back
MASKED_SLICE = 16           # instructions between two looks at a masked interrupt flag
CLOCK_WRONG_PART = 10       # a host's clock is wrong by less than a tenth, or it has jumped
QUEUE_PACKETS_MAX = 256     # packets that wait for the guest; more are lost, as on any card


def instructions(time_ns: int, instruction_ns: int) -> int:
    """How many instructions begin within a stretch of time; the last may end after it."""
    return -(-time_ns // instruction_ns)


class Output(NamedTuple):
    """Something that left the guest: `number` counts since boot, `seq` is its own log entry's."""

    number: int
    seq: int
    at: int
    device: int
    data: bytes
    operation: dev.DiskOperation | None = None


class Recorder:
    """Executes a machine live.

    `emit(kind, at, data)` writes a log entry and answers its sequence number; whoever owns the
    recorder sets it.  `host_clock_ns` answers the host's clock for a moment of virtual time; the
    guest's clock follows it but never goes back.
    """

    emit: Callable[[int, int, bytes], int]

    def __init__(self, machine: Machine, rng: Rng, host_clock_ns: Callable[[int], int],
                 bugs: frozenset[str] = frozenset()) -> None:
        self.bugs = bugs
        self.machine = machine
        self.rng = rng
        self.host_clock_ns = host_clock_ns
        self.instruction_ns = INSTRUCTION_NS
        self.outputs: list[Output] = []
        self.requests: list[dev.DiskOperation] = []
        self.timer_due_ns: int | None = None
        self._paused = False
        self._until_ns = 0
        self._read_ns: int | None = None    # when the clock was read last, if it was
        self._read_host_ns = 0              # and what the host's clock said then
        self._spent_ns = 0      # by the hypervisor, in the stretch that began at `_started_ns`
        self._started_ns = 0
        self._started_at = machine.position
        machine.executor = self

    # The executor's side of the machine

    def result(self, kind: str) -> int:
        self.spend(EXIT_NS)
        value = self.rng.u64()
        if kind in ("clock", "rdtsc", "rdtscp"):
            value = self._read_clock(self.now_ns())
            self.machine.devices.clock_last = value
        if kind in untrapped(self.bugs):
            return value
        self.emit(log.RESULT, self.machine.position, log.RESULT_DATA.pack(RESULTS[kind], value))
        return value

    def output(self, device: int, data: bytes) -> None:
        self.spend(EXIT_NS)
        number = self.machine.devices.outputs
        at = self.machine.position
        seq = self.emit(log.OUTPUT, at, describe_output(device, number, data))
        operation = self.machine.devices.disk.pending[-1] if device == dev.DISK else None
        self.outputs.append(Output(number, seq, at, device, data, operation))
        self.machine.cpu.stop()

    def request(self, operation: dev.DiskOperation) -> None:
        self.requests.append(operation)
        self.pause()

    # Driving it

    def now_ns(self) -> int:
        """The moment of the instruction being executed."""
        executed = self.machine.position - self._started_at
        return self._started_ns + executed * self.instruction_ns + self._spent_ns

    def spend(self, time_ns: int) -> None:
        """The hypervisor takes this long, and the guest does not run meanwhile."""
        self._spent_ns += time_ns

    def accept(self, now_ns: int, device: int, data: bytes, logged: bytes | None = None) -> None:
        """Data from outside reaches a device; a packet for which there is no room is lost.

        `logged` is what the log says of it, if not everything.
        """
        if not self.machine.devices.powered:
            return
        self._mark(now_ns)
        if device == dev.NIC and (len(data) > dev.PACKET_BYTES_MAX
                                  or len(self.machine.devices.nic.queue) >= QUEUE_PACKETS_MAX):
            return
        joins = device == dev.NIC and self.machine.wanted() is not None
        if not (joins and "merged-inputs" in self.bugs):
            self._apply(log.INPUT, device, data if logged is None else logged)
        self.machine.accept(device, data)
        if device == dev.DISK and "no-bounce-buffer" in self.bugs:
            completion = self.machine.devices.disk.completed[-1]
            self.machine.cpu.write(completion.address, completion.data)

    def continue_time(self, now_ns: int, read_ns: int | None = None) -> None:
        """This host takes over: the guest's clock goes on from the latest value it has seen, which
        this host knows since `read_ns`, and its timer ticks on."""
        self._mark(now_ns)
        self._schedule_timer()
        if "clock-jumps-back" not in self.bugs and self.machine.devices.clock_last:
            self._read_ns = now_ns if read_ns is None else read_ns
            self._read_host_ns = self.host_clock_ns(self._read_ns)

    def clock_age_ns(self, now_ns: int) -> int:
        """How long ago the guest's clock was read last."""
        return 0 if self._read_ns is None else max(0, now_ns - self._read_ns)

    def _read_clock(self, now_ns: int) -> int:
        """The guest's clock: it follows the host's, but not its jumps.

        What the host's clock says to have passed since the latest reading counts, unless that
        cannot be true: no clock is wrong by a tenth.  Then what the processor says counts.
        """
        host_ns = self.host_clock_ns(now_ns)
        last_ns, self._read_ns = self._read_ns, now_ns
        told_ns, self._read_host_ns = host_ns - self._read_host_ns, host_ns
        if last_ns is None:
            return host_ns
        passed_ns = max(0, now_ns - last_ns)
        if abs(told_ns - passed_ns) * CLOCK_WRONG_PART > passed_ns:
            told_ns = passed_ns
        return self.machine.devices.clock_last + told_ns

    def run(self, now_ns: int, until_ns: int) -> int:
        """Execute from `now_ns`, until idle, paused, an output or `until_ns`; answers when."""
        machine, cpu = self.machine, self.machine.cpu
        self._paused, self._until_ns = False, until_ns
        self._mark(now_ns)
        while machine.devices.powered and not self.outputs and not self._paused:
            vector = self._due()
            if vector is not None and cpu.interruptible:
                self._interrupt(vector)
                continue
            left = instructions(self._until_ns - self.now_ns(), self.instruction_ns)
            if cpu.halted or left <= 0:
                break
            cpu.run(machine.position + (min(left, MASKED_SLICE) if vector is not None else left))
            self._schedule_timer()
        self._mark(now_ns)
        return self._started_ns

    def _mark(self, now_ns: int) -> None:
        """A new stretch begins at this moment, or where the latest one has ended."""
        self._started_ns, self._spent_ns = max(now_ns, self.now_ns()), 0
        self._started_at = self.machine.position

    def pause(self) -> None:
        """Execute nothing behind this instruction or entry, until the next `run`."""
        self._paused = True
        self.machine.cpu.stop()

    def hurry(self, until_ns: int) -> None:
        """Execute no longer than this, although `run` was given more time."""
        if until_ns < self._until_ns:
            self._until_ns = until_ns
            self.machine.cpu.stop()

    def wake_ns(self, now_ns: int) -> int | None:
        """When there is something to execute: now, later by the timer, or None (idle)."""
        if not self.machine.devices.powered:
            return None
        if not self.machine.cpu.halted or self.machine.wanted() is not None:
            return now_ns
        return None if self.timer_due_ns is None else max(now_ns, self.timer_due_ns)

    def control(self, now_ns: int, order: str, value: int) -> int:
        """An administrator's order takes hold here; answers its entry's number."""
        self._mark(now_ns)
        seq = self.emit(log.CONTROL, self.machine.position, control.encode(order, value))
        self.machine.obey(order)
        return seq

    def take_requests(self) -> list[dev.DiskOperation]:
        """The reads that the guest has asked for since the last call."""
        taken, self.requests = self.requests, []
        return taken

    def take_outputs(self) -> list[Output]:
        """What left the guest since the last call."""
        taken, self.outputs = self.outputs, []
        return taken

    def _due(self) -> int | None:
        if self.timer_due_ns is not None and self.timer_due_ns <= self.now_ns():
            return TIMER
        return self.machine.wanted()

    def _interrupt(self, vector: int) -> None:
        self.spend(EXIT_NS)
        self._apply(log.INTERRUPT, vector)
        self.machine.deliver(vector)
        if vector == TIMER:
            self.timer_due_ns = None
            self._schedule_timer()

    def _apply(self, kind: int, what: int, data: bytes = b"") -> None:
        """Log what is done to the guest at this instruction."""
        witness = self.machine.cpu.witness()
        at = self.machine.position
        if kind == log.INTERRUPT and "arrival-logged" in self.bugs:
            at = self._started_at
        if kind == log.INTERRUPT and "unlogged-wake" in self.bugs and self.machine.cpu.halted:
            return
        self.emit(kind, at, log.APPLIED_DATA.pack(witness, what) + data)

    def _schedule_timer(self) -> None:
        period_ns = self.machine.devices.timer_period_ns
        if period_ns == 0:
            self.timer_due_ns = None
        elif self.timer_due_ns is None:
            self.timer_due_ns = self.now_ns() + period_ns


def describe_output(device: int, number: int, data: bytes) -> bytes:
    """What an output entry says of an output: enough to notice another one in its place."""
    return log.OUTPUT_DATA.pack(device, number, len(data), zlib.crc32(data))


def untrapped(bugs: frozenset[str]) -> tuple[str, ...]:
    """The sources that a defect leaves to each side."""
    tsc = ("rdtsc", "rdtscp") if "untrapped-rdtsc" in bugs else ()
    return tsc + (("rdrand", "rdseed") if "untrapped-rdrand" in bugs else ())
