"""The guest's instructions around an address, by Capstone where it is installed, else as bytes."""

from __future__ import annotations

from bisect import bisect_right
from importlib import import_module
from typing import Any, Mapping

BEFORE, AFTER, BYTES = 5, 6, 32
RUNS_MAX = 4096         # bytes from the start of a function to the address
MISSING = "(no disassembly: Capstone is not installed, see the extra [step])"


def disassembly(code: bytes, base: int, rip: int, symbols: Mapping[str, int]) -> list[str]:
    """Lines around `rip`, the next instruction marked; `code` is what memory holds from `base`."""
    names = sorted((at, name) for name, at in symbols.items())
    try:
        capstone = import_module("capstone")
    except ImportError:
        shown = code[rip - base:rip - base + BYTES]
        return [f"> {_where(names, rip)}  {shown.hex(' ')}", f"  {MISSING}"]
    decoder = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    place = bisect_right(names, rip, key=lambda symbol: symbol[0]) - 1
    begin = names[place][0] if place >= 0 and rip - names[place][0] < RUNS_MAX else rip
    found = _decoded(decoder, code, base, begin)
    if rip not in [line[0] for line in found]:
        found = _decoded(decoder, code, base, rip)      # not from the beginning of a function
    at = [line[0] for line in found].index(rip) if found else 0
    return [f"{'>' if address == rip else ' '} {_where(names, address):<28}  {text}"
            for address, text in found[max(0, at - BEFORE):at + AFTER]]


def _decoded(decoder: Any, code: bytes, base: int, begin: int) -> list[tuple[int, str]]:
    stretch = code[begin - base:begin - base + 2 * RUNS_MAX]
    lines = decoder.disasm_lite(stretch, begin)
    return [(address, f"{name} {operands}".strip()) for address, _, name, operands in lines]


def _where(names: list[tuple[int, str]], address: int) -> str:
    place = bisect_right(names, address, key=lambda symbol: symbol[0]) - 1
    if place < 0:
        return f"{address:#x}"
    begin, name = names[place]
    return f"{address:#x} {name}+{address - begin:#x}"
