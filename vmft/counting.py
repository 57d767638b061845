"""Counting retired instructions, and stopping after an exact number of them.

A hook runs before every instruction: it counts it, or ends the run when the count stands at the
target.  The native hook and the one in Python share this layout and give the same numbers; the
native one is used where it was built.  Counting is always on: an engine that ran code translated
without the hook would go on running it uncounted.
"""

from __future__ import annotations

import ctypes
import importlib
from typing import Callable

from vmft.engine import HOOK_CODE, CodeHook, Engine


def _native_hook() -> int | None:
    """The address of the native hook, or None where no compiler built it."""
    try:
        return int(importlib.import_module("vmft._counter").on_code)
    except ImportError:
        return None


NATIVE_HOOK = _native_hook()


class Count(ctypes.Structure):
    """What the hook and the processor share; `vmft/_counter.cpp` has the same layout."""

    _fields_ = [
        ("retired", ctypes.c_uint64),       # instructions, including one that is being executed
        ("target", ctypes.c_uint64),        # stop before executing an instruction at this count
        ("stopped", ctypes.c_uint64),       # whether the target ended the run
        ("stop", ctypes.c_void_p),          # uc_emu_stop
    ]
    retired: int
    target: int
    stopped: int


def attach(engine: Engine, *, native: bool = NATIVE_HOOK is not None) -> Count:
    """Count the instructions of ``engine`` from now on."""
    count = Count(stop=engine.stop_function)
    if native:
        assert NATIVE_HOOK is not None, "the native counter was not built"
        hook = CodeHook(NATIVE_HOOK)
    else:
        hook = CodeHook(_python_hook(engine, count))
    engine.hook(HOOK_CODE, hook, ctypes.addressof(count))
    return count


def _python_hook(engine: Engine, count: Count) -> Callable[[int, int, int, int], None]:
    def on_code(handle: int, address: int, size: int, user_data: int) -> None:
        if count.retired == count.target:
            count.stopped = 1
            engine.stop()
        else:
            count.retired += 1
    return on_code
