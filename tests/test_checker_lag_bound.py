"""The backup keeps up, and a failover takes no longer than that."""

from __future__ import annotations

import pytest
from small_trace import boot, event, judge, live

from checker.lag_bound import FAILOVER_NS_MAX, LAG_NS_MAX, SETTLING_NS, lag_bound
from histories import Event

MS = 1_000_000
SETTLED = SETTLING_NS // MS
LAG, FAILOVER = LAG_NS_MAX // MS, FAILOVER_NS_MAX // MS


def ack(ms: int, lag_ms: int) -> Event:
    """An acknowledgement that tells of a lag."""
    return event(ms, "n1", "ack", generation=1, lag_ns=lag_ms * MS)


def suspect(ms: int) -> Event:
    """The backup suspects the primary."""
    return event(ms, "n2", "suspect", generation=1, peer="n1", why="no heartbeat")


def test_a_small_lag_and_a_quick_failover_are_right() -> None:
    """Up to the bounds."""
    verdict = judge(lag_bound, ack(SETTLED, LAG), suspect(5000), live(5000 + FAILOVER, "n2", 2))
    assert verdict.valid is True
    assert verdict.evidence == {"lag_ns": LAG_NS_MAX, "failover_ns": FAILOVER_NS_MAX}


@pytest.mark.parametrize("change", ["slow", "order", "join", "keep", "boot", "restart"])
def test_a_lag_counts_when_it_had_time_to_settle(change: str) -> None:
    """The feedback is slow on purpose."""
    slow = event(2000, "n2", change, percent=30)
    assert judge(lag_bound, slow, ack(1999 + SETTLED, LAG + 1)).valid is True
    verdict = judge(lag_bound, slow, ack(2000 + SETTLED, LAG + 1))
    assert verdict.valid is False and "n1 lagged 1001 ms behind" in verdict.why


def test_a_slow_failover_is_found() -> None:
    """Counted from the suspicion, or from when the disk could be reached again."""
    went = live(2001 + FAILOVER, "n2", 2)
    verdict = judge(lag_bound, *boot("primary", "backup"), suspect(2000), went)
    assert verdict.valid is False and "to go live" in verdict.why
    assert judge(lag_bound, suspect(2000), event(2001, "network", "join", links=[]),
                 went).valid is True
