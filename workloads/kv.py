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

from checker import Verdict, models
from checker.check import Record
from histories import Call, Event
from histories.value import quantity
from workloads.workload import Client, Completion, Rng, Workload, invoke, LinearizableAs

KEYS = 16
VALUE_MAX = 224
FIRST_BLOCK = 1
JOURNAL = 32
BLOCK_SIZE = 512
PROBLEMS_SHOWN_MAX = 16
SHARED = "disk"

OPS = {"get": 1, "put": 2, "cas": 3, "append": 4}
REQUEST = struct.Struct("<IBBB")
REPLY = struct.Struct("<IIq")       # op, status, journal record
REFUSALS = {1: "refused", 2: "mismatch", 3: "too long"}

# Checksum, previous checksum, number, request; the changed key and the carried one, with lengths.
RECORD = struct.Struct("<IIQQBBBB")


class Written(NamedTuple):
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

def read_block(block: bytes) -> Written | None:
    """The record in a block; None when there is none, or a damaged one."""
    checksum, previous, number, request, *entries = RECORD.unpack_from(block)
    key, length, carried_key, carried_length = entries
    middle = RECORD.size + length
    end = middle + carried_length
    damaged = max(length, carried_length) > VALUE_MAX or zlib.crc32(block[4:end]) != checksum
    if number == 0 or damaged:
        return None
    value, carried_value = block[RECORD.size:middle].decode(), block[middle:end].decode()
    return Written(number, request, previous, key, value, carried_key, carried_value, checksum)


def journal(blocks: Mapping[int, bytes]) -> list[Written]:
    """The records that a recovery would use: the latest stretch that holds the whole map."""
    found: dict[int, Written] = {}
    for slot in range(JOURNAL):
        record = read_block(blocks.get(FIRST_BLOCK + slot, bytes(BLOCK_SIZE)))
        if record is not None and record.number % JOURNAL == slot:
            found[record.number] = record
    for last in sorted(found, reverse=True):
        numbers = range(max(1, last - KEYS + 1), last + 1)
        if all(_continues(found, number) for number in numbers):
            return [found[number] for number in numbers]
    return []


def _continues(found: Mapping[int, Written], number: int) -> bool:
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


# What the disk says, against what was answered

def audit(record: Record) -> Verdict:
    """Every change was in the journal, as it was asked for, before its client had an answer; no
    record was ever written with two contents; what was answered is what a recovery would find.

    Without a disk in the trace there is nothing to compare.
    """
    changes = [call for call in record.history.calls() if call.outcome == "ok" and call.f != "get"]
    disks, latest = read_disks(record)
    if latest not in disks:
        return Verdict(valid=True, why="the trace tells of no writes to a journal")
    disk = disks[latest]
    kept = journal(disk.blocks)
    last = kept[-1].number if kept else 0
    problems = [problem for each in disks.values() for problem in each.problems] + [
        {"time": call.end_ns, "op": call.start, "problem": why, "ops": [call.start]}
        for call in changes if (why := disk.contradiction(call, last)) is not None]
    if not problems:
        return Verdict(valid=True, evidence={"changes": len(changes), "records": last}, why=(
            f"{quantity(len(changes), 'change')}, each on disk before its answer"))
    return Verdict(valid=False, why=str(problems[0]["problem"]), evidence={
        "count": len(problems), "ops": problems[0]["ops"],
        "problems": problems[:PROBLEMS_SHOWN_MAX]})


def read_disks(record: Record) -> tuple[dict[str, Disk], str]:
    """The disks by name, and whose is the machine's in the end: all one, unless hosts have their
    own."""
    local = record.test.get("disk") == "local"
    requests: dict[int, tuple[int, Written]] = {}
    disks: dict[str, Disk] = {}
    latest = SHARED
    for event in record.trace.of("boot", "live", "moved", "disk-write", "disk-copy"):
        name = event.data.get("source", event.node) if local else SHARED
        if event.kind == "disk-write":
            disks.setdefault(name, Disk(requests)).write(event)
        elif event.kind == "disk-copy":
            disks.setdefault(name, Disk(requests)).copy(event)
        elif event.kind == "live" or event.data["role"] == "primary":
            latest = name
    return disks, latest


class Disk:
    """A disk's blocks as the trace writes them, and which record was first written when.

    `requests` (time and record by request) is common to the disks of all hosts.
    """

    def __init__(self, requests: dict[int, tuple[int, Written]]) -> None:
        self.blocks: dict[int, bytes] = {}
        self.records: dict[int, Written] = {}           # by number
        self.requests = requests
        self.problems: list[dict[str, Any]] = []

    def write(self, event: Event) -> None:
        """Take a write as far as it is to the journal; note what can never be right."""
        content = bytes.fromhex(event.data["content"])
        content = content.ljust(event.data["blocks"] * BLOCK_SIZE, b"\0")
        for place in range(event.data["blocks"]):
            number = event.data["block"] + place
            self.blocks[number] = content[place * BLOCK_SIZE:][:BLOCK_SIZE]
            written = read_block(self.blocks[number])
            if written is None and event.data.get("status", 0) != 0:
                continue        # torn, and said so
            if written is None:
                self._note(event, f"block {number} was written with something that is no record")
                continue
            self.requests.setdefault(written.request, (event.time, written))
            first = self.records.setdefault(written.number, written)
            if first != written:
                self._note(event, f"journal record {written.number} was written for op "
                                  f"{first.request} and again, differently, for op "
                                  f"{written.request}", first.request, written.request)

    def copy(self, event: Event) -> None:
        """Another host's blocks replace these; what they held never was."""
        for number, content in event.data["blocks"]:
            stale = read_block(self.blocks.get(number, bytes(BLOCK_SIZE)))
            if stale is not None:
                self.records.pop(stale.number, None)
            self.blocks[number] = bytes.fromhex(content).ljust(BLOCK_SIZE, b"\0")
            fresh = read_block(self.blocks[number])
            if fresh is not None:
                self.records[fresh.number] = fresh

    def contradiction(self, call: Call, last: int) -> str | None:
        """What the disk says against an answered change, when `last` ends the journal."""
        what = f"{call} (op {call.start})"
        time, written = self.requests.get(call.start, (0, None))
        if written is None:
            return f"{what} was answered and is in no journal record"
        if time > call.end_ns:
            return f"{what} was answered before record {written.number} was written"
        arg: Any = call.arg
        key, content = arg
        new = content[1] if call.f == "cas" else content
        whole = written.value[-len(new):] if call.f == "append" else written.value
        if (written.key, whole) != (key, new):
            return f"{what} is journaled as {written.key} = {written.value!r}"
        if written.number > last:
            return f"{what} was answered, and a recovery would not find it"
        return None

    def _note(self, event: Event, why: str, *requests: int) -> None:
        self.problems.append({"time": event.time, "node": event.node, "problem": why,
                              "ops": list(requests)})


KV = Workload(
    name="kv",
    guest="kv",
    meaning="a map of strings, journaled: get, put, cas, append",
    ops=ops,
    final=final,
    encode=encode,
    decode=decode,
    checks={"linearizable": LinearizableAs(models.kv), "disk-auditor": audit},
)
