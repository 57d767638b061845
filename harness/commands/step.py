"""Run a stored run again to an instruction or an event, and show both machines there."""

from __future__ import annotations

import argparse
import re
from typing import Iterator, NamedTuple, Sequence

from checker.event_words import tell
from checker.story import seconds
from harness.case import EXIT_CODES
from harness.commands.inspect import show
from harness.commands.run import add_store
from harness.disassembly import disassembly
from harness.stand import SIDES, Side, Stand, at_event, at_instruction, event_before
from harness.test import Test, from_json
from histories import Event, UsageError
from histories.store import resolve
from histories.trace import dump_event
from histories.value import quantity, show as words
from vmft.engine import GENERAL, PAGE_SIZE
from vmft.guests.build import load

SHOWN = (*GENERAL, "rip", "rflags")     # registers that are shown also where they are the same
STACK_BYTES, LINE_BYTES, BYTES_MAX = 64, 16, 4096
NOWHERE = "  (there is no memory there)"


class Place(NamedTuple):
    """A stretch of guest memory."""

    address: int
    size: int


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which run, and to where."""
    parser.add_argument("run", nargs="?", metavar="RUN",
                        help="its folder, or its name in the store (default: the latest)")
    add_store(parser)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--at", type=int, metavar="N", help="after so many instructions")
    where.add_argument("--event", type=int, metavar="K",
                       help="at the K-th event of the trace, from 0")
    parser.add_argument("--back", action="store_true", help="one event back from there")
    parser.add_argument("--memory", type=_place, metavar="ADDRESS[:BYTES]",
                        help="show this memory, too")


def _place(text: str) -> Place:
    match = re.fullmatch(r"(0x[0-9a-fA-F]+|\d+)(?::(\d+))?", text)
    if match is None:
        raise ValueError
    size = STACK_BYTES if match[2] is None else int(match[2])
    if not 0 < size <= BYTES_MAX:
        raise ValueError
    return Place(int(match[1], 0), size)


_place.__name__ = f"ADDRESS[:BYTES] with 1 to {BYTES_MAX} bytes"    # what argparse calls it


def execute(arguments: argparse.Namespace) -> int:
    """Run it again to there, and show what is there."""
    stored = resolve(arguments.store, arguments.run)
    test, events = from_json(stored.test), stored.trace.events
    place = arguments.event
    if arguments.at is not None and arguments.at < 1:
        raise UsageError(f"instruction {arguments.at}: expected a number from 1")
    if arguments.back:
        place = event_before(events, arguments.at) if place is None else place - 1
    stand = at_instruction(test, arguments.at) if place is None \
        else at_event(test, events, place)
    if list(map(dump_event, stand.events)) != list(map(dump_event, events[:len(stand.events)])):
        print(f"{stored.path}: this run is not what is stored; see replay")
        return EXIT_CODES["crashed"]        # as for `replay`: that is our fault
    head = f"instruction {arguments.at}" if place is None else _event(events[place], place)
    show([head, *_view(test, stand, arguments.memory)])
    return 0


def _event(event: Event, place: int) -> str:
    return f"event {place}: {seconds(event.time)}  {event.node} {tell(event)}"


def _view(test: Test, stand: Stand, memory: Place | None) -> list[str]:
    """Both machines, part by part."""
    sides = stand.sides
    lines = ["", *(_side(side) for side in sides)]
    if len(sides) < SIDES:
        lines.append(f"{'No machine' if not sides else 'No other machine'} got there.")
    lines += _pasts(stand)
    if not sides:
        return lines
    lines += ["", "Registers, those that differ with a !:", *_registers(sides)]
    image = load(test.workload_of().guest)
    for side in sides:
        lines += ["", f"{side.node} executes next:",
                  *disassembly(side.memory, PAGE_SIZE, side.registers["rip"], image.symbols)]
    for side in sides:
        stack = Place(side.registers["rsp"], STACK_BYTES)
        lines += ["", f"{side.node}, memory at the stack pointer:", *_memory(side, stack)]
        if memory is not None and _memory(side, memory) == [NOWHERE]:
            raise UsageError(f"no memory at {memory.address:#x}: the guest has {PAGE_SIZE:#x} to "
                             f"{PAGE_SIZE + len(side.memory) - 1:#x}")
        if memory is not None:
            lines += ["", f"{side.node}, memory at {memory.address:#x}:", *_memory(side, memory)]
    for title, of in (("Devices", "devices"), ("Buffers", "buffers")):
        lines += ["", f"{title}:"]
        lines += [f"  {side.node}  {words(getattr(side, of))}" for side in sides]
    return lines


def _side(side: Side) -> str:
    return (f"{side.node}  {side.status}, generation {side.generation}, "
            f"after {quantity(side.position, 'instruction')}, at {seconds(side.time_ns)}")


def _pasts(stand: Stand) -> Iterator[str]:
    """Who did what another has not in its past, since that one took over before.

    A primary that goes on without its backup names no position: its past is all that was done.
    """
    for event in stand.events:
        for side in stand.sides:
            if event.kind == "live" and "position" in event.data \
                    and event.data["generation"] > side.generation \
                    and event.data["position"] < side.position \
                    and any(side.generation < other.generation for other in stand.sides):
                yield (f"{event.node} went live in generation {event.data['generation']}, after "
                       f"{quantity(event.data['position'], 'instruction')}: what {side.node} did "
                       f"beyond them is not in {event.node}'s past, and is no divergence.")


def _registers(sides: Sequence[Side]) -> Iterator[str]:
    """A line for each register that is shown always, or that differs."""
    yield f"    {'':<8}" + "".join(f"{side.node:<20}" for side in sides).rstrip()
    for name in sides[0].registers:
        values = [side.registers[name] for side in sides]
        differs = len(dict.fromkeys(values)) > 1
        if differs or name in SHOWN:
            cells = "".join(f"{value:#018x}  " for value in values).rstrip()
            yield f"  {'!' if differs else ' '} {name:<8}{cells}"


def _memory(side: Side, place: Place) -> list[str]:
    """Bytes in hexadecimal."""
    begin = place.address - PAGE_SIZE
    if not 0 <= begin < len(side.memory):
        return [NOWHERE]
    data = side.memory[begin:begin + place.size]
    return [f"  {place.address + at:#08x}  {data[at:at + LINE_BYTES].hex(' ')}"
            for at in range(0, len(data), LINE_BYTES)]
