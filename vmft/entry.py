"""Log entries: what a machine cannot repeat by itself, and the exact instruction where it happened.

An entry is the next state to transition into.  ``at`` counts retired instructions.  For what the
hypervisor does *to* the guest (input, interrupt, control, digest) it happens after ``at``
instructions; for what the guest itself does (result, output) it happens *in* the instruction that
follows them.  A record on the wire is

    version u8 | kind u8 | length u16 | crc u32 | seq u64 | at u64 | data

little-endian, the crc over everything but itself.  A record that is cut off or damaged is never
decoded, and nothing behind it is: entries after a gap are unusable.

An input or an interrupt carries a witness of the instruction it belongs to: applied one off, it
might leave no trace for the next digest to find.
"""

from __future__ import annotations

import struct
import zlib
from typing import Iterator, NamedTuple

VERSION = 1

INPUT = 1           # data reached a device from outside
INTERRUPT = 2       # an interrupt was delivered, and with it the device's data
RESULT = 3          # an instruction answered something that cannot be computed
OUTPUT = 4          # the guest sent something to the outside world
CONTROL = 5         # the host did something to the machine as a whole
DIGEST = 6          # what the machine's state amounts to here

KINDS = {
    INPUT: "input", INTERRUPT: "interrupt", RESULT: "result",
    OUTPUT: "output", CONTROL: "control", DIGEST: "digest",
}

HEADER = struct.Struct("<BBHIQQ")
HEAD = struct.Struct("<BBH")
TAIL = struct.Struct("<QQ")
APPLIED_DATA = struct.Struct("<IB")     # witness; device (input, content follows) or vector
RESULT_DATA = struct.Struct("<BQ")
OUTPUT_DATA = struct.Struct("<BQHI")
DIGEST_DATA = struct.Struct("<III")
DATA_BYTES_MAX = 0xFFFF


class Entry(NamedTuple):
    """One log entry; ``seq`` counts from 1 in each generation without gaps."""

    seq: int
    kind: int
    at: int
    data: bytes

    @property
    def within(self) -> bool:
        """Whether the guest's own instruction makes it happen, the one after ``at``."""
        return self.kind in (RESULT, OUTPUT)

    @property
    def reach(self) -> int:
        """How many instructions may be retired once this entry is known and no later one."""
        return self.at + 1 if self.within else self.at


class Damaged(Exception):
    """A record that cannot be trusted: cut off, altered, or of another version."""


def encode(entry: Entry) -> bytes:
    """The entry as one record of bytes."""
    assert len(entry.data) <= DATA_BYTES_MAX
    head = HEAD.pack(VERSION, entry.kind, len(entry.data))
    rest = TAIL.pack(entry.seq, entry.at) + entry.data
    return head + struct.pack("<I", zlib.crc32(rest, zlib.crc32(head))) + rest


def decode(data: bytes, offset: int = 0) -> tuple[Entry, int]:
    """The entry whose record starts at ``offset``, and where the next one starts.

    Damaged if the record is cut off, altered, or of another version.
    """
    if len(data) - offset < HEADER.size:
        raise Damaged(f"record cut off in its header at byte {offset}")
    version, kind, length, crc, seq, at = HEADER.unpack_from(data, offset)
    end = offset + HEADER.size + length
    if version != VERSION:
        raise Damaged(f"record of version {version}, expected {VERSION}")
    if len(data) < end:
        raise Damaged(f"record {seq} cut off: {len(data) - offset} of {end - offset} bytes")
    if crc != zlib.crc32(data[offset + 8:end], zlib.crc32(data[offset:offset + 4])):
        raise Damaged(f"record at byte {offset} does not match its checksum")
    if kind not in KINDS:
        raise Damaged(f"record {seq} of unknown kind {kind}")
    return Entry(seq, kind, at, data[offset + HEADER.size:end]), end


def decode_all(data: bytes) -> Iterator[Entry]:
    """Every entry of a batch, in order; raises Damaged at the first bad one."""
    offset = 0
    while offset < len(data):
        entry, offset = decode(data, offset)
        yield entry
