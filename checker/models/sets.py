"""Sets: elements that are there or not."""

from __future__ import annotations

from typing import Any, Hashable

from checker.model import ANY_STATE, UNKNOWN, Inconsistent, Kind, Model
from histories.value import show


def _step(state: Any, f: str, arg: Any, ret: Any) -> Hashable | Inconsistent:
    if f == "add":
        return state | {arg}  # type: ignore[no-any-return]
    if f == "remove":
        return state - {arg}  # type: ignore[no-any-return]
    if ret is UNKNOWN:
        return state  # type: ignore[no-any-return]
    if f == "contains":
        if ret == (arg in state):
            return state  # type: ignore[no-any-return]
        has = "has it" if arg in state else "does not have it"
        return Inconsistent(f"contains {show(arg)} answered {show(ret)}, the set {has}")
    if frozenset(ret) == state:
        return state  # type: ignore[no-any-return]
    return Inconsistent(f"read {show(ret)}, the set holds {show(state)}")


def _kind(f: str, _arg: Hashable) -> Kind:
    return "read" if f in ("contains", "read") else "update"


def _needs(f: str, _arg: Hashable, ret: Any) -> Hashable:
    return frozenset(ret) if f == "read" and ret is not UNKNOWN else ANY_STATE


set_model = Model(
    name="set", init=frozenset(), step=_step, kind=_kind, needs=_needs,
    monitors=("distinct-elements",),
    fs={
        "add": "the element; its answer is not looked at",
        "remove": "the element; its answer is not looked at",
        "contains": "the element; answers true or false",
        "read": "no argument; answers all elements, in any order",
    },
)
