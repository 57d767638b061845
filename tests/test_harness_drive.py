"""The run loop against a system that answers late, twice, or never."""

from __future__ import annotations

import heapq
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_nemesis import Sham

from harness import drive
from harness import test as plan
from histories import NEMESIS, History, Op
from nemesis import NEMESES
from workloads.counter import REPLY

MS = 1_000_000
SECOND_NS = plan.SECOND_NS


class Frame(NamedTuple):
    """A frame for a client."""

    data: bytes


class Fickle(Sham):
    """Answers the n-th request after each of `delays[n]` (ns); the list goes round."""

    def __init__(self, delays: list[list[int]]) -> None:
        super().__init__()
        self.now_ns = 0
        self.delays = delays
        self.requests: list[bytes] = []
        self._due: list[tuple[int, int, bytes]] = []

    def send(self, data: bytes) -> None:
        """Plan the answers."""
        header = data[:drive.FRAME_HEADER.size]
        answer = header + REPLY.pack(1, 0, len(self.requests))
        for delay_ns in self.delays[len(self.requests) % len(self.delays)]:
            heapq.heappush(self._due, (self.now_ns + delay_ns, len(self._due), answer))
        self.requests.append(data)

    def advance(self, until_ns: int) -> list[Frame]:
        """Until the first answer, or the moment."""
        assert until_ns >= self.now_ns, "time never goes back"
        if self._due and self._due[0][0] < until_ns:
            self.now_ns, _, answer = heapq.heappop(self._due)
            return [Frame(answer)]
        self.now_ns = until_ns
        return []


SHORT = plan.Test(time_limit_s=2, rate_hz=100, clients=3, timeout_ms=100)


def driven(test: plan.Test, system: Fickle) -> History:
    """The history of a run."""
    ops: list[Op] = []
    drive.Driver(test, system, ops.append).run(
        [NEMESES[name] for name in test.nemesis], ["n1", "n2"])
    return History(ops)


DELAYS = st.lists(st.lists(st.integers(1, 150 * MS), max_size=2), min_size=1, max_size=6)


@given(DELAYS, st.integers(0, 1 << 64 - 1), st.sampled_from([(), ("crash", "partition")]))
def test_whatever_the_answers_the_history_is_well_formed(
        delays: list[list[int]], seed: int, nemesis: tuple[str, ...]) -> None:
    """Pairs, indexes, times; a process has one open call and none after an info."""
    test = replace(SHORT, seed=seed % (1 << 64), nemesis=nemesis)
    history = driven(test, Fickle(delays))
    assert [op.index for op in history] == list(range(len(history)))
    times = [op.time for op in history]
    assert times == sorted(times)
    assert all(done is not None for _, done in history.pairs), "every call has ended"
    for invoke, done in history.pairs:
        assert done is not None and done.time - invoke.time <= test.timeout_ms * MS
        assert (done.type == "info") is (done.time - invoke.time == test.timeout_ms * MS)
    clients = [{int(op.process) for op in history
                if op.process != NEMESIS and int(op.process) % test.clients == client}
               for client in range(test.clients)]
    assert all(clients), "every client called, under its own ids"
    last = [op for op in history if op.type == "invoke"][-test.clients:]
    assert [op.f for op in last] == ["read"] * test.clients, "the final reads"


def test_a_call_that_is_not_answered_ends_as_info_and_its_process_retires() -> None:
    """The client goes on under a new id; the late answer is nobody's."""
    history = driven(replace(SHORT, clients=1), Fickle([[150 * MS]]))
    assert {op.type for op in history} == {"invoke", "info"}
    calls = history.calls()
    assert [call.process for call in calls] == list(range(len(calls)))
    assert all(call.end_ns - call.start_ns == 100 * MS for call in calls)
    assert {op.error for op in history if op.type == "info"} == {"timeout"}


def test_the_second_copy_of_an_answer_is_ignored() -> None:
    """As by any client."""
    once, twice = driven(SHORT, Fickle([[MS]])), driven(SHORT, Fickle([[MS, 2 * MS]]))
    assert once == twice


def test_the_rate_is_kept_on_average() -> None:
    """All clients together, with an answer that takes no time to speak of."""
    calls = driven(replace(SHORT, time_limit_s=20), Fickle([[1]])).calls()
    assert 1900 <= len(calls) <= 2100


def test_requests_carry_the_index_of_their_op() -> None:
    """So that the trace and the history speak of the same thing."""
    system = Fickle([[MS]])
    history = driven(SHORT, system)
    numbers = [int.from_bytes(data[:8], "little") for data in system.requests]
    assert numbers == [invoke.index for invoke, _ in history.pairs]


def test_without_faults_there_is_nothing_to_heal() -> None:
    """No nemesis op at all."""
    assert NEMESIS not in [op.process for op in driven(SHORT, Fickle([[MS]]))]


def test_faults_are_recorded_as_planned_and_as_done() -> None:
    """Each pair of ops belongs together; the last nemesis op is the healing."""
    test = replace(SHORT, nemesis=("partition",), time_limit_s=10)
    history = driven(test, Fickle([[MS]]))
    struck = [op for op in history if op.process == NEMESIS]
    *faults, healing = struck
    assert faults and len(faults) % 2 == 0
    for planned, done in zip(faults[::2], faults[1::2]):
        assert done.value["start"] == planned.index and done.f == planned.f
        assert "effect" in done.value
    assert healing.f == "heal" and "healed" in healing.value["effect"]
    assert healing.time == 10 * SECOND_NS
    final = [op for op in history if op.type == "invoke"][-test.clients:]
    assert final[0].time == healing.time + drive.SETTLE_NS


@pytest.mark.parametrize("clients", [1, 2, 7])
def test_one_more_client_does_not_change_what_the_others_do(clients: int) -> None:
    """Each has a stream of chance of its own."""
    def asked(count: int) -> list[str]:
        test = replace(SHORT, clients=count, rate_hz=30 * count)
        return [op.f for op in driven(test, Fickle([[1]]))
                if op.type == "invoke" and op.process == 0]
    assert asked(clients) == asked(clients + 1)
