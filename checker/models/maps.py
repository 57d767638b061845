"""A map, key by key: every operation names one key, and every key is judged alone.

Arguments and answers are pairs [key value], as jepsen.independent writes them.  What was never put
is the empty string, as in Porcupine's logs.
"""

from __future__ import annotations

from typing import Any, Hashable

from checker.model import (
    ANY_STATE, UNKNOWN, Inconsistent, Kind, Model, Rule, first_of_argument,
)
from histories.value import show


def _step(state: Any, f: str, arg: Any, ret: Any) -> Hashable | Inconsistent:
    key, value = arg
    if f == "put":
        return value  # type: ignore[no-any-return]
    if f == "delete":
        return ""
    if f == "append":
        return state + value  # type: ignore[no-any-return]
    if f == "increment":
        return _increment(state, arg, ret)
    if f == "cas":
        old, new = value
        if state == old:
            return new  # type: ignore[no-any-return]
        return Inconsistent(
            f"cas of {show(key)} from {show(old)} to {show(new)} succeeded, "
            f"it holds {show(state)}"
        )
    if ret is UNKNOWN:
        return state  # type: ignore[no-any-return]
    _key, answer = ret
    if answer == state:
        return state  # type: ignore[no-any-return]
    return Inconsistent(f"get of {show(key)} answered {show(answer)}, it holds {show(state)}")


def _increment(state: Any, arg: Any, ret: Any) -> Hashable | Inconsistent:
    """What was never put counts as 0."""
    key, amount = arg
    after = (0 if state == "" else state) + (1 if amount is None else amount)
    if ret is UNKNOWN or ret[1] == after:
        return after
    return Inconsistent(f"increment of {show(key)} answered {show(ret[1])}, it held {show(state)} "
                        f"and must answer {show(after)}")


_KINDS: dict[str, Kind] = {"get": "read", "put": "write", "delete": "write"}


def _kind(f: str, arg: Any) -> Kind:
    _key, value = arg
    if f == "cas":
        old, new = value
        return "read" if old == new else "update"
    return _KINDS.get(f, "update")


def _needs(f: str, arg: Any, ret: Any) -> Hashable:
    if f == "get" and ret is not UNKNOWN:
        return ret[1]  # type: ignore[no-any-return]
    return arg[1][0] if f == "cas" else ANY_STATE


kv = Model(
    name="kv", init="", step=_step, kind=_kind, needs=_needs, partition=first_of_argument,
    monitors=("distinct-writes",),
    rules={"get": Rule("ret", "ret"), "put": Rule("", "arg"), "cas": Rule("old", "new"),
           "delete": Rule("", "init")},
    fs={
        "get": "a pair [key nil]; answers [key value]",
        "put": "a pair [key value]",
        "append": "a pair [key value], the value a string",
        "cas": "a pair [key [old new]]; ok means that it was swapped",
        "delete": "a pair [key nil]; the key is as if it had never been put",
        "increment": "a pair [key amount], nil for one, the value a number; answers [key value]",
    },
)
