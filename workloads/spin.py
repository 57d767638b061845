"""Spinning on a buffer: `draw` answers how many turns the guest made until the disk's data was in
it, `ask` the same count again.

When data reach memory at another instruction, the count is another one.  A draw also answers what
it found on the disk, which must be the count that the slot had.

A request is: op u32 (1 draw, 2 ask), slot u32.  The answer: op u32, status u32, the slot's count,
the count before.  A count is the turns u32 and a mark u32 of the turns at which packets arrived.
"""

from __future__ import annotations

import struct
from typing import Any

from checker import models
from workloads.workload import Client, Completion, Rng, Workload, invoke, LinearizableAs

SLOTS = 8
OPS = {"draw": 1, "ask": 2}
REQUEST = struct.Struct("<II")
REPLY = struct.Struct("<IIIIII")    # op, status, turns, mark, turns before, mark before


def ops(process: int, rng: Rng) -> Client:
    """As many draws as questions."""
    while True:
        yield invoke(rng.choice(["draw", "ask"]), rng.below(SLOTS))


def final(process: int) -> Client:
    """Does it still know?"""
    yield invoke("ask", process % SLOTS)


def encode(f: str, value: Any) -> bytes:
    """The request behind the frame's header."""
    return REQUEST.pack(OPS[f], value)


def decode(f: str, value: Any, reply: bytes) -> Completion:
    """The slot with its count, and for a draw what it found on the disk."""
    if len(reply) < REPLY.size:
        return Completion("fail", value, "refused")
    _, _, turns, mark, turns_before, mark_before = REPLY.unpack_from(reply)
    before = [_show(turns_before, mark_before)] if f == "draw" else []
    return Completion("ok", [value, _show(turns, mark), *before])


def _show(turns: int, mark: int) -> str | None:
    return f"{turns} turns, mark {mark:08x}" if turns else None


SPIN = Workload(
    name="spin",
    guest="spin",
    meaning="counts the turns until the disk's data is in memory",
    ops=ops,
    final=final,
    encode=encode,
    decode=decode,
    checks={"linearizable": LinearizableAs(models.token)},
)
