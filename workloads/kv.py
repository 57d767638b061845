"""A map of short strings: get, put, compare-and-set and append, journaled to disk by the guest.

A request is: op u32 (1 get, 2 put, 3 cas, 4 append), key u8, length of what a cas expects u8,
length of the value u8, then both strings.  The answer: op u32, status u32 (0 ok, 2 the cas did
not match, 3 the value would be too long), number i64 of the latest journal record that it depends
on, the key's value.

The journal's format is the guest's (vmft/guests/kv.c).  `recover` does what the guest does at boot,
so that whoever has the disk's blocks can say what is on it.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, Mapping, NamedTuple

from checker import models
from workloads.workload import Client, Completion, Rng, Workload, invoke, linearizable_as

KEYS = 16
VALUE_MAX = 224
FIRST_BLOCK = 1
JOURNAL = 32
BLOCK_SIZE = 512

OPS = {"get": 1, "put": 2, "cas": 3, "append": 4}
REQUEST = struct.Struct("<IBBB")
REPLY = struct.Struct("<IIq")       # op, status, journal record
REFUSALS = {1: "refused", 2: "mismatch", 3: "too long"}

# Number, request, previous checksum; the changed key, the carried key; checksum.
RECORD = struct.Struct(f"<QQI BB{VALUE_MAX}s BB{VALUE_MAX}s I")


class Record(NamedTuple):
    """One journal record: `request` (the index of the op that invoked it) set `key` to `value`."""

    number: int
    request: int
    previous: int
    key: int
    value: str
    carried_key: int
    carried_value: str
    checksum: int


def ops(process: int, rng: Rng) -> Client:
    """Every kind of operation, on some keys more than on others; every value is written once."""
    known: dict[int, str] = {}
    count = 0
    while True:
        count += 1
        key, word = min(rng.below(KEYS), rng.below(KEYS)), f"{process}.{count} "
        f = rng.choice(["get", "get", "put", "cas", "append", "append"])
        value = {"get": None, "cas": [known.get(key, ""), word]}.get(f, word)
        done = yield invoke(f, [key, value])
        if done.type == "ok":
            held = {"append": known.get(key, "") + word, "get": done.value[1]}
            known[key] = held.get(f, word)


def final(process: int) -> Client:
    """What does a key hold in the end?"""
    yield invoke("get", [process % KEYS, None])


def encode(f: str, value: Any) -> bytes:
    """The request behind the frame's header."""
    key, content = value
    old, new = content if f == "cas" else ("", content or "")
    before, after = old.encode(), new.encode()
    return REQUEST.pack(OPS[f], key, len(before), len(after)) + before + after


def decode(f: str, value: Any, reply: bytes) -> Completion:
    """What the key holds, for a get; a refused change did not happen."""
    _, status, _ = REPLY.unpack_from(reply)
    if status != 0:
        return Completion("fail", value, REFUSALS[status])
    if f != "get":
        return Completion("ok", value)
    return Completion("ok", [value[0], reply[REPLY.size:].decode()])


# The journal

def read_record(block: bytes) -> Record | None:
    """The record in a block; None when there is none, or a damaged one."""
    number, request, previous, *entries, checksum = RECORD.unpack_from(block)
    if number == 0 or zlib.crc32(block[:RECORD.size - 4]) != checksum:
        return None
    key, length, value, carried_key, carried_length, carried = entries
    return Record(number, request, previous, key, value[:length].decode(),
                  carried_key, carried[:carried_length].decode(), checksum)


def journal(blocks: Mapping[int, bytes]) -> list[Record]:
    """The records that a recovery would use: the latest stretch that holds the whole map."""
    found: dict[int, Record] = {}
    for slot in range(JOURNAL):
        record = read_record(blocks.get(FIRST_BLOCK + slot, bytes(BLOCK_SIZE)))
        if record is not None and record.number % JOURNAL == slot:
            found[record.number] = record
    for last in sorted(found, reverse=True):
        numbers = range(max(1, last - KEYS + 1), last + 1)
        if all(_continues(found, number) for number in numbers):
            return [found[number] for number in numbers]
    return []


def _continues(found: Mapping[int, Record], number: int) -> bool:
    """Whether a record and the one before it are there, and belong together."""
    before = found.get(number - 1)
    previous = before.checksum if before is not None else None if number > 1 else 0
    return number in found and found[number].previous == previous


def recover(blocks: Mapping[int, bytes]) -> dict[int, str]:
    """What a guest that boots from these blocks knows of each key; "" is left out."""
    held: dict[int, str] = {}
    for record in journal(blocks):
        held[record.key] = record.value
        held[record.carried_key] = record.carried_value
    return {key: value for key, value in sorted(held.items()) if value}


KV = Workload(
    name="kv",
    guest="kv",
    meaning="a map of strings, journaled: get, put, cas, append",
    ops=ops,
    final=final,
    encode=encode,
    decode=decode,
    checks={"linearizable": linearizable_as(models.kv)},
)
