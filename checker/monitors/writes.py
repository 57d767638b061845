"""*Distinct writes*: registers, compared and set or not, in which every value is written once.

Asked of the calls: each either makes a value out of any state (a write), needs one value and
leaves it (a read), or needs one and makes another (a successful cas); no value is made twice, nor
the initial one.  (Failed calls did not happen.)

A read tells which write it follows.  A cas follows the maker of the value that it needs with
nothing but reads of that value between, since the value never comes back.  So the calls fall into
*blocks*: a write, the reads of its value, the cas that takes it, the reads of what that makes, and
so on, in this order and without anything else between.  Within a block, nothing may return before
something earlier in it was invoked.  Let *first* be the first return in the block, *last* its last
invocation.  If first < last the block must occupy all of [first, last], and can do with no more: a
forward zone.  Else it can happen at any one moment within [last, first]: a backward zone.  So an
order exists if and only if no two forward zones overlap and no backward one lies within a forward
one.  (Gibbons & Korach, SIAM J. Comput. 1997, section 4, for reads and writes; a block of several
values behaves as a cluster of one does.)  The initial value's block is first in time: its zone
begins before everything.

A pending call counts if something that counts needs the value it makes.  Any other can be left
out of an order: what comes after it is a write, since nothing else needs its value.

This monitor sees what a search sees, numbered calls and states, so it is for every model whose
calls are of this kind.  Its moments are places of events.
"""

from __future__ import annotations

from array import array
from typing import Iterator, NamedTuple

from checker.monitors.prefix import NEVER, Conflict, Unsuited, first_failure
from checker.native import COLUMNS, MONITORS
from checker.problem import ANYWHERE, READ, WRITE, Problem, Table

NONE = -1
BEFORE_ALL = -1


class Access(NamedTuple):
    """A call: its moments, and the states that it needs and makes."""

    start: int
    end: int
    needs: int
    makes: int


class Zone(NamedTuple):
    """A block's first return and last invocation, and when all its calls have returned."""

    first: int
    last: int
    known: int


class Fault(NamedTuple):
    """The event that ends the shortest prefix that fails, and few calls that fail by themselves.

    All that makes what they need is among these, and some of it may be pending.
    """

    last: int
    few: list[int]


class _Known(NamedTuple):
    """Who makes each value, in any prefix, and of a prefix who needs what a pending call makes."""

    makers: dict[int, Access | None]
    because: dict[int, Access]


class _Contradiction(Exception):
    """A prefix fails, and so does the one that ends at a moment, because of calls at some."""

    def __init__(self, end: int, *places: int) -> None:
        self.found = Conflict(end, places)


class _Value:
    """Who made a value, who took it, when reads of it returned first and were invoked last."""

    def __init__(self) -> None:
        self.maker: Access | None = None
        self.taker: Access | None = None
        self.first, self.last, self.known = NEVER, BEFORE_ALL, BEFORE_ALL

    def add_read(self, read: Access) -> None:
        """Count a read of it."""
        self.first = min(self.first, read.end)
        self.last = max(self.last, read.start)
        self.known = max(self.known, read.end)


def hopeless(problem: Problem, table: Table) -> bool:
    """Is it told at once that some value is made twice?"""
    return problem.kept is not None and COLUMNS.written_twice(problem.kept, table.init) is True


def judge(problem: Problem, table: Table) -> Fault | None:
    """Why the shortest prefix fails that does, or None; Unsuited if one is written twice."""
    if MONITORS is not None:
        found = MONITORS.distinct_writes(
            problem.events, problem.classes, table.kinds, table.needs, table.targets, table.init)
        if found is None:
            raise Unsuited
        last, few = found
        return None if last < 0 else Fault(last, list(array("i", few)))
    return plainly(problem, table)


def plainly(problem: Problem, table: Table) -> Fault | None:
    """The same in plain Python."""
    known = _Known(_makers(problem, table), {})
    accesses = _accesses(problem, table)
    for access in accesses:
        if access.makes in known.makers:
            known.makers[access.makes] = access

    def fails(last: int) -> Conflict | None:
        try:
            values = _values(accesses, known, last, table.init)
            _check_zones(list(_zones(values, last)))
        except _Contradiction as contradiction:
            return contradiction.found
        return None

    events = problem.events
    found = first_failure([at for at, event in enumerate(events) if event < 0], fails)
    return found and Fault(found.known, _few(accesses, known, found, events))


def _few(
    accesses: list[Access], known: _Known, found: Conflict, events: "array[int]"
) -> list[int]:
    """The calls at the places of a conflict, all that makes what they need, and who needs them."""
    places = [place for place in found.starts if place not in (NEVER, BEFORE_ALL)]
    chosen = {events[place] if events[place] >= 0 else ~events[place] for place in places}
    few = [access for access in accesses if events[access.start] in chosen]
    for access in few:      # which grows
        maker = known.makers.get(access.needs)
        after = known.because.get(access.makes)
        for other in (maker, after):
            if other is not None and other.start < found.known:
                if events[other.start] not in chosen:
                    chosen.add(events[other.start])
                    few.append(other)
    return sorted(chosen)


def _makers(problem: Problem, table: Table) -> dict[int, Access | None]:
    """Every state that is made, once; Unsuited where one is made twice, or calls are of no use."""
    made: dict[int, Access | None] = {}
    for event in problem.events:
        if event < 0:
            continue
        number = problem.classes[event]
        kind, needs, makes = table.kinds[number], table.needs[number], table.targets[number]
        if makes < 0 or kind != WRITE and needs == ANYWHERE:
            raise Unsuited
        if kind == WRITE or needs != makes:
            if makes in made or makes == table.init:
                raise Unsuited
            made[makes] = None
    return made


def _accesses(problem: Problem, table: Table) -> list[Access]:
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    for at, event in enumerate(problem.events):
        if event < 0:
            ends[~event] = at
        else:
            starts[event] = at
    found = []
    for call, start in starts.items():
        number, end = problem.classes[call], ends.get(call, NEVER)
        kind, needs, makes = table.kinds[number], table.needs[number], table.targets[number]
        found.append(Access(
            start, end, NONE if kind == WRITE else needs,
            NONE if kind == READ or makes == needs else makes))
    return found


def _values(
    accesses: list[Access], known: _Known, last: int, init: int
) -> dict[int, _Value]:
    """What is known of each value: by calls that returned, and pending ones that these need."""
    values = {init: _Value()}
    due: list[Access] = []
    known.because.clear()

    def see(access: Access) -> None:
        if access.makes != NONE:
            values.setdefault(access.makes, _Value()).maker = access
        if access.needs == NONE:
            return
        if access.needs != init:
            maker, end = known.makers.get(access.needs), min(access.end, last)
            if maker is None or maker.start > end:
                raise _Contradiction(end, access.start)
            if maker.end > last and maker.makes not in known.because:
                known.because[maker.makes] = access
                due.append(maker._replace(end=NEVER))
        value = values.setdefault(access.needs, _Value())
        if access.makes == NONE:
            value.add_read(access)
        elif value.taker is None:
            value.taker = access
        else:
            raise _Contradiction(last, value.taker.start, access.start)

    for access in accesses:
        if access.end <= last:
            see(access)
    while due:
        see(due.pop())
    return values


def _zones(values: dict[int, _Value], last: int) -> Iterator[Zone]:
    """The zone of each block; every value is in one, unless some were made of each other."""
    left = dict(values)
    for made, value in sorted(values.items()):
        if value.maker is None or value.maker.needs == NONE:
            block = [left.pop(made)]
            while block[-1].taker is not None:
                block.append(left.pop(block[-1].taker.makes))
            yield _zone(block, last)
    for _made, value in sorted(left.items()):
        assert value.maker is not None
        raise _Contradiction(last, value.maker.start)


def _zone(block: list[_Value], end: int) -> Zone:
    first, last, known = NEVER, BEFORE_ALL, BEFORE_ALL
    for value in block:
        if value.maker is None:
            first = BEFORE_ALL
        else:
            if value.maker.end < last:
                raise _Contradiction(end, value.maker.start, last)
            first, last = min(first, value.maker.end), max(last, value.maker.start)
            known = max(known, value.maker.end if value.maker.end <= end else BEFORE_ALL)
        if value.first < last:
            raise _Contradiction(end, value.first, last)
        first, last = min(first, value.first), max(last, value.last)
        known = max(known, value.known)
    return Zone(first, last, known)


def _check_zones(zones: list[Zone]) -> None:
    """Refuse forward zones that overlap, and a backward zone within a forward one."""
    forward = Zone(BEFORE_ALL, BEFORE_ALL, BEFORE_ALL)      # the latest that began
    for zone in sorted(zones, key=lambda zone: min(zone.first, zone.last)):
        overlap = min(zone.first, zone.last) < forward.last
        if overlap and zone.first < max(zone.last, forward.last):
            raise _Contradiction(max(zone.known, forward.known),
                                 zone.first, zone.last, forward.first, forward.last)
        if zone.first < zone.last:
            forward = zone
