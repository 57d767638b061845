"""One virtual processor with its memory, running to an exact instruction.

Invariants.  The position is the number of instructions retired since boot; each iteration of a
`rep` instruction is one, and so is its last test.  Any slicing of a run gives the same registers
and memory.  Whatever the guest could read that is not a function of its past (`in`, `rdtsc`,
`rdtscp`, `rdrand`, `rdseed`) is asked for through a callback.  Memory is a buffer of ours: what
we write into it drops the code translated from there, so that both sides of a pair execute what
the memory says.  Nothing here reads a clock.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from typing import Callable, NamedTuple, Sequence

from unicorn import unicorn_const as uc

from vmft import counting, engine
from vmft.engine import GENERAL, PAGE_SIZE, Engine, EngineError, Registers
from vmft.guests.build import Image

RAM_SIZE = 1 << 18

U32 = 0xFFFFFFFF
CF, TF, IF = 1 << 0, 1 << 8, 1 << 9
ARITHMETIC_FLAGS = 0x8D5        # CF, PF, AF, ZF, SF, OF
STI, HLT = 0xFB, 0xF4
MXCSR_AT_RESET, FPCW_AT_RESET = 0x1F80, 0x37F
GENERAL_32 = ("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi",
              *(f"r{i}d" for i in range(8, 16)))
GENERAL_16 = ("ax", "cx", "dx", "bx", "sp", "bp", "si", "di", *(f"r{i}w" for i in range(8, 16)))
RANDOM = {6: "rdrand", 7: "rdseed"}
FAULTS = {
    uc.UC_ERR_READ_UNMAPPED: "reads memory that is not there",
    uc.UC_ERR_WRITE_UNMAPPED: "writes memory that is not there",
    uc.UC_ERR_FETCH_UNMAPPED: "jumps to memory that is not there",
    uc.UC_ERR_INSN_INVALID: "executes an instruction that the processor does not have",
    uc.UC_ERR_EXCEPTION: "raises an exception that nobody handles",
}


class GuestFault(Exception):
    """The guest did what stops a real machine: where, and what."""

    def __init__(self, position: int, rip: int, what: str) -> None:
        super().__init__(f"guest {what}, at instruction {position}, rip {rip:#x}")
        self.position, self.rip, self.what = position, rip, what


class Breakpoint(NamedTuple):
    """Have `hit` called when execution gets to a position of `at`, which changes nothing else.

    The positions are in order, each there once.
    """

    at: Sequence[int]
    hit: Callable[[], None]

    def between(self, begin: int, end: int) -> Sequence[int]:
        """The positions behind `begin`, up to `end`."""
        return self.at[bisect_right(self.at, begin):bisect_right(self.at, end)]


@dataclass(frozen=True)
class Snapshot:
    """A processor and its memory, to be restored by the same emulator in any process."""

    position: int
    halted: bool
    ram: bytes
    context: bytes


class Cpu:
    """One x86-64 processor at privilege level 0 in long mode, booting ``image``.

    ``on_in(port, size)`` answers what `in` reads; ``on_out(port, size, value)`` takes what `out`
    writes; ``on_result(kind)`` answers 64 bits for kind "rdtsc", "rdtscp", "rdrand" or "rdseed".
    They are called at the instruction, `position` being the number retired before it, and may
    call `stop`.  An exception in one leaves `run` with that instruction not executed.
    """

    def __init__(self, image: Image, *, on_in: Callable[[int, int], int],
                 on_out: Callable[[int, int, int], None], on_result: Callable[[str], int],
                 ram_size: int = RAM_SIZE, native: bool = counting.NATIVE is not None,
                 breakpoint: Breakpoint | None = None) -> None:
        self.position = 0
        self.halted = False
        self._ram = mmap.mmap(-1, ram_size)
        self._engine = Engine(self._ram)
        self._count = counting.counter(self._engine, self._ram, native=native)
        self._on_in, self._on_out, self._on_result = on_in, on_out, on_result
        self._error: BaseException | None = None
        self._undo: tuple[list[int], bytes] | None = None
        self._bad_store: tuple[int, int] | None = None      # its position, counted, and its rip
        self._breakpoint = breakpoint
        self._stopped = False       # by a callback, in the latest run
        self._prepare_registers()
        self._add_hooks()
        self.write(image.base, image.data)
        self._set("rip", image.entry)
        self._set("mxcsr", MXCSR_AT_RESET)
        self._set("fpcw", FPCW_AT_RESET)

    @property
    def pc(self) -> int:
        """The address of the instruction that is next, or under way."""
        return self._flow.get()[0]

    @property
    def interruptible(self) -> bool:
        """Whether an interrupt may be delivered here.

        Interrupts are enabled, and this is not the `hlt` of `sti; hlt`: between the two a real
        processor takes none, so that a wake-up cannot be lost there.
        """
        rip, flags = self._flow.get()
        return bool(flags & IF) and self._ram[rip - 1:rip + 1] != bytes((STI, HLT))

    def run(self, until: int) -> None:
        """Execute until `position` is ``until``, or the guest halts, or a callback stops it.

        A breakpoint on the way is no end of the run: who called must not get a chance to do
        earlier what it would have done later.  ValueError if ``until`` is past.
        """
        if until < self.position:
            raise ValueError(f"cannot run back from {self.position} to {until}")
        stop, self._stopped = self._breakpoint, False
        for at in stop.between(self.position, until) if stop is not None else ():
            if not self._stopped:
                self._run(at)
                if self.position == at and stop is not None:
                    stop.hit()
        if not self._stopped:
            self._run(until)

    def _run(self, until: int) -> None:
        if self.halted or until == self.position:
            return
        self._bad_store = None
        status = self._count.run(self._flow.get()[0], until)
        if self._error is not None:
            self._take_back()
        elif status:
            self._fault(status)
        self.position = self._count.retired
        self.halted = not self._count.reached

    def stop(self) -> None:
        """From a callback: end the run when the current instruction has completed."""
        self._stopped = True
        self._count.stop()

    def interrupt(self, vector: int) -> None:
        """Deliver an interrupt here, through the guest's descriptor table.

        Pushes the frame that `iretq` expects (Intel SDM volume 3, 6.14.2, same privilege level).
        """
        assert self.interruptible, "interrupts are disabled"
        target, selector, cleared = self._gate(vector)
        rip, flags, rsp, cs, ss = self._frame.get()
        if selector != cs:
            raise self._guest_fault(f"changes its code segment at interrupt {vector:#x}")
        top = (rsp & ~15) - 40
        self.write(top, struct.pack("<QQQQQ", rip, cs, flags, rsp, ss))
        self._resume.set(target, flags & ~cleared, top)
        self.halted = False

    def read(self, address: int, size: int) -> bytes:
        """Guest memory, by physical address."""
        self._check_range(address, size)
        return self._ram[address:address + size]

    def write(self, address: int, data: bytes) -> None:
        """Write guest memory as a device does, and forget what was translated from there."""
        self._check_range(address, len(data))
        if data:
            self._ram[address:address + len(data)] = data
            self._engine.forget(address, address + len(data))

    def registers(self) -> dict[str, int]:
        """Every register that the guest can see, by name."""
        raw = self._all.read()
        return {name: int.from_bytes(raw[i * Registers.SLOT:(i + 1) * Registers.SLOT], "little")
                for i, name in enumerate(self._all.names)}

    def witness(self) -> int:
        """32 bits that differ from one instruction to the next: rip, and what a `rep` moves."""
        return zlib.crc32(self._touched.read())

    def digest(self) -> int:
        """32 bits over registers and memory."""
        return zlib.crc32(self._ram, zlib.crc32(self._all.read(), self.halted))

    def page_digests(self) -> list[int]:
        """32 bits over each page of memory, to name the first that differs."""
        with memoryview(self._ram) as ram:
            return [zlib.crc32(ram[start:start + PAGE_SIZE])
                    for start in range(0, len(ram), PAGE_SIZE)]

    def snapshot(self) -> Snapshot:
        """Everything that decides what comes next."""
        return Snapshot(self.position, self.halted, bytes(self._ram), self._engine.save())

    def restore(self, snapshot: Snapshot) -> None:
        """Become the processor that ``snapshot`` was taken from; ValueError for another size."""
        if len(snapshot.ram) != len(self._ram):
            raise ValueError(f"memory of {len(snapshot.ram)} bytes, expected {len(self._ram)}")
        self._ram[:] = snapshot.ram
        self._engine.load(snapshot.context)
        self.position = self._count.retired = snapshot.position
        self.halted = snapshot.halted

    # Traps

    def _prepare_registers(self) -> None:
        handle = self._engine.handle
        self._flow = Registers(handle, ("rip", "rflags"))
        self._flags = Registers(handle, ("rflags",))
        self._frame = Registers(handle, ("rip", "rflags", "rsp", "cs", "ss"))
        self._resume = Registers(handle, ("rip", "rflags", "rsp"))
        self._tsc = Registers(handle, ("rax", "rdx"))
        self._idtr = Registers(handle, ("idtr",))
        self._touched = Registers(handle, ("rdi", "rip", "rax", "rcx", "rsi"))
        self._all = Registers(handle, engine.REGISTERS)

    def _set(self, register: str, value: int) -> None:
        Registers(self._engine.handle, (register,)).set(value)

    def _add_hooks(self) -> None:
        add, plain = self._engine.hook, engine.PlainHook
        instruction = engine.HOOK_INSTRUCTION
        add(instruction, engine.InHook(self._trap_in), instruction=engine.IN)
        add(instruction, engine.OutHook(self._trap_out), instruction=engine.OUT)
        add(instruction, plain(lambda *_: self._trap_tsc("rdtsc")), instruction=engine.RDTSC)
        add(instruction, plain(lambda *_: self._trap_tsc("rdtscp")), instruction=engine.RDTSCP)
        add(engine.HOOK_INVALID, plain(self._trap_invalid))
        add(engine.HOOK_BAD_STORE, engine.BadStoreHook(self._note_bad_store))

    def _ask(self, callback: Callable[..., int | None], *arguments: object) -> int:
        """Call back at this instruction; on an exception, note what to take back, and stop."""
        self.position = self._count.retired - 1
        self._flags.set(self._count.flags)
        try:
            return callback(*arguments) or 0
        except BaseException as error:      # a callback from C cannot raise: `run` will
            self._error = error
            registers = self._touched.get()
            self._undo = registers, self._ram[registers[0]:registers[0] + 4]
            self.stop()
            return 0

    def _take_back(self) -> None:
        """Undo the instruction at which a callback failed, and raise its error.

        `in` has written rax; `ins` and `outs` memory at rdi, and a register or two.
        """
        error, undo = self._error, self._undo
        assert error is not None and undo is not None
        self._error = self._undo = None
        registers, stored = undo
        self._touched.set(*registers)
        if stored and registers[0] >= PAGE_SIZE:
            self.write(registers[0], stored)
        self._count.retired = self.position
        raise error

    def _trap_in(self, handle: int, port: int, size: int, user_data: int) -> int:
        return self._ask(self._on_in, port, size)

    def _trap_out(self, handle: int, port: int, size: int, value: int, user_data: int) -> None:
        self._ask(self._on_out, port, size, value)

    def _trap_tsc(self, kind: str) -> int:
        """Execute `rdtsc` or `rdtscp`; 1 tells Unicorn that it is done."""
        value = self._ask(self._on_result, kind)
        if self._error is None:
            self._tsc.set(value & U32, value >> 32)
            if kind == "rdtscp":
                self._set("rcx", 0)
        return 1

    def _trap_invalid(self, handle: int, user_data: int) -> int:
        """Execute `rdrand` or `rdseed`, which this processor model lacks; 0 for all else."""
        rip, flags = self._flow.get()
        operation = random_instruction(self._ram[rip:rip + 15])
        if operation is None:
            return 0
        kind, register, length = operation
        value = self._ask(self._on_result, kind)
        if self._error is not None:
            return 0
        self._set(register, value & U32 if register in GENERAL_32 else value)
        self._flow.set(rip + length, flags & ~ARITHMETIC_FLAGS | CF)
        return 1

    # Faults

    def _descriptors(self) -> tuple[int, int]:
        """Base and limit of the interrupt descriptor table."""
        base, limit = struct.unpack_from("<8xQI", self._idtr.read())
        return base, limit

    def _gate(self, vector: int) -> tuple[int, int, int]:
        """A gate's target, code selector, and the flags that delivery through it clears."""
        base, limit = self._descriptors()
        if 16 * vector + 15 > limit:
            raise self._guest_fault(f"has no gate for interrupt {vector:#x}")
        low, high = struct.unpack("<QQ", self.read(base + 16 * vector, 16))
        kind = low >> 40 & 0x8F
        if kind not in (0x8E, 0x8F) or low >> 32 & 7:
            raise self._guest_fault(f"has no usable gate for interrupt {vector:#x}")
        target = low & 0xFFFF | low >> 32 & 0xFFFF0000 | high << 32
        return target, low >> 16 & 0xFFFF, TF | (IF if kind == 0x8E else 0)

    def _fault(self, status: int) -> None:
        """Raise what Unicorn reported; the instruction was counted, unless it was never fetched."""
        if self._bad_store is not None:
            self._count.retired, rip = self._bad_store
            self._set("rip", rip)
        if status not in engine.FETCH_FAULTS:
            self._count.retired -= 1
        self.position = self._count.retired
        raise self._guest_fault(FAULTS.get(status, str(EngineError(status))))

    def _note_bad_store(self, *_: object) -> bool:
        """Note where memory that is not there is written to; False for Unicorn to end the run.

        It does so only after the block, where the instruction stores through a helper of the
        emulator (`fxsave`, `fstp tword`, `maskmovdqu`): what follows is no part of the story.
        """
        if self._bad_store is None:
            self._count.settle()
            self._bad_store = self._count.retired, self._flow.get()[0]
        return False

    def _guest_fault(self, what: str) -> GuestFault:
        return GuestFault(self.position, self._flow.get()[0], what)

    def _check_range(self, address: int, size: int) -> None:
        if address < PAGE_SIZE or address + size > len(self._ram):
            raise self._guest_fault(f"names memory that is not there: {address:#x}, {size} bytes")


def random_instruction(code: bytes) -> tuple[str, str, int] | None:
    """Kind, register and length of the `rdrand` or `rdseed` that ``code`` begins with, if any.

    Encoding: [66] [REX] 0F C7 /6 or /7 with a register operand (Intel SDM volume 2).
    """
    narrow = code[:1] == b"\x66"
    at = int(narrow)
    rex = code[at] if code[at:at + 1] and 0x40 <= code[at] <= 0x4F else 0
    at += bool(rex)
    if code[at:at + 2] != b"\x0f\xc7" or len(code) < at + 3 or code[at + 2] < 0xF0:
        return None
    index = code[at + 2] & 7 | (rex & 1) << 3
    names = GENERAL if rex & 8 else GENERAL_16 if narrow else GENERAL_32
    return RANDOM[code[at + 2] >> 3 & 7], names[index], at + 3
