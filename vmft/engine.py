"""Unicorn's C library, called directly: one x86-64 engine over a buffer of ours.

Unicorn's own Python layer has no handler for `rdtsc` and spends microseconds per call on wrapping;
this module keeps the few calls that a processor needs, with every argument prepared once.
Everything that Unicorn does not promise across its versions is here: a host refuses to replay for
a peer whose EMULATOR differs.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
from collections.abc import Sequence
from typing import Any

from unicorn import unicorn_const as uc
from unicorn import x86_const as x86
from unicorn.unicorn_py3.unicorn import uclib

EMULATOR = (f"unicorn {uc.UC_VERSION_MAJOR}.{uc.UC_VERSION_MINOR}.{uc.UC_VERSION_PATCH}"
            f" x86-64 sandybridge on {platform.machine()}")
PAGE_SIZE = 4096
CODE_BUFFER_SIZE = 8 << 20      # bytes of address space for translated code, an engine

HOOK_CODE, HOOK_BLOCK = uc.UC_HOOK_CODE, uc.UC_HOOK_BLOCK
HOOK_INSTRUCTION, HOOK_INVALID = uc.UC_HOOK_INSN, uc.UC_HOOK_INSN_INVALID
HOOK_BAD_STORE = uc.UC_HOOK_MEM_WRITE_UNMAPPED
IN, OUT = x86.UC_X86_INS_IN, x86.UC_X86_INS_OUT
FETCH_FAULTS = (uc.UC_ERR_FETCH_UNMAPPED, uc.UC_ERR_FETCH_PROT)
RDTSC, RDTSCP = x86.UC_X86_INS_RDTSC, x86.UC_X86_INS_RDTSCP

CodeHook = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_void_p)
InHook = ctypes.CFUNCTYPE(
    ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_void_p)
OutHook = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint32, ctypes.c_void_p)
PlainHook = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p)
BadStoreHook = ctypes.CFUNCTYPE(
    ctypes.c_bool, ctypes.c_void_p, ctypes.c_int, ctypes.c_uint64, ctypes.c_int, ctypes.c_int64,
    ctypes.c_void_p)

GENERAL = ("rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
           "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15")
REGISTERS = (*GENERAL, "rip", "rflags", "cs", "ss", "ds", "es", "fs", "gs", "fs_base", "gs_base",
             "cr0", "cr2", "cr3", "cr4", "gdtr", "idtr", "tr", "ldtr", "mxcsr", "fpcw", "fpsw",
             "fptag", *(f"xmm{i}" for i in range(16)), *(f"fp{i}" for i in range(8)))


class EngineError(Exception):
    """Unicorn refused a call, or stopped a run; `code` is its number."""

    def __init__(self, code: int) -> None:
        super().__init__(uclib.uc_strerror(code).decode())
        self.code = code


def number(register: str) -> int:
    """Unicorn's number for a register's name."""
    return int(getattr(x86, f"UC_X86_REG_{register.upper()}"))


class Registers:
    """A fixed set of registers that is read or written in one call, through one buffer."""

    SLOT = 24       # bytes: the widest is a descriptor table register

    def __init__(self, handle: ctypes.c_void_p, names: Sequence[str]) -> None:
        count = len(names)
        self.names = tuple(names)
        self.raw = bytearray(count * self.SLOT)
        self._anchor = (ctypes.c_char * len(self.raw)).from_buffer(self.raw)
        start = ctypes.addressof(self._anchor)
        self._arguments = (
            handle, (ctypes.c_int * count)(*map(number, names)),
            (ctypes.c_void_p * count)(*range(start, start + len(self.raw), self.SLOT)), count)
        self._values = memoryview(self.raw).cast("Q")

    def read(self) -> bytearray:
        """The registers' bytes, a SLOT each; the buffer is overwritten by the next call."""
        check(uclib.uc_reg_read_batch(*self._arguments))
        return self.raw

    def values(self) -> list[int]:
        """The low 64 bits of what was read last."""
        return self._values[::3].tolist()

    def get(self) -> list[int]:
        """The registers' low 64 bits."""
        check(uclib.uc_reg_read_batch(*self._arguments))
        return self._values[::3].tolist()

    def set(self, *values: int) -> None:
        """Write all the registers, 64 bits each."""
        for index, value in enumerate(values):
            self._values[3 * index] = value
        check(uclib.uc_reg_write_batch(*self._arguments))


class Engine:
    """One x86-64 processor in long mode, its memory being ``ram`` from page 1 on."""

    def __init__(self, ram: mmap.mmap) -> None:
        self.handle = ctypes.c_void_p()
        check(uclib.uc_open(uc.UC_ARCH_X86, uc.UC_MODE_64, ctypes.byref(self.handle)))
        # Sandy Bridge: has rdtscp, has not rdrand and rdseed, which therefore trap.
        self._control(uc.UC_CTL_CPU_MODEL, ctypes.c_int(x86.UC_CPU_X86_SANDYBRIDGE))
        self._control(uc.UC_CTL_TCG_BUFFER_SIZE, ctypes.c_uint32(CODE_BUFFER_SIZE))
        # A run ends nowhere by address: the set of such addresses is in force, and empty.
        self._control(uc.UC_CTL_UC_USE_EXITS, ctypes.c_int(1))
        self._ram = (ctypes.c_char * len(ram)).from_buffer(ram)
        check(uclib.uc_mem_map_ptr(self.handle, PAGE_SIZE, len(ram) - PAGE_SIZE, uc.UC_PROT_ALL,
                                   ctypes.addressof(self._ram) + PAGE_SIZE))
        self.stop_function = ctypes.cast(uclib.uc_emu_stop, ctypes.c_void_p).value
        self.write_function = ctypes.cast(uclib.uc_reg_write, ctypes.c_void_p).value
        self.read_function = ctypes.cast(uclib.uc_reg_read, ctypes.c_void_p).value
        self._hooks: dict[int, Any] = {}      # keeps the callbacks alive

    def __del__(self) -> None:
        uclib.uc_close(self.handle)

    def hook(self, kind: int, callback: Any, user_data: int = 0, *,
             instruction: int = 0, begin: int = 1, end: int = 0) -> int:
        """Have ``callback``, one of the hook types above, called from now on; its number.

        It is called for addresses from ``begin`` to ``end`` inclusive, or for all.  What was
        translated before must be forgotten for the hook to be called there.
        """
        hook = ctypes.c_size_t()
        check(uclib.uc_hook_add(
            self.handle, ctypes.byref(hook), kind, ctypes.cast(callback, ctypes.c_void_p),
            ctypes.c_void_p(user_data), begin, end, ctypes.c_int(instruction)))
        self._hooks[hook.value] = callback
        return hook.value

    def unhook(self, hook: int) -> None:
        """Take a hook off; what was translated with it must be forgotten."""
        check(uclib.uc_hook_del(self.handle, hook))
        del self._hooks[hook]

    def start(self, address: int) -> int:
        """Run from ``address`` until a hook stops it or it halts; answers Unicorn's status."""
        return int(uclib.uc_emu_start(self.handle, address, 0, 0, 0))

    def stop(self) -> None:
        """From inside a hook: end the run."""
        uclib.uc_emu_stop(self.handle)

    def forget(self, begin: int, end: int) -> None:
        """Drop the code translated from [begin, end): the bytes there were changed by us."""
        self._control(uc.UC_CTL_TB_REMOVE_CACHE, ctypes.c_uint64(begin), ctypes.c_uint64(end))

    def save(self) -> bytes:
        """The processor's whole state, hidden parts included, without memory."""
        context, start, size = self._context()
        check(uclib.uc_context_save(self.handle, context))
        data = ctypes.string_at(start, size)
        uclib.uc_context_free(context)
        return data

    def load(self, data: bytes) -> None:
        """Put back what `save` answered, here or in another process; forget all translated code.

        ValueError if that is of another size.
        """
        context, start, size = self._context()
        if len(data) != size:
            raise ValueError(f"processor state of {len(data)} bytes, expected {size}")
        check(uclib.uc_context_save(self.handle, context))
        ctypes.memmove(start, data, size)
        check(uclib.uc_context_restore(self.handle, context))
        uclib.uc_context_free(context)
        self._control(uc.UC_CTL_TB_FLUSH)
        self._control(uc.UC_CTL_TLB_FLUSH)

    def _context(self) -> tuple[ctypes.c_void_p, int, int]:
        """A new context; where its data begin, after Unicorn's own header, and their length."""
        context = ctypes.c_void_p()
        check(uclib.uc_context_alloc(self.handle, ctypes.byref(context)))
        assert context.value is not None
        size = ctypes.c_size_t.from_address(context.value).value
        return context, context.value + uclib.uc_context_size(self.handle) - size, size

    def _control(self, what: int, *arguments: Any) -> None:
        code = uc.UC_CTL_IO_WRITE << 30 | len(arguments) << 26 | what
        check(uclib.uc_ctl(self.handle, code, *arguments))


def check(status: int) -> None:
    """Raise an EngineError unless ``status`` is success."""
    if status:
        raise EngineError(status)
