"""Tokens: whoever draws one learns what nobody could have known, and it is told again when asked.

Only the answers say what the tokens are.  A draw that nobody heard leaves one that the next answer
reveals.  Arguments name a slot; every slot is judged alone.
"""

from __future__ import annotations

from typing import Any, Hashable

from checker.model import UNKNOWN, Inconsistent, Model, argument
from histories.value import show


def _step(state: Hashable, f: str, _arg: Hashable, ret: Any) -> Hashable | Inconsistent:
    if ret is UNKNOWN:
        return UNKNOWN if f == "draw" else state
    slot, told, *rest = ret
    before = rest[0] if f == "draw" else told
    if before == state or state is UNKNOWN and before is not None:
        return told  # type: ignore[no-any-return]
    what = f"draw replaced {show(before)} in" if f == "draw" else f"{show(before)} was told for"
    return Inconsistent(f"{what} slot {show(slot)}, it holds {show(state)}")


token = Model(
    name="token", init=None, step=_step, partition=argument,
    fs={
        "draw": "a slot; answers [slot token token-before]",
        "ask": "a slot; answers [slot token], the token nil when none was drawn",
    },
)
