"""Redundancy comes back by itself: clones, places, and many failovers in a row."""

from __future__ import annotations

import platform
from typing import Any

import pytest
from scenario import Pair

from vmft.clone import hello_of
from vmft.cluster import ClusterService
from vmft.engine import EMULATOR
from vmft.guests.build import load
from vmft.machine import Machine
from vmft.messages import HostUp, NeedBackup, Pages, Place, Refused, Send
from vmft.settings import DEFAULT, MILLISECOND_NS, Settings
from vmft.spare import Spare

FAILED_OVER, RESTORED = 450, 600


def test_a_clone_is_the_same_machine_and_its_log_begins_there() -> None:
    """F1: under writes; a short stun, no gap, no overlap, and the same state at every entry."""
    pair = Pair(hosts=3, workload="kv", settings=Settings(digest_every_entries=1))
    pair.run(20)
    pair.crash("n2")
    for place in range(70):
        pair.call("append", [place % 4, f"{place} "])
        pair.run(8)
    switch, = pair.events("switch")
    backup, = pair.events("backup")
    log = [event for event in pair.events("log") if event.data["generation"] == 2]
    assert switch.data["stun_ns"] < 1000 * MILLISECOND_NS
    assert backup.data["position"] == switch.data["position"] <= log[0].data["at"]
    assert [event.data["seq"] for event in log] == list(range(1, len(log) + 1))
    assert log[0].time >= switch.time and any(
        event.data["generation"] == 2 for event in pair.events("output")
        if event.time > switch.time), "it was under load"
    assert pair.broken() == []


def test_redundancy_comes_back_on_a_third_host() -> None:
    """F2: nobody asked for it; a crash of either side is survived again."""
    for victim in ("n1", "n2"):
        pair = Pair(hosts=3)
        pair.inc()
        pair.run(20)
        pair.crash(victim)
        pair.run(FAILED_OVER + RESTORED)
        place = pair.events("place")[0]
        assert place.data["host"] == "n3" != place.data["asked"]
        assert sorted(pair.sim.roles().values()) == ["backup", "crashed", "primary"]
        number = pair.inc()
        pair.run(5)
        assert pair.answers[number] == [2] and pair.broken() == []


def test_the_cluster_service_places_by_load_and_never_on_the_same_host() -> None:
    """F2: among the hosts that report, are spare and have room, the one that was given least."""
    cluster = ClusterService({"n1": 1, "n2": 0, "n3": 1, "n4": 1, "n5": 1})
    for host in ("n1", "n2", "n3", "n4"):
        cluster.handle(0, host, HostUp("spare", 0))

    def place() -> Any:
        send = cluster.handle(1000, "n1", NeedBackup(2, ()))[-1]
        assert isinstance(send, Send) and isinstance(send.message, Place)
        return send.message.host

    assert [place() for _ in range(4)] == ["n3", "n4", "n3", "n4"]
    cluster.handle(0, "n3", HostUp("backup", 2))
    assert place() == "n4"
    cluster.handle(2000 * MILLISECOND_NS, "n1", HostUp("alone", 2))
    send = cluster.handle(2000 * MILLISECOND_NS, "n1", NeedBackup(2, ()))[-1]
    assert isinstance(send, Send) and send.message == Place(2, ""), "nobody was heard of lately"


def test_ten_failovers_in_a_row_are_survived() -> None:
    """E7: each generation has a flag of its own, and hosts that come back are used again."""
    pair = Pair(hosts=3)
    for count in range(1, 11):
        live = next(name for name, role in pair.sim.roles().items() if role == "primary")
        pair.crash(live)
        pair.run(FAILED_OVER)
        pair.sim.restart(live)
        pair.run(RESTORED)
        number = pair.inc()
        pair.run(5)
        assert pair.answers[number] == [count]
    assert [event.data["generation"] for event in pair.events("live")] == list(range(2, 12))
    assert pair.broken() == []


def test_a_primary_that_slept_through_a_failover_loses() -> None:
    """E7: cut off while the others failed over and restored redundancy, it finds itself fenced."""
    pair = Pair(hosts=3)
    pair.inc()
    pair.run(20)
    links = ["n1--n2", "n1--n3", "n1--disk", "n1--clients", "n1--cluster"]
    pair.cut(*links)
    pair.run(FAILED_OVER + RESTORED)
    assert sorted(pair.sim.roles().values()) == ["backup", "primary", "superseded"]
    pair.join(*links)
    pair.run(300)
    assert pair.role("n1") == "halted" and not pair.events("live", "n1")
    number = pair.inc()
    pair.run(5)
    assert pair.answers[number] == [2] and pair.broken() == []


@pytest.mark.parametrize("change", [
    {"version": 0}, {"emulator": "unicorn 2.1.3"}, {"cpu_model": "QEMU64"}, {"image": 1},
    {"emulator": EMULATOR.replace(platform.machine(), "another")}])
def test_a_host_that_would_not_replay_alike_refuses(change: dict[str, Any]) -> None:
    """A8: both sides must be the same emulator, host architecture, processor model, log, guest."""
    machine = Machine(load("counter"))
    spare = Spare(lambda: Machine(load("counter")), DEFAULT, {})
    same = hello_of(machine)
    assert same.emulator == EMULATOR and same._replace(**change) != same
    spare.collect(0, "n1", Pages(2, 1, 0, same._replace(**change), ()))
    sent = [effect.message for effect in spare.take_effects() if isinstance(effect, Send)]
    assert len(sent) == 1 and isinstance(sent[0], Refused) and spare.rounds == 0
    spare.collect(0, "n1", Pages(2, 1, 0, same, ()))
    assert spare.rounds == 1


def test_a_host_that_crashes_while_it_sends_pages_sends_no_more() -> None:
    """F1: what was not on the wire yet does not come out of a dead host."""
    pair = Pair(hosts=3)
    pair.run(20)
    pair.crash("n2")
    while not pair.events("clone"):
        pair.run(1)
    pair.crash("n1")
    dropped = [event.data["message"] for event in pair.events("drop", "n1")
               if event.data["why"] == "lost with its sender"]
    assert "Pages" in dropped
    pair.run(100)
    assert pair.events("backup", "n3") == []
