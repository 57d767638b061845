"""Record and replay on the counter guest: identical along its log, caught along any other."""

from __future__ import annotations

from collections import deque
from typing import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tape import COUNTER, Arrival, Tape, budget_ns, play, record, request

from vmft import entry as log
from vmft.devices import PACKET_BYTES_MAX
from vmft.entry import Entry
from vmft.machine import Machine
from vmft.prng import Rng
from vmft.recorder import QUEUE_PACKETS_MAX, Recorder
from vmft.replayer import Divergence, Replayer

OP = st.sampled_from([1, 2, 3, 0xFFFFFFFF])
REQUESTS = st.builds(request, st.integers(0, 1 << 63), OP, payload=st.binary(max_size=100))
PACKETS = st.one_of(REQUESTS, REQUESTS, st.binary(max_size=40))
GAPS_NS = st.one_of(st.integers(0, 800), st.integers(0, 20_000_000))
ARRIVALS = st.lists(
    st.builds(Arrival, GAPS_NS, PACKETS, st.integers(1, 3000), st.booleans()), max_size=25)

# Packets on an idle guest, while it boots, while it serves, and close behind each other.
GAPS = (100, 3_000_000, 200, 340, 4_000_000, 60, 20, 9_000_000, 700, 300, 5_000_000, 520)
SHORT = record([Arrival(gap_ns, request(n, 1 + n % 3), 20 * (1 + n % 7), digest=n % 4 == 3)
                for n, gap_ns in enumerate(GAPS)])


def content(tape: Tape) -> list[tuple[int, int, bytes]]:
    """What the world would see of a run."""
    return [(output.number, output.at, output.data) for output in tape.outputs]


def starve(tape: Tape, batches: list[int], budgets: list[int]) -> Replayer:
    """Replay with the entries coming in batches, and the time too; both lists go round.

    The machine is watched all the time: it never runs past the last entry that it has.
    """
    replayer = Replayer(Machine(COUNTER))
    coming, round_ = deque(tape.entries), 0
    known = Entry(0, log.CONTROL, 0, b"")
    while coming or replayer.runnable():
        for _ in range(batches[round_ % len(batches)]):
            if coming:
                known = coming.popleft()
                replayer.append([known])
        replayer.run(0, budget_ns(budgets[round_ % len(budgets)]))
        assert replayer.machine.position <= known.reach
        assert replayer.executed <= known.seq
        round_ += 1
    return replayer


@settings(max_examples=80)
@given(ARRIVALS, st.lists(st.integers(0, 5), min_size=1, max_size=5).filter(any),
       st.lists(st.integers(0, 400), min_size=1, max_size=5).filter(any))
def test_a_replay_is_the_run(arrivals: list[Arrival], batches: list[int],
                             budgets: list[int]) -> None:
    """Same state at every digest and at the end, same outputs, however the log comes in."""
    tape = record(arrivals)
    replayer = starve(tape, batches, budgets)
    assert replayer.machine.digest() == tape.digest
    assert replayer.machine.position == tape.position
    assert [(each.number, each.at, each.data) for each in replayer.outputs] == content(tape)


def test_the_guest_counts() -> None:
    """The tape is of a machine that works: the answers are 1, 2, 2 and so on."""
    tape = record([Arrival(1_000_000, request(n, op)) for n, op in enumerate((1, 1, 2, 1, 9))])
    assert [int.from_bytes(output.data[20:28], "little") for output in tape.outputs] == [
        1, 2, 2, 3, 0]


def test_a_starved_replayer_waits_at_its_last_entry() -> None:
    """A9, C2: however much time it is given, and without an error."""
    replayer = Replayer(Machine(COUNTER))
    for entry in SHORT.entries:
        assert not replayer.runnable()
        replayer.append([entry])
        for _ in range(3):
            replayer.run(0, budget_ns(1_000_000))
            assert replayer.machine.position == entry.reach
        assert replayer.executed == entry.seq


def test_a_replay_takes_the_time_of_its_instructions() -> None:
    """Twenty nanoseconds each, as on the live side."""
    replayer = Replayer(Machine(COUNTER))
    replayer.append(SHORT.entries)
    assert replayer.run(7, budget_ns(100) + 7) == budget_ns(100) + 7
    assert replayer.machine.position == 100


@pytest.mark.parametrize("off", [-1, 1])
def test_any_position_that_is_off_by_one_is_caught(off: int) -> None:
    """A6: every entry of a run, one after the other; the last one is a digest."""
    assert {entry.kind for entry in SHORT.entries} == {
        log.INPUT, log.INTERRUPT, log.OUTPUT, log.DIGEST}
    for place, entry in enumerate(SHORT.entries):
        if entry.at + off >= 0:
            entries = list(SHORT.entries)
            entries[place] = entry._replace(at=entry.at + off)
            with pytest.raises(Divergence):
                play(entries)


def drop(entries: list[Entry], place: int) -> None:
    """An entry is missing."""
    del entries[place]


def double(entries: list[Entry], place: int) -> None:
    """An entry is there twice."""
    entries.insert(place, entries[place])


def swap(entries: list[Entry], place: int) -> None:
    """An entry and the one before it have changed places."""
    entries[place - 1:place + 1] = entries[place], entries[place - 1]


@pytest.mark.parametrize("change", [drop, double, swap])
def test_a_log_with_another_order_is_caught(change: Callable[[list[Entry], int], None]) -> None:
    """C6: at every place of the log but the last digest, where nothing comes behind to notice."""
    for place in range(1, len(SHORT.entries) - 1):
        entries = list(SHORT.entries)
        change(entries, place)
        if entries != SHORT.entries and not only_digests(entries):
            with pytest.raises(Divergence):
                play(entries)


def only_digests(entries: list[Entry]) -> bool:
    """Whether what changed is only where digests stand: that is no difference to the machine."""
    return [e for e in entries if e.kind != log.DIGEST] == [
        e for e in SHORT.entries if e.kind != log.DIGEST]


def test_changed_content_is_caught() -> None:
    """A bit of a packet, of an output's description, of a digest."""
    for place, entry in enumerate(SHORT.entries):
        entries = list(SHORT.entries)
        data = entry.data[:-1] + bytes([entry.data[-1] ^ 1])
        entries[place] = entry._replace(data=data)
        with pytest.raises(Divergence):
            play(entries)


def test_another_kind_is_caught() -> None:
    """A result where the guest sends an output."""
    place = next(n for n, entry in enumerate(SHORT.entries) if entry.kind == log.OUTPUT)
    entries = list(SHORT.entries)
    entries[place] = entries[place]._replace(kind=log.RESULT)
    with pytest.raises(Divergence, match="the guest makes an entry of kind output"):
        play(entries)


def test_a_divergence_speaks_of_entry_and_positions() -> None:
    """Which entry, where it should be, where the machine is, and its registers."""
    place = next(n for n, entry in enumerate(SHORT.entries) if entry.kind == log.OUTPUT)
    wrong = SHORT.entries[place]._replace(at=SHORT.entries[place].at + 1)
    with pytest.raises(Divergence) as caught:
        play([*SHORT.entries[:place], wrong])
    data = caught.value.data
    assert (data["seq"], data["entry"]) == (wrong.seq, "output")
    assert (data["expected_at"], data["found_at"]) == (wrong.at, wrong.at - 1)
    assert isinstance(data["registers"], dict) and data["registers"]["rip"] > 0


def test_more_packets_than_the_card_can_queue_are_lost_alike() -> None:
    """Those that fit are answered, on both sides; the rest never happened."""
    tape = record([Arrival(0, request(n, 1)) for n in range(QUEUE_PACKETS_MAX + 10)])
    assert sum(entry.kind == log.INPUT for entry in tape.entries) == QUEUE_PACKETS_MAX
    assert len(tape.outputs) == QUEUE_PACKETS_MAX
    assert play(tape.entries).machine.digest() == tape.digest


def test_a_divergence_is_told_whatever_the_guest_has_in_rdi() -> None:
    """Taking the instruction back writes no memory that is not there, which hid the divergence."""
    place = next(n for n, entry in enumerate(SHORT.entries) if entry.kind == log.OUTPUT)
    entries = list(SHORT.entries)
    entries[place] = entries[place]._replace(data=bytes(len(entries[place].data)))
    with pytest.raises(Divergence, match="output 1 differs from the one in the log"):
        play(entries)


def test_a_packet_longer_than_its_slot_never_reaches_the_guest() -> None:
    """The card takes what fits; the next slot of the ring stays as it is."""
    tape = record([Arrival(1_000_000, request(0, 1, payload=bytes(PACKET_BYTES_MAX - 16))),
                   Arrival(1_000_000, request(1, 1, payload=bytes(PACKET_BYTES_MAX - 15))),
                   Arrival(1_000_000, request(2, 1))])
    assert [output.data[0] for output in tape.outputs] == [0, 2]


def test_a_machine_that_stands_still_is_not_woken_before_it_may_go_on() -> None:
    """Although its timer is due earlier: the primary asked for ever at one moment, in a stun."""
    machine = Machine(COUNTER)
    recorder = Recorder(machine, Rng(1, "test"), lambda now_ns: now_ns)
    recorder.emit = Tape().emit
    recorder.run(0, budget_ns(1000))
    assert machine.cpu.halted and recorder.timer_due_ns is not None
    due_ns = recorder.timer_due_ns
    assert recorder.wake_ns(due_ns - 1) == due_ns
    assert recorder.wake_ns(due_ns + 1) == due_ns + 1
