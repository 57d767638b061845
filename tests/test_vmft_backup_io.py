"""A backup that reads the shared disk for itself, instead of from the log."""

from __future__ import annotations

import pytest
from scenario import Pair

from vmft import devices as dev
from vmft.backup import Backup
from vmft.blocks import BLOCK_SIZE, DONE
from vmft.bugs import BUGS
from vmft.settings import MILLISECOND_NS, Settings

READS = Settings(disk_reads="backup")
FAILED_OVER = 450       # milliseconds: detection, and the disk's answer


def spinning(*bugs: str, settings: Settings = READS) -> Pair:
    """A pair whose guest reads a block and writes it again, at every draw."""
    pair = Pair(*bugs, workload="spin", settings=settings)
    pair.run(20)
    return pair


def draw(pair: Pair, times: int = 1, slot: int = 3) -> None:
    """Draw from one slot, each answered."""
    for _ in range(times):
        number = pair.call("draw", slot)
        pair.run(10)
        assert pair.answers[number], "the primary does not wait for the backup"


def backup_of(pair: Pair) -> Backup:
    """The second host's role."""
    role = pair.sim.replicas["n2"].role
    assert isinstance(role, Backup)
    return role


def read_bytes(pair: Pair) -> list[int]:
    """The content that the log carries for each operation that completed."""
    return [event.data["bytes"] - dev.COMPLETION.size for event in pair.events("log")
            if event.data.get("device") == "disk" and event.data["entry"] == "input"]


def reads(pair: Pair, host: str) -> list[int]:
    """How each of a host's reads ended."""
    return [event.data["status"] for event in pair.events("disk-read")
            if event.data["source"] == host]


def test_a_backup_waits_for_its_own_read_at_the_completion() -> None:
    """D7: the data are not in the log; without its own the backup stands where they arrive."""
    pair = spinning()
    draw(pair)
    pair.cut("disk->n2")
    draw(pair)
    backup = backup_of(pair)
    stopped, waiting = backup.replayer.machine.position, backup.replayer.entries[0]
    assert waiting.at == stopped and not backup.replayer.runnable()
    draw(pair, slot=4)
    assert backup.replayer.machine.position == stopped and set(read_bytes(pair)) == {0}
    pair.join("disk->n2")
    pair.run(150)
    assert backup.replayer.machine.position > stopped
    pair.crash("n1")
    pair.run(FAILED_OVER)
    draw(pair)
    assert pair.broken() == []


def test_a_backup_tries_again_until_its_read_succeeds() -> None:
    """D7: the primary's read was good, so the backup's can be."""
    pair = spinning()
    pair.sim.fail_reads("n2", 1, 1)
    draw(pair)
    executed = backup_of(pair).replayer.executed
    pair.run(40)
    assert backup_of(pair).replayer.executed == executed
    assert len(reads(pair, "n2")) > 3 and DONE not in reads(pair, "n2")
    pair.sim.fail_reads("n2", 0, 1)
    pair.run(40)
    draw(pair)
    assert backup_of(pair).replayer.executed > executed and reads(pair, "n1") == [DONE, DONE]
    assert pair.broken() == []


def test_what_a_failed_read_of_the_primary_left_comes_with_the_log() -> None:
    """D7: nobody could read that again; what the backup has read instead does not count."""
    pair = spinning()
    draw(pair)
    pair.sim.fail_reads("n1", 2, 3)
    for _ in range(4):
        pair.call("draw", 3)
        pair.run(10)
    pair.sim.fail_reads("n1", 0, 1)
    draw(pair)
    shipped = [size for size in read_bytes(pair) if size > 0]
    assert shipped == [BLOCK_SIZE // 2] * sum(status != DONE for status in reads(pair, "n1"))
    assert shipped and set(reads(pair, "n2")) == {DONE}
    pair.crash("n1")
    pair.run(FAILED_OVER)
    draw(pair)
    assert pair.broken() == []


def test_a_write_waits_until_the_backup_has_read_the_same_block() -> None:
    """D7: or the backup would find what is written after its read; the guest does not wait."""
    pair = spinning()
    draw(pair)
    pair.slow_backup(100)
    draw(pair)
    assert len(pair.events("disk-write")) == 1 and len(reads(pair, "n1")) == 2
    assert len(reads(pair, "n2")) == 1
    pair.run(150)
    seconds = [pair.events(kind)[-1] for kind in ("disk-read", "disk-write")]
    assert [event.data["source"] for event in seconds] == ["n2", "n1"]
    assert seconds[0].time < seconds[1].time
    pair.crash("n1")
    pair.run(FAILED_OVER)
    draw(pair)
    assert pair.broken() == []


def test_a_new_backup_reads_what_was_on_its_way_when_it_was_cloned() -> None:
    """D7, F1: whatever the moment of the switch: a read issued before it completes behind it."""
    under_way = 0
    for offset_us in range(0, 600, 100):
        pair = Pair(workload="spin", settings=READS, hosts=3)
        pair.run(20)
        pair.crash("n2")
        pair.run(275)
        while not pair.events("switch"):
            pair.call("draw", 3)
            pair.until(pair.sim.now_ns + 700_000 + offset_us * 1000)
        pair.run(100)
        draw(pair)
        assert pair.broken() == [], pair.judge().why
        assert reads(pair, "n3")
        under_way += pair.events("switch")[0].data["pending"]
    assert under_way >= 3


def test_an_answer_to_a_machine_that_is_no_more_is_not_taken() -> None:
    """What n1 read as a primary, and lost with its log, bears the number of another read now."""
    pair = spinning()
    draw(pair, 3)
    pair.sim.stall(("n1", "n2"))
    pair.sim.delay(("disk", "n1"), 2000 * MILLISECOND_NS)
    pair.call("draw", 5)
    pair.run(5)
    pair.crash("n1")
    pair.sim.keep(("n1", "n2"))
    pair.sim.delay(("disk", "n1"), 0)
    pair.run(FAILED_OVER)
    pair.sim.restart("n1")
    pair.run(600)
    assert (pair.role("n1"), pair.role("n2")) == ("backup", "primary")
    draw(pair)
    pair.run(1500)
    lost, again = (next(event.data for event in pair.events("disk-read")
                        if event.data["source"] == "n1" and event.data["block"] == block
                        and event.data["generation"] == generation)
                   for block, generation in ((69, 1), (67, 2)))
    assert lost["number"] == again["number"], "the same number, for another block"
    assert pair.broken() == []


def test_what_is_read_costs_nothing_in_the_log() -> None:
    """D7: logging bandwidth falls; the state is the same on both sides."""
    sizes = {}
    for where in ("log", "backup"):
        pair = spinning(settings=Settings(disk_reads=where, digest_every_entries=1))
        draw(pair, 10)
        pair.run(20)
        sizes[where] = sum(read_bytes(pair))
        assert pair.broken() == []
    assert sizes == {"log": 10 * BLOCK_SIZE, "backup": 0}


@pytest.mark.parametrize("bug", [name for name in BUGS if BUGS[name].disk_reads == "backup"])
def test_each_rule_is_needed(bug: str) -> None:
    """D7: without it the two sides part, and that is noticed."""
    pair = spinning(bug)
    draw(pair)
    if bug == "unread-overwritten":
        pair.slow_backup(10)
    else:
        pair.sim.fail_reads("n2" if bug == "backup-read-taken" else "n1", 1, 1)
    pair.call("draw", 3)
    pair.run(5)
    for host in ("n1", "n2"):
        pair.sim.fail_reads(host, 0, 1)
    pair.run(50)
    assert set(BUGS[bug].convicted_by) & set(pair.broken())
