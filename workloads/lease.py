"""Leases on locks, which end by themselves after some ticks of the guest's timer.

A client acquires, and releases or lets it end.  Two checks: the answers fit one order (whatever
the time), and no lease ended early.  A tick of the guest takes at least TICK_NS, also across a
failover: a machine that goes live waits a whole period, and what it replays are ticks that took
their time before.  So a lease of n ticks, asked for at time t, certainly lasts until
t + (n - 1) * TICK_NS, unless it is released.

A request is: op u32 (1 acquire, 2 release, 3 holder), lock u32, owner u32, ticks u32, token u64.
The answer: op u32, status u32 (2: held by another, not held, free), token i64 and owner u32 of the
lease as it is now.
"""

from __future__ import annotations

import struct
from typing import Any, Iterator, Sequence

from checker import Verdict, models
from checker.check import Record
from histories import Call
from histories.value import quantity
from workloads.workload import Client, Completion, Rng, Workload, invoke, LinearizableAs

LOCKS = 4
TICK_NS = 2_000_000
TICKS = (10, 50, 200, 500)
EXAMPLES_MAX = 16

OPS = {"acquire": 1, "release": 2, "holder": 3}
REQUEST = struct.Struct("<IIIIQ")
REPLY = struct.Struct("<IIqI")      # op, status, token, owner
REFUSED = 2


def ops(process: int, rng: Rng) -> Client:
    """Acquire; what was granted is released about every other time; ask now and then."""
    held: list[list[int]] = []
    while True:
        lock = rng.below(LOCKS)
        if held and rng.chance(1, 2):
            yield invoke("release", held.pop())
        elif rng.chance(1, 4):
            yield invoke("holder", [lock])
        else:
            done = yield invoke("acquire", [lock, process, rng.choice(TICKS)])
            if done.type == "ok" and done.value[1] == "granted" and rng.chance(2, 3):
                held.append([lock, process, done.value[2]])


def final(process: int) -> Client:
    """Who holds it in the end?"""
    yield invoke("holder", [process % LOCKS])


def encode(f: str, value: Any) -> bytes:
    """The request behind the frame's header."""
    lock, owner, number = (*value, 0, 0)[:3]
    ticks, token = (number, 0) if f == "acquire" else (0, number)
    return REQUEST.pack(OPS[f], lock, owner, ticks, token)


def decode(f: str, value: Any, reply: bytes) -> Completion:
    """What became of it; a release of what is not held did not happen."""
    if len(reply) < REPLY.size:
        return Completion("fail", value, "refused")
    _, status, token, owner = REPLY.unpack_from(reply)
    refused = status == REFUSED
    if f == "acquire":
        answer = [value[0], "held", token, owner] if refused else [value[0], "granted", token]
        return Completion("ok", answer)
    if f == "holder":
        return Completion("ok", [value[0], *((None, None) if refused else (token, owner))])
    return Completion("fail", value, "not held") if refused else Completion("ok", value)


def unexpired(record: Record) -> Verdict:
    """No lease had ended while it certainly lasted."""
    locks: dict[Any, list[Call]] = {}
    for call in record.history.calls():
        order: Any = call.arg
        locks.setdefault(order[0], []).append(call)
    grants, early = 0, []
    for calls in locks.values():
        granted = [place for place, call in enumerate(calls) if granted_token(call) is not None]
        grants += len(granted)
        for place in granted:
            early += [{"op": other.start, "grant": calls[place].start,
                       "ops": sorted((*calls[place].indexes, *other.indexes)),
                       "why": f"{other} (op {other.start}) while {calls[place]} (op "
                              f"{calls[place].start}) lasted"}
                      for other in taken(calls[place], calls[place + 1:])]
    if not early:
        return Verdict(valid=True, why=f"none of {quantity(grants, 'lease')} ended early",
                       evidence={"grants": grants})
    return Verdict(valid=False, why=str(early[0]["why"]),
                   evidence={**early[0], "count": len(early), "early": early[:EXAMPLES_MAX]})


def granted_token(call: Call) -> int | None:
    """The token that an acquire was granted."""
    ret: Any = call.ret
    return ret[2] if call.f == "acquire" and call.outcome == "ok" and ret[1] == "granted" else None


def taken(grant: Call, later: Sequence[Call]) -> Iterator[Call]:
    """Calls, of those invoked later, that found the lock free while a grant certainly lasted."""
    order: Any = grant.arg
    token = granted_token(grant)
    assert token is not None
    end_ns = grant.start_ns + (order[2] - 1) * TICK_NS
    released = next((call.start for call in later if may_release(call, token)), None)
    for call in later:
        if call.start_ns >= end_ns or released is not None and call.start >= released:
            return
        if call.end is None or released is not None and call.end > released:
            continue
        if call.outcome == "ok" and call.end_ns < end_ns and found_free(call, grant, token):
            yield call


def may_release(call: Call, token: int) -> bool:
    """Whether a call gives the lease with this token up, for all that is known."""
    arg: Any = call.arg
    return call.f == "release" and call.outcome != "fail" and arg[2] == token


def found_free(call: Call, grant: Call, token: int) -> bool:
    """Whether a call tells that the lock was free at some moment after the grant."""
    ret: Any = call.ret
    if call.f == "holder":
        assert grant.completion is not None
        return ret[2] is None and call.start > grant.completion
    other = granted_token(call)
    return other is not None and other > token


LEASE = Workload(
    name="lease",
    guest="lease",
    meaning="locks whose leases end by themselves, with fencing tokens",
    ops=ops,
    final=final,
    encode=encode,
    decode=decode,
    checks={"linearizable": LinearizableAs(models.fenced_lease), "unexpired": unexpired},
)
