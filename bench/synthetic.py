"""Seeded synthetic histories: a model's clients at some concurrency, crashed calls, a violation.

Every call takes effect at one moment between its invocation and its completion, so that a history
is linearizable unless a violation was planted: one answer, after 98% of the calls, that was never
right.
"""

from __future__ import annotations

from random import Random
from typing import Any, Callable, NamedTuple

from histories import History, Op

VALUES = 5
NEVER_WRITTEN = VALUES + 5


class Shape(NamedTuple):
    """What history to make; ``crashed_percent`` of the calls end in info.

    ``distinct``: no value is written twice.
    """

    model: str
    calls: int
    concurrency: int
    crashed_percent: int = 0
    violation: bool = False
    distinct: bool = False
    seed: int = 1


class Client:
    """A call that is open: what it asks, and what came of it once it took effect."""

    def __init__(self, f: str, arg: Any) -> None:
        self.f, self.arg = f, arg
        self.outcome = ""
        self.answer: Any = None


class Kind(NamedTuple):
    """Where a model begins, which call comes at a place, and how one takes effect on the state."""

    begin: Callable[[Shape], Any]
    draw: Callable[[Random, Shape, int], tuple[str, Any]]
    apply: Callable[[Client, Any], Any]


def make(shape: Shape, kind: Kind | None = None) -> History:
    """The history of a shape; the same shape gives the same history."""
    begin, draw, apply = kind or CELLS
    rng = Random(shape.seed)
    ops: list[Op] = []
    open_calls: dict[int, Client] = {}
    idle = list(range(shape.concurrency))
    state = begin(shape)
    left, planted, fresh = shape.calls, not shape.violation, shape.concurrency
    while left or open_calls:
        may_invoke = left and len(open_calls) < shape.concurrency
        if may_invoke and (not open_calls or rng.random() < 0.5):
            process = idle.pop(rng.randrange(len(idle)))
            client = open_calls[process] = Client(*draw(rng, shape, shape.calls - left))
            ops.append(Op(process, "invoke", client.f, client.arg))
            left -= 1
            continue
        process = rng.choice(list(open_calls))
        client = open_calls[process]
        if not client.outcome:
            client.outcome, client.answer = "ok", client.arg
            state = apply(client, state)
            if rng.random() * 100 < shape.crashed_percent:
                client.outcome = "info"
            continue
        del open_calls[process]
        if client.outcome == "info":
            process, retired = fresh, process
            fresh += 1
            ops.append(Op(retired, "info", client.f, client.arg))
        else:
            if not planted and left * 50 <= shape.calls and client.f in ("read", "inc"):
                planted, client.outcome = True, "ok"
                client.answer = client.answer - 1 if client.f == "inc" else NEVER_WRITTEN
            ops.append(Op(process, client.outcome, client.f, client.answer))
        idle.append(process)
    return History(ops)


def _draw(rng: Random, shape: Shape, number: int) -> tuple[str, Any]:
    if shape.model == "counter":
        return "inc", None
    f = rng.choice(["read", "write"] if shape.model == "register" else ["read", "write", "cas"])
    if shape.distinct:
        return f, {"read": None, "write": number}.get(f, [number - rng.randrange(1, 4), number])
    if f == "cas":
        return f, [rng.randrange(VALUES), rng.randrange(VALUES)]
    return f, rng.randrange(VALUES) if f == "write" else None


def _begin(shape: Shape) -> Any:
    return 0 if shape.model == "counter" else None


def _apply(client: Client, state: Any) -> Any:
    """The next state; the client learns its answer."""
    if client.f == "read":
        client.answer = state
    elif client.f == "inc":
        client.answer = state = state + 1
    elif client.f == "write":
        state = client.arg
    elif state == client.arg[0]:
        state = client.arg[1]
    else:
        client.outcome = "fail"
    return state


CELLS = Kind(_begin, _draw, _apply)     # registers and counters
