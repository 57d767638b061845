"""One operation event, in Jepsen's words.

A history is a list of ops.  Each call by a client is two ops: an ``invoke`` and a completion of
type ``ok`` (it happened), ``fail`` (it certainly did not happen) or ``info`` (nobody knows: it may
take effect at any later time, or never).  After an ``info`` the process id retires.
Nemesis ops have the process ``"nemesis"`` and are ``info`` throughout, as in Jepsen.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

NEMESIS: Literal["nemesis"] = "nemesis"
TYPES = ("invoke", "ok", "fail", "info")


class Op(NamedTuple):
    """One event of a history: plain, immutable, hashable when its value is.

    ``time`` is nanoseconds since the start of the run, -1 where the source had none.  ``index`` is
    the op's place in its history.  ``error`` says why an op ended in fail or info.
    """

    process: int | str
    type: str
    f: str
    value: Any = None
    time: int = -1
    index: int = -1  # type: ignore[assignment]  # Jepsen's word, also a method of tuples
    error: Any = None
    node: str | None = None
