"""Session guarantees of one object: what each process may rely on by itself.

For each process there must be an order of its own calls and of all calls that change the state,
which the model allows, whatever other processes were answered: an order of its own, so that
processes may disagree.  (The four guarantees: Terry et al., PDIS 1994; for any object, with the
answers of others hidden: Perrin, Mostefaoui & Jard, PPoPP 2016.)  A process is a session.  Calls
without a known end may be left out.  Each guarantee keeps some pairs of that order, of which the
first was called first by the same process:

* read-your-writes: a change and a look, of the process itself;
* monotonic-reads: two looks, of the process itself;
* monotonic-writes: two changes, of any process;
* writes-follow-reads: a look and a change, of the process itself; and, for any process, what it
  saw and what it changed afterwards, where only one call can have made what it saw.

A call that answers and changes is both.  The first two are judged part by part: their pairs are of
one process, so orders of parts that keep them can be merged into one that does.
"""

from __future__ import annotations

from functools import partial
from typing import Callable, Iterator, NamedTuple, Sequence

from checker.consistency import followed, spent, whole
from checker.found import Budget
from checker.linearizability import linearizable
from checker.model import UNKNOWN, Model
from checker.problem import ANYWHERE, ILLEGAL, READ, UNASKED, WRITE, Table
from checker.sources import parts_of, sources
from checker.verdict import Verdict
from histories.history import Call, History

# The call that comes first, the other one, and whether that is so for other processes too.
Pairs = Iterator[tuple[Call, Call, bool]]
REMEMBERED_BITS = 1000      # of what is done; longer histories are remembered at a higher price
TOLD_STEPS_MAX = 10_000     # to follow orders of which it is known that they fail


class View(NamedTuple):
    """What one process must find an order of.

    ``numbers`` are the calls' classes.  Bits stand for calls: those that must come ``before``
    each one, those that must come ``after`` it, those that are ``needed`` at all, and those that
    make each state; UNASKED stands for any.  ``looks`` are the calls that look at the state.
    """

    process: int
    calls: list[Call]
    numbers: list[int]
    before: list[int]
    after: list[int]
    needed: int
    makers: dict[int, int]
    looks: list[int]


class Ended(NamedTuple):
    """How the search for one process ended; ``longest`` has the bits of the longest order."""

    valid: bool | None
    steps: int
    longest: int
    cause: str = ""


def session(
    guarantee: str, history: History | Sequence[Call], model: Model, *, budget: Budget = Budget()
) -> Verdict:
    """Judge one guarantee, named in GUARANTEES.

    What is linearizable keeps all four; that is tried first, being cheap.  Invalid or unknown:
    ``evidence["process"]`` is the first process that has no order, ``ops`` the
    invocations of its calls that are not in its longest one.  ``budget`` is that of one process.
    """
    if linearizable(history, model, budget=budget).valid:
        return Verdict(valid=True, why=f"it is linearizable, which implies {guarantee}",
                       evidence={"method": "linearizable"})
    return followed(lambda: _session(guarantee, history, model, budget))


def _session(
    guarantee: str, history: History | Sequence[Call], model: Model, budget: Budget
) -> Verdict:
    """The same, process by process."""
    calls = [call for call in (history.calls() if isinstance(history, History) else history)
             if call.outcome != "fail"]
    local = guarantee in LOCAL
    groups = parts_of(calls, model) if local else [calls]
    judged = model if local else whole(model)
    steps, unknown = 0, None
    for group in groups:
        table = Table(judged)
        known = [call for call in group if call.outcome == "ok" or _changes(call, table)]
        pairs = list(GUARANTEES[guarantee](known, table, model))
        for process in sorted({call.process for call in known}):
            view = _view(process, known, pairs, table)
            ended = _judged(view, table, budget)
            steps += ended.steps
            if ended.valid is False:
                return _verdict(guarantee, view, ended)
            if ended.valid is None and unknown is None:
                unknown = _verdict(guarantee, view, ended)
    return unknown or Verdict(
        valid=True, why=f"every process has an order of its own that keeps {guarantee}",
        evidence={"method": guarantee, "calls": len(calls), "steps": steps})


def _verdict(guarantee: str, view: View, ended: Ended) -> Verdict:
    left = [call for at, call in enumerate(view.calls)
            if call.process == view.process and not ended.longest >> at & 1]
    first = f"; the longest order ends before {left[0]} (op {left[0].start})" if left else ""
    why = f"no order for process {view.process} keeps {guarantee}" if ended.valid is False \
        else f"gave up, {ended.cause}: process {view.process}"
    return Verdict(valid=ended.valid, why=why + first, evidence={
        "method": guarantee, "process": view.process, "ops": [call.start for call in left],
        "steps": ended.steps})


# The guarantees

def _changes(call: Call, table: Table) -> bool:
    return table.kinds[table.classify(call)] != READ


def _looks(call: Call, table: Table) -> bool:
    return table.kinds[table.classify(call)] != WRITE


def _in_order(
    calls: Sequence[Call], first: Callable[[Call], bool], second: Callable[[Call], bool],
    *, everywhere: bool = False
) -> Pairs:
    """Pairs of one process, in the order of its calls."""
    earlier: dict[int, list[Call]] = {}
    for call in calls:
        if second(call):
            for each in earlier.get(call.process, []):
                yield each, call, everywhere
        if first(call):
            earlier.setdefault(call.process, []).append(call)


def _read_your_writes(calls: Sequence[Call], table: Table, _model: Model) -> Pairs:
    return _in_order(calls, partial(_changes, table=table), partial(_looks, table=table))


def _monotonic_reads(calls: Sequence[Call], table: Table, _model: Model) -> Pairs:
    looks = partial(_looks, table=table)
    return _in_order(calls, looks, looks)


def _monotonic_writes(calls: Sequence[Call], table: Table, _model: Model) -> Pairs:
    changes = partial(_changes, table=table)
    return _in_order(calls, changes, changes, everywhere=True)


def _writes_follow_reads(calls: Sequence[Call], table: Table, model: Model) -> Pairs:
    seen = sources(calls, model)
    for look, change, _own in _in_order(
            calls, partial(_looks, table=table), partial(_changes, table=table)):
        yield look, change, False
        source = seen.get(look.start)
        if source is not None and source is not change:
            yield source, change, True


GUARANTEES: dict[str, Callable[[Sequence[Call], Table, Model], Pairs]] = {
    "read-your-writes": _read_your_writes,
    "monotonic-reads": _monotonic_reads,
    "monotonic-writes": _monotonic_writes,
    "writes-follow-reads": _writes_follow_reads,
}
LOCAL = ("read-your-writes", "monotonic-reads")


# The search

def _view(
    process: int, known: list[Call], pairs: list[tuple[Call, Call, bool]], table: Table
) -> View:
    """The calls of a process, those of others that change the state, and the pairs among them."""
    calls = [call for call in known if call.process == process or _changes(call, table)]
    at = {call.start: place for place, call in enumerate(calls)}
    before, after = [0] * len(calls), [0] * len(calls)
    for first, second, everywhere in pairs:
        one, other = at.get(first.start), at.get(second.start)
        if one is not None and other is not None and (everywhere or second.process == process):
            before[other] |= 1 << one
            after[one] |= 1 << other
    numbers = [table.classify(call if call.process == process else call._replace(ret=UNKNOWN))
               for call in calls]
    needed = sum(1 << place for place, call in enumerate(calls) if call.outcome == "ok")
    makers: dict[int, int] = {}
    for place, number in enumerate(numbers):
        if table.kinds[number] != READ:
            target = table.targets[number]
            makers[target] = makers.get(target, 0) | 1 << place
    looks = [place for place, call in enumerate(calls)
             if call.process == process and table.kinds[numbers[place]] != WRITE]
    return View(process, calls, numbers, before, after, needed, makers, looks)


class Place(NamedTuple):
    """Which calls are in the order so far, as bits, and the state they lead to."""

    done: int
    state: int


def _judged(view: View, table: Table, budget: Budget) -> Ended:
    """Look for an order of a view.

    What looks ahead ends an order before it fails; so if there is none, some are followed to their
    ends, for what is told.
    """
    ended = _search(view, table, budget, ahead=True)
    if ended.valid is not False:
        return ended
    told = budget._replace(steps_max=min(TOLD_STEPS_MAX, budget.steps(len(view.calls))))
    return ended._replace(longest=max(
        ended.longest, _search(view, table, told, ahead=False).longest, key=int.bit_count))


def _search(view: View, table: Table, budget: Budget, *, ahead: bool) -> Ended:
    """The same depth first, never twice from the same place."""
    start = Place(0, table.init)
    stack, seen = [start], {start}
    longest, steps, limit = 0, 0, budget.steps(len(view.calls))
    price = 1 + len(view.calls) // REMEMBERED_BITS
    while stack:
        place = stack.pop()
        if place.done.bit_count() > longest.bit_count():
            longest = place.done
        if not view.needed & ~place.done:
            return Ended(True, steps, place.done)
        steps += 1
        cause = spent(steps, limit, len(seen) * price, budget)
        if cause:
            return Ended(None, steps, longest, cause)
        for move in _moves(view, place, table, ahead=ahead):
            if move not in seen:
                seen.add(move)
                stack.append(move)
    return Ended(False, steps, longest)


def _moves(view: View, place: Place, table: Table, *, ahead: bool) -> list[Place]:
    """Where one more call leads, the most promising last; a legal read alone, since whatever
    follows later follows now.

    Of calls that are alike in all only the first is tried.  Promising is what lets the next call
    that looks go on, then what was invoked early.
    """
    moves: list[tuple[bool, int, Place]] = []
    tried = set()
    looks = [n for n in view.looks if not place.done >> n & 1]
    if _dead(view, place, looks, table, ahead=ahead):
        return []
    for n in _ready(view, place.done):
        number = view.numbers[n]
        alike = number, view.before[n], view.after[n], view.needed >> n & 1
        if alike in tried:
            continue
        tried.add(alike)
        writes = table.kinds[number] == WRITE
        state = table.targets[number] if writes else table.step(place.state, number)
        if state == ILLEGAL:
            continue
        after = Place(place.done | 1 << n, state)
        if table.kinds[number] == READ:
            return [after]
        helps = bool(looks) and table.step(state, view.numbers[looks[0]]) != ILLEGAL
        moves.append((helps, -n, after))
    return [move for _helps, _n, move in sorted(moves)]


def _ready(view: View, done: int) -> Iterator[int]:
    """The calls that may come next: all that must come before are there, and none that must not."""
    for n, before in enumerate(view.before):
        if not done >> n & 1 and not before & view.needed & ~done and (
                view.needed >> n & 1 or not view.after[n] & done):
            yield n


def _dead(
    view: View, place: Place, looks: list[int], table: Table, *, ahead: bool
) -> bool:
    """Does a call need a state that nothing leads to any more?

    Ahead: so does one that needs the present state, if nothing leads back to it, and something
    that leads or looks elsewhere must come first.
    """
    if view.makers.get(UNASKED, 0) & ~place.done:
        return False
    for look in looks:
        need = table.needs[view.numbers[look]]
        if need == ANYWHERE or not view.needed >> look & 1:
            continue
        if view.makers.get(need, 0) & ~place.done:
            continue
        if need != place.state or ahead and _comes_late(view, place, look, table):
            return True
    return False


def _comes_late(view: View, place: Place, look: int, table: Table) -> bool:
    """Must the state be left before a call that needs it?"""
    first = view.before[look] & view.needed & ~place.done
    while first:
        number = view.numbers[first.bit_length() - 1]
        first ^= 1 << first.bit_length() - 1
        if table.needs[number] not in (ANYWHERE, place.state):
            return True
        if table.kinds[number] != READ and table.targets[number] != place.state:
            return True
    return False
