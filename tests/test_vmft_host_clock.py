"""A host's clock may jump and drift; the guest's goes on as time passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario import Pair

from vmft.host_clock import HostClock

MS = 1_000_000
HOUR_NS = 3_600_000_000_000


def told(pair: Pair) -> int:
    """What the guest says the time is."""
    number = pair.call("now")
    pair.run(50)
    return pair.answers[number][0]


@pytest.mark.parametrize("by_ns", [HOUR_NS, -HOUR_NS, 900 * MS, -900 * MS])
@pytest.mark.parametrize("failover", [False, True])
def test_the_guest_does_not_notice_a_jump(by_ns: int, failover: bool) -> None:
    """Of its host's clock, or of the one that takes over: as much has passed as has passed."""
    pair = Pair(workload="clock", hosts=3)
    pair.run(100)
    before = told(pair)
    for host in ("n1", "n2") if failover else ("n1",):
        pair.sim.jump_clock(host, by_ns if host == "n1" else -by_ns)
    if failover:
        pair.crash("n1")
    pair.run(1950)
    passed = told(pair) - before
    assert 1900 * MS < passed < 2100 * MS and pair.broken() == []


def test_the_guest_follows_a_drift() -> None:
    """As far as a clock may be wrong at all."""
    pair = Pair(workload="clock")
    pair.run(100)
    pair.sim.drift_clock("n1", 50_000)
    before = told(pair)
    pair.run(950)
    assert 1045 * MS < told(pair) - before < 1055 * MS and pair.broken() == []


@given(st.integers(0, 10**12), st.lists(st.tuples(
    st.integers(0, 10**9), st.integers(-50_000, 50_000), st.booleans())))
def test_a_clock_that_only_drifts_never_goes_back(
        skew_ns: int, changes: list[tuple[int, int, bool]]) -> None:
    """Whatever the rate becomes; and what is corrected shows what it would have."""
    clock, now_ns = HostClock(skew_ns), 0
    for gap_ns, ppm, _ in changes:
        before = clock(now_ns)
        now_ns += gap_ns
        assert clock(now_ns) >= before
        at = clock(now_ns)
        clock.drift(now_ns, ppm)
        assert clock(now_ns) == at
    clock.jump(-5)
    clock.correct(now_ns)
    assert clock(now_ns + 7) == now_ns + 7 + skew_ns
