"""What can follow a configuration: the moves of the plain search, and what makes them needless.

`checker/search.py` says why each short cut is sound.
"""

from __future__ import annotations

from checker.found import ShortCut
from checker.memory import Configuration, Multisets
from checker.problem import ANYWHERE, ILLEGAL, READ, UPDATE, WRITE, Problem, Table
from checker.window import Frontier, frontiers, rescues


class Frame:
    """A configuration on the way from the initial one, its moves left, and what it is blamed on.

    ``blame`` is a set of pending classes, as bits.
    """

    def __init__(self, it: Configuration) -> None:
        self.it = it
        self.moves: list[Configuration] = []
        self.blame = 0


class Moves:
    """The moves of a problem.

    ``pending`` has the calls that never return by class, ``due`` the frontiers of those that do,
    ``deepest`` is the last frontier that was reached.
    """

    def __init__(self, problem: Problem, table: Table, cuts: ShortCut) -> None:
        self.table = table
        self.cuts = cuts
        self.frontiers = frontiers(problem, table)
        self.rescues = rescues(problem, table) if ShortCut.DEAD in cuts else None
        self.multisets = Multisets()
        self.deepest = 0
        self.heeded = -1        # see sweep.py: here, all classes
        returned = {~event for event in problem.events if event < 0}
        self.pending: dict[int, list[int]] = {}
        for event in problem.events:
            if event >= 0 and event not in returned:
                self.pending.setdefault(problem.classes[event], []).append(event)
        self.due = {frontier.calls[0][0]: at for at, frontier in enumerate(self.frontiers)}

    def forward(self, it: Configuration) -> Configuration:
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
        return Configuration(at, done, covered, state, used, chained, order)

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
