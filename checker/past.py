"""What an online check keeps of calls that it has forgotten: how they may have ended.

A Past is one way in which everything up to a *cut* can have gone: the state, and what became of
the calls that are still known, those that return behind the cut and those that never do.  From it
and the calls behind the cut comes an ordinary problem for the ordinary search.  `advance` moves the
cut on for all of them at once: it collects the configurations behind the cut that the moves of that
same search lead to, so each of its short cuts serves here too, and what is no better off than
another is left out.  (Just-in-time linearization: Lowe, CCPE 2017.)
"""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Hashable, Iterable, Mapping, NamedTuple, Sequence, Tuple

from checker.found import Budget
from checker.memory import Configuration
from checker.model import Kind, Model
from checker.moves import Frame
from checker.problem import Table, build
from checker.search import Search
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
    search = Search(problem, table, Budget())
    names = [name(problem.call(n)) for n in range(len(problem.classes))]
    returns = sum(call.end is not None and call.end < cut for call in left
                  if call.outcome == "ok")
    fresh = [search.settle(_begin(search, past, names)) for past in reversed(pasts)]
    behind = {call.start for call in left if call.end is not None and call.end > cut}
    reached = _reach(search, fresh, returns, most)
    return None if reached is None else [_past(search, it, names, behind) for it in reached]


def _begin(search: Search, past: Past, names: list[int]) -> Configuration:
    """The configuration that a past is, before the first return that is not done."""
    at = next((at for at, frontier in enumerate(search.frontiers)
               if names[frontier.calls[0][0]] not in past.done), len(search.frontiers))
    calls = search.frontiers[at].calls if at < len(search.frontiers) else []
    used = 0
    for key in sorted(past.used, key=show):
        number = search.table.classify(Call(-1, *key, UNKNOWN, -1, None, "info"))
        for _each in range(past.used[key]):
            used = search.multisets.more(used, number)
    return Configuration(
        at, sum(bit for n, bit, _class in calls if names[n] in past.done),
        sum(bit for n, bit, _class in calls if names[n] in past.covered),
        table_from(search.table, past.state).init, used, False, None)


def _past(search: Search, it: Configuration, names: list[int], behind: set[int]) -> Past:
    """The past that a configuration stands for; ``behind`` are the calls that return later."""
    at = search.frontiers[it.at:]
    waiting = {frontier.calls[0][0] for frontier in at}
    open_now = at[0].calls if at else []
    done = {names[n] for n in search.due if n not in waiting}
    done.update(names[n] for n, bit, _class in open_now if it.done & bit)
    classes = search.table.classes
    used = {(classes[n].f, classes[n].arg): count
            for n, count in search.multisets.counts[it.used].items()}
    return Past(
        search.table.states[it.state], frozenset(done & behind),
        frozenset(names[n] for n, bit, _class in open_now if it.covered & bit), Counter(used))


def _reach(
    search: Search, fresh: list[Configuration], returns: int, most: int
) -> list[Configuration] | None:
    """The configurations behind so many returns, without those no better off than another."""
    reached: list[Configuration] = []
    while fresh:
        it = fresh.pop()
        if it.at < len(search.frontiers):
            if search.memory.covering(it) is not None:
                continue
            search.memory.add(it, it.used)
        if it.at >= returns:
            reached.append(it)
        else:
            fresh += map(search.settle, reversed(search.moves(Frame(it))))
        if search.memory.size + len(reached) > most:
            return None
    return reached
