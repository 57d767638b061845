"""Disks that are not shared: each host has its own, and the backup's is kept in step."""

from __future__ import annotations

import pytest
from scenario import Pair

from vmft.blocks import BLOCK_SIZE, Blocks
from vmft.devices import READ, WRITE, DiskOperation
from vmft.local_disk import DiskCopy, LocalDisk
from vmft.messages import DISK_NODE, DiskRequest, Send
from vmft.settings import MILLISECOND_NS, Settings

LOCAL = Settings(disk="local", digest_every_entries=4)
FAILED_OVER = 450       # milliseconds: detection, and the arbiter's answer
PROTECTED = 1500        # until a host that came back is a backup


def pair_of(*bugs: str, hosts: int = 2) -> Pair:
    """A journaling pair, booted."""
    pair = Pair(*bugs, workload="kv", settings=LOCAL, hosts=hosts)
    pair.run(20)
    return pair


def put(pair: Pair, *words: str) -> None:
    """Change a key so many times, each answered."""
    for word in words:
        number = pair.call("append", [len(word), word])
        pair.run(10)
        assert pair.answers[number]


def contents(pair: Pair, host: str) -> dict[int, bytes]:
    """What a host's own disk holds."""
    return pair.sim.blocks[host].contents


def test_both_disks_hold_the_same_at_quiesce() -> None:
    """D6: the backup does its own writes; the third party that breaks ties serves no blocks."""
    pair = pair_of()
    put(pair, "a ", "bb ", "ccc ")
    assert len(contents(pair, "n1")) == 3 and contents(pair, "n1") == contents(pair, "n2")
    assert {event.data["source"] for event in pair.events("disk-write")} == {"n1", "n2"}
    assert {event.data["source"] for event in pair.events("disk-read")} == {"n1"}
    assert not pair.sim.disk.blocks.contents
    pair.cut("n1--n2")
    pair.run(FAILED_OVER)
    assert pair.events("test-and-set") and pair.broken() == []


def test_writes_do_not_wait_for_acknowledgements() -> None:
    """D6: what a machine writes to its own disk nobody can see; the answer that tells of it waits.
    """
    pair = pair_of()
    pair.cut("n2->n1")
    number = pair.call("put", [1, "word "])
    pair.run(10)
    assert [event.data["source"] for event in pair.events("disk-write")] == ["n1", "n2"]
    assert not pair.answers[number]
    pair.join("n2->n1")
    pair.run(50)
    assert pair.answers[number] and pair.broken() == []


@pytest.mark.parametrize("after_ns", range(40_000, 800_000, 95_000))
def test_a_host_that_crashed_in_mid_write_is_brought_in_step(after_ns: int) -> None:
    """D6: wherever the write had got to, on either side; only what differs is copied.

    At the second failover the disk that was stale must tell all that was answered.
    """
    pair = pair_of()
    put(pair, "a ", "b ", "c ", "d ")
    pair.call("append", [1, "lost? "])
    pair.until(pair.sim.now_ns + after_ns)
    pair.crash("n1")
    pair.run(FAILED_OVER)
    put(pair, "e ", "ff ")
    pair.sim.restart("n1")
    pair.run(PROTECTED)
    assert pair.role("n1") == "backup" and contents(pair, "n1") == contents(pair, "n2")
    copied = [block for event in pair.events("disk-copy", "n1") for block in event.data["blocks"]]
    assert 2 <= len(copied) <= 3 < len(contents(pair, "n1"))
    put(pair, "g ")
    pair.crash("n2")
    pair.run(FAILED_OVER)
    put(pair, "hh ")
    assert pair.role("n1") == "alone" and pair.broken() == []


def test_without_resynchronisation_old_data_come_back() -> None:
    """D6: and the next digest tells, or whoever reads the disk in the end."""
    pair = pair_of("no-resync")
    put(pair, "a ")
    pair.crash("n1")
    pair.run(FAILED_OVER)
    put(pair, "e ", "ff ")
    pair.sim.restart("n1")
    pair.run(PROTECTED)
    put(pair, "g ")
    assert contents(pair, "n1") != contents(pair, "n2")
    assert "divergence" in pair.broken()
    assert "the disk differs" in pair.judge().parts["divergence"].why


def test_a_write_under_way_in_a_crash_is_lost() -> None:
    """D6: on that host; the other one makes it, as what was pending."""
    pair = pair_of()
    put(pair, "a ")
    number = pair.call("append", [1, "late "])
    while not pair.events("output", "n1") or len(contents(pair, "n1")) > 1:
        pair.until(pair.sim.now_ns + 10_000)
    pair.until(pair.sim.now_ns + 10_000)
    pair.crash("n1")
    pair.run(FAILED_OVER)
    put(pair, "b ")
    pair.sim.restart("n1")
    assert len(contents(pair, "n1")) == 1 < len(contents(pair, "n2"))
    assert pair.broken() == [] and not pair.answers[number]


def test_a_disk_moves_with_its_machine() -> None:
    """D6, F4: a primary that moves takes its disk along, and so does a backup."""
    pair = pair_of(hosts=4)
    put(pair, "a ", "b ")
    pair.sim.administer("move-primary", 3)
    pair.run(100)
    put(pair, "c ")
    pair.sim.administer("move-backup", 4)
    pair.run(100)
    put(pair, "d ")
    assert (pair.role("n3"), pair.role("n4")) == ("primary", "backup")
    assert contents(pair, "n3") == contents(pair, "n4") and len(contents(pair, "n3")) == 4
    assert pair.broken() == []


# The parts

def block(byte: int) -> bytes:
    """A block of one byte."""
    return bytes([byte]) * BLOCK_SIZE


def test_a_copy_takes_what_differs_and_then_what_has_changed() -> None:
    """D6: stale, missing and superfluous blocks; nothing twice."""
    ours, theirs = Blocks(), Blocks()
    ours.write(1, block(1) + block(2) + block(3))
    theirs.write(1, block(1) + block(9))
    theirs.write(7, block(7))
    copy = DiskCopy(ours)
    assert copy.next_round() == (), "nothing is known of the other side yet"
    copy.learn(tuple(theirs.sums.items()))
    first = copy.next_round()
    assert [number for number, _ in first] == [2, 3, 7] and copy.differing() == []
    ours.write(2, block(4))
    for number, content in (*first, *copy.next_round()):
        theirs.write(number, content)
    assert theirs.contents == ours.contents and theirs.sums == ours.sums


def test_a_digest_leaves_out_what_is_being_written() -> None:
    """D6: the sides write at moments of their own."""
    one, other = Blocks(), Blocks()
    one.write(3, block(1))
    assert one.digest([]) != other.digest([])
    assert one.digest([DiskOperation(1, 0, READ, 2, 2, 0, b"")]) != other.digest([])
    assert one.digest([DiskOperation(1, 0, WRITE, 2, 2, 0, b"")]) == other.digest([])


def test_a_local_disk_takes_a_while_and_takes_only_requests() -> None:
    """D6: everything else goes to the network."""
    disk = LocalDisk("n1", Blocks(), lambda host: False)
    write = Send(5, DISK_NODE, DiskRequest(1, 9, WRITE, 3, 1, block(1)))
    assert disk.take([write]) == [] and disk.serve(5) == []
    due_ns = disk.due_ns()
    assert due_ns is not None and 0 < due_ns < MILLISECOND_NS
    (note, reply), = disk.serve(due_ns)
    assert (note.kind, reply.number, disk.blocks.read(3, 1)) == ("disk-write", 9, block(1))
