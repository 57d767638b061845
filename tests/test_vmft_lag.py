"""The slow feedback that keeps a backup close."""

from __future__ import annotations

from collections import deque

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
SWING_PERCENT = 15      # below the backup's speed, while it catches up


class Follower:
    """A backup behind a busy primary; work is measured in nanoseconds at full speed."""

    def __init__(self, throttle: Throttle, lag_ns: int) -> None:
        self.throttle = throttle
        self.now_ns = lag_ns
        self.made = deque([(0, 0), (lag_ns, lag_ns)])       # when, and how much by then
        self.executed = 0
        self.shares: list[int] = []

    @property
    def lag_ns(self) -> int:
        """How long ago that was made which the backup executes now."""
        return self.now_ns - self.made[0][0]

    def go_on(self, backup_percent: int, steps: int) -> None:
        """So many steps of time, with the backup at some speed."""
        self.shares = []
        for _ in range(steps):
            self.now_ns += STEP_NS
            made = self.made[-1][1] + STEP_NS * self.throttle.percent // 100
            self.made.append((self.now_ns, made))
            self.executed = min(made, self.executed + STEP_NS * backup_percent // 100)
            while len(self.made) > 1 and self.made[1][1] <= self.executed:
                self.made.popleft()
            self.throttle.observe(self.now_ns, self.lag_ns, made - self.executed)
            self.shares.append(self.throttle.percent)


@given(st.integers(10, 100), st.integers(0, SECOND_NS))
def test_the_share_settles_around_the_backups_speed(backup_percent: int, lag_ns: int) -> None:
    """C5: whatever the lag was, it becomes slight; the share swings little, and recovers whole."""
    pair, step = Follower(Throttle(DEFAULT), lag_ns), DEFAULT.lag_step_percent
    pair.go_on(backup_percent, 1500)
    pair.go_on(backup_percent, 1000)
    assert pair.lag_ns <= 3 * DEFAULT.lag_high_ns
    assert min(pair.shares) >= backup_percent - SWING_PERCENT
    assert max(pair.shares) <= backup_percent + 2 * step
    pair.go_on(1000, 500)
    assert pair.lag_ns <= STEP_NS and pair.shares[-1] == 100


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
    assert max(event.data["lag_ns"] for event in settled) < 25 * MILLISECOND_NS
    shares = [event.data["percent"] for event in pair.events("share", "n1")
              if "lag_ns" in event.data and event.time > 350 * MILLISECOND_NS]
    assert 35 <= min(shares) and max(shares) <= 65 and 40 <= sum(shares) // len(shares) <= 60
    pair.sim.slow("n2", 1)
    pair.run(250)
    assert primary.throttle.percent == 100
    assert pair.broken() == []
