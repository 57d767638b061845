"""Who must come before whom, and where that goes round in a circle: why no order can be.

A call that ended before another began comes before it.  A call that needs a state comes after the
one call that can have made it, where there is one (`checker/sources.py`), and no other change may
lie between the two: what comes before the one comes before the other, and what comes after the
other's source comes after it.  (The argument of Gibbons & Korach, SIAM J. Comput. 1997, for
registers whose writes are distinct.)  A circle proves that no order exists; that there is none
proves nothing.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import Any, NamedTuple, Sequence

from checker.native import loosened
from checker.problem import READ, Problem, Table
from checker.sources import INITIAL, sources_of

CALLS_MAX = 40


class Edge(NamedTuple):
    """One call must come before another, and why; calls are named by the ops that invoke them."""

    before: int
    after: int
    why: str


class Graph:
    """Edges among some calls of a problem that return, by their numbers, and those they saw.

    They are followed until there is a circle.
    """

    def __init__(self, problem: Problem, table: Table, few: Sequence[int]) -> None:
        self.problem = problem
        self.table = table
        self.saw = sources_of(problem.classes, few, table)
        self.nodes = sorted({*few, *(made for made in self.saw.values() if made != INITIAL)})
        self.edges: dict[tuple[int, int], str] = {}
        if self.saw:        # time alone goes round in no circle
            self._time()
            self._look()
        self.after = self._closure()
        while not any(n in self.after[n] for n in self.nodes) and self._force():
            self.after = self._closure()

    def _op(self, n: int) -> str:
        return f"op {self.problem.call(n).start}"

    def _changes(self, reader: int) -> list[int]:
        """The calls that lead elsewhere than where the reader was, itself and its source apart."""
        need = self.table.needs[self.problem.classes[reader]]
        numbers = self.problem.classes
        return [n for n in self.nodes if n not in (reader, self.saw[reader])
                and self.table.kinds[numbers[n]] != READ and self.table.targets[numbers[n]] != need]

    def _time(self) -> None:
        """What ended before something else began comes before it."""
        wanted = {*self.nodes, *(~n for n in self.nodes)}
        ended: list[int] = []
        for event in [event for event in self.problem.events if event in wanted]:
            if event < 0:
                ended.append(~event)
            else:
                for one in ended:
                    self.edges[one, event] = f"{self._op(event)} began after {self._op(one)} ended"

    def _look(self) -> None:
        """What is seen comes before who sees it."""
        for reader, made in self.saw.items():
            if made != INITIAL:
                self.edges.setdefault((made, reader), f"{self._op(reader)} saw what it left")
                continue
            for change in self._changes(reader):
                self.edges.setdefault(
                    (reader, change), f"{self._op(reader)} saw how everything began")

    def _force(self) -> bool:
        """Nothing comes between what is seen and who sees it; is anything new?"""
        before = len(self.edges)
        for reader, made in self.saw.items():
            for change in self._changes(reader) if made != INITIAL else ():
                seen = f"{self._op(reader)} saw what {self._op(made)} left"
                if reader in self.after[change]:
                    self.edges.setdefault(
                        (change, made), f"{seen}, and came after {self._op(change)}")
                if change in self.after[made]:
                    self.edges.setdefault(
                        (reader, change), f"{seen}, and {self._op(change)} came after that one")
        return len(self.edges) > before

    def _closure(self) -> dict[int, set[int]]:
        """For each call, those that must come after it."""
        after: dict[int, set[int]] = {n: set() for n in self.nodes}
        for one, other in self.edges:
            after[one].add(other)
        for middle in self.nodes:
            for one in self.nodes:
                if middle in after[one]:
                    after[one] |= after[middle]
        return after

    def all(self) -> list[Edge]:
        """Every edge."""
        return [self._edge(*pair) for pair in sorted(self.edges)]

    def circle(self) -> list[Edge]:
        """A shortest circle, from its earliest call; empty when there is none."""
        rounds = [self._round(n) for n in self.nodes if n in self.after[n]]
        shortest = min(rounds, key=len) if rounds else []
        return [self._edge(*pair) for pair in pairwise(shortest)]

    def _edge(self, one: int, other: int) -> Edge:
        call = self.problem.call
        return Edge(call(one).start, call(other).start, self.edges[one, other])

    def _round(self, start: int) -> list[int]:
        """A shortest way from a call back to itself."""
        came: dict[int, int] = {}
        waiting = deque([start])
        while start not in came:
            one = waiting.popleft()
            for other in self.nodes:
                if (one, other) in self.edges and other not in came:
                    came[other] = one
                    waiting.append(other)
        path = [start, came[start]]
        while path[-1] != start:
            path.append(came[path[-1]])
        return path[::-1]


def precedence(problem: Problem, table: Table, last: int, few: Sequence[int]) -> Graph:
    """What is known of few calls, and of those they saw, in the prefix that ends at an event."""
    return Graph(loosened(problem, table, None, last), table, few)


def contradiction(
    problem: Problem, table: Table, last: int, few: Sequence[int]
) -> dict[str, Any]:
    """A circle among few calls, or else among all of a short prefix, as evidence; or nothing.

    ``circle`` has its steps as [before, after, why], ``cycle`` a line for each, ``precedence`` all
    that is known of who comes before whom among those calls and what they saw.
    """
    graph = precedence(problem, table, last, few[:CALLS_MAX])
    edges = graph.circle()
    returned = [] if edges else [~event for event in problem.events[:last + 1] if event < 0]
    if 0 < len(returned) <= CALLS_MAX:
        graph = precedence(problem, table, last, returned)
        edges = graph.circle()
    if not edges:
        return {}
    texts = {call.start: f"op {call.start} ({call})" for call in map(problem.call, graph.nodes)}
    return {"cycle": [f"{texts[edge.before]} before {texts[edge.after]}: {edge.why}"
                      for edge in edges],
            "circle": [list(edge) for edge in edges],
            "precedence": [list(edge) for edge in graph.all()]}
