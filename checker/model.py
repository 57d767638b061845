"""What an operation means: the shape of a model.

A model is an initial state and a pure function from a state and an operation, its answer included,
to the next state.  Because the answer is seen, counters with returned values, unordered queues
and models written by users are all one shape.  States are hashable and never mutated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Callable, Final, Hashable, Literal, Mapping, NamedTuple

from histories.history import UNKNOWN, Call

Kind = Literal["read", "write", "update"]


@dataclass(frozen=True)
class Inconsistent:
    """Why an operation cannot happen in a state: "read 3, the register holds 4"."""

    reason: str


@dataclass(frozen=True)
class OneOf:
    """The next states of an operation that may do one of several things: one at least.

    What `step` answers in place of a state; any of them counts until an answer tells them apart.
    """

    states: frozenset[Hashable]


class AnyState(Enum):
    """The type of ANY_STATE: an operation that more than one state allows."""

    ANY_STATE = "any"


ANY_STATE: Final = AnyState.ANY_STATE


class Rule(NamedTuple):
    """Where an operation's states are found: in which it happens, and which it leads to.

    "arg" and "ret" are the argument and the answer, "old" and "new" the two of an argument that
    is a pair, "init" is the initial state; "" as the first says that any state will do.  Where the
    partition is `first_of_argument`, arguments and answers are pairs of the key and one of these.
    """

    needs: Literal["", "arg", "ret", "old", "new", "init"]
    leads: Literal["arg", "ret", "old", "new", "init"]


Step = Callable[[Hashable, str, Hashable, Hashable], "Hashable | Inconsistent | OneOf"]


def argument(call: Call) -> Hashable:
    """A partition: the argument is the part."""
    return call.arg


def first_of_argument(call: Call) -> Hashable:
    """A partition: the first of an argument that is a list is the part, as in [key value]."""
    items: Any = call.arg
    return items[0]  # type: ignore[no-any-return]


def _any_state(_f: str, _arg: Hashable, _ret: Hashable) -> Hashable:
    return ANY_STATE


def _update(_f: str, _arg: Hashable) -> Kind:
    return "update"


@dataclass(frozen=True, kw_only=True)
class Model:
    """A sequential specification.

    ``step(state, f, arg, ret)`` gives the next state, or Inconsistent when the operation cannot
    answer ``ret`` in this state.  ``ret`` is UNKNOWN for a call whose answer nobody heard: then
    step gives the state after the call took effect, or Inconsistent if it cannot have had one.
    A model whose operations may do one of several things answers OneOf their states; all its
    operations are of the kind "update".

    ``fs`` maps each name of an operation to what it expects, in words for messages.

    ``kind(f, arg)`` lets the search take short cuts: "read" never changes the state; "write" is
    legal in every state and always leads to the same one; "update" promises nothing.

    ``needs(f, arg, ret)`` names the one state in which the call can happen, as for a read of 3;
    ANY_STATE where there are several, none, or nobody knows.  It makes judging fast.

    ``rules`` says the same of operations of which it can be read off their values: histories of
    these alone are numbered without asking.  It must agree with step, kind and needs: with the
    first state "", an operation is a "write"; where both states are equal, a "read".  That is
    looked at where calls are many and of few kinds, and where a failure is explained.

    ``monitors`` names methods of `checker/monitors/` that may judge calls without a search, in the
    order in which they are tried.

    ``partition(call)`` names the part (key) that a call belongs to; parts are judged alone, each
    from ``init``.  None: everything is one part.  `argument` and `first_of_argument` are parts
    that are told apart fast.
    """

    name: str
    init: Hashable
    step: Step
    fs: Mapping[str, str]
    kind: Callable[[str, Hashable], Kind] = _update
    needs: Callable[[str, Hashable, Hashable], Hashable] = _any_state
    rules: Mapping[str, Rule] = field(default_factory=dict)
    partition: Callable[[Call], Hashable] | None = None
    monitors: tuple[str, ...] = ()


__all__ = [
    "ANY_STATE", "UNKNOWN", "Inconsistent", "Kind", "Model", "OneOf", "Rule", "Step", "argument",
    "first_of_argument",
]
