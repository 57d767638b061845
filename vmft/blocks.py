"""Numbered blocks, and what a request does to them: common to the shared disk and a host's own.

A block that was never written is zero.  A read that fails breaks off in the middle: what it leaves
in its target is undetermined [paper 4.2], here the first half of what was asked for.  So does a
write that is torn: its second half is still what it was.  Both say by their status that they
failed, as does a write that is not carried out at all.
"""

from __future__ import annotations

import zlib
from hashlib import blake2b
from typing import Any, Iterable

from vmft.devices import WRITE, DiskOperation
from vmft.messages import DiskReply, DiskRequest, Note
from vmft.ports import LAYOUT

BLOCK_SIZE = LAYOUT["BLOCK_SIZE"]
BLOCKS_MAX = 1 << 16
SUM_BYTES = 8
SERVICE_NS = 200_000        # from a request's arrival to its answer

DONE, OUT_OF_RANGE, BROKEN_OFF, FAILED, NO_ROOM = 0, 1, 2, 3, 4


def checksum(block: bytes) -> int:
    """What one block amounts to: two that differ have different sums."""
    return int.from_bytes(blake2b(block, digest_size=SUM_BYTES).digest(), "little")


class Blocks:
    """What a disk holds: `contents` by number, without the blocks that are zero; `sums` of them."""

    def __init__(self) -> None:
        self.contents: dict[int, bytes] = {}
        self.sums: dict[int, int] = {}

    def read(self, first: int, count: int) -> bytes:
        """`count` blocks from `first` on."""
        return b"".join(self.contents.get(number, bytes(BLOCK_SIZE))
                        for number in range(first, first + count))

    def write(self, first: int, data: bytes) -> None:
        """Whole blocks, from `first` on."""
        for place in range(len(data) // BLOCK_SIZE):
            block = data[place * BLOCK_SIZE:(place + 1) * BLOCK_SIZE]
            self.contents[first + place] = block
            self.sums[first + place] = checksum(block)
            if not any(block):
                del self.contents[first + place], self.sums[first + place]

    def digest(self, pending: Iterable[DiskOperation]) -> int:
        """32 bits over everything but what these operations may be writing."""
        changing = {number for each in pending if each.command == WRITE
                    for number in range(each.block, each.block + each.blocks)}
        return zlib.crc32(repr(sorted(
            each for each in self.sums.items() if each[0] not in changing)).encode())

    def holds(self, first: int, count: int) -> bool:
        """Whether all of these blocks have been written, and take room."""
        return all(number in self.contents for number in range(first, first + count))

    def _tear(self, request: DiskRequest) -> bytes:
        """What there is after a write that stopped in the middle: half is new, half is old."""
        half = len(request.data) // 2
        return request.data[:half] + self.read(request.block, request.blocks)[half:]

    def serve(self, done_ns: int, source: str, request: DiskRequest, *, breaks_off: bool = False,
              refused: int | None = None) -> tuple[Note, DiskReply]:
        """Carry out a request; `breaks_off` if it shall stop in the middle.

        `refused` is the status of a write that is not to be carried out at all.
        """
        data: dict[str, Any] = {
            "source": source, "generation": request.generation, "number": request.number,
            "block": request.block, "blocks": request.blocks}
        status, found = DONE, b""
        if request.block + request.blocks > BLOCKS_MAX:
            status = OUT_OF_RANGE
        elif request.command == WRITE and refused is not None:
            status = refused
        elif request.command == WRITE:
            written = self._tear(request) if breaks_off else request.data
            status = FAILED if breaks_off else DONE
            self.write(request.block, written)
            data["content"] = written.rstrip(b"\0").hex()
        else:
            found = self.read(request.block, request.blocks)
            if breaks_off:
                status, found = BROKEN_OFF, found[:len(found) // 2]
        kind = "disk-read" if request.command != WRITE else \
            "disk-write" if "content" in data else "disk-failed"
        return (Note(done_ns, kind, {**data, "status": status}),
                DiskReply(request.generation, request.number, status, found))
