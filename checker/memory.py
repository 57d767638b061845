"""Configurations of the plain search, and those that are remembered because they failed.

`checker/search.py` says what a configuration is, and which failure is as bad for which other.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

from checker.window import Frontier

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
