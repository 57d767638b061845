"""What an operation means: the shape of a model.

A model is an initial state and a pure function from a state and an operation, its answer included,
to the next state.  Because the answer is seen, counters with returned values, unordered queues
and models written by users are all one shape.  States are hashable and never mutated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Hashable, Literal, Mapping

from histories.history import UNKNOWN, Call

Kind = Literal["read", "write", "update"]


@dataclass(frozen=True)
class Inconsistent:
    """Why an operation cannot happen in a state: "read 3, the register holds 4"."""

    reason: str


Step = Callable[[Hashable, str, Hashable, Hashable], "Hashable | Inconsistent"]


def _update(_f: str, _arg: Hashable) -> Kind:
    return "update"


@dataclass(frozen=True, kw_only=True)
class Model:
    """A sequential specification.

    ``step(state, f, arg, ret)`` gives the next state, or Inconsistent when the operation cannot
    answer ``ret`` in this state.  ``ret`` is UNKNOWN for a call whose answer nobody heard: then
    step gives the state after the call took effect, or Inconsistent if it cannot have had one.

    ``fs`` maps each name of an operation to what it expects, in words for messages.

    ``kind(f, arg)`` lets the search take short cuts: "read" never changes the state; "write" is
    legal in every state and always leads to the same one; "update" promises nothing.

    ``partition(call)`` names the part (key) that a call belongs to; parts are judged alone, each
    from ``init``.  None: everything is one part.
    """

    name: str
    init: Hashable
    step: Step
    fs: Mapping[str, str]
    kind: Callable[[str, Hashable], Kind] = _update
    partition: Callable[[Call], Hashable] | None = None


__all__ = ["UNKNOWN", "Inconsistent", "Kind", "Model", "Step"]
