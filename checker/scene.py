"""What the terminal looks at: a judged record with its marks, its faults and the guest's symbols.

The views on it (`operation`, `around`, `diagram`) are functions from a scene to lines of text.
Moments are told in seconds, or as positions where the history has no times.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Mapping, NamedTuple, Sequence

from checker.check import Record
from checker.report.data import clock, placed
from checker.report.faults import Band, Families, bands
from checker.report.marks import Mark, focus, marks
from checker.story import seconds
from checker.verdict import Verdict
from histories import Call, UsageError

TOLD, OBJECTED = "*", "+"       # in front of what the failure is told by, and of other marks
SIGNS = f"{TOLD} the failure is told by it, {OBJECTED} a check objects to it"


class Scene(NamedTuple):
    """A judged record, ready to be looked at.

    ``marks`` are the places that convict it, ``told`` those by which its failure is told, and
    ``signs`` the signs of the operations among them, by the index of their invocations; ``timed``
    is False where times are positions; ``symbols`` are the guest's, by address.
    """

    record: Record
    verdict: Verdict
    marks: list[Mark]
    told: list[Mark]
    signs: dict[int, str]
    faults: list[Band]
    timed: bool
    symbols: list[tuple[int, str]]

    def when(self, time_ns: int) -> str:
        """A moment for people."""
        return seconds(time_ns) if self.timed else f"position {time_ns}"

    def sign(self, call: Call) -> str:
        """The sign of an operation that convicts the run, or a blank."""
        return self.signs.get(call.start, " ")

    def guest(self, pc: int | None) -> str:
        """Where in the guest an address lies: ``answer+0x12 (0x116e)``; empty for None."""
        if pc is None:
            return ""
        at = bisect_right(self.symbols, pc, key=lambda symbol: symbol[0]) - 1
        if at < 0:
            return f"{pc:#x}"
        begin, name = self.symbols[at]
        return f"{name}{f'+{pc - begin:#x}' if pc > begin else ''} ({pc:#x})"


def scene(
    record: Record, verdict: Verdict, explanation: Sequence[str], *,
    families: Families, symbols: Mapping[str, int]
) -> Scene:
    """Look at a record that was judged and explained."""
    timed, record = clock(record) == "ns", placed(record)
    found = marks(record, verdict, explanation)
    told = focus(record, found, verdict, explanation)
    signs = {mark.op: OBJECTED for mark in found if mark.op is not None}
    signs |= {mark.op: TOLD for mark in told if mark.op is not None}
    return Scene(record, verdict, found, told, signs, bands(record.history, families), timed,
                 sorted((at, name) for name, at in symbols.items()))


def call_of(record: Record, index: int) -> Call:
    """The operation that the op of this index belongs to; UsageError if it is none's."""
    for call in record.history.calls():
        if index in call.indexes:
            return call
    ops = record.history.ops
    if any(op.index == index for op in ops):
        raise UsageError(f"op {index} is the nemesis's, expected one of a client's operations")
    there = f"there are ops {ops[0].index} to {ops[-1].index}" if ops else "there are no ops"
    raise UsageError(f"no op {index}: {there}")
