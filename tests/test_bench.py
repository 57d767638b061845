"""Every measurement runs, on as little as possible, and says what it is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import clone, failover, ft_overhead, log_compression, sim_throughput
from harness.test import Test
from vmft.counting import NATIVE
from vmft.settings import DEFAULT, MILLISECOND_NS

pytestmark = pytest.mark.skipif(NATIVE is None, reason="busy guests take minutes without it")


def test_the_cost_of_replication_is_measured() -> None:
    """A pair is never faster; what is received is logged, what is sent is not."""
    found = {row.name: ft_overhead.measure(row, 0.01) for row in ft_overhead.ROWS}
    assert all(result.pair <= result.alone for result in found.values())
    assert 1 < (found["network receive"].log_ratio or 0) < 1.3
    assert 0 < (found["network transmit"].log_ratio or 0) < 0.2
    assert found["compute"].log_ratio is None
    for row, result in zip(ft_overhead.ROWS, found.values()):
        assert len(ft_overhead.cells(row, result)) == len(ft_overhead.HEADINGS)


def test_a_log_can_be_compressed() -> None:
    """C8: as one stream better than message by message; noise that was received not at all."""
    found = {row.name: log_compression.measure(row, 0.1) for row in log_compression.ROWS}
    assert all(result.stream <= result.each for result in found.values())
    assert all(result.stream < 0.8 * result.plain for name, result in found.items()
               if name != "receive, noise")
    assert found["receive, noise"].stream > 0.99 * found["receive, noise"].plain
    assert found["receive, zeros"].each < 0.2 * found["receive, zeros"].plain
    for row, result in zip(log_compression.ROWS, found.values()):
        assert len(log_compression.cells(row, result)) == len(log_compression.HEADINGS)


def test_a_failover_is_as_long_as_detection_or_lag_and_no_longer_than_both() -> None:
    """C4: over a sweep of lags that were induced."""
    for lag_ms in (0, 100, 500):
        found = failover.measure(lag_ms * MILLISECOND_NS)
        assert lag_ms * MILLISECOND_NS <= found.lag_ns
        longer_ns = max(found.decided_ns, found.lag_ns)
        assert longer_ns - 10 * MILLISECOND_NS <= found.live_ns <= found.decided_ns + found.lag_ns
        assert found.detected_ns <= DEFAULT.heartbeat_silence_ns + DEFAULT.heartbeat_ns


def test_a_faster_writer_stands_still_for_longer() -> None:
    """And needs more rounds, up to where the wire is no faster than the guest."""
    copies = [clone.measure(rate) for rate in (0, 10_000, 100_000)]
    assert [copy.stun_ns for copy in copies] == sorted(copy.stun_ns for copy in copies)
    assert copies[0].rounds < copies[1].rounds < copies[2].rounds
    assert copies[0].pages < copies[1].pages < copies[2].pages


def test_throughput_is_measured_part_by_part(tmp_path: Path) -> None:
    """The parts and the whole come from the same test."""
    test = Test(rate_hz=50, clients=2, time_limit_s=1)
    times = sim_throughput.measure(test, tmp_path)
    assert 10 < times.operations < 100 and 0 < times.simulate < times.whole * 2
    shares = dict(sim_throughput.shares(test))
    assert 0 < shares["vmft/sim.py"] < 1
