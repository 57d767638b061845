"""Echo streams: frames of any size come back unchanged, numbered along their stream.

The history names a frame [stream, size, seed]; its bytes follow from the seed.  An answer adds the
frame's number in its stream; bytes that came back changed are told by the place of the first.

A request is: op u32 (1), stream u32, the frame's bytes.  The answer: op u32, status u32, number
i64, stream u32, the frame's bytes.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any

from checker import models
from workloads.workload import Client, Completion, Rng, Workload, invoke, LinearizableAs

STREAMS = 16
SIZE_MAX = 1400
ECHO = 1
REQUEST = struct.Struct("<II")
REPLY = struct.Struct("<IIqI")      # op, status, number, stream


def ops(process: int, rng: Rng) -> Client:
    """Every client has a stream of its own, for the most part; small frames and large ones."""
    while True:
        stream = process if rng.chance(3, 4) else rng.below(STREAMS)
        size = rng.below(rng.choice([1, 64, SIZE_MAX]) + 1)
        yield invoke("echo", [stream % STREAMS, size, rng.below(1 << 32)])


def final(process: int) -> Client:
    """Where does its stream stand in the end?"""
    yield invoke("echo", [process % STREAMS, 0, 0])


def encode(f: str, value: Any) -> bytes:
    """The request behind the frame's header."""
    return REQUEST.pack(ECHO, value[0]) + frame(value)


def decode(f: str, value: Any, reply: bytes) -> Completion:
    """The frame that came back, and its number."""
    if len(reply) < REPLY.size:
        return Completion("fail", value, "refused")
    _, _, number, stream = REPLY.unpack_from(reply)
    sent, came = frame(value), reply[REPLY.size:]
    if came == sent:
        return Completion("ok", [stream, *value[1:], number])
    place = next((i for i, (one, other) in enumerate(zip(sent, came)) if one != other),
                 min(len(sent), len(came)))
    return Completion("ok", [stream, len(came), f"changed at byte {place}", number])


def frame(value: Any) -> bytes:
    """The bytes of a frame that the history names."""
    _, size, seed = value
    return hashlib.shake_128(seed.to_bytes(4, "little")).digest(size)


ECHO_STREAMS = Workload(
    name="echo",
    guest="echo",
    meaning="frames that come back unchanged and in sequence",
    ops=ops,
    final=final,
    encode=encode,
    decode=decode,
    checks={"linearizable": LinearizableAs(models.echo)},
)
