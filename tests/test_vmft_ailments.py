"""A shared disk that ails: what a guest with a journal makes of it, and what is counted."""

from __future__ import annotations

import pytest
from scenario import Pair

from vmft.ailments import DELAY, FAIL, LOSE, TEAR
from vmft.settings import DEFAULT, MILLISECOND_NS, Settings

HOSTS = ("n1", "n2")


def ailing(*ailments: str, of: int = 2, late_ns: int = 0,
           settings: Settings = DEFAULT) -> Pair:
    """A pair whose disk suffers these for both hosts, with a journal to write."""
    pair = Pair(workload="kv", settings=settings)
    pair.run(100)
    for host in HOSTS:
        for ailment in ailments:
            pair.sim.ail(host, ailment, 1, of, late_ns)
    return pair


def work(pair: Pair) -> list[int]:
    """Twenty changes; answers their numbers."""
    numbers = []
    for place in range(20):
        numbers.append(pair.call("put", (place % 4, chr(65 + place))))
        pair.run(7)
    return numbers


@pytest.mark.parametrize("ailments", [(FAIL,), (TEAR,), (LOSE,), (DELAY,),
                                      (FAIL, TEAR, LOSE, DELAY)], ids=",".join)
def test_every_change_is_answered_once_it_is_on_disk(ailments: tuple[str, ...]) -> None:
    """The guest, or its host, asks again; a crash in the middle changes nothing."""
    pair = ailing(*ailments, late_ns=150 * MILLISECOND_NS)
    numbers = work(pair)
    pair.crash("n1")
    pair.run(1500)
    struck = pair.sim.cure()
    assert set(struck) == set(ailments) and all(struck.values())
    pair.call("get", (1, None))
    pair.run(2000)
    assert pair.role("n2") == "alone" and pair.broken() == []
    assert sum(bool(pair.answers[number]) for number in numbers) > 10


def test_a_torn_write_leaves_half_of_it() -> None:
    """The disk and the trace agree on what is there, and the answer says that it failed."""
    pair = ailing(TEAR, of=1)
    pair.call("put", (1, "x" * 200))
    pair.run(3)
    torn = pair.events("disk-write")[-1]
    content = bytes.fromhex(torn.data["content"])
    assert torn.data["status"] != 0 and len(content) <= 256
    block = pair.sim.disk.blocks.read(torn.data["block"], 1)
    assert block == content.ljust(len(block), b"\0") and pair.answers[0] == []
    pair.sim.cure()
    pair.run(300)
    assert pair.answers[0] == [1] and pair.broken() == []


def test_a_full_disk_takes_what_it_holds_already() -> None:
    """A journal is a ring: what does not fit waits until there is room."""
    pair = ailing()
    pair.call("put", (1, "a"))
    pair.run(100)
    pair.sim.fill_disk()
    number = pair.call("put", (1, "b"))
    pair.run(100)
    assert pair.answers[number] == [] and pair.events("disk-failed")
    held = pair.events("disk-write")[0].data["block"]
    assert pair.sim.disk.blocks.holds(held, 1) and not pair.sim.disk.blocks.holds(held, 2)
    assert pair.sim.cure()["fill-disk"] > 0
    pair.run(300)
    assert pair.answers[number] == [2] and pair.broken() == []


def test_a_slow_disk_is_slow_for_everybody() -> None:
    """Going live takes longer by as much, and is no less right."""
    times = []
    for extra_ns in (0, 40 * MILLISECOND_NS):
        pair = Pair()
        pair.run(100)
        pair.sim.slow_disk(extra_ns)
        pair.crash("n1")
        pair.run(1500)
        times.append(pair.events("live")[0].time)
        assert pair.broken() == []
    assert 39 * MILLISECOND_NS < times[1] - times[0] < 41 * MILLISECOND_NS


def test_a_late_completion_is_overtaken() -> None:
    """It holds up nothing behind it; the second answer to one request ends nothing twice."""
    pair = ailing(DELAY, of=1, late_ns=300 * MILLISECOND_NS)
    number = pair.call("put", (1, "a"))
    pair.run(5)
    pair.sim.cure()
    pair.run(90)
    early = pair.call("put", (2, "b"))
    pair.run(60)
    assert pair.answers[number] and pair.answers[early]
    pair.run(400)
    assert pair.broken() == []


def test_a_crashed_disk_node_sends_nothing_late() -> None:
    """What was still to leave is gone, and asked for again."""
    pair = ailing(DELAY, of=1, late_ns=400 * MILLISECOND_NS)
    pair.call("put", (1, "a"))
    pair.run(5)
    pair.sim.crash("disk")
    pair.sim.cure()
    pair.run(1000)
    assert pair.answers[0] == []
    pair.sim.restart("disk")
    pair.run(300)
    assert pair.answers[0] == [1] and pair.broken() == []


def test_what_was_slow_is_done_before_what_came_later() -> None:
    """A disk that is cured finishes first what it had begun: nothing overtakes on the disk."""
    pair = Pair(workload="kv")
    pair.run(100)
    pair.sim.slow_disk(400 * MILLISECOND_NS)
    pair.call("put", (1, "a"))
    pair.run(5)
    pair.sim.cure()
    pair.crash("n1")
    pair.run(1000)
    assert pair.events("disk-write")[0].time <= pair.events("test-and-set")[0].time
    assert pair.broken() == []
