"""Sequential consistency of one object: some order explains what was seen that keeps the order of
every process, whatever the time.  (Lamport, IEEE Trans. Computers 1979.)

Unlike linearizability it is not a property of parts: keys that are each sequentially consistent
need not be so together.  So a model with parts is judged with all of them in one state.

The search is over how far each process has come and the state, in the order of invocations where
it can, and never comes to the same place twice.  A read that is legal is taken at once: it changes
nothing, so whatever follows later follows now.
"""

from __future__ import annotations

from typing import Any, Callable, Hashable, NamedTuple, Sequence

from checker.found import CAUSES, CHECK_EVERY_STEPS, Budget
from checker.linearizability import too_many_states
from checker.model import Inconsistent, Kind, Model, OneOf
from checker.problem import ILLEGAL, READ, Spread, Table
from checker.verdict import Verdict
from histories.history import Call, History
from histories.value import FrozenMap


class Place(NamedTuple):
    """How many calls of each process are in the order so far, and the state they lead to."""

    taken: tuple[int, ...]
    state: int


class Numbered(NamedTuple):
    """A call and the number of its class."""

    call: Call
    number: int


def sequential(
    history: History | Sequence[Call], model: Model, *, budget: Budget = Budget()
) -> Verdict:
    """Judge whether some order of the calls keeps the order of each process.

    Invalid or unknown: ``evidence["ops"]`` are the invocations before which the longest order
    ended.  UsageError: the history is malformed, or has calls that the model does not know.
    """
    table = Table(whole(model))
    lanes: dict[int, list[Numbered]] = {}
    for call in history.calls() if isinstance(history, History) else history:
        number = table.classify(call)
        if call.outcome == "ok" or call.outcome == "info" and table.kinds[number] != READ:
            lanes.setdefault(call.process, []).append(Numbered(call, number))
    return followed(lambda: _search(list(lanes.values()), table, budget))


def followed(judge: Callable[[], Verdict]) -> Verdict:
    """What is judged; unknown where a model may be in too many states at once."""
    try:
        return judge()
    except Spread as spread:
        return too_many_states(spread)


def whole(model: Model) -> Model:
    """The model with all its parts in one state, a map from each part that has changed."""
    if model.partition is None:
        return model
    part: Callable[[Call], Hashable] = model.partition

    def step(state: Any, f: str, arg: Hashable, ret: Hashable) -> Hashable | Inconsistent | OneOf:
        key = part(Call(0, f, arg, ret, 0, None, "info"))
        after = model.step(state.get(key, model.init), f, arg, ret)
        if isinstance(after, Inconsistent):
            return after
        if isinstance(after, OneOf):
            return OneOf(frozenset(changed(state, key, each) for each in after.states))
        return changed(state, key, after)

    def changed(state: Any, key: Hashable, after: Hashable) -> Hashable:
        others = {each: value for each, value in state.items() if each != key}
        return FrozenMap(others if after == model.init else {**others, key: after})

    def kind(f: str, arg: Hashable) -> Kind:
        return "read" if model.kind(f, arg) == "read" else "update"

    return Model(name=model.name, init=FrozenMap(), step=step, fs=model.fs, kind=kind)


def _search(lanes: list[list[Numbered]], table: Table, budget: Budget) -> Verdict:
    needed = [sum(each.call.end is not None for each in lane) for lane in lanes]
    deepest = start = Place(tuple(0 for _lane in lanes), table.init)
    stack, seen, steps = [start], {start}, 0
    limit = budget.steps(sum(needed))
    size: dict[str, Any] = {"method": "sequential", "calls": sum(needed)}
    while stack:
        place = stack.pop()
        if all(taken >= least for taken, least in zip(place.taken, needed)):
            why = "an order that keeps that of every process explains everything that was seen"
            return Verdict(valid=True, why=why, evidence={**size, "steps": steps})
        if sum(place.taken) > sum(deepest.taken):
            deepest = place
        steps += 1
        cause = spent(steps, limit, len(seen), budget)
        if cause:
            stuck = _next(lanes, deepest)
            return _not_valid(None, f"gave up, {cause}", stuck, {**size, "steps": steps})
        for move in _moves(lanes, place, table):
            if move not in seen:
                seen.add(move)
                stack.append(move)
    why = "no order that keeps that of every process explains what was seen"
    return _not_valid(False, why, _next(lanes, deepest), {**size, "steps": steps})


def spent(steps: int, limit: int, remembered: int, budget: Budget) -> str:
    """Why the search must end, or nothing."""
    if steps > limit:
        return CAUSES[1].format(limit)
    if remembered > budget.memory_max:
        return CAUSES[2].format(budget.memory_max)
    if steps % CHECK_EVERY_STEPS == 0 and budget.expired and budget.expired():
        return CAUSES[3]
    return ""


def _next(lanes: list[list[Numbered]], place: Place) -> list[Numbered]:
    """The next call of each process that has one."""
    return [lane[taken] for lane, taken in zip(lanes, place.taken) if taken < len(lane)]


def _moves(lanes: list[list[Numbered]], place: Place, table: Table) -> list[Place]:
    """Where one more call leads, the one invoked first last; a legal read alone."""
    moves: list[tuple[int, Place]] = []
    for at, (lane, taken) in enumerate(zip(lanes, place.taken)):
        if taken == len(lane):
            continue
        call, number = lane[taken]
        state = table.step(place.state, number)
        if state == ILLEGAL:
            continue
        after = Place((*place.taken[:at], taken + 1, *place.taken[at + 1:]), state)
        if table.kinds[number] == READ:
            return [after]
        moves.append((call.start, after))
    return [move for _start, move in sorted(moves, reverse=True)]


def _not_valid(
    valid: bool | None, why: str, stuck: list[Numbered], size: dict[str, Any]
) -> Verdict:
    named = ", ".join(f"process {call.process}: {call} (op {call.start})" for call, _n in stuck)
    return Verdict(valid=valid, why=f"{why}; the longest order ends before {named}",
                   evidence={**size, "ops": [call.start for call, _n in stuck]})
