"""Wing-Gong-Lowe search for a linearization, over integers, in plain Python.

A configuration stands before a return event (the *frontier*) whose call is not linearized yet.
All calls that returned before are linearized, none invoked later is; what is left to say is which
of the calls open at the frontier are, as bits of recycled slots (the *window*), the numbered
state, and how many pending calls of each class were used.  Its size does not depend on the length
of the history.  (Wing & Gong, JPDC 1993; Lowe, CCPE 2017.)

Short cuts, each checked against brute force in the tests:

* Reads that are legal now are linearized now: that changes no state, and they are open now.
* Of open calls of one class only the one that returns first is tried: a linearization that uses
  another here can exchange the two.
* Once a write is linearized, every other write open at that moment is *covered*: it may as well
  have happened right before, unseen.  When a covered write returns it needs no other place.
* What nothing forces yet is put off until right before the call that sees it.  So a pending call,
  and a write that does not return next, are followed at once by a call that returns and is no
  write; before a write they would go unseen.  ``chained`` marks a configuration that owes this.
* Pending calls of one class are interchangeable, and counted.  A configuration that failed with
  some used fails with more used as well, and one that failed fails chained.
* Failed configurations are remembered when they are left.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from typing import Callable, NamedTuple, Optional, Tuple

from checker.problem import ILLEGAL, READ, WRITE, Problem, Table

LEAVES_MAX = 8
CHECK_EVERY_STEPS = 1024

# An order of calls, newest first: (the order before, the call).
Order = Optional[Tuple["Order", int]]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """When to give up: configurations tried, configurations remembered, or told so.

    ``expired`` is asked now and then; a caller that wants a limit of wall time passes a clock in
    it, and gives up determinism with it.
    """

    steps_max: int = 2_000_000
    memory_max: int = 1_000_000
    expired: Callable[[], bool] | None = None


class Leaf(NamedTuple):
    """A longest partial linearization: call numbers in order, and the state it leads to."""

    order: list[int]
    state: int


class Found(NamedTuple):
    """What a search found.

    ``valid`` None means that the budget ended, for the reason in ``cause``.  ``order`` is a
    linearization, if there is one; ``stuck`` the call whose return no order gets past; ``leaves``
    the longest partial orders, which end right there.
    """

    valid: bool | None
    order: list[int]
    stuck: int | None
    leaves: list[Leaf]
    steps: int
    cause: str = ""


Open = Tuple[int, int, int]


class Frontier(NamedTuple):
    """What is open before one return.

    ``need`` is the call that returns; it, ``reads`` and ``others`` are (call, bit, class), in the
    order of their returns; ``writes`` has the bits of the writes among them.  ``pending`` holds
    (class, how many were invoked so far) of the calls that never return.
    """

    need: Open
    reads: list[Open]
    others: list[Open]
    writes: int
    pending: tuple[tuple[int, int], ...]


class Configuration(NamedTuple):
    """See the module's text.

    ``done`` and ``covered`` are bits of calls open at the frontier, with no bit in common;
    ``used`` is the number of a multiset of pending classes.  In ``order``, ``~n`` stands for the
    covered write n, which takes its place right before the last write.
    """

    at: int
    done: int
    covered: int
    state: int
    used: int
    chained: bool
    order: Order


def frontiers(problem: Problem, table: Table) -> list[Frontier]:
    """One Frontier for each return event."""
    due = {~event: place for place, event in enumerate(problem.events) if event < 0}
    open_now: list[tuple[int, Open]] = []
    free: list[int] = []
    bits = 0
    counts: dict[int, int] = {}
    pending: tuple[tuple[int, int], ...] = ()
    result = []
    for place, event in enumerate(problem.events):
        if event < 0:
            calls = [entry for _due, entry in open_now]
            reads = [entry for entry in calls if table.kinds[entry[2]] == READ]
            others = [entry for entry in calls if table.kinds[entry[2]] != READ]
            assert open_now[0][0] == place
            writes = sum(bit for _n, bit, kind in others if table.kinds[kind] == WRITE)
            result.append(Frontier(calls[0], reads, others, writes, pending))
            free.append(calls[0][1])
            open_now.pop(0)
            continue
        number = problem.classes[event]
        if event in due:
            bits += not free
            bit = free.pop() if free else 1 << (bits - 1)
            insort(open_now, (due[event], (event, bit, number)))
        else:
            counts[number] = counts.get(number, 0) + 1
            pending = tuple(counts.items())
    return result


class Multisets:
    """Multisets of pending classes, numbered; 0 is the empty one."""

    def __init__(self) -> None:
        self.counts: list[dict[int, int]] = [{}]
        self._numbers: dict[tuple[tuple[int, int], ...], int] = {(): 0}

    def more(self, used: int, number: int) -> int:
        """The multiset with one more of a class."""
        counts = dict(self.counts[used])
        counts[number] = counts.get(number, 0) + 1
        key = tuple(sorted(counts.items()))
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.counts)
            self.counts.append(counts)
        return found

    def within(self, small: int, large: int) -> bool:
        """Is one multiset contained in the other?"""
        if small == large or small == 0:
            return True
        counts = self.counts[large]
        return all(count <= counts.get(n, 0) for n, count in self.counts[small].items())


class Memory:
    """Configurations that have failed."""

    def __init__(self, multisets: Multisets) -> None:
        self.size = 0
        self._multisets = multisets
        self._failed: dict[tuple[int, int, int, int, bool], list[int]] = {}

    def add(self, it: Configuration) -> None:
        """Remember that no linearization goes on from here."""
        key = (it.at, it.done, it.covered, it.state, it.chained)
        self._failed.setdefault(key, []).append(it.used)
        self.size += 1

    def covers(self, it: Configuration) -> bool:
        """Is it known to fail?  What fails with fewer calls used, or unchained, fails here."""
        within = self._multisets.within
        for chained in (False, True)[:1 + it.chained]:
            known = self._failed.get((*it[:4], chained), ())
            if any(within(used, it.used) for used in known):
                return True
        return False


class Search:
    """Depth first from the initial configuration; ``run`` once."""

    def __init__(self, problem: Problem, table: Table, budget: Budget) -> None:
        self.table = table
        self.budget = budget
        self.frontiers = frontiers(problem, table)
        self.multisets = Multisets()
        self.memory = Memory(self.multisets)
        self.deepest = 0
        self.leaves: dict[tuple[int, int], Configuration] = {}
        self.steps = 0
        self.classes = problem.classes
        returned = {~event for event in problem.events if event < 0}
        self.pending: dict[int, list[int]] = {}
        for number, kind in enumerate(problem.classes):
            if number not in returned:
                self.pending.setdefault(kind, []).append(number)

    def run(self) -> Found:
        """Search until a linearization is found, none can be, or the budget ends."""
        stack: list[tuple[Configuration, list[Configuration]]] = []
        fresh = self.settle(Configuration(0, 0, 0, self.table.init, 0, False, None))
        while fresh.at < len(self.frontiers):
            if not self.memory.covers(fresh):
                cause = self.spent()
                if cause:
                    return self.found(None, None, cause)
                stack.append((fresh, self.moves(fresh)))
            while stack and not stack[-1][1]:
                self.memory.add(stack.pop()[0])
            if not stack:
                return self.found(False, None)
            fresh = self.settle(stack[-1][1].pop())
        return self.found(True, fresh.order)

    def spent(self) -> str:
        """Count a step; say why the search must end, or nothing."""
        self.steps += 1
        budget = self.budget
        if self.steps > budget.steps_max:
            return f"{budget.steps_max} configurations tried"
        if self.memory.size > budget.memory_max:
            return f"{budget.memory_max} configurations remembered"
        if self.steps % CHECK_EVERY_STEPS == 0 and budget.expired and budget.expired():
            return "time is up"
        return ""

    def found(self, valid: bool | None, order: Order, cause: str = "") -> Found:
        """The result as it stands."""
        if valid:
            return Found(True, self.unwind(order), None, [], self.steps)
        stuck = self.frontiers[self.deepest].need[0]
        leaves = [Leaf(self.unwind(leaf.order), leaf.state) for leaf in self.leaves.values()]
        return Found(valid, [], stuck, leaves, self.steps, cause)

    def unwind(self, order: Order) -> list[int]:
        """The calls of an order, oldest first, covered writes right before what covers them."""
        calls: list[int] = []
        covered: list[int] = []
        while order is not None:
            order, call = order
            if call < 0:
                covered.append(~call)
                continue
            calls.append(call)
            if covered and self.table.kinds[self.classes[call]] == WRITE:
                calls += covered
                covered = []
        return calls[::-1]

    def settle(self, it: Configuration) -> Configuration:
        """Linearize the reads that are legal, move on over returns, until neither is possible."""
        at, done, covered, state, used, chained, order = it
        while at < len(self.frontiers):
            frontier = self.frontiers[at]
            for call, bit, number in frontier.reads:
                if not done & bit and self.table.step(state, number) == state:
                    done |= bit
                    chained = False
                    order = (order, call)
            if not done & frontier.need[1]:
                break
            done ^= frontier.need[1]
            at += 1
        if at > self.deepest and at < len(self.frontiers):
            self.deepest = at
            self.leaves.clear()
        return Configuration(at, done, covered, state, used, chained, order)

    def moves(self, it: Configuration) -> list[Configuration]:
        """What can be linearized next, the most promising last.

        Promising is what lets the call at the frontier return, and what uses no pending call.
        """
        frontier = self.frontiers[it.at]
        updates, writes = self.returning_moves(it, frontier)
        if not updates and it.at == self.deepest and len(self.leaves) < LEAVES_MAX:
            self.leaves.setdefault((it.done, it.state), it)
        call, need, number = frontier.need
        moves = [*self.pending_moves(it, frontier), *writes[::-1], *updates[::-1]]
        if it.covered & need and not it.chained:
            moves.append(it._replace(
                done=it.done | need, covered=it.covered & ~need, order=(it.order, ~call)
            ))
        step = self.table.step
        return sorted(
            moves, key=lambda move: bool(move.done & need) or step(move.state, number) != ILLEGAL
        )

    def returning_moves(
        self, it: Configuration, frontier: Frontier
    ) -> tuple[list[Configuration], list[Configuration]]:
        """Moves of open calls that will return, the first of each class: updates, and writes."""
        updates, writes = [], []
        seen = set()
        for call, bit, number in frontier.others:
            if it.done & bit or number in seen:
                continue
            seen.add(number)
            state = self.table.step(it.state, number)
            done, order = it.done | bit, (it.order, call)
            if not frontier.writes & bit:
                if state != ILLEGAL:
                    updates.append(
                        Configuration(it.at, done, it.covered, state, it.used, False, order)
                    )
            elif not it.chained:
                covered = frontier.writes & ~done
                early = bit != frontier.need[1]
                writes.append(Configuration(it.at, done, covered, state, it.used, early, order))
        return updates, writes

    def pending_moves(self, it: Configuration, frontier: Frontier) -> list[Configuration]:
        """Moves of calls that will never return, where they change anything."""
        moves = []
        counts = self.multisets.counts[it.used]
        for number, invoked in frontier.pending:
            count = counts.get(number, 0)
            writes = self.table.kinds[number] == WRITE
            if count == invoked or writes and it.chained:
                continue
            state = self.table.step(it.state, number)
            if state not in (ILLEGAL, it.state):
                used = self.multisets.more(it.used, number)
                order = (it.order, self.pending[number][count])
                covered = frontier.writes & ~it.done if writes else it.covered
                moves.append(Configuration(it.at, it.done, covered, state, used, True, order))
        return moves[::-1]


def search(problem: Problem, table: Table, budget: Budget = Budget()) -> Found:
    """Look for a linearization of the problem's calls."""
    return Search(problem, table, budget).run()
