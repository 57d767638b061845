"""A live machine's disk operations: which are on their way, and which must wait.

Two operations race when they touch the same blocks and one writes, or when both move data into the
same memory; the later one waits until the earlier has completed [paper 3.4].  Both sides of a pair
issue in the same order, so they serialise alike.  Where the backup reads for itself, a write also
waits until the backup has done the earlier reads of its blocks [paper 4.2].

What is not answered is asked again: the disk's link keeps order, and nothing that overlaps is
issued meanwhile, so asking twice is harmless.
"""

from __future__ import annotations

from typing import Callable, Iterable

from vmft.devices import READ, WRITE, DiskOperation
from vmft.messages import DiskRequest
from vmft.ports import LAYOUT
from vmft.settings import MILLISECOND_NS

RETRY_NS = 100 * MILLISECOND_NS


class Outstanding:
    """Operations submitted and not completed, in the order of their numbers.

    `pending()` answers all that the guest has issued and that have not ended, those included that
    the output rule still holds back: they race too.
    """

    def __init__(self, pending: Callable[[], Iterable[DiskOperation]]) -> None:
        self.pending = pending
        self.operations: dict[int, DiskOperation] = {}
        self.unread: dict[int, DiskOperation] = {}      # reads that the backup has still to do
        self._sent_ns: dict[int, int] = {}

    def submit(self, operation: DiskOperation, *, twice: bool = False) -> None:
        """The operation may be issued as soon as nothing earlier races with it.

        `twice` when the backup reads for itself.
        """
        self.operations[operation.number] = operation
        if twice and operation.command == READ:
            self.unread[operation.number] = operation

    def read_twice(self) -> None:
        """From here on there is a backup that reads for itself, also what is on its way."""
        self.unread = {number: each for number, each in self.operations.items()
                       if each.command == READ}

    def backup_has_read(self, last: int) -> None:
        """The backup has done its reads up to this number."""
        self.unread = {number: each for number, each in self.unread.items() if number > last}

    def completed(self, number: int) -> DiskOperation | None:
        """The operation that this answer ends; None if it had ended before."""
        self._sent_ns.pop(number, None)
        return self.operations.pop(number, None)

    def take_due(self, now_ns: int, generation: int) -> list[DiskRequest]:
        """What to send to the disk now."""
        due = []
        for operation in self.operations.values():
            sent_ns = self._sent_ns.get(operation.number)
            if sent_ns is None and not self._must_wait(operation) \
                    or sent_ns is not None and now_ns >= sent_ns + RETRY_NS:
                self._sent_ns[operation.number] = now_ns
                due.append(request_of(operation, generation))
        return due

    def due_ns(self, now_ns: int) -> int | None:
        """When there is something to send next."""
        if not self.operations:
            return None
        if any(number not in self._sent_ns and not self._must_wait(operation)
               for number, operation in self.operations.items()):
            return now_ns
        return min((sent_ns + RETRY_NS for sent_ns in self._sent_ns.values()), default=None)

    def _must_wait(self, operation: DiskOperation) -> bool:
        """Whether an earlier operation races with this one, here or on the backup."""
        others = list(self.pending())
        if operation.command == WRITE:
            others += self.unread.values()
        return any(other.number < operation.number and races(other, operation)
                   for other in others)


def races(one: DiskOperation, other: DiskOperation) -> bool:
    """Whether the order of two operations can be seen."""
    if WRITE in (one.command, other.command) \
            and _overlap(one.block, one.blocks, other.block, other.blocks):
        return True
    size = LAYOUT["BLOCK_SIZE"]
    return one.command == other.command == READ \
        and _overlap(one.address, one.blocks * size, other.address, other.blocks * size)


def _overlap(start: int, length: int, other_start: int, other_length: int) -> bool:
    return start < other_start + other_length and other_start < start + length


def request_of(operation: DiskOperation, generation: int) -> DiskRequest:
    """What to ask a disk for."""
    return DiskRequest(generation, operation.number, operation.command, operation.block,
                       operation.blocks, operation.data)
