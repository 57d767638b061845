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
from typing import Literal, Sequence

from checker.found import (
    ALL, CAUSES, CHECK_EVERY_STEPS, LEAVES_MAX, PATIENCE_GROWTH, Budget, Found, Help, Helper, Leaf,
    ShortCut,
)
from checker.memory import Configuration, Memory, Order
from checker.moves import Frame, Moves
from checker.problem import ILLEGAL, WRITE, Problem, Table


class Search(Moves):
    """Depth first from an initial configuration, if need be from several; ``run`` once."""

    def __init__(
        self, problem: Problem, table: Table, budget: Budget, cuts: ShortCut = ALL,
        help: Help | None = None,
    ) -> None:
        super().__init__(problem, table, cuts)
        self.problem = problem
        self.budget = budget
        self.help = help
        self.helper: Helper | None = None
        self.memory = Memory(self.multisets, self.frontiers)
        self.leaves: dict[tuple[int, int], Configuration] = {}
        self.steps = 0
        self.still_since, self.patience = 0, budget.patience
        self.over = 0           # see sweep.py: here, no class,
        self.waiting = 0        # and none in a queue
        self.steps_max = budget.steps(len(problem.classes))
        self.classes = problem.classes
        self.starts = list(problem.starts or [table.init])[::-1]

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
        if self.memory.size + self.waiting > budget.memory_max:
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
        """Go forward without a move, as far as that leads."""
        it = self.forward(it)
        if self.deepest < it.at < len(self.frontiers):
            self.deepest = it.at
            self.still_since, self.patience = self.steps, self.budget.patience
            self.leaves.clear()
        return it

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


def search(
    problem: Problem, table: Table, budget: Budget = Budget(), cuts: ShortCut = ALL,
    help: Help | None = None,
) -> Found:
    """Look for a linearization of the problem's calls, in Python."""
    return Search(problem, table, budget, cuts, help).run()
