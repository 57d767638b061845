"""The live side under a steady channel and a broken one: outputs, buffers, lag, the disk."""

from __future__ import annotations

from itertools import pairwise
from math import gcd
from typing import Any

import pytest
from scenario import Pair

from histories import Event
from vmft.backup import Backup
from vmft.blocks import DONE
from vmft.messages import DISK_NODE, DiskReply
from vmft.network import JITTER_NS, LATENCY_NS
from vmft.primary import Primary
from vmft.settings import MILLISECOND_NS, Settings

ROUND_TRIP_NS = 2 * (LATENCY_NS + JITTER_NS)
FAILED_OVER = 450       # milliseconds: detection, and the disk's answer
MOMENTS = 40            # at which a crash is tried


def steps(pair: Pair, start_ns: int) -> list[int]:
    """Every moment from `start_ns` on at which anything happened."""
    pair.sim.close()
    return sorted({event.time for event in pair.trace if event.time >= start_ns})


def busy(workload: str = "counter") -> tuple[Pair, list[int]]:
    """A pair in the middle of some requests, and their numbers."""
    pair = Pair(workload=workload)
    pair.run(20)
    calls: dict[str, list[tuple[str, Any]]] = {
        "counter": [("inc", None)] * 3,
        "kv": [("put", [1, "a "]), ("append", [1, "b "]), ("put", [2, "c "])]}
    numbers = []
    for f, value in calls[workload]:
        numbers.append(pair.call(f, value))
        pair.until(pair.sim.now_ns + 40_000)
    return pair, numbers


@pytest.mark.parametrize("workload", ["counter", "kv"])
def test_a_crash_at_any_step_breaks_nothing(workload: str) -> None:
    """B1, D5: the primary dies at each moment at which anything happens during some requests.

    Whatever was answered stays true, every disk operation under way completes once and is on the
    disk, and the survivor serves.
    """
    whole, asked = busy(workload)
    start_ns = whole.sim.now_ns
    while not all(whole.answers[number] for number in asked):
        whole.until(whole.sim.now_ns + 100_000)
    moments = steps(whole, start_ns)
    reissued = lost = 0
    for moment_ns in moments[::max(1, len(moments) // MOMENTS)]:
        pair, numbers = busy(workload)
        pair.until(moment_ns)
        pair.crash("n1")
        pair.run(FAILED_OVER)
        after = pair.call("inc") if workload == "counter" else pair.call("get", [1, None])
        pair.run(30)
        assert pair.answers[after], moment_ns
        assert pair.broken() == [], (moment_ns, pair.judge().why)
        reissued += len(pair.events("reissue"))
        lost += sum(not pair.answers[number] for number in numbers)
    assert lost > 0 and (reissued > 0 or workload == "counter"), "the moments were the telling ones"


def test_an_output_that_left_is_in_the_new_primarys_past() -> None:
    """B2: the primary dies right after an output; the backup replays that output's entry first."""
    pair = Pair()
    pair.run(20)
    number = pair.inc()
    while not pair.events("release", "n1"):
        pair.until(pair.sim.now_ns + 20_000)
    pair.crash("n1")
    pair.run(FAILED_OVER)
    seq = pair.events("release", "n1")[0].data["seq"]
    live, = pair.events("live", "n2")
    assert live.data["executed"] >= seq and live.data["outputs"] == 1
    assert pair.answers[number] and pair.broken() == []


def test_the_acknowledgement_of_the_entry_before_is_not_enough() -> None:
    """B2: between the two lies the instant at which an output leaves that nobody else knows of."""
    broken = []
    for after_ns in range(80_000, 140_000, 4_000):
        pair = Pair("previous-ack")
        pair.run(20)
        pair.inc()
        pair.until(pair.sim.now_ns + after_ns)
        pair.cut("n1->n2")
        pair.run(50)
        broken += pair.broken()
    assert broken and set(broken) == {"output-rule"}


def test_a_backup_that_has_nothing_to_do_waits_unnoticed() -> None:
    """C2: it stands at its last entry, however far the primary is, and no answer is later."""
    pair = Pair()
    pair.run(20)
    for gap_us in (100, 900, 3300, 7000):
        pair.until(pair.sim.now_ns + gap_us * 1000)
        backup = pair.sim.replicas["n2"].role
        assert isinstance(backup, Backup) and not backup.replayer.runnable()
        stopped = pair.position("n2")
        latest = pair.events("log", "n1")[backup.receiver.received - 1].data["at"]
        assert latest <= stopped <= latest + 1
        assert stopped <= pair.position("n1")
        asked_ns, number = pair.sim.now_ns, pair.inc()
        while not pair.answers[number]:
            assert pair.position("n2") >= stopped
            pair.until(pair.sim.now_ns + 10_000)
        assert pair.sim.now_ns - asked_ns < MILLISECOND_NS
    assert pair.broken() == []


def test_an_answer_that_comes_twice_is_the_same_answer() -> None:
    """B5: nobody told the backup that it had left; only the failover may repeat it."""
    pair = Pair()
    numbers = []
    for _ in range(3):
        numbers.append(pair.inc())
        pair.run(5)
    last = pair.inc()
    while not pair.answers[last]:
        pair.until(pair.sim.now_ns + 20_000)
    pair.crash("n1")
    pair.run(FAILED_OVER)
    assert [pair.answers[number] for number in numbers] == [[1], [2], [3]]
    assert pair.answers[last] == [4, 4]
    verdict = pair.judge()
    assert verdict.valid is True and verdict.parts["duplicates"].evidence["repeated"] == 1


def test_an_output_takes_a_round_trip_of_the_channel() -> None:
    """B9, C1: no batching interval, no thread switch; at low load the buffer is all but empty."""
    pair = Pair()
    for gap_ms in (1, 7, 13, 2, 29):
        pair.inc()
        pair.run(gap_ms)
    made = {event.data["number"]: event.time for event in pair.events("output")}
    left = {event.data["number"]: event.time for event in pair.events("release")}
    assert len(left) == 5
    for number, time_ns in left.items():
        assert time_ns - made[number] <= ROUND_TRIP_NS + 10_000
    assert max(event.data["buffered"] for event in pair.events("ack")) <= 4


def test_interrupts_come_where_they_come() -> None:
    """A7: there are no epochs: the distances between interrupts have no quantum in common."""
    pair = Pair(workload="kv")
    pair.run(20)
    for place, gap_ns in enumerate((10_000, 70_001, 300, 1_000, 150_007, 40_000, 9_999)):
        pair.call("put", [place, f"word {place}"])
        pair.until(pair.sim.now_ns + gap_ns)
    pair.run(30)
    struck = [event.data["at"] for event in pair.events("log")
              if event.data["entry"] == "interrupt"]
    distances = [later - earlier for earlier, later in pairwise(struck)]
    assert len(distances) > 5 and gcd(*distances) == 1


# The disk is an output device

def writes(pair: Pair) -> list[Event]:
    """What the disk has written."""
    return pair.events("disk-write")


def test_a_write_waits_for_its_acknowledgement_and_has_its_first_content() -> None:
    """B6, D4: the guest uses one buffer for all of its writes; what leaves is what was issued."""
    pair = Pair(workload="kv")
    pair.run(20)
    pair.cut("n2->n1")
    numbers = [pair.call("put", [key, f"word {key}"]) for key in range(4)]
    pair.run(100)
    assert len([event for event in pair.events("output") if event.data["device"] == "disk"]) == 4
    assert not writes(pair) and not any(pair.answers[number] for number in numbers)
    pair.join("n2->n1")
    pair.run(100)
    assert all(pair.answers[number] for number in numbers)
    assert len({event.data["content"] for event in writes(pair)}) == 4
    assert pair.broken() == []


def test_only_the_primary_reads_and_writes_the_disk() -> None:
    """D3: the backup gets what was read with the log."""
    pair = Pair(workload="kv")
    for key in range(3):
        pair.call("put", [key, "x "])
        pair.run(5)
    assert pair.events("replay", "n2") and pair.events("disk-read")
    assert {event.data["source"] for event in pair.events("disk-read")} == {"n1"}
    assert {event.data["source"] for event in writes(pair)} == {"n1"}
    assert pair.broken() == []


def test_an_answer_of_an_older_generation_completes_nothing() -> None:
    """It was given to another machine on this host, whose operations had the same numbers."""
    pair = Pair(workload="kv")
    pair.run(20)
    pair.crash("n1")
    pair.run(FAILED_OVER)
    pair.cut("disk->n2")
    number = pair.call("put", [1, "x "])
    pair.run(5)
    replica = pair.sim.replicas["n2"]
    assert isinstance(replica.role, Primary)
    pending, = replica.role.outstanding.operations
    for generation, open_ in ((1, [pending]), (2, [])):
        replica.receive(pair.sim.now_ns, DISK_NODE, DiskReply(generation, pending, DONE, b""))
        replica.tick(pair.sim.now_ns, pair.sim.now_ns)
        assert list(replica.role.outstanding.operations) == open_
    assert not pair.answers[number]


# Lag

@pytest.mark.parametrize("lag_ms", [0, 350, 700, 1200])
def test_a_failover_takes_detection_plus_lag(lag_ms: int) -> None:
    """C4: the backup goes live when it has noticed, and has done what was still to be done."""
    pair = Pair()
    pair.run(20)
    pair.slow_backup(lag_ms)
    for _ in range(3):
        pair.inc()
        pair.run(2)
    behind_ns = pair.sim.replicas["n2"].role.busy_ns    # type: ignore[union-attr]
    pair.crash("n1")
    pair.run(2000)
    suspect, = pair.events("suspect", "n2")
    live, = pair.events("live", "n2")
    expected_ns = max(suspect.time + ROUND_TRIP_NS, behind_ns)
    assert expected_ns - ROUND_TRIP_NS <= live.time <= expected_ns + MILLISECOND_NS
    assert pair.broken() == []


@pytest.mark.parametrize("calls", [20, pytest.param(60, marks=pytest.mark.slow)])
def test_the_state_is_the_same_at_every_entry(calls: int) -> None:
    """A1: with a digest of all registers, memory and devices behind each entry of the log."""
    entries = 0
    for workload in ("counter", "kv", "token", "spin"):
        pair = Pair(workload=workload, settings=Settings(digest_every_entries=1))
        rng, process = pair.sim.rng.split("calls"), pair.workload.ops(0, pair.sim.rng.split("ops"))
        invocation = next(process)
        for _ in range(calls):
            number = pair.call(invocation.f, invocation.value)
            pair.until(pair.sim.now_ns + rng.below(2 * MILLISECOND_NS))
            pair.run(2)
            done = next(op for op in reversed(pair.ops) if op.process == number)
            invocation = process.send(done)
        kinds = [event.data["entry"] for event in pair.events("log")]
        assert kinds.count("digest") >= len(kinds) // 2 - 1
        assert pair.broken() == []
        entries += len(kinds)
    assert entries > 40 * calls
