"""The machine and what reaches it: nondeterminism, and when memory may change."""

from __future__ import annotations

from typing import Any

import pytest
from bare import Bare, call, replay
from scenario import Pair

from vmft import devices as dev
from vmft import entry as log
from vmft.cpu import Cpu
from vmft.guests.build import load
from vmft.machine import RESULTS, Machine
from vmft.prng import Rng
from vmft.recorder import INSTRUCTION_NS, Recorder
from vmft.replayer import Replayer
from workloads import kv, spin, token


class OneSource(Recorder):
    """Answers every source alike but one, which is left to chance."""

    free = ""

    def result(self, kind: str) -> int:
        if kind == self.free:
            return super().result(kind)
        self.emit(log.RESULT, self.machine.position, log.RESULT_DATA.pack(RESULTS[kind], 1 << 40))
        return 1 << 40


def tokens(source: str, seed: int) -> tuple[list[bytes], list[bytes]]:
    """Some tokens as drawn with one free source, and as its replay draws them."""
    system = Bare("token", 7)
    recorder = OneSource(system.machine, Rng(seed, "chance"), lambda now_ns: now_ns + seed)
    recorder.free, recorder.emit, system.recorder = source, system.tape.emit, recorder
    for slot in range(3):
        call(system, token.encode("draw", slot))
    replayer = replay("token", system.tape)
    return ([output.data for output in system.tape.outputs],
            [output.data for output in replayer.outputs])


@pytest.mark.parametrize("source", sorted(RESULTS))
def test_every_source_of_chance_reaches_the_guest_and_is_replayed(source: str) -> None:
    """A4: without a log two runs differ by this source alone; with it they do not."""
    first, replayed = tokens(source, 1)
    other, _ = tokens(source, 2)
    assert first != other and first == replayed


def test_a_backup_waits_at_the_instruction_whose_result_it_has_not() -> None:
    """A5: it never makes a value up: it stands there until the primary's has come."""
    system = Bare("token", 1)
    for slot in range(2):
        call(system, token.encode("draw", slot))
    replayer = Replayer(Machine(load("token")))
    waited = 0
    for entry in system.tape.entries:
        replayer.run(0, 1 << 40)
        if entry.kind == log.RESULT:
            assert replayer.machine.position <= entry.at
            waited += 1
        replayer.append([entry])
    replayer.run(0, 1 << 40)
    assert waited >= 2 * len(RESULTS)
    assert [output.data for output in replayer.outputs] == [
        output.data for output in system.tape.outputs]


def test_nothing_outside_writes_memory_while_the_guest_runs(
        monkeypatch: pytest.MonkeyPatch) -> None:
    """A11: packets, blocks and completions arrive between two instructions, on both sides."""
    running: set[int] = set()
    written: list[bool] = []
    run, write = Cpu.run, Cpu.write

    def watched_run(self: Cpu, until: int) -> None:
        running.add(id(self))
        try:
            run(self, until)
        finally:
            running.discard(id(self))

    def watched_write(self: Cpu, *arguments: Any) -> None:
        written.append(id(self) in running)
        write(self, *arguments)

    monkeypatch.setattr(Cpu, "run", watched_run)
    monkeypatch.setattr(Cpu, "write", watched_write)
    pair = Pair(workload="kv")
    for key in range(8):
        pair.call("put", [key, f"word {key}"])
        pair.run(2)
    assert len(written) > 40 and not any(written)


def test_what_is_read_reaches_memory_with_its_interrupt() -> None:
    """D2: until then it waits in a bounce buffer; a guest that spins on its buffer sees nothing."""
    system = Bare("kv", 1)
    system.blocks[kv.FIRST_BLOCK] = bytes(range(256)) * 2
    disk, cpu = system.machine.devices.disk, system.machine.cpu
    while not disk.pending:
        system.advance(system.now_ns + 20_000)
    operation = disk.pending[0]
    before = cpu.read(operation.address, 512)
    while not disk.completed:
        _accept_next(system)
    assert cpu.read(operation.address, 512) == before
    system.advance(system.now_ns + 20_000)
    assert not disk.completed and cpu.read(operation.address, 512) == bytes(range(256)) * 2


def _accept_next(system: Bare) -> None:
    """The next thing from outside arrives, and the guest does not run."""
    at_ns, _, device, data = system._coming.pop(0)
    system.now_ns = at_ns
    system.recorder.accept(at_ns, device, data)


def test_a_guest_that_spins_on_its_buffer_counts_alike() -> None:
    """D2: how often it looked before the data were there, and when packets came meanwhile."""
    pair = Pair(workload="spin")
    pair.run(20)
    drawn = []
    for slot in range(4):
        number = pair.call("draw", slot)
        pair.call("ask", slot)
        pair.run(10)
        drawn += pair.answers[number]
    pair.crash("n1")
    pair.run(450)
    asked = [pair.call("ask", slot) for slot in range(4)]
    pair.run(20)
    assert [pair.answers[number][0] for number in asked] == drawn
    assert min(value & 0xFFFFFFFF for value in drawn) > 100, "it did spin"
    assert pair.broken() == []


def test_an_interrupt_one_instruction_later_can_be_another_answer() -> None:
    """A6: a client of a guest that spins sees where interrupts strike, without any digest."""
    answers = []
    for later in range(24):
        system = Bare("spin", 7)
        system.advance(1_000_000)
        system._come(system.now_ns, dev.NIC, bytes(12) + spin.encode("draw", 1))
        system._come(system.now_ns + 60_000 + later * INSTRUCTION_NS, dev.NIC,
                     bytes(12) + spin.encode("ask", 2))
        reply, = system.advance(system.now_ns + 5_000_000)
        answers.append(reply.data)
    assert len(set(answers)) > 1


def test_what_is_sent_is_what_was_there_when_it_was_issued() -> None:
    """D2: the guest uses its buffer again at once, for writes and for packets."""
    system = Bare("kv", 1)
    for number in range(4):
        system.send(bytes(12) + kv.encode("put", [number, f"word {number}"]))
    system.advance(1_000_000)
    while len(system.tape.outputs) < 8:
        system.advance(system.now_ns + 1_000_000)
    contents = [output.data for output in system.tape.outputs if output.device == dev.DISK]
    assert len(set(contents)) == 4
