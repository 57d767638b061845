"""What an online check keeps of calls that it has forgotten: how they may have ended.

A Past is one way in which everything up to a *cut* can have gone: the state, and what became of
the calls that are still known, those that return behind the cut and those that never do.  From it
and the calls behind the cut comes an ordinary problem for the ordinary search.  `advance` moves the
cut on for all of them at once (`checker/reach.py`).  (Just-in-time linearization: Lowe, CCPE 2017.)
"""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Hashable, Iterable, Mapping, NamedTuple, Sequence, Tuple

from checker.model import Kind, Model
from checker.native import reach
from checker.problem import Table, build
from checker.reach import Stand
from histories.history import UNKNOWN, Call
from histories.value import show

SETTLED = "(before)"    # a call of our own, which stands for what was forgotten,
AT_SETTLED = -1         # and where it is put
Key = Tuple[str, Hashable]


class Lost(NamedTuple):
    """Calls of the forgotten past that never returned, alike but for the moment."""

    call: Call
    many: int


def name(call: Call) -> int:
    """The op that invokes a call, wherever it was put; below 0 for the call `settled`."""
    return call.start if call.start >= AT_SETTLED else AT_SETTLED - 1 - call.start


@dataclass(frozen=True)
class Past:
    """One way that the past can have gone.

    ``done`` names calls that took effect before the cut and return behind it, by the op that
    invokes them.  The ``covered`` ones may have, unseen, right before the last write.  ``used``
    counts the lost calls that took effect.
    """

    state: Hashable
    done: frozenset[int] = frozenset()
    covered: frozenset[int] = frozenset()
    used: "Counter[Key]" = field(default_factory=Counter)

    def is_worse(self, other: "Past") -> bool:
        """Can the other one do whatever this one can?"""
        return (self.state == other.state and self.done == other.done
                and self.covered == other.covered and other.used <= self.used)

    def left(self, lost: Mapping[Key, Lost], window: Iterable[Call]) -> list[Call]:
        """What is left of the calls behind the cut, and of the lost ones, in order.

        Where calls are covered, a write of the state stands before all others, and only they
        overlap it: each can take effect before it, unseen, or after it.
        """
        left = [call for call in window if call.start not in self.done]
        for key, (call, many) in lost.items():
            left += [call] * (many - self.used[key])
        if self.covered:
            left = [call._replace(start=AT_SETTLED - 1 - call.start)
                    if call.start in self.covered else call for call in left]
            left.append(settled(self.state))
        return sorted(left, key=lambda call: call.start)


def settled(state: Hashable) -> Call:
    """A write of a whole state, before all else."""
    return Call(-1, SETTLED, state, state, AT_SETTLED, AT_SETTLED, "ok")


def with_settled(model: Model) -> Model:
    """The model with the call `settled`, and without parts, which are judged alone."""
    def step(state: Hashable, f: str, arg: Hashable, ret: Hashable) -> Hashable:
        return arg if f == SETTLED else model.step(state, f, arg, ret)

    def kind(f: str, arg: Hashable) -> Kind:
        return "write" if f == SETTLED else model.kind(f, arg)

    return replace(model, step=step, kind=kind, partition=None, rules={}, monitors=(),
                   fs={**model.fs, SETTLED: "the state"})


def table_from(table: Table, state: Hashable) -> Table:
    """The same table, whose model begins in this state."""
    begun = copy(table)
    begun.init = table.targets[table.classify(settled(state))]
    return begun


def advance(
    pasts: Sequence[Past], left: Sequence[Call], cut: int, table: Table, most: int
) -> list[Past] | None:
    """All that the past can be once the cut has moved; None if that takes too long to say.

    ``left`` has every call that is left for any of the pasts; those invoked before the cut must
    have ended by now.
    """
    problem = build(left, table)
    names = [name(problem.call(n)) for n in range(len(problem.classes))]
    until = sum(call.end is not None and call.end < cut for call in left if call.outcome == "ok")
    later = {name(call) for call in left if call.end is not None and call.end > cut}
    returns = [~event for event in problem.events if event < 0]
    begun = [_begun(past, returns, names, table) for past in pasts]
    reached = reach(problem, table, begun, until, most)
    if reached is None:
        return None
    behind = [place for place, n in enumerate(returns) if names[n] in later]
    return [_past(stand, names, [returns[place] for place in behind if place < stand.at], table)
            for stand in reached]


def _begun(past: Past, returns: list[int], names: list[int], table: Table) -> Stand:
    """Where a past stands, before the first return that is not done."""
    used = []
    for key in sorted(past.used, key=show):
        number = table.classify(Call(-1, *key, UNKNOWN, -1, None, "info"))
        used.append((number, past.used[key]))
    at = next((at for at, n in enumerate(returns) if names[n] not in past.done), len(returns))
    done = [n for n in returns[at:] if names[n] in past.done] if past.done else []
    covered = [n for n in returns[at:] if names[n] in past.covered] if past.covered else []
    return Stand(at, table_from(table, past.state).init, done, covered, used)


def _past(stand: Stand, names: list[int], returned: list[int], table: Table) -> Past:
    """The past that a stand is; ``returned`` are the calls behind the cut before it."""
    used = {(table.classes[n].f, table.classes[n].arg): many for n, many in stand.used}
    return Past(
        table.states[stand.state], frozenset(names[n] for n in [*returned, *stand.done]),
        frozenset(names[n] for n in stand.covered), Counter(used))
