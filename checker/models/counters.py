"""Counters: a number that goes up, and tells each client how far it got."""

from __future__ import annotations

from typing import Any, Hashable

from checker.model import ANY_STATE, UNKNOWN, Inconsistent, Kind, Model
from histories.value import show


def _step(state: Any, f: str, arg: Any, ret: Hashable) -> Hashable | Inconsistent:
    if f == "inc":
        after = state + (1 if arg is None else arg)
        if ret is UNKNOWN or ret == after:
            return after  # type: ignore[no-any-return]
        return Inconsistent(
            f"inc answered {show(ret)}, the counter stood at {show(state)} "
            f"and must answer {show(after)}"
        )
    if ret is UNKNOWN or ret == state:
        return state  # type: ignore[no-any-return]
    return Inconsistent(f"read {show(ret)}, the counter stands at {show(state)}")


def _kind(f: str, _arg: Hashable) -> Kind:
    return "read" if f == "read" else "update"


def _needs(f: str, arg: Any, ret: Any) -> Hashable:
    if type(ret) is not int:
        return ANY_STATE
    return ret if f == "read" else ret - (1 if arg is None else arg)


counter = Model(
    name="counter", init=0, step=_step, kind=_kind, needs=_needs, monitor="fetch-and-add",
    fs={
        "inc": "nothing (one) or how much to add, a number; answers the new value",
        "read": "no argument; answers the value",
    },
)
