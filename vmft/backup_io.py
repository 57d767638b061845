"""The disk operations that a backup does itself, beside replaying the log.

By default none: what was read comes with the log, and writing is the primary's business.  With
`disk_reads="backup"` the backup reads the shared disk too, and the log carries the content of a
read only when that is undetermined, because the primary's read failed [paper 4.2].  With
`disk="local"` every host has a disk of its own, part of the machine's state, and the backup writes
to its own what the primary writes [paper 4.1].

An operation is asked for as soon as the guest has issued it and no earlier one that races with it
is pending in the log.  The entry that completes it waits until it has ended here too; one that
ended well for the primary is tried here until it does.
"""

from __future__ import annotations

from vmft import devices as dev
from vmft.blocks import DONE
from vmft.machine import Machine
from vmft.messages import DiskReply, DiskRequest
from vmft.outstanding import RETRY_NS, races, request_of
from vmft.settings import MILLISECOND_NS, Settings

FAILED_RETRY_NS = 5 * MILLISECOND_NS


def command_of(settings: Settings) -> int | None:
    """The command that a backup carries out itself; None when it carries out none."""
    if settings.disk == "local":
        return dev.WRITE
    return dev.READ if settings.disk_reads == "backup" else None


class BackupIO:
    """Of one machine on a backup; what has been issued is in the machine's own state."""

    def __init__(self, machine: Machine, settings: Settings,
                 bugs: frozenset[str] = frozenset()) -> None:
        self.machine = machine
        self.command = command_of(settings)
        self.bugs = bugs
        self._ended: dict[int, bytes] = {}      # by number: what a read has brought
        self._again_ns: dict[int, int] = {}     # when to ask once more

    def does(self, operation: dev.DiskOperation) -> bool:
        """Whether this side carries out such an operation."""
        return operation.command == self.command

    @property
    def read(self) -> int:
        """Operations up to this number need no reading by this side any more."""
        if self.command != dev.READ:
            return 0
        disk = self.machine.devices.disk
        return min((each.number for each in self._open()), default=disk.issued + 1) - 1

    def take_due(self, now_ns: int, generation: int) -> list[DiskRequest]:
        """What to ask the disk for now."""
        due = [each for each in self._free() if self._again_ns.get(each.number, 0) <= now_ns]
        self._again_ns.update((each.number, now_ns + RETRY_NS) for each in due)
        return [request_of(each, generation) for each in due]

    def due_ns(self, now_ns: int) -> int | None:
        """When there is something to ask next."""
        return min((max(now_ns, self._again_ns.get(each.number, 0)) for each in self._free()),
                   default=None)

    def replied(self, now_ns: int, reply: DiskReply) -> None:
        """The disk has answered; what failed is asked for again in a while."""
        if reply.number not in {each.number for each in self._open()}:
            return
        if reply.status == DONE or "backup-read-taken" in self.bugs:
            self._ended[reply.number] = reply.data
        else:
            self._again_ns[reply.number] = now_ns + FAILED_RETRY_NS

    def ask_again(self) -> None:
        """In a new generation: the disk may have refused what was asked for in the old one."""
        self._again_ns.clear()

    def settled(self, completion: bytes) -> bool:
        """Whether this completion can be replayed: what it ends has ended here, or need not."""
        number, _, status = dev.COMPLETION.unpack_from(completion)
        return number in self._ended or not self._needed(number, status)

    def complete(self, completion: bytes) -> bytes:
        """The completion, with the content that the log has left out."""
        number, _, status = dev.COMPLETION.unpack_from(completion)
        needed = self._needed(number, status)
        found = self._ended.pop(number, b"")
        self._again_ns.pop(number, None)
        return completion[:dev.COMPLETION.size] + found if needed else completion

    def _needed(self, number: int, status: int) -> bool:
        """Whether what this side has done itself is what counts."""
        ours = any(each.number == number for each in self._issued())
        return ours and (status == DONE or "failed-read-unshipped" in self.bugs)

    def _issued(self) -> list[dev.DiskOperation]:
        """The operations of our command that have not completed in the log."""
        return [each for each in self.machine.devices.disk.pending if self.does(each)]

    def _open(self) -> list[dev.DiskOperation]:
        """Those of them that have not ended here."""
        return [each for each in self._issued() if each.number not in self._ended]

    def _free(self) -> list[dev.DiskOperation]:
        """Those of them that race with nothing before them."""
        pending = self.machine.devices.disk.pending
        return [each for each in self._open()
                if not any(races(other, each) for other in pending if other.number < each.number)]
