"""Wing-Gong-Lowe search for a linearization, over integers, in plain Python.

A configuration stands before a return event (the *frontier*) whose call is not linearized yet.
All calls that returned before are linearized, none invoked later is; what is left to say is which
of the calls open at the frontier are, as bits of recycled slots (the *window*), the numbered
state, and how many pending calls of each class were used.  Its size does not depend on the length
of the history.  (Wing & Gong, JPDC 1993; Lowe, CCPE 2017.)

`checker/_search.cpp` is the same search, move by move: both find the same, in the same number of
steps.  The short cuts, of which each can be switched off, so that tests can show it to be sound:

* READS: reads that are legal now are linearized now: that changes no state, and they are open now.
* FIRST: of open calls of one class only the one that returns first is tried: a linearization that
  uses another here can exchange the two.
* COVER: once a write is linearized, every other write open at that moment is *covered*: it may as
  well have happened right before, unseen.  When a covered write returns it needs no other place.
  So a write that does not return next is put off until right before a call that returns and is no
  write; before a write it would go unseen.
* LATE: so is a pending call, unless another pending call that is no write follows it at once.
  ``chained`` marks a configuration that owes such a call.
* BLAME: a configuration fails for want of some classes of pending calls, those that it, or what it
  led to, would have used and had used up.  It fails just as well with any number of the others
  used, so they are forgotten when it is remembered.
* DEAD: a call that needs a certain state is lost when that is not the state now, and no call open
  or pending leads there, nor one that is invoked before it returns.  Asked of calls that return no
  later than the deepest frontier: a lost one further on must not hide how far an order gets.

Where the search stands still, it asks whether it is known that nothing gets past that place:
``checker/refute.py`` looks at what was open and pending there, not at how it came to be.

Besides, pending calls of one class are interchangeable, and counted.  Failed configurations are
remembered when they are left, so that the memory holds failures only; a configuration fails when
one failed that was at least as well off: that had used no more pending calls, had every read done
that this one has, and covered every write that this one has done or covered.  (One that failed
chained may have failed for what it owed, and says nothing of others.)
"""

from __future__ import annotations

from array import array
from typing import Literal, NamedTuple, Optional, Sequence, Tuple

from checker.found import (
    ALL, CAUSES, CHECK_EVERY_STEPS, LEAVES_MAX, PATIENCE_GROWTH, Budget, Found, Help, Helper, Leaf,
    ShortCut,
)
from checker.problem import ANYWHERE, ILLEGAL, READ, UPDATE, WRITE, Problem, Table
from checker.window import Frontier, frontiers, rescues

# An order of calls, newest first: (the order before, the call).
Order = Optional[Tuple["Order", int]]


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


class Frame:
    """A configuration on the way from the initial one, its moves left, and what it is blamed on.

    ``blame`` is a set of pending classes, as bits.
    """

    def __init__(self, it: Configuration) -> None:
        self.it = it
        self.moves: list[Configuration] = []
        self.blame = 0


class Multisets:
    """Multisets of pending classes, numbered; 0 is the empty one.

    ``counts`` and ``bits`` go by those numbers; in ``bits`` a class has a bit, which it may share.
    """

    def __init__(self) -> None:
        self.counts: list[dict[int, int]] = [{}]
        self.bits: list[int] = [0]
        self._numbers: dict[tuple[tuple[int, int], ...], int] = {(): 0}

    def bit(self, number: int) -> int:
        """The bit of a class."""
        return 1 << number % 64

    def more(self, used: int, number: int) -> int:
        """The multiset with one more of a class."""
        counts = dict(self.counts[used])
        counts[number] = counts.get(number, 0) + 1
        return self._number(counts)

    def only(self, used: int, bits: int) -> int:
        """The multiset with these classes only."""
        if not self.bits[used] & ~bits:
            return used
        counts = {n: count for n, count in self.counts[used].items() if self.bit(n) & bits}
        return self._number(counts)

    def _number(self, counts: dict[int, int]) -> int:
        key = tuple(sorted(counts.items()))
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.counts)
            self.counts.append(counts)
            self.bits.append(sum({self.bit(number) for number in counts}))
        return found

    def within(self, small: int, large: int) -> bool:
        """Is one multiset contained in the other?"""
        if small == large or small == 0:
            return True
        counts = self.counts[large]
        return all(count <= counts.get(n, 0) for n, count in self.counts[small].items())


class Failure(NamedTuple):
    """What is remembered of a configuration that failed, under its frontier and state."""

    done: int
    covered: int
    used: int
    chained: bool


class Memory:
    """Configurations that have failed, and what fails because they did."""

    def __init__(self, multisets: Multisets, frontiers: list[Frontier]) -> None:
        self.size = 0
        self._multisets = multisets
        self._frontiers = frontiers
        self._failed: dict[tuple[int, int], list[Failure]] = {}

    def add(self, it: Configuration, used: int) -> None:
        """Remember that no linearization goes on from here, with ``used`` or more used."""
        failure = Failure(it.done, it.covered, used, it.chained)
        self._failed.setdefault((it.at, it.state), []).append(failure)
        self.size += 1

    def covering(self, it: Configuration) -> int | None:
        """The multiset that it is known to fail with, if it is: contained in its own."""
        for failure in self._failed.get((it.at, it.state), ()):
            if self._dooms(failure, it) and self._multisets.within(failure.used, it.used):
                return failure.used
        return None

    def _dooms(self, failure: Failure, it: Configuration) -> bool:
        """Is the failed configuration at least as well off?"""
        done, covered, _used, chained = failure
        if chained:
            return it.chained and done == it.done and covered == it.covered
        frontier = self._frontiers[it.at]
        fixed = ~frontier.reads & ~covered
        return not (it.done & frontier.reads & ~done
                    or (done ^ it.done) & fixed
                    or it.covered & ~covered)


class Search:
    """Depth first from an initial configuration, if need be from several; ``run`` once."""

    def __init__(
        self, problem: Problem, table: Table, budget: Budget, cuts: ShortCut = ALL,
        help: Help | None = None,
    ) -> None:
        self.problem = problem
        self.table = table
        self.help = help
        self.helper: Helper | None = None
        self.budget = budget
        self.cuts = cuts
        self.frontiers = frontiers(problem, table)
        self.rescues = rescues(problem, table) if ShortCut.DEAD in cuts else None
        self.multisets = Multisets()
        self.memory = Memory(self.multisets, self.frontiers)
        self.deepest = 0
        self.leaves: dict[tuple[int, int], Configuration] = {}
        self.steps = 0
        self.still_since, self.patience = 0, budget.patience
        self.heeded, self.over = -1, 0      # see sweep.py: here, all classes and none
        self.steps_max = budget.steps(len(problem.classes))
        self.classes = problem.classes
        returned = {~event for event in problem.events if event < 0}
        self.pending: dict[int, list[int]] = {}
        for event in problem.events:
            if event >= 0 and event not in returned:
                self.pending.setdefault(problem.classes[event], []).append(event)
        self.starts = list(problem.starts or [table.init])[::-1]
        self.due = {frontier.calls[0][0]: at for at, frontier in enumerate(self.frontiers)}

    def run(self) -> Found:
        """Search until a linearization is found, none can be, or the budget ends."""
        stack: list[Frame] = []
        fresh = self.start()
        while fresh.at < len(self.frontiers):
            known = self.memory.covering(fresh)
            if known is not None:
                if stack:
                    stack[-1].blame |= self.multisets.bits[known]
            else:
                cause = self.spent()
                if cause:
                    return self.found(None, None, cause)
                helped = self.helped()
                if helped is not False:
                    return helped
                stack.append(Frame(fresh))
                stack[-1].moves = self.moves(stack[-1])[::-1]
            while stack and not stack[-1].moves:
                self.leave(stack)
            if not stack and not self.starts:
                return self.found(False, None)
            fresh = self.settle(stack[-1].moves.pop()) if stack else self.start()
        return self.found(True, fresh.order)

    def start(self) -> Configuration:
        """The next initial configuration."""
        return self.settle(Configuration(0, 0, 0, self.starts.pop(), 0, False, None))

    def leave(self, stack: list[Frame]) -> None:
        """Remember that a frame has failed; what it is blamed on, so is the one below."""
        frame = stack.pop()
        used = frame.it.used
        if ShortCut.BLAME in self.cuts:
            used = self.multisets.only(used, frame.blame)
        self.memory.add(frame.it, used)
        if stack:
            stack[-1].blame |= self.multisets.bits[used]

    def spent(self) -> str:
        """Count a step; say why the search must end, or nothing."""
        self.steps += 1
        budget = self.budget
        if self.steps > self.steps_max:
            return CAUSES[1].format(self.steps_max)
        if self.memory.size > budget.memory_max:
            return CAUSES[2].format(budget.memory_max)
        if self.steps % CHECK_EVERY_STEPS == 0 and budget.expired and budget.expired():
            return CAUSES[3]
        return ""

    def helped(self) -> Found | Literal[False]:
        """What help says, asked when patience ends; False: go on."""
        if self.help is None or self.steps - self.still_since < self.patience:
            return False
        steps, self.still_since = self.patience, self.steps
        self.patience *= PATIENCE_GROWTH
        self.helper = self.helper or self.help(self.problem, self.table, self.budget)
        said = self.helper(self.stuck(), steps)
        if isinstance(said, Found):
            return said._replace(steps=said.steps + self.steps)
        return said and self.found(False, None)

    def stuck(self) -> int:
        """The call that returns at the deepest frontier."""
        return self.frontiers[self.deepest].calls[0][0]

    def found(self, valid: bool | None, order: Order, cause: str = "") -> Found:
        """The result as it stands."""
        if valid:
            return Found(True, self.unwind(order), None, [], self.steps)
        leaves = [Leaf(self.unwind(leaf.order), leaf.state) for leaf in self.leaves.values()]
        return Found(valid, array("i"), self.stuck(), leaves, self.steps, cause)

    def unwind(self, order: Order) -> Sequence[int]:
        """The calls of an order, oldest first, covered writes right before what covers them."""
        calls = array("i")
        covered = array("i")
        while order is not None:
            order, call = order
            if call < 0:
                covered.append(~call)
                continue
            calls.append(call)
            if covered and self.table.kinds[self.classes[call]] == WRITE:
                calls += covered
                covered = array("i")
        return calls[::-1]

    def settle(self, it: Configuration) -> Configuration:
        """Linearize the reads that are legal, move on over returns, until neither is possible."""
        at, done, covered, state, used, chained, order = it
        kinds, step = self.table.kinds, self.table.step
        while at < len(self.frontiers):
            calls = self.frontiers[at].calls
            if ShortCut.READS in self.cuts:
                for call, bit, number in calls:
                    if not done & bit and kinds[number] == READ and step(state, number) == state:
                        done |= bit
                        chained = False
                        order = (order, call)
            if not done & calls[0][1]:
                break
            done ^= calls[0][1]
            at += 1
        if at > self.deepest and at < len(self.frontiers):
            self.deepest = at
            self.still_since, self.patience = self.steps, self.budget.patience
            self.leaves.clear()
        return Configuration(at, done, covered, state, used, chained, order)

    def moves(self, frame: Frame) -> list[Configuration]:
        """What can be linearized next, the most promising first.

        Promising is what lets the call at the frontier return, then what uses no pending call.
        """
        it = frame.it
        frontier = self.frontiers[it.at]
        dead = self.dead(frame, frontier)
        updates, writes = ([], []) if dead else self.returning_moves(it, frontier)
        if not updates and it.at == self.deepest and not self.over:
            if len(self.leaves) < LEAVES_MAX:
                self.leaves.setdefault((it.done, it.state), it)
        if dead:
            return []
        call, need, number = frontier.calls[0]
        moves = [*updates, *writes, *self.pending_moves(frame, frontier)]
        if it.covered & need and not it.chained:
            moves.insert(0, it._replace(
                done=it.done | need, covered=it.covered & ~need, order=(it.order, ~call)
            ))
        step = self.table.step
        return sorted(
            moves, key=lambda move: not move.done & need and step(move.state, number) == ILLEGAL
        )

    def dead(self, frame: Frame, frontier: Frontier) -> bool:
        """Is a call lost that returns at the deepest frontier or before?"""
        if self.rescues is None:
            return False
        it, table = frame.it, self.table
        within_reach: set[int] | None = None
        for call, bit, number in frontier.calls:
            need = table.needs[number]
            if self.due[call] > self.deepest:
                break
            if it.done & bit or need in (ANYWHERE, it.state) or self.rescues[call] > it.at:
                continue
            if within_reach is None:
                within_reach = self.within_reach(it, frontier)
            if need not in within_reach:
                frame.blame |= self.used_up(it, frontier, need)
                return True
        return False

    def within_reach(self, it: Configuration, frontier: Frontier) -> set[int]:
        """The states that open and pending calls lead to."""
        targets, kinds = self.table.targets, self.table.kinds
        counts = self.multisets.counts[it.used]
        open_now = {targets[number] for _call, bit, number in frontier.calls
                    if not it.done & bit and kinds[number] != READ}
        pending = {targets[number] for number, invoked in frontier.pending
                   if not self.exhausted(counts, number, invoked)}
        return open_now | pending

    def exhausted(self, counts: dict[int, int], number: int, invoked: int) -> bool:
        """Are all calls of a pending class used up?"""
        return counts.get(number, 0) >= invoked and bool(self.heeded & self.multisets.bit(number))

    def used_up(self, it: Configuration, frontier: Frontier, target: int) -> int:
        """The pending classes that would lead to a state, had they not been used up."""
        counts = self.multisets.counts[it.used]
        return sum({self.multisets.bit(number) for number, invoked in frontier.pending
                    if self.table.targets[number] == target
                    and self.exhausted(counts, number, invoked)})

    def seen(self, done: int, state: int, frontier: Frontier) -> bool:
        """Can a call that is no write follow at once in this state?"""
        kinds, step = self.table.kinds, self.table.step
        return any(kinds[number] == UPDATE for number, _invoked in frontier.pending) or any(
            not done & bit and kinds[number] != WRITE and step(state, number) != ILLEGAL
            for _call, bit, number in frontier.calls
        )

    def returning_moves(
        self, it: Configuration, frontier: Frontier
    ) -> tuple[list[Configuration], list[Configuration]]:
        """Moves of open calls that will return, the first of each class: updates, and writes."""
        updates, writes = [], []
        seen = set()
        kinds = self.table.kinds
        for call, bit, number in frontier.calls:
            if it.done & bit or ShortCut.FIRST in self.cuts and number in seen:
                continue
            if kinds[number] == READ and ShortCut.READS in self.cuts:
                continue
            seen.add(number)
            state = self.table.step(it.state, number)
            if state == ILLEGAL:
                continue
            done, order = it.done | bit, (it.order, call)
            if kinds[number] != WRITE:
                updates.append(
                    Configuration(it.at, done, it.covered, state, it.used, False, order)
                )
            elif not it.chained:
                early = ShortCut.COVER in self.cuts and bit != frontier.calls[0][1]
                covered = frontier.writes & ~done if ShortCut.COVER in self.cuts else 0
                if not early or self.seen(done, state, frontier):
                    writes.append(
                        Configuration(it.at, done, covered, state, it.used, early, order)
                    )
        return updates, writes

    def pending_moves(self, frame: Frame, frontier: Frontier) -> list[Configuration]:
        """Moves of calls that will never return, where they change anything that is seen."""
        it, moves = frame.it, []
        late = ShortCut.LATE in self.cuts
        counts = self.multisets.counts[it.used]
        for number, invoked in frontier.pending:
            writes = self.table.kinds[number] == WRITE
            state = self.table.step(it.state, number)
            if state in (ILLEGAL, it.state) or writes and it.chained:
                continue
            if late and not self.seen(it.done, state, frontier):
                continue
            if self.exhausted(counts, number, invoked):
                frame.blame |= self.multisets.bit(number)
                continue
            used = self.multisets.more(it.used, number)
            calls = self.pending[number]
            order = (it.order, calls[min(counts.get(number, 0), len(calls) - 1)])
            covers = writes and ShortCut.COVER in self.cuts
            covered = frontier.writes & ~it.done if covers else it.covered
            chained = late or it.chained
            moves.append(Configuration(it.at, it.done, covered, state, used, chained, order))
        return moves


def search(
    problem: Problem, table: Table, budget: Budget = Budget(), cuts: ShortCut = ALL,
    help: Help | None = None,
) -> Found:
    """Look for a linearization of the problem's calls, in Python."""
    return Search(problem, table, budget, cuts, help).run()
