"""A run executed again up to a place, and what both machines are there.

A breakpoint changes nothing, so the second execution is the first one; what it observes is
compared with the stored trace all the same.  The machines are at one instruction at different
moments: each is looked at when it gets there.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict
from functools import partial
from typing import Any, Callable, Mapping, NamedTuple, Sequence

from checker.report.registers import Registers
from harness.drive import Driver
from harness.run import system_of
from harness.test import Test
from harness.watch import Violated, Watch
from histories import Event, UsageError
from vmft.backup import Backup
from vmft.cpu import Breakpoint
from vmft.engine import PAGE_SIZE
from vmft.machine import Machine
from vmft.primary import Primary
from vmft.recorder import Recorder
from vmft.replayer import Replayer
from vmft.replica import Replica
from vmft.sim import HOST_NAMES, Sim

SIDES = 2
OWN = ("log", "output", "replay")       # events that tell at which instruction their machine was


class Side(NamedTuple):
    """One machine at a place: where and when, its state, and what its host holds for it.

    ``memory`` begins at `PAGE_SIZE`; ``buffers`` are words and numbers.
    """

    node: str
    time_ns: int
    status: str
    generation: int
    position: int
    registers: dict[str, int]
    memory: bytes
    devices: dict[str, Any]
    buffers: dict[str, Any]


class Stand(NamedTuple):
    """The machines that got to their places, in order of time; and what was observed until then."""

    sides: list[Side]
    events: list[Event]


class _Enough(Exception):
    """Everything that was asked for has been seen."""


Arrived = Callable[[Sim, str], None]    # told the host whose machine has got to a place


def at_instruction(test: Test, at: int) -> Stand:
    """Both machines after ``at`` instructions: the first two hosts that get there."""
    sides: dict[str, Side] = {}

    def arrived(system: Sim, node: str) -> None:
        if node not in sides:
            sides[node] = _side(system, node)
        if len(sides) == SIDES:
            raise _Enough

    events = _execute(test, dict.fromkeys(HOST_NAMES, [at]), None, arrived)
    return Stand(list(sides.values()), events)


def at_event(test: Test, events: Sequence[Event], place: int) -> Stand:
    """Each machine at the latest instruction that the trace names by the event of this number.

    UsageError if there is no such event.
    """
    if not 0 <= place < len(events):
        raise UsageError(f"no event {place}: there are events 0 to {len(events) - 1}")
    positions = {event.node: [int(event.data["at"])] for event in events[:place + 1]
                 if event.kind in OWN}
    sides: dict[str, Side] = {}

    def arrived(system: Sim, node: str) -> None:
        sides.pop(node, None)
        sides[node] = _side(system, node)

    observed = _execute(test, positions, place, arrived)
    return Stand(list(sides.values()), observed)


def at_instructions(
    test: Test, places: Sequence[int], last: int
) -> tuple[list[Registers], list[Event]]:
    """The registers of every machine at these instructions, in order of time.

    Up to the event of number ``last``; also all events until then.
    """
    found: list[Registers] = []

    def arrived(system: Sim, node: str) -> None:
        machine, role, executor = _on(system, node)
        found.append(Registers(node, executor.now_ns(), role.generation, machine.position,
                               machine.cpu.registers()))

    events = _execute(test, dict.fromkeys(HOST_NAMES, sorted(set(places))), last, arrived)
    return found, events


def event_before(events: Sequence[Event], at: int) -> int:
    """The number of the latest event that the trace places before an instruction.

    UsageError if there is none.
    """
    places = [place for place, event in enumerate(events)
              if event.kind in OWN and event.data["at"] <= at]
    before = [place for place in places if events[place].data["at"] < at]
    if not before:
        raise UsageError(f"no event before instruction {at}")
    return before[-1]


def _execute(
    test: Test, positions: Mapping[str, Sequence[int]], last: int | None, arrived: Arrived
) -> list[Event]:
    """Run, until the event of number `last` if there is one; what was observed."""
    events: list[Event] = []

    def observe(time_ns: int, node: str, kind: str, data: dict[str, Any]) -> None:
        events.append(Event(time_ns, node, kind, data))
        if last is not None and len(events) > last:
            raise _Enough

    def here(node: str) -> None:
        arrived(system, node)

    system = system_of(test, observe, {
        node: Breakpoint(at, partial(here, node)) for node, at in positions.items()})
    try:
        Driver(test, system, Watch(test).see).run(test.nemeses(), list(system.replicas))
        system.close()
    except (Violated, _Enough):
        pass
    return events


def _on(system: Sim, node: str) -> tuple[Machine, Primary | Backup, Recorder | Replayer]:
    """A host's machine, the part that the host plays, and what executes the machine."""
    replica = system.replicas[node]
    machine, role = replica.machine, replica.role
    assert machine is not None and isinstance(role, (Primary, Backup))
    return machine, role, role.recorder if isinstance(role, Primary) else role.replayer


def _side(system: Sim, node: str) -> Side:
    """A host's machine as it is now."""
    machine, role, executor = _on(system, node)
    size = len(machine.cpu.page_digests()) * PAGE_SIZE
    return Side(node, executor.now_ns(), system.replicas[node].status, role.generation,
                machine.position, machine.cpu.registers(),
                machine.cpu.read(PAGE_SIZE, size - PAGE_SIZE),
                deepcopy(asdict(machine.devices)), _buffers(system.replicas[node]))


def _buffers(replica: Replica) -> dict[str, Any]:
    """What the host holds for its machine."""
    role = replica.role
    if isinstance(role, Backup):
        waiting = role.replayer.entries
        return {"received to": role.receiver.received, "executed to": role.replayer.executed,
                "waiting": _span([entry.seq for entry in waiting])}
    assert isinstance(role, Primary)
    held = [output.number for output in (*role.held, *role.recorder.outputs)]
    if role.sender is None:
        return {"outputs held": _span(held)}
    return {"logged to": role.sender.last, "sent to": role.sender.sent,
            "acknowledged to": role.sender.acknowledged,
            "buffered": _span([each.seq for each in role.sender.buffer]),
            "outputs held": _span(held)}


def _span(numbers: Sequence[int]) -> str:
    return f"{len(numbers)} ({numbers[0]} to {numbers[-1]})" if numbers else "none"
