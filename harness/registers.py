"""The registers of both machines at operations of a stored run: it is executed once more for them.

Nothing depends on it: a run that cannot be executed again, or that would take too long, is one
line that says so.  The second execution ends when every machine has got to the last place.
"""

from __future__ import annotations

from typing import Iterator, NamedTuple, Sequence

from checker.check import Record
from checker.report.registers import Place, Registers, by_place, names, places, told
from harness.stand import OWN, at_instructions
from harness.test import from_json
from histories import Event, UsageError
from histories.trace import dump_event

EVENTS_MAX = 200_000                # of the trace, up to the last place: some ten seconds
INSTRUCTIONS_MAX = 500_000_000      # that a machine executes until then


class Found(NamedTuple):
    """Registers, in order of time; or why there are none, in one line."""

    registers: list[Registers]
    why_not: str = ""


def registers_of(record: Record, wanted: Sequence[Place]) -> Found:
    """The registers of all machines that got to these places; no error is raised."""
    try:
        return Found(_look(record, wanted))
    except Exception as error:      # what a page shows beside a verdict must never hide it
        why = str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}"
        return Found([], why)


def _look(record: Record, wanted: Sequence[Place]) -> list[Registers]:
    events = record.trace.events
    if not wanted:
        raise UsageError("no machine knew of the operations")
    until = max(at for _, at in wanted)
    last = _last(events, until)
    if last > EVENTS_MAX or until > INSTRUCTIONS_MAX:
        raise UsageError(f"event {last} of the trace, instruction {until}, is too far into the run")
    found, again = at_instructions(from_json(record.test), [at for _, at in wanted], last)
    if any(one != other and dump_event(one) != dump_event(other)
           for one, other in zip(again, events)):
        raise UsageError("the run is not what is stored when it is executed again; see replay")
    return [each for each in found if (each.generation, each.at) in set(wanted)]


def _last(events: Sequence[Event], until: int) -> int:
    """The number of the event by which every machine has passed an instruction, if it gets there.

    A machine's trace names the instruction that it has got to; one that is cloned anew may do so
    twice.
    """
    last, before = -1, dict.fromkeys((event.node for event in events), 0)
    for place, event in enumerate(events):
        if event.kind in OWN:
            if before[event.node] <= until:
                last = place
            before[event.node] = event.data["at"]
    return last


def lines(record: Record, op: int) -> Iterator[str]:
    """The registers at one operation, for a terminal."""
    found = registers_of(record, places(record, [op]))
    yield "Registers, before the instruction:"
    if found.why_not:
        yield f"  none: {found.why_not}"
    shown = names(found.registers)
    for sides in by_place(found.registers).values():
        yield from told(sides, shown)
