"""Histories of objects that answer by their own rules: what a model must accept, and, spoilt, what
it must judge as brute force does."""

from __future__ import annotations

from random import Random
from typing import Any, Callable

from histories import History, Op

NIL = object()      # what `apply` answers for an ok completion that carries nil
Draw = Callable[[Random], "tuple[str, Any]"]
Apply = Callable[[str, Any], Any]       # answers what an ok completion carries, None for a failure


def random_history(rng: Random, draw: Draw, apply: Apply, *, calls: int, spoilt: bool) -> History:
    """Some clients call; every call takes effect at one moment; some answers are lost.

    When `spoilt`, two answers to the same kind of question may change places.
    """
    ops: list[Op] = []
    open_calls: dict[int, Op] = {}
    answers: dict[int, Any] = {}
    idle = list(range(rng.randrange(2, 5)))
    fresh = len(idle)
    while calls or answers:
        if calls and idle and (not open_calls or rng.random() < 0.5):
            process, calls = idle.pop(rng.randrange(len(idle))), calls - 1
            open_calls[process] = Op(process, "invoke", *draw(rng))
            ops.append(open_calls[process])
        elif waiting := [process for process in open_calls if process not in answers]:
            process = rng.choice(waiting)
            op = open_calls[process]
            answers[process] = apply(op.f, op.value)
        if answers and rng.random() < 0.6:
            process = rng.choice(list(answers))
            op, answer = open_calls.pop(process), answers.pop(process)
            lost = rng.random() < 0.2
            ended = op._replace(type="fail") if answer is None else op._replace(
                type="ok", value=None if answer is NIL else answer)
            ops.append(op._replace(type="info") if lost else ended)
            idle.append(fresh if lost else process)
            fresh += lost
    return History(_spoil(rng, ops) if spoilt else ops)


def _spoil(rng: Random, ops: list[Op]) -> list[Op]:
    """Two answers of the same kind change places."""
    told = [place for place, op in enumerate(ops) if op.type == "ok"]
    one = rng.choice(told) if told else 0
    alike = [place for place in told if ops[place].f == ops[one].f]
    if alike:
        other = rng.choice(alike)
        ops[one], ops[other] = (ops[one]._replace(value=ops[other].value),
                                ops[other]._replace(value=ops[one].value))
    return ops
