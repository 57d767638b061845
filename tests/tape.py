"""A machine recorded on a tape of log entries, without a pair around it, and played back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, NamedTuple

from vmft import devices as dev
from vmft import digest
from vmft import entry as log
from vmft.entry import Entry
from vmft.guests.build import load
from vmft.machine import Digest, Machine
from vmft.prng import Rng
from vmft.recorder import INSTRUCTION_NS, Output, Recorder
from vmft.replayer import Replayer

COUNTER = load("counter")


class Arrival(NamedTuple):
    """A packet, `gap_ns` after the one before; until then the guest runs in slices."""

    gap_ns: int
    packet: bytes
    slice_ns: int = 1_000_000
    digest: bool = False        # whether a digest is logged in front of it


@dataclass
class Tape:
    """What a live run left behind."""

    entries: list[Entry] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    digest: Digest = Digest(0, 0)
    position: int = 0

    def emit(self, kind: int, at: int, data: bytes) -> int:
        """Write one entry."""
        self.entries.append(Entry(len(self.entries) + 1, kind, at, data))
        return len(self.entries)


def request(number: int, op: int, client: int = 0, payload: bytes = b"") -> bytes:
    """A frame that the guest understands; `op` 1 increments, 2 reads."""
    return (number.to_bytes(8, "little") + client.to_bytes(4, "little")
            + op.to_bytes(4, "little") + payload)


def record(arrivals: Iterable[Arrival], tail_ns: int = 1_000_000) -> Tape:
    """A live run of the counter; the last entry is a digest of how it ended."""
    tape = Tape()
    machine = Machine(COUNTER)
    recorder = Recorder(machine, Rng(1, "tape"), lambda now_ns: now_ns)
    recorder.emit = tape.emit
    now_ns = 0
    for arrival in arrivals:
        now_ns = _live(recorder, tape, now_ns, now_ns + arrival.gap_ns, arrival.slice_ns)
        if arrival.digest:
            _digest(machine, tape)
        recorder.accept(now_ns, dev.NIC, arrival.packet)
    _live(recorder, tape, now_ns, now_ns + tail_ns, tail_ns)
    _digest(machine, tape)
    tape.digest, tape.position = machine.digest(), machine.position
    return tape


def _digest(machine: Machine, tape: Tape) -> None:
    tape.emit(log.DIGEST, machine.position, digest.take(machine))


def _live(recorder: Recorder, tape: Tape, now_ns: int, end_ns: int, slice_ns: int) -> int:
    """Let the guest live from one moment to another, in slices."""
    while now_ns < end_ns:
        wake_ns = recorder.wake_ns(now_ns)
        if wake_ns is None or wake_ns >= end_ns:
            return end_ns
        now_ns = max(now_ns, wake_ns)
        now_ns = recorder.run(now_ns, min(end_ns, now_ns + slice_ns))
        tape.outputs += recorder.take_outputs()
    return now_ns


def play(entries: Iterable[Entry]) -> Replayer:
    """Replay entries on a fresh machine, all at once; Divergence where they do not fit."""
    replayer = Replayer(Machine(COUNTER))
    replayer.append(entries)
    replayer.run(0, 1 << 40)
    return replayer


def budget_ns(instructions: int) -> int:
    """How long so many instructions take."""
    return instructions * INSTRUCTION_NS
