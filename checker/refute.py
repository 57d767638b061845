"""Local refutation: a window of the history that nothing gets through, whatever happened before.

Where a search stands still, at the return of a call, it is cheap to ask whether anything at all
could get past it.  A *window* ends at that return and begins some events before.  Taken alone it is
a problem of its own, which allows more than the history does:

* it may begin in any state;
* calls that were invoked before it and return within may happen in it, or have happened before;
* calls that never return, and were invoked before it, are all still there to be used.

Cut any order of the whole history, up to that return, where the window begins: what follows is an
order of the window.  So if the window has none, the history has none, and no prefix that ends
there; and as the search got to that return, no shorter prefix fails.  The cost is that of the
window, where a search from the beginning tries every way to use up calls that never return.

States that no call of the window needs are alike: from each of them only writes are legal, until
the first.  So it begins in those that are needed, and one other.  Where some call that is no write
does not say which state it needs, nothing is said.

Windows grow twofold, until one has no order or the steps are spent.
"""

from __future__ import annotations

from array import array

from checker.found import ALL, Budget, Found, Helper
from checker.native import search, sweep
from checker.problem import ANYWHERE, ILLEGAL, READ, UNASKED, WRITE, Problem, Table


SWEEP_PATIENCE, SWEEP_STEPS = 16_000, 4
SWEEP_WIDTH_MAX = 50_000    # configurations at one return: each is compared with many others


def decide(problem: Problem, table: Table, budget: Budget = Budget()) -> Found:
    """Search for an order of the calls: depth first, which is what most histories take.

    Where that stands still, what is stuck is refuted locally; where that fails, for long, the
    history is swept, breadth first, and depth goes on if that ends in nothing.
    """
    return search(problem, table, budget, ALL, help_search)


def help_search(problem: Problem, table: Table, budget: Budget) -> Helper:
    """Help for a depth-first search that stands still."""
    return Refuter(problem, table, budget).help


class Refuter:
    """Asked about one return after another of a problem, never an earlier one.

    ``live`` maps the calls that were invoked before the event ``at`` and have not returned, to
    the places of their invocations, in that order.  ``reached`` are the states that the calls
    invoked so far may have led to; UNASKED among them stands for any.
    """

    def __init__(self, problem: Problem, table: Table, budget: Budget = Budget()) -> None:
        self.problem, self.table = problem, table
        self.budget = budget
        self.at = 0
        self.live: dict[int, int] = {}
        self.reached = {table.init}

    def help(self, stuck: int, steps: int) -> bool | Found:
        """Is the return of this call refuted?  A sweep may say what is found instead.

        It may take a few times as long as depth has stood still, so that both get their turn.
        """
        if self.refuted(stuck, steps):
            return True
        if steps < SWEEP_PATIENCE:
            return False
        most = self.budget.steps(len(self.problem.classes))
        found = sweep(self.problem, self.table, self.budget._replace(
            steps_max=min(most, SWEEP_STEPS * steps),
            memory_max=min(self.budget.memory_max, SWEEP_WIDTH_MAX)))
        return False if found.valid is None else found

    def refuted(self, stuck: int, steps: int) -> bool:
        """Has a window that ends at this call's return no order?  False if that is not found."""
        self.go_to(stuck)
        size = self.at - self.live[stuck]
        while steps > 0:
            first = max(0, self.at - size)
            window = self.window(first)
            starts = self.starts(window)
            if not starts:
                return False
            found = search(window._replace(starts=starts), self.table,
                           self.budget._replace(steps_max=steps))
            if found.valid is not True or first == 0:
                return found.valid is False
            steps -= found.steps
            size *= 2
        return False

    def go_to(self, stuck: int) -> None:
        """Come to the event at which a call returns."""
        problem, kinds, targets = self.problem, self.table.kinds, self.table.targets
        end = problem.events.index(~stuck, self.at)
        passed = problem.events[self.at:end]
        returned = {~event for event in passed if event < 0}
        for call in [call for call in self.live if call in returned]:
            del self.live[call]
        self.live.update([(event, at) for at, event in enumerate(passed, self.at)
                          if event >= 0 and event not in returned])
        self.reached.update(
            targets[number]
            for number in sorted({problem.classes[event] for event in passed if event >= 0})
            if kinds[number] != READ and targets[number] != ILLEGAL)
        self.at = end

    def window(self, first: int) -> Problem:
        """The window from an event up to and with the return at ``at``; its calls renumbered."""
        events = self.problem.events[first:self.at + 1]
        invoked = {event for event in events if event >= 0}
        returned = {~event for event in events if event < 0}
        before = [call for call, place in self.live.items() if place < first]
        before += sorted(returned - invoked)
        kinds, classes = self.table.kinds, self.problem.classes
        kept = [event for event in [*before, *events] if (
            ~event in invoked if event < 0
            else event in returned and event in invoked or kinds[classes[event]] != READ)]
        calls = [event for event in kept if event >= 0]
        numbers = {call: number for number, call in enumerate(calls)}
        return Problem(
            array("i", [numbers[event] if event >= 0 else ~numbers[~event] for event in kept]),
            array("i", [classes[call] for call in calls]),
            lambda number: self.problem.call(calls[number]))

    def starts(self, window: Problem) -> tuple[int, ...]:
        """The states that it may begin in, of those that are alike one; none if nobody knows."""
        kinds, needs = self.table.kinds, self.table.needs
        needed = {needs[number] for number in set(window.classes) if kinds[number] != WRITE}
        if ANYWHERE in needed:
            return ()
        possible = sorted(self.reached)
        if UNASKED in self.reached:
            possible = list(range(len(self.table.states)))
        others = [state for state in possible if state not in needed]
        return tuple([state for state in possible if state in needed] + others[:1])
