"""Small random histories, and the slowest possible judge of them.

A history is made by running calls against the model itself, each taking effect at some moment
between invocation and completion; then some answers are changed, so that valid and invalid
histories are both common.
"""

from __future__ import annotations

from random import Random
from typing import Any, Callable, Iterable, NamedTuple

from checker.model import UNKNOWN, Inconsistent, Model, OneOf
from histories import Call, Op


class Maker(NamedTuple):
    """How to draw a call of a model (f, arg), and what a state answers to it."""

    draw: Callable[[Random], tuple[str, Any]]
    answer: Callable[[Any, str, Any], Any]


def _register_call(rng: Random) -> tuple[str, Any]:
    f = rng.choice(["read", "write", "write"])
    return f, rng.randrange(3) if f == "write" else None


def _cas_call(rng: Random) -> tuple[str, Any]:
    if rng.random() < 0.4:
        return "cas", [rng.randrange(3), rng.randrange(3)]
    return _register_call(rng)


def _kv_call(rng: Random) -> tuple[str, Any]:
    f = rng.choice(["get", "put", "append"])
    return f, [rng.choice("kl"), rng.choice("ab") if f != "get" else None]


def _read_or(state: Any, f: str, arg: Any) -> Any:
    return state if f == "read" else arg


MAKERS = {
    "register": Maker(_register_call, _read_or),
    "cas-register": Maker(_cas_call, _read_or),
    "counter": Maker(
        lambda rng: (rng.choice(["inc", "inc", "read"]), None),
        lambda state, f, arg: state + (f == "inc"),
    ),
    "kv": Maker(_kv_call, lambda state, f, arg: [arg[0], state] if f == "get" else arg),
    "mutex": Maker(
        lambda rng: (rng.choice(["acquire", "release"]), None), lambda state, f, arg: None
    ),
}


class _Open(NamedTuple):
    f: str
    arg: Any
    applied: bool
    answer: Any


def random_ops(
    rng: Random, model: Model, *, calls: int, wrong: float, clients: int = 4
) -> list[Op]:
    """Ops of a random run with this many calls; ``wrong`` is the chance of a changed answer."""
    maker = MAKERS[model.name]
    states: dict[Any, Any] = {}
    open_calls: dict[int, _Open] = {}
    ops: list[Op] = []
    fresh, left = 0, calls
    idle: list[int] = []
    while left or rng.random() < 0.7 and open_calls:
        if left and (not open_calls or len(open_calls) < clients and rng.random() < 0.5):
            if not idle:
                idle.append(fresh)
                fresh += 1
            process = idle.pop(rng.randrange(len(idle)))
            f, arg = maker.draw(rng)
            ops.append(Op(process, "invoke", f, arg))
            open_calls[process] = _Open(f, arg, False, None)
            left -= 1
            continue
        process = rng.choice(list(open_calls))
        call = open_calls[process]
        key = call.arg[0] if model.partition else None
        if not call.applied and rng.random() < 0.7:
            state = states.get(key, model.init)
            after = model.step(state, call.f, call.arg, UNKNOWN)
            if not isinstance(after, Inconsistent):
                states[key] = after
                answer = maker.answer(state, call.f, call.arg)
                open_calls[process] = _Open(call.f, call.arg, True, answer)
                continue
        del open_calls[process]
        ops.append(_complete(rng, process, call, maker, wrong))
        if ops[-1].type != "info":
            idle.append(process)
    return ops


def _complete(rng: Random, process: int, call: _Open, maker: Maker, wrong: float) -> Op:
    """A completion: mostly the truth, now and then another answer or none."""
    if rng.random() < 0.2:
        return Op(process, "info", call.f, call.arg)
    if not call.applied and rng.random() >= wrong:
        return Op(process, "fail", call.f, call.arg)
    answer = call.answer
    if rng.random() < wrong:
        if call.f in ("read", "inc"):
            answer = rng.choice([None, 0, 1, 2, 3])
        elif call.f == "get":
            answer = [call.arg[0], rng.choice(["", "a", "b", "ab"])]
    elif not call.applied:
        answer = call.arg
    return Op(process, "ok", call.f, answer)


def brute_force(calls: Iterable[Call], model: Model) -> bool:
    """Is there any order at all?  Tries all of them, part by part."""
    parts: dict[Any, list[Call]] = {}
    for call in calls:
        if call.outcome != "fail":
            key = model.partition(call) if model.partition else None
            parts.setdefault(key, []).append(call)
    return all(_some_order(frozenset(part), model.init, model, set()) for part in parts.values())


def _some_order(left: frozenset[Call], state: Any, model: Model, tried: set[Any]) -> bool:
    """Can what is left be put in order, from this state?  Pending calls may be left out."""
    ends = [call.end for call in left if call.end is not None]
    if not ends:
        return True
    if (left, state) in tried:
        return False
    tried.add((left, state))
    for call in left:
        if call.start < min(ends):
            if any(_some_order(left - {call}, after, model, tried)
                   for after in _next_states(model, state, call)):
                return True
    return False


def _next_states(model: Model, state: Any, call: Call) -> list[Any]:
    after = model.step(state, call.f, call.arg, call.ret)
    if isinstance(after, Inconsistent):
        return []
    return list(after.states) if isinstance(after, OneOf) else [after]
