"""The machine's devices: plain data, the same on both sides of a pair.

A device changes in two ways only: by an instruction of the guest (an `in` or `out`), which the
other side executes too, or by a log entry.  What arrives from outside waits in a bounce buffer
(`queue`, `completed`) and reaches guest memory only when its interrupt is delivered; what goes
out is copied at the instruction that issues it [paper 3.4].  That a device wants an interrupt is
derived from this state, never stored beside it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import astuple, dataclass, field
from typing import NamedTuple

from vmft.ports import LAYOUT

NIC = 1
CONSOLE = 2
DISK = 3
POWER = 4
DEVICES = {NIC: "nic", CONSOLE: "console", DISK: "disk", POWER: "power"}

READ = 1
WRITE = 2

PACKET_BYTES_MAX = LAYOUT["NIC_SLOT_SIZE"] - 4      # a slot starts with the length
TRANSFER_BLOCKS_MAX = 64        # of one disk operation: what is read must fit into one log entry

COMPLETION = struct.Struct("<III")      # number, tag, status; the data of a read follows


class DiskOperation(NamedTuple):
    """One operation that the guest issued: ``number`` counts them since boot."""

    number: int
    tag: int
    command: int
    block: int
    blocks: int
    address: int
    data: bytes             # a write's content, copied when it was issued


class Completion(NamedTuple):
    """The end of a disk operation, waiting to be delivered with its interrupt."""

    tag: int
    status: int
    address: int
    data: bytes


@dataclass(slots=True)
class Nic:
    """Network card: ``head`` packets delivered into the ring, ``done`` of them consumed."""

    ring: int = 0
    head: int = 0
    done: int = 0
    tx_address: int = 0
    queue: list[bytes] = field(default_factory=list)

    @property
    def wants_interrupt(self) -> bool:
        """A packet waits and the ring has room for it."""
        return bool(self.queue) and self.ring != 0 and self.head - self.done < LAYOUT["NIC_SLOTS"]


@dataclass(slots=True)
class Disk:
    """Block device: operations issued and not completed, completions not yet delivered."""

    ring: int = 0
    head: int = 0
    tag: int = 0
    block: int = 0
    count: int = 0
    address: int = 0
    issued: int = 0
    pending: list[DiskOperation] = field(default_factory=list)
    completed: list[Completion] = field(default_factory=list)

    @property
    def wants_interrupt(self) -> bool:
        """A completion waits for its interrupt."""
        return bool(self.completed) and self.ring != 0


@dataclass(slots=True)
class Devices:
    """All device state of one machine."""

    nic: Nic = field(default_factory=Nic)
    disk: Disk = field(default_factory=Disk)
    console: bytes = b""
    timer_period_ns: int = 0
    clock_latched: int = 0
    clock_last: int = 0         # the latest clock value the guest has seen
    outputs: int = 0            # issued since boot
    powered: bool = True

    def digest(self) -> int:
        """32 bits over the whole state."""
        return zlib.crc32(repr(astuple(self)).encode())
