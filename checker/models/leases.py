"""Leases with fencing tokens: a lock that may come free by itself at any moment.

When a lease ends is not judged here; what is judged holds whatever the time: tokens of grants
increase, and a lease that is told to be held is the one granted last, neither released since nor
told to have ended.  Arguments start with the lock; every lock is judged alone.
"""

from __future__ import annotations

from typing import Any, Hashable, NamedTuple

from checker.model import UNKNOWN, Inconsistent, Model, first_of_argument
from histories.value import show


class Lease(NamedTuple):
    """The newest grant: its token, and its `owner`, None when it has ended.

    A grant that nobody heard has a token that nobody knows: `heard` is false, and it is greater
    than `token`.
    """

    token: int = 0
    owner: Hashable = None
    heard: bool = True

    def has(self, token: Any, owner: Hashable) -> bool:
        """Whether the lease may be this one."""
        known = self.token == token if self.heard else self.token < token
        return self.owner is not None and self.owner == owner and known


def _step(state: Any, f: str, arg: Any, ret: Any) -> Hashable | Inconsistent:
    if f == "acquire":
        return _acquire(state, arg[1], ret)
    if f == "release":
        _, owner, token = arg
        if state.has(token, owner):
            return Lease(token)
        return Inconsistent(f"released {token} of {show(owner)}, {_describe(state)}")
    return state if ret is UNKNOWN else _told(state, *ret[1:])


def _acquire(state: Lease, owner: Hashable, ret: Any) -> Hashable | Inconsistent:
    if ret is UNKNOWN:
        return Lease(state.token, owner, heard=False)
    _, what, token, *holder = ret
    if what == "held":
        return _told(state, token, *holder)
    if token > state.token:
        return Lease(token, owner)
    return Inconsistent(f"granted with token {token}, {state.token} was granted before")


def _told(state: Lease, token: Any, owner: Hashable) -> Hashable | Inconsistent:
    """Somebody was told who holds it."""
    if owner is None:
        return Lease(state.token)
    if state.has(token, owner):
        return Lease(token, owner)
    return Inconsistent(f"held by {show(owner)} with token {token}, {_describe(state)}")


def _describe(state: Lease) -> str:
    if state.owner is None:
        return f"the lease {state.token} has ended"
    which = f"token {state.token}" if state.heard else f"a token greater than {state.token}"
    return f"{show(state.owner)} holds it with {which}"


fenced_lease = Model(
    name="fenced-lease", init=Lease(), step=_step, partition=first_of_argument,
    fs={
        "acquire": "[lock owner ticks]; answers [lock \"granted\" token] or "
                   "[lock \"held\" token owner]",
        "release": "[lock owner token]; ok means that the owner held it",
        "holder": "[lock]; answers [lock token owner], both nil when it is free",
    },
)
