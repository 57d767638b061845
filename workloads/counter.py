"""One counter: `inc` answers the new value, `read` the value.

The anomaly that gave this project its name needs nothing more: two different increments that are
both answered 11.
"""

from __future__ import annotations

import struct
from typing import Any

from checker import models
from workloads.workload import Client, Completion, Rng, Workload, invoke, LinearizableAs

OPS = {"inc": 1, "read": 2}
REQUEST = struct.Struct("<I")
REPLY = struct.Struct("<IIq")       # op, status, value


def ops(process: int, rng: Rng) -> Client:
    """Mostly increments, some reads."""
    while True:
        yield invoke("inc" if rng.chance(3, 4) else "read")


def final(process: int) -> Client:
    """What does it hold in the end?"""
    yield invoke("read")


def encode(f: str, value: Any) -> bytes:
    """The request behind the frame's header."""
    return REQUEST.pack(OPS[f])


def decode(f: str, value: Any, reply: bytes) -> Completion:
    """The counter's value."""
    _, status, result = REPLY.unpack_from(reply)
    return Completion("ok", result) if status == 0 else Completion("fail", None, "refused")


COUNTER = Workload(
    name="counter",
    guest="counter",
    meaning="one counter; inc answers the new value",
    ops=ops,
    final=final,
    encode=encode,
    decode=decode,
    checks={"linearizable": LinearizableAs(models.counter)},
)
