"""Locks: who may go on."""

from __future__ import annotations

from typing import Hashable

from checker.model import Inconsistent, Model


def _step(state: Hashable, f: str, _arg: Hashable, _ret: Hashable) -> Hashable | Inconsistent:
    if f == "acquire":
        return Inconsistent("acquired, the mutex is held already") if state else True
    return False if state else Inconsistent("released, nobody holds the mutex")


mutex = Model(
    name="mutex", init=False, step=_step,
    fs={"acquire": "anything; not looked at", "release": "anything; not looked at"},
)
