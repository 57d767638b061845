"""What a machine's state amounts to, detailed enough to name the first thing that differs.

A digest entry holds a sum of the processor with its memory, one of the devices and one of a disk
of the machine's own, and behind them one for each register and each page.
"""

from __future__ import annotations

import struct
import zlib

from vmft.engine import PAGE_SIZE, Registers
from vmft.entry import DIGEST_DATA
from vmft.machine import Machine


def take(machine: Machine) -> bytes:
    """A digest entry's data, for this moment."""
    return DIGEST_DATA.pack(*machine.digest()) + b"".join(
        struct.pack("<I", part) for _, part in _parts(machine))


def difference(machine: Machine, data: bytes) -> str | None:
    """The first thing in which the machine differs from a digest; None when nothing does."""
    mine = take(machine)
    if mine == data:
        return None
    size = DIGEST_DATA.size
    for place, (name, _) in enumerate(_parts(machine)):
        part = slice(size + 4 * place, size + 4 * place + 4)
        if mine[part] != data[part]:
            return name
    sums = zip(("the processor", "the devices", "the disk"), DIGEST_DATA.unpack_from(mine),
               DIGEST_DATA.unpack_from(data))
    return next((name for name, one, other in sums if one != other), "the digest's length")


def _parts(machine: Machine) -> list[tuple[str, int]]:
    """Each register and each page, by name, with its sum."""
    registers = [(f"register {name}", zlib.crc32(value.to_bytes(Registers.SLOT, "little")))
                 for name, value in machine.cpu.registers().items()]
    pages = [(f"the page at {number * PAGE_SIZE:#x}", part)
             for number, part in enumerate(machine.cpu.page_digests())]
    return registers + pages
