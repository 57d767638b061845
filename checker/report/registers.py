"""The registers of both machines at an operation's instructions, as page and terminal tell them.

A backup does what its primary did: at one instruction of one generation their registers are the
same, and what differs there has diverged.  Who knows the registers is not known here: a run has to
be executed again for them (`harness/registers.py`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from checker.check import Record
from checker.report.lives import Lives
from checker.report.marks import Mark
from checker.report.nearest import nearest

OPERATIONS_MAX = 200        # whose registers a page holds
DIVERGENCES_MAX = 10
GENERAL = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
           *(f"r{number}" for number in range(8, 16)), "rip", "rflags")

Place = tuple[int, int]     # a generation and an instruction of it


class Registers(NamedTuple):
    """One machine's registers, by name, when it got to the instruction ``at``."""

    node: str
    time_ns: int
    generation: int
    at: int
    values: Mapping[str, int]


def closest(record: Record, told: Sequence[Mark], marked: Sequence[Mark]) -> list[int]:
    """The operations that matter, at most `OPERATIONS_MAX`: the marked ones, and who is near.

    Up to half are those that marks name, ``told`` first; the rest those nearest to ``told``.
    """
    calls = record.history.calls()
    named = list(dict.fromkeys(mark.op for mark in (*told, *marked) if mark.op is not None))
    first = named[:OPERATIONS_MAX // 2]
    near = nearest([(call.start_ns, max(call.start_ns, call.end_ns)) for call in calls],
                   sorted(mark.time_ns for mark in told), OPERATIONS_MAX - len(first))
    return sorted({*first, *(calls[at].start for at in near)})


def places(record: Record, ops: Sequence[int]) -> list[Place]:
    """Where requests were handed to the guest, and where it answered them."""
    lives = Lives(record.trace, set(ops))
    return sorted({(life.generation, int(event.data["at"])) for op in ops for life in lives.of(op)
                   for event in (life.arrived, life.output) if event is not None})


def diverged(record: Record) -> list[Place]:
    """Where backups noticed first that they had diverged, and where they should have been."""
    generations: dict[int, int] = {}        # of the latest log entry with a number
    found: list[Place] = []
    for event in record.trace.of("log", "divergence"):
        seq = event.data["seq"]
        if event.kind == "log":
            generations[seq] = event.data["generation"]
        elif seq in generations and len(found) < 2 * DIVERGENCES_MAX:
            found += [(generations[seq], int(event.data[key]))
                      for key in ("expected_at", "found_at")]
    return found


def by_place(found: Sequence[Registers]) -> dict[Place, list[Registers]]:
    """The machines that got to each place, in order of time; each machine once."""
    sides: dict[Place, dict[str, Registers]] = defaultdict(dict)
    for each in found:
        sides[each.generation, each.at].setdefault(each.node, each)
    return {place: list(nodes.values()) for place, nodes in sides.items()}


def names(found: Sequence[Registers]) -> list[str]:
    """What is worth telling: the general registers, and any in which two machines differ."""
    differing = {name for sides in by_place(found).values() for name in differences(sides)}
    return [*GENERAL, *sorted(differing.difference(GENERAL))]


def differences(sides: Sequence[Registers]) -> list[str]:
    """The registers in which machines differ at one place."""
    return [name for name, value in sides[0].values.items()
            if any(side.values[name] != value for side in sides[1:])]


def packed(found: Sequence[Registers], nodes: Sequence[str]) -> dict[str, Any]:
    """For a page's script: the names, and a row for each place.

    A row is a generation, an instruction, and for each machine its number, the time, and its
    values as hexadecimal words; no word where they are those of the first.
    """
    shown, rows = names(found), []
    for (generation, at), sides in sorted(by_place(found).items()):
        words = [" ".join(f"{side.values[name]:x}" for name in shown) for side in sides]
        rows.append([generation, at, *(
            [nodes.index(side.node), side.time_ns, "" if number and text == words[0] else text]
            for number, (side, text) in enumerate(zip(sides, words)))])
    return {"names": shown, "rows": rows}


def told(sides: Sequence[Registers], shown: Sequence[str]) -> Iterator[str]:
    """One place as lines for a terminal: where, then four registers a line."""
    who = " and ".join(side.node for side in sides)
    differing = differences(sides)
    same = f"only {who} got there" if len(sides) == 1 else f"{who} differ" if differing \
        else f"the same on {who}"
    yield f"  instruction {sides[0].at}, generation {sides[0].generation}: {same}"
    cells = [f"{name:<6} {sides[0].values[name]:<#18x}" for name in shown if name not in differing]
    for begin in range(0, len(cells), 4):
        yield "    " + " ".join(cells[begin:begin + 4]).rstrip()
    for name in differing:
        yield f"  ! {name:<6} " + "  ".join(f"{side.node} {side.values[name]:#x}" for side in sides)
