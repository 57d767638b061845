"""The first difference between two runs: in what was tested, what clients saw, what machines did.

Two runs of one test have none.  Of a test without one of its faults, or under another seed, the
first event that differs is where the two begin to be two.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Any, Mapping, Sequence, Union

from checker.check import Record
from checker.event_words import tell
from checker.story import seconds
from histories import Event, Op
from histories.value import quantity, show

Item = Union[Op, Event]

DERIVED = ("command", "name")       # they follow from the rest of a test
TEXT_MAX = 300


def difference(one: Record, other: Record) -> list[str]:
    """What differs first in tests, histories and traces, as lines; none if nothing does.

    The first run is called A, the second B.
    """
    return [*_tests(one.test, other.test),
            *_first("history", "op", one.history.ops, other.history.ops),
            *_first("trace", "event", one.trace.events, other.trace.events)]


def _tests(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Each parameter that is not the same."""
    names = [name for name in dict.fromkeys([*one, *other]) if name not in DERIVED]
    lines = [f"  {name}: {_cut(show(one.get(name)))} in A, {_cut(show(other.get(name)))} in B"
             for name in names if one.get(name) != other.get(name)]
    return ["test: not the same", *lines] if lines else []


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_MAX else text[:TEXT_MAX] + "..."


def _first(what: str, item: str, one: Sequence[Item], other: Sequence[Item]) -> list[str]:
    """The first place at which two sequences differ, both sides in words."""
    for place, (left, right) in enumerate(zip_longest(one, other)):
        if left != right:
            lines = [f"{what}: the same for {quantity(place, item)} of {len(one)} in A and "
                     f"{len(other)} in B, then", f"  A: {_words(left)}", f"  B: {_words(right)}"]
            return [*lines, *_fields(left, right)]
    return []


def _words(item: Item | None) -> str:
    if item is None:
        return "(ends)"
    if isinstance(item, Event):
        return _cut(f"{seconds(item.time)}  {item.node} {tell(item)}")
    who = item.process if isinstance(item.process, str) else f"process {item.process}"
    error = "" if item.error is None else f" ({show(item.error)})"
    value = "" if item.value is None else f" {show(item.value)}"
    when = "" if item.time < 0 else f"{seconds(item.time)}  "
    return _cut(f"{when}op {item.index}, {who}: {item.type} {item.f}{value}{error}")


def _fields(left: Item | None, right: Item | None) -> list[str]:
    """Which fields of the two differ; those of the data by their own names."""
    if left is None or right is None:
        return []
    one, other = _flat(left), _flat(right)
    names = [name for name in dict.fromkeys([*one, *other]) if one.get(name) != other.get(name)]
    return [f"  differs in {', '.join(names)}"]


def _flat(item: Item) -> dict[str, Any]:
    if isinstance(item, Op):
        return item._asdict()
    return {**item._replace(data={})._asdict(), **item.data}
