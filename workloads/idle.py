"""A guest that sleeps and counts its ticks: they never become fewer.

A request is: op u32 (1).  The answer: op u32, status u32, ticks i64, how often the guest woke u64.
"""

from __future__ import annotations

import struct
from typing import Any

from checker import Verdict
from checker.check import Record
from checker.monotonic import monotonic
from workloads.workload import Client, Completion, Rng, Workload, invoke

OPS = {"ticks": 1}
REQUEST = struct.Struct("<I")
REPLY = struct.Struct("<IIqQ")      # op, status, ticks, wakes


def ops(process: int, rng: Rng) -> Client:
    """Always the same question."""
    while True:
        yield invoke("ticks")


def final(process: int) -> Client:
    """How many in the end?"""
    yield invoke("ticks")


def encode(f: str, value: Any) -> bytes:
    """The request behind the frame's header."""
    return REQUEST.pack(OPS[f])


def decode(f: str, value: Any, reply: bytes) -> Completion:
    """The ticks, and the wakes."""
    if len(reply) < REPLY.size:
        return Completion("fail", None, "refused")
    _, _, ticks, wakes = REPLY.unpack_from(reply)
    return Completion("ok", [ticks, wakes])


def never_back(record: Record) -> Verdict:
    """Ticks, and wakes between two ticks."""
    return monotonic(record.history, *OPS)


IDLE = Workload(
    name="idle",
    guest="idle",
    meaning="a guest that sleeps and counts its ticks",
    ops=ops,
    final=final,
    encode=encode,
    decode=decode,
    checks={"monotonic": never_back},
)
