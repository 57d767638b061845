"""Detection, going live, and what administrators order."""

from __future__ import annotations

import machine_code as mc
import pytest
from scenario import Pair

from vmft.counting import NATIVE
from vmft.detector import Detector
from vmft.primary import Primary
from vmft.settings import DEFAULT, MILLISECOND_NS

FAILED_OVER = 450


# Detection

@pytest.mark.parametrize("silent, why", [
    ("heartbeat", "no heartbeat"), ("log", "no log traffic"), ("", None)])
def test_either_silence_is_suspicious(silent: str, why: str | None) -> None:
    """E1: heartbeats without a log are not enough, and neither is a log without heartbeats."""
    detector = Detector(DEFAULT, 0)
    for ms in range(0, 2000, 10):
        now_ns = ms * MILLISECOND_NS
        if silent != "heartbeat":
            detector.heard_heartbeat(now_ns)
        if silent != "log":
            detector.heard_log(now_ns)
    assert detector.suspicion(2000 * MILLISECOND_NS) == why


def test_an_idle_guest_is_not_suspected() -> None:
    """E1: its timer makes an entry a tick, which keeps the log talking, hour after hour."""
    pair = Pair(workload="idle")
    pair.run(20_000)
    ticks = [event for event in pair.events("log") if event.data["entry"] == "interrupt"]
    assert len(ticks) >= 1990 and not pair.events("suspect")
    assert pair.broken() == []


@pytest.mark.slow
def test_an_idle_guest_is_not_suspected_for_long() -> None:
    """E1: twenty minutes, second by second, or the trace would not fit."""
    pair = Pair(workload="idle")
    for _ in range(1200):
        pair.trace.events.clear()
        pair.run(1000)
        ticks = [event for event in pair.events("log") if event.data["entry"] == "interrupt"]
        assert len(ticks) >= 99 and not pair.events("suspect")


def test_a_machine_that_executes_nothing_is_found() -> None:
    """E1: nor does it answer; its host goes on beating."""
    pair = Pair()
    pair.run(20)
    hung = pair.sim.replicas["n1"].role
    assert isinstance(hung, Primary)
    hung.busy_ns = 1 << 62
    pair.run(DEFAULT.log_silence_ns // MILLISECOND_NS + FAILED_OVER)
    suspect, = pair.events("suspect", "n2")
    assert suspect.data["why"] == "no log traffic"
    assert sorted(pair.sim.roles().values()) == ["alone", "halted"] and pair.broken() == []


@pytest.mark.parametrize("code", [
    pytest.param("fa f4", id="cli; hlt"), pytest.param("fb f4", id="sti; hlt without a timer"),
    pytest.param("fa eb fe", id="cli; jmp", marks=pytest.mark.skipif(
        NATIVE is None, reason="busy guests take minutes without it"))])
def test_a_guest_that_takes_no_interrupts_is_taken_for_dead(
        code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """E1: it makes no entry any more, so the log is silent behind a live heartbeat: a failure.

    Whoever wins has the same dead guest: each generation ends like the first, with one live.
    """
    guest = mc.image(bytes.fromhex(code))
    monkeypatch.setattr("vmft.sim.load", lambda name: guest)
    pair = Pair(hosts=3)
    pair.run(4000)
    suspected = pair.events("suspect")
    assert {event.data["why"] for event in suspected} == {"no log traffic"}
    assert suspected[0].time == DEFAULT.log_silence_ns and not pair.events("log")
    live = [event.data["generation"] for event in pair.events("live")]
    assert live == list(range(2, 2 + len(live))) and len(live) > 4
    assert len(pair.events("halt")) == len(live) and pair.broken() == []


# Going live

def test_both_wait_for_a_disk_that_neither_reaches() -> None:
    """E5: nobody is live, nobody has halted; then exactly one is."""
    pair = Pair()
    pair.run(20)
    pair.cut("n1--n2", "n1--disk", "n2--disk")
    pair.run(5000)
    assert set(pair.sim.roles().values()) == {"contending"} and not pair.events("live")
    pair.join("n1--disk", "n2--disk")
    pair.run(300)
    assert sorted(pair.sim.roles().values()) == ["alone", "halted"]
    assert pair.broken() == []


@pytest.mark.parametrize("seed", range(20))
def test_exactly_one_of_two_that_race_goes_live(seed: int) -> None:
    """E4: both suspect each other at about the same time."""
    pair = Pair(seed=seed)
    pair.run(20)
    pair.sim.cut([("n1", "n2"), ("n2", "n1")])
    pair.run(FAILED_OVER)
    assert len(pair.events("suspect")) == 2 and len(pair.events("live")) == 1
    assert sorted(pair.sim.roles().values()) == ["alone", "halted"]


def test_time_goes_on_after_a_failover() -> None:
    """E10: whatever the new host's clock says, the guest's never goes back, and timers tick."""
    for seed in range(8):
        pair = Pair(workload="clock", seed=seed)
        readings = []
        for _ in range(3):
            number = pair.call("now")
            pair.run(5)
            readings += pair.answers[number]
        pair.crash("n1")
        pair.run(FAILED_OVER)
        for f in ("now", "tsc", "now"):
            number = pair.call(f)
            pair.run(5)
            readings += pair.answers[number]
        assert len(readings) == 6 and readings == sorted(readings)
        before = pair.position("n2")
        pair.run(50)
        assert pair.position("n2") > before, "the timer ticks"
        assert pair.broken() == []


def test_clients_notice_a_pause_and_nothing_else() -> None:
    """E11: whoever asks before the crash or after the going live is answered at once."""
    pair = Pair()
    asked = {}
    for place in range(120):
        if place == 40:
            pair.run(3)
            pair.crash("n1")
        asked[pair.inc()] = pair.sim.now_ns
        pair.run(10)
    crash, = pair.events("crash")
    live, = pair.events("live")
    for number, at_ns in asked.items():
        if at_ns < crash.time or at_ns > live.time:
            assert len(pair.answers[number]) == 1, number
        else:
            assert pair.answers[number] == []
    values = [value for answers in pair.answers.values() for value in answers]
    assert values == list(range(1, len(values) + 1)) and pair.broken() == []


def test_the_switch_is_told_where_the_service_is() -> None:
    """E9: the new primary takes over the address before it says anything else."""
    pair = Pair()
    pair.run(20)
    pair.crash("n1")
    pair.run(FAILED_OVER)
    advertised, = pair.events("advertise")
    live, = pair.events("live")
    assert (advertised.node, advertised.time) == ("n2", live.time) and pair.sim.service == "n2"


# Orders

@pytest.mark.parametrize("crash_ms", [None, 1, 2])
def test_after_a_power_off_nobody_goes_live(crash_ms: int | None) -> None:
    """F3: also when the primary dies right after the backup has heard of it."""
    pair = Pair(hosts=3)
    pair.inc()
    pair.run(20)
    pair.sim.administer("power-off")
    if crash_ms is not None:
        pair.run(crash_ms)
        pair.crash("n1")
    pair.run(3000)
    assert pair.role("n2") == "off" and not pair.events("live")
    assert pair.broken() == []


def test_a_share_of_the_processor_holds_on_both_sides() -> None:
    """F3: it travels in the log, so it holds from the same instruction on."""
    pair = Pair()
    pair.run(20)
    pair.sim.administer("share", 40)
    pair.run(20)
    shares = [pair.sim.replicas[name].role.share_percent    # type: ignore[union-attr]
              for name in ("n1", "n2")]
    assert shares == [40, 40]
    pair.crash("n1")
    pair.run(FAILED_OVER)
    assert pair.sim.replicas["n2"].role.share_percent == 40     # type: ignore[union-attr]
    assert pair.broken() == []


def test_a_planned_failover_loses_nothing() -> None:
    """F6: the backup takes over on purpose; what the primary had taken in is answered."""
    pair = Pair()
    numbers = []
    for _ in range(4):
        numbers.append(pair.inc())
        pair.run(1)
    numbers.append(pair.inc())
    pair.until(pair.sim.now_ns + 150_000)
    pair.sim.administer("failover")
    pair.run(100)
    assert pair.role("n2") == "alone" and pair.events("suspect")[0].data["why"] == \
        "handed over on purpose"
    assert [pair.answers[number][:1] for number in numbers] == [[1], [2], [3], [4], [5]]
    assert pair.broken() == []
