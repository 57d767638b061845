"""Echo streams: what comes back is what was sent, numbered along its stream without a gap.

Arguments and answers start with the stream's name; every stream is judged alone.
"""

from __future__ import annotations

from typing import Any, Hashable

from checker.model import UNKNOWN, Inconsistent, Model, first_of_argument
from histories.value import show


def _step(state: Any, _f: str, arg: Any, ret: Any) -> Hashable | Inconsistent:
    after = state + 1
    if ret is UNKNOWN:
        return after  # type: ignore[no-any-return]
    *frame, number = ret
    if tuple(frame) != arg:
        return Inconsistent(f"{show(arg)} came back as {show(frame)}")
    if number == after:
        return after  # type: ignore[no-any-return]
    return Inconsistent(f"it was number {show(number)} of its stream, and must be {show(after)}")


echo = Model(
    name="echo", init=0, step=_step, partition=first_of_argument,
    fs={"echo": "a frame, [stream anything...]; answers the frame with its number at the end"},
)
