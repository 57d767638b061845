"""Tokens: `draw` answers one that nobody can guess, `ask` the same one again.

A token is made of everything that a machine cannot compute, so one that is not repeated along the
log is another one after a failover.

A request is: op u32 (1 draw, 2 ask), slot u32.  The answer: op u32, status u32, the slot's token
u64, the token that it had before the request u64; 0 is no token.
"""

from __future__ import annotations

import struct
from typing import Any

from checker import models
from workloads.workload import Client, Completion, Rng, Workload, invoke, LinearizableAs

SLOTS = 8
OPS = {"draw": 1, "ask": 2}
REQUEST = struct.Struct("<II")
REPLY = struct.Struct("<IIQQ")      # op, status, token, token before


def ops(process: int, rng: Rng) -> Client:
    """Some are drawn, more are asked for."""
    while True:
        yield invoke("draw" if rng.chance(1, 3) else "ask", rng.below(SLOTS))


def final(process: int) -> Client:
    """Does it still know?"""
    yield invoke("ask", process % SLOTS)


def encode(f: str, value: Any) -> bytes:
    """The request behind the frame's header."""
    return REQUEST.pack(OPS[f], value)


def decode(f: str, value: Any, reply: bytes) -> Completion:
    """The slot with its token, and for a draw the one that it replaced."""
    if len(reply) < REPLY.size:
        return Completion("fail", value, "refused")
    _, _, token, before = REPLY.unpack_from(reply)
    return Completion("ok", [value, _show(token)] + ([_show(before)] if f == "draw" else []))


def _show(token: int) -> str | None:
    return f"{token:016x}" if token else None


TOKEN = Workload(
    name="token",
    guest="token",
    meaning="tokens of time and chance, told again when asked",
    ops=ops,
    final=final,
    encode=encode,
    decode=decode,
    checks={"linearizable": LinearizableAs(models.token)},
)
