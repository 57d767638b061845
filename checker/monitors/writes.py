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

from bisect import bisect
from typing import Iterator, NamedTuple

from checker.monitors.prefix import NEVER, Unsuited, first_failure
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


class _Contradiction(Exception):
    """A prefix fails, and so does the one that ends at this moment."""

    def __init__(self, end: int) -> None:
        self.end = end


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


def judge(problem: Problem, table: Table) -> int | None:
    """The event that ends the shortest prefix that fails, or None."""
    if MONITORS is not None:
        found = MONITORS.distinct_writes(
            problem.events, problem.classes, table.kinds, table.needs, table.targets, table.init)
        if found is None:
            raise Unsuited
        return None if found < 0 else int(found)
    return plainly(problem, table)


def plainly(problem: Problem, table: Table) -> int | None:
    """The same in plain Python."""
    makers = _makers(problem, table)
    accesses = _accesses(problem, table)
    for access in accesses:
        if access.makes in makers:
            makers[access.makes] = access

    def fails(last: int) -> int | None:
        try:
            values = _values(_counted(accesses, makers, last, table.init), last, table.init)
            _check_zones(list(_zones(values, last)))
        except _Contradiction as found:
            return found.end
        return None

    events = problem.events
    return first_failure([at for at, event in enumerate(events) if event < 0], fails)


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


def _counted(
    accesses: list[Access], makers: dict[int, Access | None], last: int, init: int
) -> list[Access]:
    """The calls that returned in a prefix, and the pending ones whose value one of these needs."""
    counted = [access for access in accesses if access.end <= last]
    found: set[int] = set()
    for access in counted:      # which grows
        if access.needs in (NONE, init):
            continue
        maker, known = makers.get(access.needs), min(access.end, last)
        if maker is None or maker.start > known:
            raise _Contradiction(known)
        if maker.end > last and maker.makes not in found:
            found.add(maker.makes)
            counted.append(maker._replace(end=NEVER))
    return counted


def _values(counted: list[Access], last: int, init: int) -> dict[int, _Value]:
    """What the calls say of each value."""
    values = {init: _Value()}
    for access in counted:
        if access.makes != NONE:
            values.setdefault(access.makes, _Value()).maker = access
        if access.needs == NONE:
            continue
        value = values.setdefault(access.needs, _Value())
        if access.makes == NONE:
            value.add_read(access)
        elif value.taker is None:
            value.taker = access
        else:
            raise _Contradiction(last)
    return values


def _zones(values: dict[int, _Value], last: int) -> Iterator[Zone]:
    """The zone of each block; every value is in one, unless some were made of each other."""
    seen = 0
    for value in values.values():
        if value.maker is None or value.maker.needs == NONE:
            block = [value]
            while block[-1].taker is not None:
                block.append(values[block[-1].taker.makes])
            seen += len(block)
            yield _zone(block, last)
    if seen < len(values):
        raise _Contradiction(last)


def _zone(block: list[_Value], end: int) -> Zone:
    first, last, known = NEVER, BEFORE_ALL, BEFORE_ALL
    for value in block:
        if value.maker is None:
            first = BEFORE_ALL
        else:
            if value.maker.end < last:
                raise _Contradiction(end)
            first, last = min(first, value.maker.end), max(last, value.maker.start)
            known = max(known, value.maker.end if value.maker.end <= end else BEFORE_ALL)
        if value.first < last:
            raise _Contradiction(end)
        first, last = min(first, value.first), max(last, value.last)
        known = max(known, value.known)
    return Zone(first, last, known)


def _check_zones(zones: list[Zone]) -> None:
    """Refuse forward zones that overlap, and a backward zone within a forward one."""
    forward = sorted(zone for zone in zones if zone.first < zone.last)
    for zone, after in zip(forward, forward[1:]):
        if after.first < zone.last:
            raise _Contradiction(max(zone.known, after.known))
    firsts = [zone.first for zone in forward]
    for zone in zones:
        if zone.last < zone.first:
            around = bisect(firsts, zone.last) - 1
            if around >= 0 and zone.first < forward[around].last:
                raise _Contradiction(max(zone.known, forward[around].known))
