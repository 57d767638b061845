"""Disk operations that race are serialised; the others overlap."""

from __future__ import annotations

import struct
from random import Random

import machine_code as mc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario import Pair

from vmft.devices import READ, TRANSFER_BLOCKS_MAX, WRITE, DiskOperation
from vmft.outstanding import Outstanding, races
from vmft.ports import LAYOUT, PORTS, VECTORS

BLOCK_SIZE = LAYOUT["BLOCK_SIZE"]
OPERATIONS = st.lists(st.tuples(st.sampled_from([READ, WRITE]), st.integers(0, 5),
                                st.integers(1, 3), st.integers(0, 3)), max_size=12)


def operations(drawn: list[tuple[int, int, int, int]]) -> list[DiskOperation]:
    """Operations on few blocks and few buffers; each write has a content of its own."""
    return [DiskOperation(number, number, command, block, blocks, place * BLOCK_SIZE,
                          bytes([number]) * (blocks * BLOCK_SIZE if command == WRITE else 0))
            for number, (command, block, blocks, place) in enumerate(drawn, 1)]


class World:
    """Blocks and guest memory."""

    def __init__(self) -> None:
        self.blocks: dict[int, int] = {}
        self.memory: dict[int, int] = {}

    def do(self, operation: DiskOperation) -> None:
        """An operation takes effect whole."""
        for place in range(operation.blocks):
            if operation.command == WRITE:
                self.blocks[operation.block + place] = operation.number
            else:
                here = operation.address // BLOCK_SIZE + place
                self.memory[here] = self.blocks.get(operation.block + place, 0)


@given(OPERATIONS, st.randoms(use_true_random=False))
def test_races_are_decided_by_the_order_of_issue(drawn: list[tuple[int, int, int, int]],
                                                 random: Random) -> None:
    """D1: in whatever order a disk ends what it has, blocks and memory are as if one by one."""
    serial, parallel = World(), World()
    outstanding = Outstanding(lambda: outstanding.operations.values())
    known = {operation.number: operation for operation in operations(drawn)}
    for operation in known.values():
        serial.do(operation)
        outstanding.submit(operation)
    at_the_disk = [request.number for request in outstanding.take_due(0, 1)]
    while at_the_disk:
        number = random.choice(at_the_disk)
        at_the_disk.remove(number)
        assert not any(races(known[number], known[other]) for other in at_the_disk)
        parallel.do(known[number])
        outstanding.completed(number)
        at_the_disk += [request.number for request in outstanding.take_due(0, 1)]
    assert not outstanding.operations
    assert (parallel.blocks, parallel.memory) == (serial.blocks, serial.memory)


def test_what_does_not_race_overlaps() -> None:
    """D1: operations are parallel where nobody could tell."""
    outstanding = Outstanding(lambda: outstanding.operations.values())
    for operation in operations([(WRITE, 0, 1, 0), (WRITE, 1, 1, 0), (READ, 5, 1, 0),
                                 (READ, 5, 1, 1), (WRITE, 1, 1, 0)]):
        outstanding.submit(operation)
    assert [request.number for request in outstanding.take_due(0, 1)] == [1, 2, 3, 4]
    outstanding.completed(2)
    assert [request.number for request in outstanding.take_due(0, 1)] == [5]


def test_what_is_held_back_races_too() -> None:
    """D1: a read waits for a write of its blocks that the output rule has not let out yet."""
    write, read = operations([(WRITE, 0, 1, 0), (READ, 0, 1, 1)])
    outstanding = Outstanding(lambda: [write, read])
    outstanding.submit(read)
    assert outstanding.take_due(0, 1) == []
    outstanding.submit(write)
    assert [request.number for request in outstanding.take_due(0, 1)] == [1]


# A guest whose operations all race, each with the one before: blocks, memory, or both.

BUFFER, RING, FIRST, SECOND = 0xA000, 0xB000, 0xC000, 0xD000
FAILED_OVER = 450       # milliseconds


def out(port: str, value: int) -> bytes:
    """mov dx, port; mov eax, value; out dx, eax."""
    return struct.pack("<HHBIB", 0xBA66, PORTS[port].number, 0xB8, value, 0xEF)


def fill(byte: int) -> bytes:
    """mov edi, BUFFER; mov ecx, two blocks; mov al, byte; rep stosb."""
    return struct.pack("<BIBIBBH", 0xBF, BUFFER, 0xB9, 2 * BLOCK_SIZE, 0xB0, byte, 0xAAF3)


def issue(tag: int, command: int, block: int, count: int, address: int) -> bytes:
    """One operation."""
    return b"".join((out("DISK_TAG", tag), out("DISK_BLOCK", block), out("DISK_COUNT", count),
                     out("DISK_ADDRESS", address), out("DISK_COMMAND", command)))


RACING = b"".join((
    out("DISK_RING", RING),
    fill(0x11), issue(1, WRITE, 3, 2, BUFFER),
    fill(0x22), issue(2, WRITE, 4, 2, BUFFER),
    issue(3, READ, 4, 1, FIRST), issue(4, READ, 3, 2, FIRST),       # two into one page
    fill(0x33), issue(5, WRITE, 3, 1, BUFFER), issue(6, READ, 3, 1, SECOND),
    bytes.fromhex("fb f4 eb fc")))      # again: sti; hlt; jmp again


def result(pair: Pair, host: str) -> tuple[list[int], bytes, bytes]:
    """The tags in the order in which they completed, and what was read to both places."""
    machine = pair.sim.replicas[host].machine
    assert machine is not None
    cpu, start = machine.cpu, RING + LAYOUT["RING_HEADER"]
    ended = int.from_bytes(cpu.read(RING, 4), "little")
    tags = [int.from_bytes(cpu.read(start + 8 * place, 4), "little") for place in range(ended)]
    return tags, cpu.read(FIRST, 2 * BLOCK_SIZE), cpu.read(SECOND, BLOCK_SIZE)


def test_a_guest_whose_operations_race_finds_the_same_everywhere(
        monkeypatch: pytest.MonkeyPatch) -> None:
    """D1: writes over writes, reads of what is being written, two reads into one page.

    On both sides, and whenever the primary dies: contents and order are as in one after the other.
    """
    monkeypatch.setattr(mc, "VECTOR", VECTORS["DISK"])
    guest = mc.image(RACING)
    monkeypatch.setattr("vmft.sim.load", lambda name: guest)
    expected = ([1, 2, 3, 4, 5, 6], b"\x11" * BLOCK_SIZE + b"\x22" * BLOCK_SIZE,
                b"\x33" * BLOCK_SIZE)
    pair = Pair()
    pair.run(10)
    assert result(pair, "n1") == result(pair, "n2") == expected and pair.broken() == []
    for crash_us in range(300, 2700, 80):
        pair = Pair()
        pair.until(crash_us * 1000)
        pair.crash("n1")
        pair.run(FAILED_OVER)
        assert result(pair, "n2") == expected and pair.broken() == [], crash_us
        written = [pair.sim.disk.blocks.read(block, 1)[0] for block in (3, 4, 5)]
        assert written == [0x33, 0x22, 0x22]


@pytest.mark.parametrize("command", [READ, WRITE])
def test_a_guest_that_asks_for_more_than_a_log_entry_holds_has_failed(
        monkeypatch: pytest.MonkeyPatch, command: int) -> None:
    """A guest gone astray names any number of blocks; that is its fault, and no crash of ours."""
    guest = mc.image(issue(1, command, 0, TRANSFER_BLOCKS_MAX + 1, BUFFER))
    monkeypatch.setattr("vmft.sim.load", lambda name: guest)
    pair = Pair()
    pair.run(10)
    told = [event.data["why"] for event in pair.events("fault") if event.node == "n1"]
    assert told == ["disk operation of 65 blocks, at most 64"]
