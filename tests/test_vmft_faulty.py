"""What faults do to a simulated pair: pauses, services that fail, hosts that are lost."""

from __future__ import annotations

import pytest
from scenario import Pair

from vmft.settings import MILLISECOND_NS

# Pauses


def test_a_paused_primary_wakes_up_superseded_and_halts() -> None:
    """While it stands still its backup goes live; it finds out by asking the disk."""
    pair = Pair()
    pair.inc()
    pair.run(100)
    pair.sim.pause("n1")
    pair.run(1000)
    assert (pair.role("n1"), pair.role("n2")) == ("superseded", "alone")
    assert pair.sim.standing() == ["n1"]
    number = pair.inc()
    pair.run(100)
    assert pair.answers[number] == [2]
    pair.sim.resume("n1")
    pair.run(2000)
    assert [event.data["why"] for event in pair.events("halt", "n1")] == [
        "lost the test-and-set to n2"]
    assert pair.broken() == []


def test_a_primary_that_wakes_up_hears_first_what_waited() -> None:
    """Acknowledgements and heartbeats of an hour ago; they are no sign that all is well."""
    pair = Pair()
    pair.run(100)
    pair.sim.pause("n1")
    for _ in range(3):
        pair.inc()
    pair.run(5000)
    pair.sim.resume("n1")
    pair.run(3000)
    assert pair.events("resume", "n1")[0].data["heard"] > 3
    assert pair.events("halt", "n1") and pair.broken() == []


def test_a_short_pause_is_nothing() -> None:
    """Shorter than the other side's patience: nobody suspects anybody, and calls are answered."""
    pair = Pair()
    pair.run(100)
    number = pair.inc()
    pair.sim.pause("n1")
    pair.run(150)
    assert pair.answers[number] == []
    pair.sim.resume("n1")
    pair.run(100)
    assert pair.answers[number] == [1] and pair.events("suspect") == [] and pair.broken() == []


def test_a_paused_host_that_crashes_is_crashed() -> None:
    """And what waited for it is lost; resuming it does nothing."""
    pair = Pair()
    pair.run(100)
    pair.sim.pause("n2")
    pair.run(50)
    pair.crash("n2")
    pair.sim.resume("n2")
    assert pair.role("n2") == "crashed" and pair.sim.standing() == []
    pair.sim.restart("n2")
    pair.run(3000)
    assert pair.role("n2") == "backup" and pair.broken() == []


def test_a_winner_that_pauses_before_it_is_live_goes_live_later() -> None:
    """It has won; nobody else can have done in between."""
    pair = Pair()
    pair.run(100)
    pair.slow_backup(1200)
    pair.inc()
    pair.run(20)
    pair.crash("n1")
    pair.run(800)
    assert pair.role("n2") == "winner"
    pair.sim.pause("n2")
    pair.run(3000)
    pair.sim.resume("n2")
    pair.run(500)
    assert pair.role("n2") == "alone" and pair.broken() == []


# Services

@pytest.mark.parametrize("how", ["crash", "pause"])
def test_without_the_disk_nobody_goes_live(how: str) -> None:
    """Nobody halts either; when it is back, one does."""
    pair = Pair()
    pair.run(100)
    getattr(pair.sim, how)("disk")
    pair.crash("n1")
    pair.run(5000)
    assert pair.role("n2") == "contending"
    pair.sim.restart("disk")
    pair.sim.resume("disk")
    pair.run(300)
    assert pair.role("n2") == "alone" and pair.broken() == []


def test_the_disk_keeps_its_flags_and_its_blocks() -> None:
    """What was written before its crash is there; what could not be is asked for again."""
    pair = Pair(workload="kv")
    pair.run(100)
    before = pair.call("put", (1, "a"))
    pair.run(100)
    open_ = pair.call("put", (2, "b"))
    pair.sim.crash("disk")
    pair.run(500)
    assert pair.answers[before] and not pair.answers[open_]
    pair.sim.restart("disk")
    pair.run(500)
    assert pair.answers[open_]
    pair.crash("n1")
    pair.run(2000)
    pair.call("get", (2, None))
    pair.run(300)
    assert pair.role("n2") == "alone" and pair.broken() == []


def test_without_the_cluster_service_nobody_is_cloned() -> None:
    """Service goes on alone; when it is back, it learns the hosts anew and places a backup."""
    pair = Pair(hosts=3)
    pair.run(100)
    pair.sim.crash("cluster")
    pair.crash("n1")
    pair.run(6000)
    assert pair.role("n2") == "alone" and pair.events("place") == []
    pair.sim.restart("cluster")
    pair.run(3000)
    assert (pair.role("n2"), pair.role("n3")) == ("primary", "backup") and pair.broken() == []


def test_the_state_of_services_is_told() -> None:
    """Up, crashed, or lost."""
    sim = Pair().sim
    assert sim.services() == {"disk": "up", "cluster": "up"}
    sim.crash("cluster")
    sim.lose_host("disk")
    assert sim.services() == {"disk": "lost", "cluster": "crashed"}


# Hosts that are lost

def test_a_lost_host_never_comes_back() -> None:
    """Not by a restart either; the third host takes its place."""
    pair = Pair(hosts=3)
    pair.run(100)
    pair.sim.lose_host("n1")
    pair.run(100)
    pair.sim.restart("n1")
    pair.run(5000)
    assert [pair.role(name) for name in ("n1", "n2", "n3")] == ["lost", "primary", "backup"]
    assert pair.broken() == []


def test_a_host_may_be_lost_while_it_is_crashed() -> None:
    """Its disk, too, is gone."""
    pair = Pair()
    pair.run(100)
    pair.crash("n2")
    pair.sim.lose_host("n2")
    pair.sim.restart("n2")
    assert pair.role("n2") == "lost" and len(pair.events("crash", "n2")) == 1
    assert pair.sim.now_ns == 100 * MILLISECOND_NS


def test_a_superseded_primary_does_not_keep_the_address() -> None:
    """It wakes up with an acknowledgement in its buffers, and lets out an output that was safe; so
    the network looks for the service there, until the live machine says again where it is."""
    pair = Pair(hosts=3)
    pair.run(100)
    pair.sim.at_moment("output", 1, 0, pair.sim.pause)
    first = pair.inc()
    pair.run(3000)
    assert (pair.role("n1"), pair.role("n2")) == ("superseded", "primary")
    pair.sim.resume("n1")
    pair.run(2000)
    assert pair.role("n1") == "spare" and len(pair.answers[first]) == 2, "it was let out twice"
    number = pair.inc()
    pair.run(100)
    assert pair.answers[number] == [2] and pair.broken() == []
