"""Counters: a number that goes up or down, and tells each client how far it got."""

from __future__ import annotations

from typing import Any, Hashable

from checker.model import ANY_STATE, UNKNOWN, Inconsistent, Kind, Model
from histories.errors import UsageError
from histories.value import show


def _step(state: Any, f: str, arg: Any, ret: Hashable) -> Hashable | Inconsistent:
    if f == "add":
        return state + arg  # type: ignore[no-any-return]
    if f in ("inc", "dec"):
        after = state + _change(f, arg)
        if ret is UNKNOWN or ret == after:
            return after  # type: ignore[no-any-return]
        return Inconsistent(
            f"{f} answered {show(ret)}, the counter stood at {show(state)} "
            f"and must answer {show(after)}"
        )
    if ret is UNKNOWN or ret == state:
        return state  # type: ignore[no-any-return]
    return Inconsistent(f"read {show(ret)}, the counter stands at {show(state)}")


def _change(f: str, arg: Any) -> Any:
    size = 1 if arg is None else arg
    return -size if f == "dec" else size


def _kind(f: str, _arg: Hashable) -> Kind:
    return "read" if f == "read" else "update"


def _needs(f: str, arg: Any, ret: Any) -> Hashable:
    if f == "add" or type(ret) is not int:
        return ANY_STATE
    if f == "read":
        return ret
    change = _change(f, arg)
    return ret - change if type(change) is int else ANY_STATE    # fractions round


_FS = {
    "inc": "nothing (one) or how much to add, a number; answers the new value",
    "dec": "nothing (one) or how much to take away, a number; answers the new value",
    "add": "how much to add, a number, perhaps negative; its answer is not looked at",
    "read": "no argument; answers the value",
}

counter = Model(
    name="counter", init=0, step=_step, fs=_FS, kind=_kind, needs=_needs,
    monitors=("fetch-and-add", "adds-and-reads"),
)


def bounded_counter(most: int) -> Model:
    """A counter from 0 to ``most``: a call that would leave these bounds cannot be answered ok.

    UsageError if ``most`` is negative.
    """
    if most < 0:
        raise UsageError(f"a counter from 0 to {most} has no value")

    def step(state: Hashable, f: str, arg: Any, ret: Hashable) -> Hashable | Inconsistent:
        after: Any = _step(state, f, arg, ret)
        if isinstance(after, Inconsistent) or 0 <= after <= most:
            return after  # type: ignore[no-any-return]
        return Inconsistent(
            f"{f} took the counter from {show(state)} to {show(after)}, "
            f"out of its bounds 0 to {most}"
        )

    return Model(name=f"bounded-counter:{most}", init=0, step=step, fs=_FS, kind=_kind,
                 needs=_needs)
