"""Transactions over several keys: lists of steps that happen at one moment.

A step is a triple: ["r" key value], ["w" key value], ["append" key value].  A call's argument has
nil for what it reads; its answer is the same transaction with what it read.
"""

from __future__ import annotations

from typing import Any, Callable, Hashable

from checker.model import UNKNOWN, Inconsistent, Kind, Model
from histories.value import FrozenMap, show

READS = ("r", "read")


def _step(state: Any, _f: str, steps: Any, ret: Any) -> Hashable | Inconsistent:
    """The state maps keys to values; a key that holds nil is not in it."""
    if ret is not UNKNOWN and _asked(ret) != _asked(steps):
        return Inconsistent(f"asked for {show(steps)}, and answered {show(ret)}")
    after = dict(state)
    for what, key, value in steps if ret is UNKNOWN else ret:
        held = after.get(key)
        if what in READS:
            if ret is not UNKNOWN and value != held and not (value == () and held is None):
                return Inconsistent(f"read {show(value)} of {show(key)}, it holds {show(held)}")
        else:
            after[key] = (*(held or ()), value) if what == "append" else value
    return FrozenMap({key: value for key, value in after.items() if value is not None})


def _asked(steps: Any) -> list[Any]:
    """A transaction without what it read."""
    return [(what, key, None if what in READS else value) for what, key, value in steps]


def _kind_with(*known: str) -> Callable[[str, Any], Kind]:
    """What kind a transaction is; refuses steps that are not known."""
    def kind(_f: str, steps: Any) -> Kind:
        for what, _key, _value in steps:
            if what not in known:
                raise ValueError(f"a step {what!r}")
        return "read" if all(what in READS for what, _key, _value in steps) else "update"

    return kind


multi_register = Model(
    name="multi-register", init=FrozenMap(), step=_step, kind=_kind_with(*READS, "w", "write"),
    fs={"txn": 'a list of ["r" key nil] and ["w" key value]; answers it with what was read'},
)

list_append = Model(
    name="list-append", init=FrozenMap(), step=_step, kind=_kind_with(*READS, "append"),
    fs={"txn": 'a list of ["r" key nil] and ["append" key value]; answers it with the lists read'},
)
