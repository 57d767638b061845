"""Every workload on a bare machine: its guest answers right, and replays along its log."""

from __future__ import annotations

import pytest
from bare import Bare, drive, replay
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.check import check_all
from checker.stats import stats
from workloads import WORKLOADS


@pytest.mark.parametrize("name", sorted(WORKLOADS))
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32), rate_hz=st.sampled_from([50, 400, 2000]),
       clients=st.integers(1, 12))
def test_a_guest_answers_right_and_replays(name: str, seed: int, rate_hz: int,
                                           clients: int) -> None:
    """Everything is answered, all checks hold, and a replay ends in the same state."""
    workload = WORKLOADS[name]
    system = Bare(workload.guest, seed)
    record = drive(system, name, seed=seed, rate_hz=rate_hz, clients=clients, time_limit_s=1)
    assert not [op for op in record.history if op.type == "info"]
    verdict = check_all(record, {**workload.checks, "stats": stats})
    assert verdict.valid is True, verdict.why
    replayer = replay(workload.guest, system.tape)
    assert replayer.machine.digest() == system.machine.digest()
    assert [(each.number, each.at, each.data) for each in replayer.outputs] == [
        (each.number, each.at, each.data) for each in system.tape.outputs]


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_a_guest_refuses_what_it_does_not_know(name: str) -> None:
    """An op that there is not, an empty payload, a frame that is too short; then it goes on."""
    system = Bare(WORKLOADS[name].guest, 1)
    header = bytes(12)
    for payload in (b"", b"\x01", (99).to_bytes(4, "little"), (99).to_bytes(4, "little") * 90):
        system.send(header + payload)
    replies = []
    while system.now_ns < 50_000_000:
        replies += system.advance(50_000_000)
    assert [reply.data[16:20] for reply in replies] == [(1).to_bytes(4, "little")] * 2
    for op in range(1, 9):
        system.send(header + op.to_bytes(4, "little"))
    while system.now_ns < 100_000_000:
        replies += system.advance(100_000_000)
    assert len(replies) == 2 + 8
