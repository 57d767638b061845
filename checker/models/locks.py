"""Locks: who may go on.

A plain mutex does not know who holds it.  The others are told: an argument names the owner, who
is never nil: nobody could be told from somebody, and two at once would look like none.
"""

from __future__ import annotations

from typing import Any, Hashable

from checker.model import ANY_STATE, UNKNOWN, Inconsistent, Model
from histories.errors import UsageError
from histories.value import show


def _plain(state: Hashable, f: str, _arg: Hashable, _ret: Hashable) -> Hashable | Inconsistent:
    if f == "acquire":
        return Inconsistent("acquired, the mutex is held already") if state else True
    return False if state else Inconsistent("released, nobody holds the mutex")


mutex = Model(
    name="mutex", init=False, step=_plain, needs=lambda f, _arg, _ret: f == "release",
    fs={"acquire": "anything; not looked at", "release": "anything; not looked at"},
)

_OWNER = {"acquire": "the owner", "release": "the owner"}


def _held(owner: Hashable) -> str:
    return "nobody holds the mutex" if owner is None else f"{show(owner)} holds the mutex"


def _named(owner: Hashable) -> None:
    """Refuse who is nobody."""
    if owner is None:
        raise ValueError("nil is no owner")


def _owned(state: Hashable, f: str, owner: Hashable, _ret: Hashable) -> Hashable | Inconsistent:
    """The state is the owner."""
    _named(owner)
    needed, after = (None, owner) if f == "acquire" else (owner, None)
    return after if state == needed else Inconsistent(f"{f}d by {show(owner)}, {_held(state)}")


owner_mutex = Model(
    name="owner-mutex", init=None, step=_owned, fs=_OWNER,
    needs=lambda f, owner, _ret: None if f == "acquire" else owner,
)


def _reentrant(state: Any, f: str, owner: Hashable, _ret: Hashable) -> Hashable | Inconsistent:
    """The state is the owner, and how often."""
    _named(owner)
    holder, depth = state
    if f == "acquire" and holder in (None, owner):
        return owner, depth + 1
    if f == "release" and holder == owner and depth:
        return (owner, depth - 1) if depth > 1 else (None, 0)
    return Inconsistent(f"{f}d by {show(owner)}, {_held(holder)}")


reentrant_mutex = Model(name="reentrant-mutex", init=(None, 0), step=_reentrant, fs=_OWNER)


def _fenced(state: Any, f: str, owner: Hashable, ret: Any) -> Hashable | Inconsistent:
    """The state is the owner, and the greatest token that was told."""
    _named(owner)
    holder, token = state
    if holder != (None if f == "acquire" else owner):
        return Inconsistent(f"{f}d by {show(owner)}, {_held(holder)}")
    if f == "release":
        return None, token
    if ret is UNKNOWN or ret > token:
        return owner, token if ret is UNKNOWN else ret
    return Inconsistent(f"acquired with token {show(ret)}, {show(token)} was told before")


fenced_mutex = Model(
    name="fenced-mutex", init=(None, 0), step=_fenced,
    fs={"acquire": "the owner; answers a token, a number greater than all before",
        "release": "the owner"},
)


def _lease(state: Hashable, f: str, owner: Hashable, ret: Hashable) -> Hashable | Inconsistent:
    """The state is the owner; since a lease may end at any moment, anybody can acquire it."""
    if f == "holder":
        if ret in (UNKNOWN, None, state):
            return state if ret is UNKNOWN else ret
        return Inconsistent(f"told that {show(ret)} holds the lease, {_leased(state)}")
    _named(owner)
    if f == "acquire":
        return owner
    if state == owner:
        return owner if f == "renew" else None
    return Inconsistent(f"{f.rstrip('e')}ed by {show(owner)}, {_leased(state)}")


def _leased(owner: Hashable) -> str:
    return "it has ended" if owner is None else f"{show(owner)} was the last to get it"


lease = Model(
    name="lease", init=None, step=_lease,
    kind=lambda f, _arg: "write" if f == "acquire" else "update",
    needs=lambda f, owner, _ret: owner if f in ("release", "renew") else ANY_STATE,
    fs={"acquire": "the owner; ok means that it was granted, since the one before had ended",
        "renew": "the owner; ok means that it still held",
        "release": "the owner; ok means that it still held",
        "holder": "anything; answers the owner, nil when it has ended"},
)


def semaphore(permits: int) -> Model:
    """A semaphore of so many permits; its state is how many are free.

    UsageError if there is not even one.
    """
    if permits < 1:
        raise UsageError(f"a semaphore of {permits} permits lets nobody in")

    def step(free: Any, f: str, arg: Any, _ret: Hashable) -> Hashable | Inconsistent:
        count = 1 if arg is None else arg
        after = free - count if f == "acquire" else free + count
        if 0 <= after <= permits:
            return after  # type: ignore[no-any-return]
        return Inconsistent(f"{f}d {show(count)}, {show(free)} of {permits} permits are free")

    fs = {"acquire": "nothing (one) or how many permits",
          "release": "nothing (one) or how many permits"}
    return Model(name=f"semaphore:{permits}", init=permits, step=step, fs=fs)
