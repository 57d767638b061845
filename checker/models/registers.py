"""Registers: one value that is read, written and, in the second model, compared and set."""

from __future__ import annotations

from typing import Any, Hashable

from checker.model import ANY_STATE, UNKNOWN, Inconsistent, Kind, Model, Rule
from histories.value import show


def _step(state: Hashable, f: str, arg: Any, ret: Hashable) -> Hashable | Inconsistent:
    if f == "write":
        return arg  # type: ignore[no-any-return]
    if f == "cas":
        old, new = arg
        if state == old:
            return new  # type: ignore[no-any-return]
        return Inconsistent(
            f"cas from {show(old)} to {show(new)} succeeded, the register holds {show(state)}"
        )
    if ret is UNKNOWN or state == ret:
        return state
    return Inconsistent(f"read {show(ret)}, the register holds {show(state)}")


def _kind(f: str, arg: Any) -> Kind:
    if f == "cas":
        old, new = arg
        return "read" if old == new else "update"
    return "read" if f == "read" else "write"


def _needs(f: str, arg: Any, ret: Hashable) -> Hashable:
    if f == "cas":
        return arg[0]  # type: ignore[no-any-return]
    return ANY_STATE if f == "write" or ret is UNKNOWN else ret


_FS = {"read": "no argument; answers the value", "write": "the value"}

_RULES = {"read": Rule("ret", "ret"), "write": Rule("", "arg")}

register = Model(
    name="register", init=None, step=_step, fs=_FS, kind=_kind, needs=_needs, rules=_RULES,
    monitors=("distinct-writes",),
)

cas_register = Model(
    name="cas-register", init=None, step=_step, kind=_kind, needs=_needs,
    rules={**_RULES, "cas": Rule("old", "new")}, monitors=("distinct-writes",),
    fs={**_FS, "cas": "a pair [old new]; ok means that it was swapped"},
)
