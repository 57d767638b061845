"""A clock: what it answers never goes back, whoever asks and whichever machine answers.

Every host has a clock of its own, so a machine that does not go on from the logged one jumps.

A request is: op u32 (1 the clock device, 2 the processor's counter).  The answer: op u32, status
u32, nanoseconds i64.
"""

from __future__ import annotations

import struct
from typing import Any

from checker import Verdict
from checker.check import Record
from checker.monotonic import monotonic
from workloads.workload import Client, Completion, Rng, Workload, invoke

OPS = {"now": 1, "tsc": 2}
REQUEST = struct.Struct("<I")
REPLY = struct.Struct("<IIq")       # op, status, nanoseconds


def ops(process: int, rng: Rng) -> Client:
    """Either way of asking."""
    while True:
        yield invoke(rng.choice(["now", "tsc"]))


def final(process: int) -> Client:
    """What time is it in the end?"""
    yield invoke("now")


def encode(f: str, value: Any) -> bytes:
    """The request behind the frame's header."""
    return REQUEST.pack(OPS[f])


def decode(f: str, value: Any, reply: bytes) -> Completion:
    """The time."""
    _, status, now_ns = REPLY.unpack_from(reply)
    return Completion("ok", now_ns) if status == 0 else Completion("fail", None, "refused")


def never_back(record: Record) -> Verdict:
    """Both ways of asking tell the same time."""
    return monotonic(record.history, *OPS)


CLOCK = Workload(
    name="clock",
    guest="clock",
    meaning="a clock that never goes back",
    ops=ops,
    final=final,
    encode=encode,
    decode=decode,
    checks={"monotonic": never_back},
)
