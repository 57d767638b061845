"""Execution along a log: do exactly what the live machine did, and notice when that fails.

The replayer never runs past the last entry it has [paper 2.1; challenge A9]: an entry that the
hypervisor applies after N instructions lets N be retired, one that the guest makes itself lets
its own instruction be retired too.  Every entry's position is checked before it is applied, and a
mismatch stops the machine with a Divergence in the log's own terms.
"""

from __future__ import annotations

from collections import deque
from typing import Iterable

from vmft import control, digest
from vmft import devices as dev
from vmft import entry as log
from vmft.backup_io import BackupIO
from vmft.machine import RESULTS, Machine
from vmft.recorder import (INSTRUCTION_NS, Output, describe_output, instructions, untrapped)

RUN_AHEAD = 64              # instructions, of the defect of that name
RESULT_NAMES = {code: name for name, code in RESULTS.items()}


class Divergence(Exception):
    """The replay did something that the log does not say; `data` is JSON-able."""

    def __init__(self, message: str, data: dict[str, object]) -> None:
        super().__init__(message)
        self.data = data


class Replayer:
    """Executes a machine along the entries appended to it.

    `executed` is the last entry's sequence number that was replayed whole.  Outputs are kept for
    whoever goes live, never sent.  `io` is what this side does itself of the disk's operations.
    """

    def __init__(self, machine: Machine, executed: int = 0,
                 bugs: frozenset[str] = frozenset(), io: BackupIO | None = None) -> None:
        self.machine = machine
        self.io = io
        self.bugs = bugs
        self.entries: deque[log.Entry] = deque()
        self.executed = executed
        self.outputs: list[Output] = []
        self.instruction_ns = INSTRUCTION_NS
        self.orders: list[tuple[str, int]] = []         # executed, for the host to obey
        self.paused = False
        self._started_ns = 0        # when the latest run began
        self._started_at = machine.position
        machine.executor = self

    def append(self, entries: Iterable[log.Entry]) -> None:
        """Entries that were received, in order."""
        self.entries.extend(entries)

    # The executor's side of the machine

    def result(self, kind: str) -> int:
        if kind in untrapped(self.bugs):
            return self.machine.position
        entry = self._expect(log.RESULT)
        code, value = log.RESULT_DATA.unpack(entry.data)
        if code != RESULTS[kind]:
            self._diverge(entry, f"asked for {kind}, the log answers {RESULT_NAMES[code]}")
        if kind in ("clock", "rdtsc", "rdtscp"):
            self.machine.devices.clock_last = value
        return int(value)

    def output(self, device: int, data: bytes) -> None:
        entry = self._expect(log.OUTPUT)
        number = self.machine.devices.outputs
        if entry.data != describe_output(device, number, data):
            self._diverge(entry, f"output {number} differs from the one in the log")
        pending = self.machine.devices.disk.pending
        operation = pending[-1] if device == dev.DISK else None
        self.outputs.append(Output(number, entry.seq, entry.at, device, data, operation))

    def request(self, operation: dev.DiskOperation) -> None:
        """The read's data will come with the log, unless `io` reads them: then at once."""
        if self.io is not None and self.io.does(operation):
            self._pause()

    # Driving it

    def run(self, now_ns: int, until_ns: int) -> int:
        """Replay from `now_ns` until starved or `until_ns`; answers when that was."""
        machine = self.machine
        left = instructions(until_ns - now_ns, self.instruction_ns)
        self._started_ns, self._started_at = now_ns, machine.position
        self.paused = False
        while self.entries and machine.devices.powered and not self.paused:
            entry = self.entries[0]
            budget = left - (machine.position - self._started_at)
            if machine.position < entry.at or (entry.within and machine.position == entry.at):
                if budget <= 0:
                    break
                self._run_towards(min(self._reach(), machine.position + budget))
                continue
            if self._waits(entry):
                break
            self._apply(entry)
        if "run-ahead" in self.bugs and not self.entries and not machine.cpu.halted:
            machine.cpu.run(machine.position + RUN_AHEAD)
        return self.now_ns()

    def now_ns(self) -> int:
        """The moment of the instruction being executed."""
        executed = self.machine.position - self._started_at
        return self._started_ns + executed * self.instruction_ns

    def runnable(self) -> bool:
        """Whether there is an entry to run towards, or to apply."""
        return bool(self.entries) and self.machine.devices.powered \
            and not self._waits(self.entries[0])

    def _pause(self) -> None:
        """Go on in the next run: something is to be done at this instruction."""
        self.paused = True
        self.machine.cpu.stop()

    def _waits(self, entry: log.Entry) -> bool:
        """Whether this entry is due and ends a disk operation that has not ended on this side."""
        if self.io is None or entry.kind != log.INPUT or entry.at > self.machine.position:
            return False
        device = log.APPLIED_DATA.unpack_from(entry.data)[1]
        return device == dev.DISK and not self.io.settled(entry.data[log.APPLIED_DATA.size:])

    def _reach(self) -> int:
        """The position of the first entry that the hypervisor applies, or of the last entry."""
        for entry in self.entries:
            if not entry.within:
                return entry.at
        return self.entries[-1].reach

    def _run_towards(self, target: int) -> None:
        """Run to `target`; entries of the guest's own instructions are consumed on the way."""
        cpu = self.machine.cpu
        if target < cpu.position:
            self._diverge(self.entries[0], "the log goes back")
        before, waiting = cpu.position, len(self.entries)
        if not cpu.halted:
            cpu.run(target)
        if cpu.position == before and len(self.entries) == waiting:
            self._diverge(self.entries[0], "the guest halts where the log goes on")

    def _apply(self, entry: log.Entry) -> None:
        """Do to the machine what the log says happened after `entry.at` instructions."""
        machine = self.machine
        if machine.position != entry.at:
            self._diverge(entry, "the guest did not do what the log says it did")
        if entry.kind == log.INPUT:
            self._accept(self._witnessed(entry), entry.data[log.APPLIED_DATA.size:])
        elif entry.kind == log.INTERRUPT:
            if "off-by-one" in self.bugs and not machine.cpu.halted:
                machine.cpu.run(machine.position + 1)
            vector = self._witnessed(entry)
            if not machine.cpu.interruptible:
                self._diverge(entry, "the guest cannot take an interrupt here")
            machine.deliver(vector)
        elif entry.kind == log.CONTROL:
            order = control.decode(entry.data)
            self.orders.append(order)
            machine.obey(order[0])
            self.paused = order[0] == control.QUIESCE
        elif entry.kind == log.DIGEST:
            self._compare(entry)
        self.entries.popleft()
        self.executed = entry.seq

    def _accept(self, device: int, data: bytes) -> None:
        """Data from outside, from the log or from this side's own disk operation."""
        if device == dev.DISK and self.io is not None:
            data = self.io.complete(data)
        self.machine.accept(device, data)
        if device == dev.DISK and "early-copy" in self.bugs:
            completion = self.machine.devices.disk.completed[-1]
            self.machine.cpu.write(completion.address, completion.data)

    def _expect(self, kind: int) -> log.Entry:
        """The entry of the instruction being executed, taken from the log."""
        if not self.entries:
            raise Divergence(f"ran past entry {self.executed}, the last one", {
                "seq": self.executed, "entry": "none", "expected_at": self.machine.position,
                "found_at": self.machine.position, "why": "the guest ran past the last entry"})
        entry = self.entries[0]
        if entry.kind != kind or entry.at != self.machine.position:
            self._diverge(entry, f"the guest makes an entry of kind {log.KINDS[kind]}")
        self.entries.popleft()
        self.executed = entry.seq
        return entry

    def _witnessed(self, entry: log.Entry) -> int:
        """The device or vector of an entry that is applied at the instruction it belongs to."""
        witness, what = log.APPLIED_DATA.unpack_from(entry.data)
        if witness != self.machine.cpu.witness():
            self._diverge(entry, "the guest stands at another instruction")
        return int(what)

    def _compare(self, entry: log.Entry) -> None:
        what = digest.difference(self.machine, entry.data)
        if what is not None:
            self._diverge(entry, f"{what} differs, and maybe more")

    def _diverge(self, entry: log.Entry, what: str) -> None:
        kind, position = log.KINDS[entry.kind], self.machine.position
        raise Divergence(
            f"entry {entry.seq} ({kind} at {entry.at}), found at {position}: {what}",
            {"seq": entry.seq, "entry": kind, "expected_at": entry.at, "found_at": position,
             "why": what, "registers": self.machine.cpu.registers()})
