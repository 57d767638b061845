"""The backup keeps up, once things have settled."""

from __future__ import annotations

import pytest
from small_trace import Record, event, judge

from checker.check import merge
from checker.explain import explain
from checker.lag_bound import LAG_NS_MAX, SETTLING_NS, lag_bound
from histories import Event, History, Trace

MS = 1_000_000
SETTLED, LAG = SETTLING_NS // MS, LAG_NS_MAX // MS


def ack(ms: int, lag_ms: int) -> Event:
    """An acknowledgement that tells of a lag."""
    return event(ms, "n1", "ack", generation=1, lag_ns=lag_ms * MS)


def test_a_lag_up_to_the_bound_is_right() -> None:
    """And is told."""
    verdict = judge(lag_bound, ack(SETTLED, LAG), ack(SETTLED + 1, 3))
    assert verdict.valid is True and verdict.evidence == {"longest_ns": LAG_NS_MAX}


@pytest.mark.parametrize("change", ["slow", "order", "join", "keep", "boot", "restart", "pause",
                                    "down"])
def test_a_lag_counts_when_it_had_time_to_settle(change: str) -> None:
    """The feedback is slow on purpose."""
    slow = event(2000, "n2", change, times=10, links=[], link=["n1", "n2"], role="spare")
    assert judge(lag_bound, slow, ack(1999 + SETTLED, LAG + 1)).valid is True
    verdict = judge(lag_bound, slow, ack(2000 + SETTLED, LAG + 1))
    assert verdict.valid is False and "n1 lagged 1001 ms behind" in verdict.why


def test_a_host_that_no_share_can_wait_for_is_excused_until_it_is_fast_again() -> None:
    """The primary's least share is a twentieth; beyond that the feedback is powerless."""
    crawling, recovered = event(0, "n2", "slow", times=1000), event(5000, "n2", "slow", times=1)
    assert judge(lag_bound, crawling, ack(4000 + SETTLED, LAG + 1)).valid is True
    verdict = judge(lag_bound, crawling, recovered, ack(5000 + SETTLED, LAG + 1))
    assert verdict.valid is False


def test_a_slow_host_is_measured_by_its_primary() -> None:
    """Where that one is slow as well, its share can make up for the difference."""
    slow, slower = event(0, "n1", "slow", times=100), event(0, "n2", "slow", times=1000)
    late = ack(SETTLED, LAG + 1)
    assert judge(lag_bound, slower, late).valid is True
    assert judge(lag_bound, slow, slower, late).valid is False


def test_both_kinds_of_speed_are_told() -> None:
    """A slow host, and the primary's share of the processor."""
    slow, share = event(0, "n2", "slow", times=10), event(100, "n1", "share", percent=95)
    events = (slow, share, ack(100 + SETTLED, LAG + 1))
    verdict = judge(lag_bound, *events)
    text = "\n".join(explain(Record({}, History([]), Trace(events)), merge({"lag-bound": verdict})))
    assert "n2 10 times slower." in text and "n1 has 95 % of the processor." in text
