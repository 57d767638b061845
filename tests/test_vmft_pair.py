"""Scenarios on a replicated pair: what each rule is for, and that without it things go wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario import INC, READ, Pair, parse

from vmft import entry as log
from vmft.backup import Backup
from vmft.messages import DiskRequest, Log, Message, Packet
from vmft.network import Arrival
from vmft.primary import Primary
from vmft.settings import DEFAULT, MILLISECOND_NS, Settings

DETECTION_MS = 400      # heartbeats are missed for 300 ms, then the disk is asked
QUIET_MS = 200          # shorter than any suspicion
NEVER_REBOOTS = Settings(reboot_ns=1_000_000 * MILLISECOND_NS)


def counted(pair: Pair, times: int) -> None:
    """Increment so many times, each answered."""
    for _ in range(times):
        number = pair.inc()
        pair.run(5)
        assert pair.answers[number], "a healthy pair answers"


# Failover

def test_the_backup_takes_over_after_the_primary_crashes() -> None:
    """And goes on counting where the primary was."""
    pair = Pair()
    counted(pair, 3)
    pair.crash("n1")
    pair.run(DETECTION_MS)
    assert pair.role("n2") == "alone"
    number = pair.inc()
    pair.run(5)
    assert pair.answers[number] == [4]
    assert pair.broken() == []


def test_the_service_moves_with_the_machine() -> None:
    """E9: requests reach the survivor although nobody told the clients."""
    pair = Pair()
    counted(pair, 1)
    assert pair.sim.service == "n1"
    pair.crash("n1")
    pair.run(DETECTION_MS)
    assert pair.sim.service == "n2"


def test_everything_acknowledged_is_executed_before_going_live() -> None:
    """B4, E3: a backup that lags far behind takes its time, and then knows everything."""
    pair = Pair()
    pair.slow_backup(1000)
    counted(pair, 5)
    pair.crash("n1")
    pair.run(DETECTION_MS)
    assert pair.events("suspect", "n2") and not pair.events("live")
    pair.run(600)
    received = pair.events("acknowledge", "n2")[-1].data["received"]
    live, = pair.events("live", "n2")
    assert live.data["executed"] == received
    number = pair.inc()
    pair.run(5)
    assert pair.answers[number] == [6]
    assert pair.broken() == []


def test_nothing_that_arrives_while_going_live_becomes_part_of_the_past() -> None:
    """B8: once the test-and-set is won, the old primary's entries are no longer taken."""
    pair = Pair()
    pair.slow_backup(1000)
    counted(pair, 1)
    pair.cut("n1--n2", "n1--disk")
    pair.run(DETECTION_MS)
    confirmed = len(pair.events("acknowledge", "n2"))
    pair.join("n1--n2")
    pair.run(QUIET_MS)
    assert not pair.events("live") and len(pair.events("acknowledge", "n2")) == confirmed


def test_an_output_that_may_not_have_left_is_sent_again() -> None:
    """The primary dies when the backup had the entry and the client had nothing yet."""
    pair = Pair()
    counted(pair, 1)
    pair.cut("n2->n1")
    number = pair.inc()
    pair.run(5)
    pair.crash("n1")
    assert pair.answers[number] == []
    pair.run(DETECTION_MS)
    assert pair.answers[number] == [2]
    assert pair.events("release", "n2")[0].data["again"] is True
    assert pair.broken() == []


# The Output Rule

def test_outputs_wait_for_their_acknowledgement_while_the_primary_goes_on() -> None:
    """B3: only the output is held; the guest executes."""
    pair = Pair()
    counted(pair, 1)
    pair.cut("n2->n1")
    numbers = [pair.inc()]
    pair.run(50)
    before = pair.position("n1")
    numbers += [pair.inc(), pair.inc()]
    pair.run(50)
    assert not any(pair.answers[number] for number in numbers)
    computed = [event.data["request"] for event in pair.events("output", "n1")]
    assert computed[-3:] == numbers, "also what came while an output was held"
    assert pair.position("n1") > before, "the guest goes on"
    pair.join("n2->n1")
    pair.run(50)
    assert [pair.answers[number] for number in numbers] == [[2], [3], [4]]
    assert pair.broken() == []


def test_without_the_output_rule_they_do_not_wait() -> None:
    """A2, B2: and a crash then makes two elevens, here two twos."""
    pair = Pair("no-output-rule")
    counted(pair, 1)
    pair.cut("n1->n2")
    first = pair.inc()
    pair.run(5)
    assert pair.answers[first] == [2]
    pair.crash("n1")
    pair.run(DETECTION_MS)
    second = pair.inc()
    pair.run(5)
    assert pair.answers[second] == [2]
    assert pair.broken() == [
        "output-rule", "output-requirement", "duplicates", "linearizable"]


def test_nothing_leaves_the_backup_before_it_is_live() -> None:
    """A3: it computes every output and discards it; to the world it says nothing at all."""
    pair = Pair(workload="kv")
    said: list[tuple[int, str]] = []
    route = pair.sim.network.route

    def heard(at_ns: int, source: str, to: str, message: Message) -> list[Arrival] | str:
        if source == "n2" and isinstance(message, (Packet, DiskRequest)):
            said.append((at_ns, to))
        return route(at_ns, source, to, message)

    pair.sim.network.route = heard      # type: ignore[method-assign]
    for key in range(5):
        number = pair.call("put", [key, "x "])
        pair.run(5)
        assert pair.answers[number]
    assert pair.events("replay", "n2") and pair.events("disk-write")
    assert not said and not pair.events("release", "n2")
    pair.crash("n1")
    lost = pair.call("put", [1, "y "])
    pair.run(DETECTION_MS)
    live, = pair.events("live", "n2")
    number = pair.call("put", [2, "z "])
    pair.run(5)
    assert pair.answers[number] and {to for _, to in said} == {"clients", "disk"}
    assert min(at_ns for at_ns, _ in said) >= live.time
    assert pair.answers[lost] == [], "its request died with the primary"


def test_a_primary_that_lost_its_backup_goes_alone_and_releases_what_it_held() -> None:
    """B7, E2: first the test-and-set, then the output."""
    pair = Pair()
    counted(pair, 1)
    pair.crash("n2")
    number = pair.inc()
    pair.run(QUIET_MS)
    assert pair.role("n1") == "primary" and pair.answers[number] == []
    pair.run(DETECTION_MS)
    assert pair.role("n1") == "alone" and pair.answers[number] == [2]
    live, = pair.events("live", "n1")
    assert live.data["held"] == 1
    assert pair.events("release", "n1")[-1].time >= live.time
    counted(pair, 1)
    assert pair.broken() == []


# Split brain

@pytest.mark.parametrize("victim, survivor", [("n1", "n2"), ("n2", "n1")])
def test_nobody_goes_live_while_the_disk_is_unreachable(victim: str, survivor: str) -> None:
    """E5: it waits, neither live nor halted, and goes live when the disk is back."""
    pair = Pair()
    counted(pair, 1)
    pair.cut("n1--disk", "n2--disk")
    pair.crash(victim)
    pair.run(DETECTION_MS)
    before = pair.position(survivor)
    pair.run(3000)
    assert pair.role(survivor) == "contending"
    assert pair.position(survivor) == before, "it does not execute either"
    pair.join("n1--disk", "n2--disk")
    pair.run(DETECTION_MS)
    assert pair.role(survivor) == "alone"
    counted(pair, 1)
    assert pair.broken() == []


def test_a_lost_reply_of_the_disk_is_no_defeat() -> None:
    """E6: whoever won and did not hear it asks again and hears that it won."""
    pair = Pair()
    counted(pair, 1)
    pair.cut("disk->n2")
    pair.crash("n1")
    pair.run(1000)
    assert pair.role("n2") == "contending" and len(pair.events("test-and-set")) > 1
    pair.join("disk->n2")
    pair.run(DETECTION_MS)
    assert pair.role("n2") == "alone"
    assert {event.data["winner"] for event in pair.events("test-and-set")} == {"n2"}


def test_the_loser_of_the_test_and_set_halts_and_discards_what_it_held() -> None:
    """B7, B8, E4: the answer that the old primary held is never given, by it or anybody.

    The channel heals first: whoever went live acknowledges nothing, so the old primary waits.
    """
    pair = Pair(settings=NEVER_REBOOTS)
    counted(pair, 1)
    pair.cut("n1--n2", "n1--disk")
    number = pair.inc()
    pair.run(DETECTION_MS)
    assert pair.role("n2") == "alone" and pair.role("n1") == "superseded"
    acknowledged = len(pair.events("ack", "n1"))
    pair.join("n1--n2")
    pair.run(DETECTION_MS)
    assert pair.role("n1") == "superseded" and len(pair.events("ack", "n1")) == acknowledged
    pair.join("n1--disk")
    pair.run(DETECTION_MS)
    assert pair.role("n1") == "halted"
    halt, = pair.events("halt", "n1")
    assert halt.data["why"] == "lost the test-and-set to n2"
    pair.run(1000)
    assert pair.answers[number] == []
    assert [event.kind for event in pair.trace if event.node == "n1"][-1] == "halt", "mute"
    assert pair.broken() == []


def test_without_the_test_and_set_both_go_live() -> None:
    """E2, E4: the same partition, and two machines that answer."""
    pair = Pair("no-test-and-set")
    counted(pair, 1)
    pair.cut("n1--n2")
    pair.run(DETECTION_MS)
    assert {pair.role("n1"), pair.role("n2")} == {"alone"}
    assert pair.broken() == ["single-primary"]
    assert "both live" in pair.judge().parts["single-primary"].why


def test_with_the_test_and_set_one_of_two_goes_live() -> None:
    """E4: the same partition again."""
    pair = Pair()
    counted(pair, 1)
    pair.cut("n1--n2")
    pair.run(DETECTION_MS)
    assert {pair.role("n1"), pair.role("n2")} == {"alone", "halted"}
    assert pair.broken() == []


@pytest.mark.parametrize("link, survivor, halted", [
    ("n1->n2", "n2", "n1"), ("n2->n1", "n1", "n2")])
def test_a_one_way_partition_ends_with_one_of_them(link: str, survivor: str, halted: str) -> None:
    """The side that hears nothing suspects first and wins; then the other hears nothing more."""
    pair = Pair()
    counted(pair, 2)
    pair.cut(link)
    pair.run(2 * DETECTION_MS)
    assert (pair.role(survivor), pair.role(halted)) == ("alone", "halted")
    assert pair.events("suspect")[0].node == survivor
    counted(pair, 1)
    assert pair.broken() == []


def test_a_machine_that_is_cut_off_from_everything_stays_out_when_it_is_back() -> None:
    """E7: it finds that its generation was decided without it."""
    pair = Pair(settings=NEVER_REBOOTS)
    counted(pair, 1)
    pair.cut("n1--n2", "n1--disk", "n1--clients")
    pair.run(1000)
    counted(pair, 1)
    pair.join("n1--n2", "n1--disk", "n1--clients")
    pair.run(1000)
    assert pair.role("n1") == "halted" and pair.role("n2") == "alone"
    counted(pair, 1)
    assert pair.broken() == []


def test_a_hung_machine_behind_a_live_heartbeat_is_found() -> None:
    """E1: the log is silent although the host is up."""
    pair = Pair()
    counted(pair, 1)
    pair.sim.stall(("n1", "n2"))
    pair.run(DEFAULT.log_silence_ns // MILLISECOND_NS + DETECTION_MS)
    assert pair.events("suspect")[0].data["why"] == "no log traffic"
    assert sorted(pair.sim.roles().values()) == ["alone", "halted"]
    assert pair.broken() == []


# The log

def test_a_lost_tail_of_the_log_is_never_executed() -> None:
    """A2, C7: what waited in the primary's buffers died with it; nobody had been told."""
    pair = Pair()
    counted(pair, 1)
    pair.sim.stall(("n1", "n2"))
    number = pair.inc()
    pair.run(5)
    pair.crash("n1")
    pair.sim.keep(("n1", "n2"))
    pair.run(DETECTION_MS)
    assert pair.answers[number] == []
    live, = pair.events("live", "n2")
    lost = min(event.data["first"] for event in pair.events("drop", "n1"))
    assert live.data["executed"] == lost - 1
    after = pair.inc()
    pair.run(5)
    assert pair.answers[after] == [2], "the lost increment never happened"
    assert pair.broken() == []


@pytest.mark.parametrize("cut", [1, 20, 24, 30])
def test_a_torn_message_is_taken_up_to_the_tear(cut: int) -> None:
    """C7: the whole entries in front are acknowledged, the torn one is not."""
    pair = Pair()
    pair.run(5)
    backup = pair.sim.replicas["n2"].role
    assert isinstance(backup, Backup)
    records = b"".join(log.encode(log.Entry(seq, log.CONTROL, 47, b"x")) for seq in (1, 2, 3))
    backup.log(pair.sim.now_ns, Log(1, 1, 3, 0, records[:-cut]))
    assert backup.receiver.received == (2 if cut <= 25 else 1)
    assert len(backup.replayer.entries) == backup.receiver.received


def test_what_was_lost_on_the_channel_is_sent_again() -> None:
    """A loss alone is a delay."""
    pair = Pair()
    counted(pair, 1)
    pair.sim.lose(("n1", "n2"), 1, 1)
    number = pair.inc()
    pair.run(100)
    assert pair.answers[number] == []
    pair.sim.keep(("n1", "n2"))
    pair.run(50)
    assert pair.answers[number] == [2]
    assert pair.role("n1") == "primary" and pair.broken() == []


def test_what_a_stall_held_back_arrives_when_it_ends() -> None:
    """C2: in order, and nothing twice."""
    pair = Pair()
    counted(pair, 1)
    pair.sim.stall(("n1", "n2"))
    number = pair.inc()
    pair.run(100)
    assert pair.answers[number] == []
    pair.sim.keep(("n1", "n2"))
    pair.run(5)
    assert pair.answers[number] == [2]
    assert pair.broken() == []


SMALL = Settings(primary_buffer_entries=8, backup_buffer_entries=8, batch_entries=4)


def test_a_full_log_buffer_stops_the_primary_and_drops_nothing() -> None:
    """C3: it stands still until something is acknowledged, then goes on from there."""
    pair = Pair(settings=SMALL)
    counted(pair, 1)
    pair.cut("n2->n1")
    pair.run(150)
    primary = pair.sim.replicas["n1"].role
    assert isinstance(primary, Primary) and primary.stalled
    stopped = pair.position("n1")
    pair.run(50)
    assert pair.position("n1") == stopped
    pair.join("n2->n1")
    pair.run(50)
    assert pair.position("n1") > stopped
    counted(pair, 2)
    logged = [event.data["seq"] for event in pair.events("log", "n1")]
    assert logged == list(range(1, len(logged) + 1))
    assert pair.broken() == []


def test_the_primary_never_logs_more_than_its_buffer_holds() -> None:
    """However much arrives at once while nothing is acknowledged."""
    pair = Pair(settings=SMALL)
    counted(pair, 1)
    pair.cut("n2->n1")
    primary = pair.sim.replicas["n1"].role
    assert isinstance(primary, Primary) and primary.sender is not None
    for _ in range(40):
        pair.inc()
        pair.run(1)
        assert len(primary.sender.buffer) <= SMALL.primary_buffer_entries


def test_a_full_receive_buffer_takes_entries_later() -> None:
    """A backup that does not execute confirms only what it could keep; nothing is lost."""
    pair = Pair(settings=SMALL)
    pair.slow_backup(200)
    pair.run(150)
    backup = pair.sim.replicas["n2"].role
    assert isinstance(backup, Backup)
    assert len(backup.replayer.entries) == SMALL.backup_buffer_entries
    pair.run(150)
    counted(pair, 3)
    assert pair.broken() == []


# Anything at all

LINKS = ("n1--n2", "n1->n2", "n2->n1", "n1--disk", "n2--disk", "disk->n2", "n1--clients",
         "n2->clients")
STEPS = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from([INC, INC, READ])),
    st.tuples(st.just("run"), st.sampled_from([0, 1, 3, 30, 350, 700])),
    st.tuples(st.sampled_from(["cut", "join"]), st.sampled_from(LINKS)),
    st.tuples(st.sampled_from(["crash", "restart", "stall", "lose", "keep"]),
              st.sampled_from(["n1", "n2"])))


def do(pair: Pair, step: str, what: int | str) -> None:
    """One step of a random scenario; a host crashes only while the other could go on."""
    if isinstance(what, int):
        pair.ask(what) if step == "ask" else pair.run(what)
    elif step in ("cut", "join"):
        getattr(pair, step)(what)
    elif step == "crash":
        if sorted(pair.sim.roles().values()) == ["backup", "primary"]:
            pair.crash(what)
    elif step == "restart":
        if pair.role(what) == "crashed":
            pair.sim.restart(what)
    else:
        link, = parse("n1->n2" if what == "n1" else "n2->n1")
        if step == "lose":
            pair.sim.lose(link, 2, 3)
        else:
            getattr(pair.sim, step)(link)


@settings(max_examples=50)
@given(st.lists(STEPS, max_size=25), st.sampled_from([DEFAULT, SMALL]), st.integers(0, 1 << 64))
def test_no_sequence_of_faults_breaks_a_rule(steps: list[tuple[str, int | str]],
                                             tuning: Settings, seed: int) -> None:
    """Whatever happens: the rules hold, the answers fit, and in the end somebody answers."""
    pair = Pair(settings=tuning, seed=seed)
    for step, what in steps:
        do(pair, step, what)
    pair.join(*LINKS)
    for link in pair.sim.links():
        pair.sim.keep(link)
    pair.run(2000)
    number = pair.inc()
    pair.run(100)
    assert pair.answers[number], pair.sim.roles()
    assert pair.broken() == [], pair.judge().why


def test_a_machine_that_sleeps_when_it_goes_live_still_hears_its_timer() -> None:
    """E10: nobody calls, so only the timer can wake it; its new backup would suspect silence."""
    pair = Pair(hosts=3)
    pair.run(500)
    pair.crash("n1")
    pair.run(3000)
    assert pair.role("n2") == "primary" and pair.role("n3") == "backup"
    assert [event.node for event in pair.events("suspect")] == ["n2"]


def test_nothing_is_logged_behind_a_power_off() -> None:
    """F3: a request that arrives too late must not keep the primary waiting for a backup that is
    off, nor bring either of them back."""
    pair = Pair(hosts=3)
    pair.inc()
    pair.sim.administer("power-off")
    for _ in range(20):
        pair.inc()
        pair.run(1)
    pair.run(2000)
    assert (pair.role("n1"), pair.role("n2")) == ("off", "off")
    assert pair.events("live") == []
