"""The slow feedback that keeps a backup close."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from machine_code import HLT, image
from scenario import Pair

import vmft.sim
from vmft.lag import Throttle
from vmft.primary import Primary
from vmft.settings import DEFAULT, MILLISECOND_NS, Settings

SECOND_NS = 1_000 * MILLISECOND_NS
STEP_NS = 10 * MILLISECOND_NS


def follow(throttle: Throttle, backup_percent: int, now_ns: int, lag_ns: int,
           steps: int) -> tuple[int, list[int]]:
    """A backup at some speed behind a busy primary: the last lag, and the shares on the way."""
    shares = []
    for _ in range(steps):
        now_ns += STEP_NS
        lag_ns = max(0, lag_ns + STEP_NS * (throttle.percent - backup_percent) // 100)
        throttle.observe(now_ns, lag_ns)
        shares.append(throttle.percent)
    return lag_ns, shares


@given(st.integers(10, 100), st.integers(0, SECOND_NS))
def test_the_share_settles_around_the_backups_speed(backup_percent: int, lag_ns: int) -> None:
    """C5: whatever the lag was, it becomes slight; the share swings little, and recovers whole."""
    throttle = Throttle(DEFAULT)
    lag_ns, _ = follow(throttle, backup_percent, 0, lag_ns, 2000)
    lag_ns, shares = follow(throttle, backup_percent, 20 * SECOND_NS, lag_ns, 1000)
    assert lag_ns <= 4 * DEFAULT.lag_high_ns
    assert abs(sum(shares) // len(shares) - backup_percent) <= 2 * DEFAULT.lag_step_percent
    lag_ns, shares = follow(throttle, 1000, 30 * SECOND_NS, lag_ns, 500)
    assert lag_ns == 0 and shares[-1] == 100


# rdtsc; mov ecx, 500; 1: dec ecx; jnz 1b; jmp to the start
BUSY = bytes.fromhex("0f31" "b9f4010000" "ffc9" "75fc" "ebf3") + HLT
QUICK = Settings(lag_high_ns=10 * MILLISECOND_NS, lag_low_ns=2 * MILLISECOND_NS,
                 lag_period_ns=4 * MILLISECOND_NS)


def test_a_slow_backup_slows_a_busy_primary(monkeypatch: pytest.MonkeyPatch) -> None:
    """C5: to its own speed; the lag stays small, and when the one is fast again, so is the other.

    Entries leave as they are made, though the guest never pauses: C5 cannot work otherwise.  Both
    hosts are slow to begin with, so that there is less to compute.
    """
    monkeypatch.setattr(vmft.sim, "load", lambda name: image(BUSY))
    pair = Pair(settings=QUICK)
    pair.sim.slow("n1", 10)
    pair.sim.slow("n2", 20)
    pair.run(700)
    primary = pair.sim.replicas["n1"].role
    assert isinstance(primary, Primary)
    settled = [event for event in pair.events("ack") if event.time > 350 * MILLISECOND_NS]
    assert max(event.data["lag_ns"] for event in settled) < 60 * MILLISECOND_NS
    shares = [event.data["percent"] for event in pair.events("share", "n1")
              if "lag_ns" in event.data and event.time > 350 * MILLISECOND_NS]
    assert max(shares) <= 75 and 30 <= sum(shares) // len(shares) <= 60
    pair.sim.slow("n2", 1)
    pair.run(250)
    assert primary.throttle.percent == 100
    assert pair.broken() == []
