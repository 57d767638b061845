"""Counting retired instructions, and stopping after an exact number of them.

Two counters give the same numbers.  `PythonCounter` is called before every instruction.
`NativeCounter`, where a compiler built it, counts whole blocks and watches single instructions
only where that is needed; `vmft/_counter.cpp` says where.  Counting is always on: an engine that
ran code translated without a hook would go on running it uncounted.

Two defects of Unicorn 2.1.4 are made good here.  A store that changes the very block it stands in
is executed twice: the block is abandoned before the store, and begins again there.  The second
attempt is recognized, and is not another instruction; only a `call` whose return address falls
into its own block is beyond us.  And where instructions are hooked singly, that attempt, and a
callback from `rdtsc`, `ins` or `outs`, and a fault, come with flags that the guest never had:
`flags` are those from before the instruction, to be put back.
"""

from __future__ import annotations

import ctypes
import importlib
import mmap
import os
from typing import Any, Protocol

from vmft.engine import (
    FETCH_FAULTS, HOOK_BLOCK, HOOK_CODE, CodeHook, Engine, Registers, number,
)

NOWHERE = (1 << 64) - 1
PREFIXES = b"\x66\x67\xf0\xf2\xf3\x2e\x36\x3e\x26\x64\x65" + bytes(range(0x40, 0x50))
JUMPS = b"\xc2\xc3\xca\xcb\xcf\xe0\xe1\xe2\xe3\xe8\xe9\xeb" + bytes(range(0x70, 0x80))
STRINGS = b"\x6c\x6d\x6e\x6f\xa4\xa5\xa6\xa7\xaa\xab\xac\xad\xae\xaf"
WATCH_ONCE = 2
UNTOUCHED = (0, *FETCH_FAULTS)      # how a run ends without a fault inside an instruction


def _native() -> Any:
    """The native counter's module, or None where it was not built or is not wanted."""
    if os.environ.get("DOUBLE_ELEVEN_PURE"):
        return None
    try:
        return importlib.import_module("vmft._counter")
    except ImportError:
        return None


NATIVE = _native()


class Counter(Protocol):
    """Runs an engine and counts."""

    retired: int        # in a callback: with the instruction that is being executed

    @property
    def reached(self) -> int:
        """Whether the latest run ended at its target."""

    @property
    def flags(self) -> int:
        """In a callback: the flags before the instruction."""

    def run(self, address: int, until: int) -> int:
        """Run from ``address`` until ``until`` are retired, or it halts; Unicorn's status."""

    def settle(self) -> None:
        """From a callback at an instruction that nobody watches: make `retired` exact."""

    def stop(self) -> None:
        """From a callback: end the run after the current instruction."""


class PythonCounter:
    """Counts each instruction before it is executed."""

    def __init__(self, engine: Engine, ram: mmap.mmap) -> None:
        self.retired = self.target = self.reached = 0
        self._engine, self._ram = engine, ram
        self._last = NOWHERE
        self._before = Registers(engine.handle, ("rflags", "rcx"))
        self._rflags = Registers(engine.handle, ("rflags",))
        self._rcx = Registers(engine.handle, ("rcx",))
        engine.hook(HOOK_CODE, CodeHook(self._on_code))

    @property
    def flags(self) -> int:
        return self._before.values()[0]

    def run(self, address: int, until: int) -> int:
        self.target, self.reached, self._last = until, 0, NOWHERE
        status = self._engine.start(address)
        if status not in UNTOUCHED:
            self._rflags.set(self.flags)
        return status

    def settle(self) -> None:
        """Every instruction is watched."""

    def stop(self) -> None:
        self.target = self.retired

    def _on_code(self, handle: int, address: int, size: int, user_data: int) -> None:
        if address == self._last and self._again(address):
            self._rflags.set(self.flags)
            return
        if self.retired == self.target:
            self.reached = 1
            self._engine.stop()
            return
        self.retired += 1
        self._last = address
        self._before.read()

    def _again(self, address: int) -> bool:
        """Whether an instruction that follows itself is a second attempt, not a repetition."""
        code = self._ram[address:address + 15].lstrip(PREFIXES)
        if code[0] in STRINGS:
            return self._before.values()[1:] == self._rcx.get()
        return not (code[0] in JUMPS or code[0] == 0x0F and code[1] & 0xF0 == 0x80
                    or code[0] == 0xFF and 2 <= code[1] >> 3 & 7 <= 5)


class Count(ctypes.Structure):
    """The native counter's public part; `vmft/_counter.cpp` has the same layout."""

    _fields_ = [(name, ctypes.c_uint64) for name in (
        "retired", "pending", "target", "reached", "asked", "begin", "end", "last",
        "flags")]
    retired: int
    pending: int
    target: int
    reached: int
    asked: int
    begin: int
    end: int
    last: int
    flags: int


class NativeCounter:
    """Counts whole blocks, and single instructions in the ranges that are watched."""

    def __init__(self, engine: Engine, ram: mmap.mmap) -> None:
        self._engine = engine
        self._anchor = (ctypes.c_char * len(ram)).from_buffer(ram)
        self._address = NATIVE.create(
            ctypes.addressof(self._anchor), len(ram), engine.stop_function, engine.read_function,
            engine.write_function, number("rflags"), number("rcx"))
        self._count = Count.from_address(self._address)
        self._on_code = CodeHook(NATIVE.on_code)
        self._rip = Registers(engine.handle, ("rip",))
        self._rflags = Registers(engine.handle, ("rflags",))
        self._watched: dict[tuple[int, int], int] = {}
        engine.hook(HOOK_BLOCK, CodeHook(NATIVE.on_block), self._address)

    def __del__(self) -> None:
        NATIVE.destroy(self._address)

    @property
    def retired(self) -> int:
        return self._count.retired

    @retired.setter
    def retired(self, value: int) -> None:
        self._count.retired = value

    @property
    def reached(self) -> int:
        return self._count.reached

    @property
    def flags(self) -> int:
        return self._count.flags

    def run(self, address: int, until: int) -> int:
        count = self._count
        count.target, count.reached, count.last = until, 0, NOWHERE
        once: tuple[int, int] | None = None
        while True:
            count.asked = 0
            status = self._engine.start(address)
            if status or not count.asked:
                break
            address = count.begin
            if once:
                self._unwatch(once)
            once = self._watch(address, count.end) if count.asked == WATCH_ONCE else None
            if not once:
                self._watch_for_ever(address, count.end)
        if once:
            self._unwatch(once)
        if count.pending:
            self.settle()
        elif status not in UNTOUCHED:
            self._rflags.set(count.flags)
        return status

    def settle(self) -> None:
        NATIVE.settle(self._address, self._rip.get()[0])

    def stop(self) -> None:
        self._count.target = self._count.retired

    def _watch_for_ever(self, begin: int, end: int) -> None:
        """Watch a range, as one with those that it touches: no instruction may be counted twice."""
        for other in list(self._watched):
            if other[0] < end and begin < other[1]:
                self._unwatch(other)
                begin, end = min(begin, other[0]), max(end, other[1])
        self._watch(begin, end)

    def _watch(self, begin: int, end: int) -> tuple[int, int]:
        engine = self._engine
        self._watched[begin, end] = engine.hook(
            HOOK_CODE, self._on_code, self._address, begin=begin, end=end - 1)
        self._refresh(begin, end)
        return begin, end

    def _unwatch(self, watched: tuple[int, int]) -> None:
        self._engine.unhook(self._watched.pop(watched))
        self._refresh(*watched)

    def _refresh(self, begin: int, end: int) -> None:
        """Have the code of a range translated anew, with the hooks that are there now."""
        self._engine.forget(begin, end)
        NATIVE.watch(self._address, list(self._watched))


def counter(engine: Engine, ram: mmap.mmap, *, native: bool) -> Counter:
    """Count the instructions of ``engine`` from now on."""
    return NativeCounter(engine, ram) if native else PythonCounter(engine, ram)
