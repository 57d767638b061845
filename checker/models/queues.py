"""Queues and stacks: what goes in comes out once, in an order that tells them apart.

An answer of nil says that there was nothing to take, so nil itself cannot be put in.
"""

from __future__ import annotations

from bisect import bisect
from typing import Any, Callable, Hashable

from checker.model import UNKNOWN, Inconsistent, Model, OneOf
from histories.value import FrozenMap, show

Items = tuple[Any, ...]
Put = Callable[[Items, Any], Items]


def _back(items: Items, item: Any) -> Items:
    return (*items, item)


def _front(items: Items, item: Any) -> Items:
    return (item, *items)


def _sorted_in(items: Items, item: Any) -> Items:
    place = bisect(items, item)
    return (*items[:place], item, *items[place:])


def _ordered(name: str, put: str, take: str, into: Put, monitor: str) -> Model:
    """A container whose state lists its items in the order in which they will be taken."""
    def step(state: Any, f: str, arg: Hashable, ret: Hashable) -> Hashable | Inconsistent:
        if f == put:
            return into(state, arg)
        if ret is UNKNOWN:
            return state[1:]  # type: ignore[no-any-return]
        first = state[0] if state else None
        if ret == first:
            return state[1:]  # type: ignore[no-any-return]
        due = f"{show(first)} is next" if state else f"the {name} is empty"
        return Inconsistent(f"{take} answered {show(ret)}, {due}")

    return Model(name=name, init=(), step=step, fs=_fs(put, take), monitors=(monitor,))


def _fs(put: str, take: str) -> dict[str, str]:
    return {put: "the item, anything but nil",
            take: "no argument; answers the item, nil when there was none"}


queue = _ordered("queue", "enqueue", "dequeue", _back, "distinct-in-order")
stack = _ordered("stack", "push", "pop", _front, "distinct-stacked")
priority_queue = _ordered("priority-queue", "insert", "pop", _sorted_in, "distinct-by-priority")


def _step(state: Any, f: str, arg: Hashable, ret: Hashable) -> Hashable | Inconsistent | OneOf:
    """The state counts the items of each kind."""
    if f == "enqueue":
        return FrozenMap({**state, arg: state.get(arg, 0) + 1})
    if ret is UNKNOWN:
        return OneOf(frozenset(_without(state, item) for item in state)) if state else FrozenMap()
    if ret in state:
        return _without(state, ret)
    if ret is None and not state:
        return FrozenMap()
    what = "is not in the queue" if ret is not None else "the queue is not empty"
    return Inconsistent(f"dequeue answered {show(ret)}, {what}")


def _without(state: FrozenMap, item: Hashable) -> FrozenMap:
    left = {**state, item: state[item] - 1}
    return FrozenMap({each: count for each, count in left.items() if count})


unordered_queue = Model(
    name="unordered-queue", init=FrozenMap(), step=_step, fs=_fs("enqueue", "dequeue"),
    monitors=("distinct-unordered",))
