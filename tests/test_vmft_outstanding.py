"""Disk operations that race are serialised; the others overlap."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from vmft.devices import READ, WRITE, DiskOperation
from vmft.outstanding import Outstanding, races
from vmft.ports import LAYOUT

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
