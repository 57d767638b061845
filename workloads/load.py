"""Work of one kind at a time, for measuring; what the answers say is computed here too.

A request is: op u32; for `receive` (2) any bytes; else count u32 and size u32.  The answer: op u32,
status u32, value i64: for `compute` (1) the generator's state after `count` steps, for `receive`
the number of bytes, else the count.  Before it answers `transmit` (3), the guest sends `count`
packets of `size` bytes, which belong to no request.  `write` (4) and `read` (5) move `count` times
`size` blocks of the disk; `tick` (6) sets the timer's period in microseconds.
"""

from __future__ import annotations

import struct
from typing import Any

from checker import Verdict
from checker.check import Record
from histories.value import quantity, show
from workloads.workload import Client, Completion, Rng, Workload, invoke

OPS = {"compute": 1, "receive": 2, "transmit": 3, "write": 4, "read": 5, "tick": 6}
REQUEST = struct.Struct("<III")     # op, count, size
REPLY = struct.Struct("<IIq")       # op, status, value
PACKET_BYTES_MIN, PACKET_BYTES_MAX = 32, 1400
BLOCKS_MAX = 8
MULTIPLIER, INCREMENT = 6364136223846793005, 1442695040888963407
WORD = 1 << 64
EXAMPLES_MAX = 16


def ops(process: int, rng: Rng) -> Client:
    """A little of everything."""
    while True:
        f = rng.choice(["compute", "receive", "transmit", "write", "read"])
        if f == "compute":
            value: Any = rng.below(10_000)
        elif f == "receive":
            value = rng.below(PACKET_BYTES_MAX + 1)
        elif f == "transmit":
            value = [rng.below(20), PACKET_BYTES_MIN + rng.below(1000)]
        else:
            value = [rng.below(20), 1 + rng.below(BLOCKS_MAX)]
        yield invoke(f, value)


def final(process: int) -> Client:
    """Does it still compute?"""
    yield invoke("compute", 1000 + process)


def encode(f: str, value: Any) -> bytes:
    """The request behind the frame's header."""
    if f == "receive":
        return struct.pack("<I", OPS[f]) + bytes(value)
    count, size = value if isinstance(value, (list, tuple)) else (value, 0)
    return REQUEST.pack(OPS[f], count, size)


def decode(f: str, value: Any, reply: bytes) -> Completion:
    """How much was done, beside what was asked."""
    _, status, done = REPLY.unpack_from(reply)
    return Completion("ok", [value, done]) if status == 0 else Completion("fail", value, "refused")


def computed(steps: int) -> int:
    """The generator's state after so many steps from 1, as a signed word.

    A step is an affine map; steps are composed by squaring (Brown, "Random number generation with
    arbitrary strides", 1994).
    """
    factor, offset = 1, 0
    step_factor, step_offset = MULTIPLIER, INCREMENT
    while steps:
        if steps & 1:
            factor = factor * step_factor % WORD
            offset = (offset * step_factor + step_offset) % WORD
        step_offset = step_offset * (step_factor + 1) % WORD
        step_factor = step_factor * step_factor % WORD
        steps >>= 1
    state = (factor + offset) % WORD
    return state - WORD if state >= WORD // 2 else state


def expected(f: str, value: Any) -> int:
    """What a right answer says."""
    if f == "compute":
        return computed(value)
    return int(value[0] if isinstance(value, (list, tuple)) else value)


def done_as_asked(record: Record) -> Verdict:
    """Every answer says what its request asked for."""
    checked, wrong = 0, []
    for op in record.history:
        if op.type == "ok" and op.f in OPS:
            checked += 1
            asked, done = op.value
            if done != expected(op.f, asked):
                wrong.append({"op": op.index, "asked": [op.f, asked], "answer": done})
    evidence: dict[str, Any] = {"checked": checked}
    if not wrong:
        return Verdict(valid=True, why=f"none of {quantity(checked, 'answer')} is wrong",
                       evidence=evidence)
    first = wrong[0]
    return Verdict(
        valid=False,
        why=f"op {first['op']}: {show(first['asked'])} was answered {show(first['answer'])}",
        evidence={**evidence, "op": first["op"], "ops": [first["op"]],
                  "count": len(wrong), "wrong": wrong[:EXAMPLES_MAX]})


LOAD = Workload(
    name="load",
    guest="load",
    meaning="work of one kind at a time, for measuring",
    ops=ops,
    final=final,
    encode=encode,
    decode=decode,
    checks={"answers": done_as_asked},
)
