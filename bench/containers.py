"""Seeded synthetic histories of sets, queues and stacks of distinct items, and of adds and reads.

They are made as those of registers are (`bench/synthetic.py`), valid.
"""

from __future__ import annotations

from bisect import insort
from random import Random
from typing import Any, Callable

from bench.synthetic import Client, Kind, Shape, make
from histories import History

RECENT = 20             # so far back the calls on a set go
TAKES = ("dequeue", "pop")


def _items(put: str, take: str, into: Callable[[list[Any], Any], None], at: int | None) -> Kind:
    """Items of a container that gives the one at a place; None: the one in the middle."""
    def draw(rng: Random, shape: Shape, number: int) -> tuple[str, Any]:
        value = number * 7919 % (shape.calls + 1)       # in no order
        return (put, value) if rng.random() < 0.5 else (take, None)

    def apply(client: Client, state: list[Any]) -> list[Any]:
        if client.f == put:
            into(state, client.arg)
        else:
            place = len(state) // 2 if at is None else at
            client.answer = state.pop(place) if state else None
        return state

    return Kind(lambda _shape: [], draw, apply)


def _draw_element(rng: Random, shape: Shape, number: int) -> tuple[str, Any]:
    """Each is added and removed once at most."""
    return rng.choice([("add", number), ("remove", number - RECENT),
                       ("contains", max(0, number - rng.randrange(2 * RECENT)))])


def _apply_element(client: Client, state: set[int]) -> set[int]:
    if client.f == "contains":
        client.answer = client.arg in state
    elif client.f == "add":
        state.add(client.arg)
    else:
        state.discard(client.arg)
    return state


def _draw_add(rng: Random, _shape: Shape, _number: int) -> tuple[str, Any]:
    return rng.choice([("add", 1), ("read", None)])


def _apply_add(client: Client, state: int) -> int:
    if client.f == "read":
        client.answer = state
        return state
    return state + 1


KINDS = {
    "queue": _items("enqueue", "dequeue", list.append, 0),
    "unordered-queue": _items("enqueue", "dequeue", list.append, None),
    "priority-queue": _items("insert", "pop", insort, 0),
    "stack": _items("push", "pop", list.append, -1),
    "set": Kind(lambda _shape: set(), _draw_element, _apply_element),
    "adds": Kind(lambda _shape: 0, _draw_add, _apply_add),
}


def made(shape: Shape) -> History:
    """The history of a shape, of any model."""
    return make(shape, KINDS.get(shape.model))
