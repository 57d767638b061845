"""A register whose value is code, which the guest overwrites: `write` sets it, `read` answers it.

Depending on the value, the guest overwrites its own next instruction, executes what a packet
brought, or what it wrote to the disk and read back.  Whichever side executes code that is no longer
there answers a value that is no longer there.

A request is: op u32 (1 write, 2 read); for a write the value u32, and code that answers it.  The
answer: op u32, status u32, the value i64; 0 is none.
"""

from __future__ import annotations

import struct
from typing import Any

from checker import models
from workloads.workload import Client, Completion, Rng, Workload, invoke, LinearizableAs

VALUE_MAX = 1 << 30
OPS = {"write": 1, "read": 2}
REQUEST = struct.Struct("<I")
SETTING = struct.Struct("<IBIB")    # value; mov eax, value; ret
MOV_EAX, RET = 0xB8, 0xC3
REPLY = struct.Struct("<IIq")       # op, status, value


def ops(process: int, rng: Rng) -> Client:
    """As many writes as reads; hardly any value twice."""
    while True:
        yield invoke("read")
        yield invoke("write", 1 + rng.below(VALUE_MAX))


def final(process: int) -> Client:
    """What does it hold in the end?"""
    yield invoke("read")


def encode(f: str, value: Any) -> bytes:
    """The request behind the frame's header."""
    setting = SETTING.pack(value, MOV_EAX, value, RET) if f == "write" else b""
    return REQUEST.pack(OPS[f]) + setting


def decode(f: str, value: Any, reply: bytes) -> Completion:
    """The register's value; after a write too, for people to see."""
    _, status, held = REPLY.unpack_from(reply)
    return Completion("ok", held or None) if status == 0 else Completion("fail", value, "refused")


SELFMOD = Workload(
    name="selfmod",
    guest="selfmod",
    meaning="a register whose value is code that changes",
    ops=ops,
    final=final,
    encode=encode,
    decode=decode,
    checks={"linearizable": LinearizableAs(models.register)},
)
