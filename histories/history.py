"""A history: what the clients saw, in the order in which it was recorded.

The order of the ops is the order of the events; times are for people.  Invariants, checked when
the ops are paired: types are Jepsen's four; a completion ends the open call of its process and
names the same f; a process has one open call at most and none after an ``info``; indexes increase.
"""

from __future__ import annotations

from bisect import bisect_left
from enum import Enum
from functools import cached_property
from typing import Callable, Final, Hashable, Iterable, Iterator, Literal, NamedTuple, NoReturn
from typing import Sequence

from histories.errors import UsageError
from histories.op import NEMESIS, TYPES, Op
from histories.value import freeze, show

Outcome = Literal["ok", "fail", "info"]


class Unknown(Enum):
    """The type of UNKNOWN: the answer to a call that nobody heard."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "?"


UNKNOWN: Final = Unknown.UNKNOWN


class Call(NamedTuple):
    """One operation of one client: an invocation with its completion.

    ``arg`` and ``ret`` are hashable; ``ret`` is UNKNOWN unless the outcome is ok.  ``start`` and
    ``completion`` are op indexes; ``completion`` is None for a call still open when the history
    ends, whose outcome is info too.  Times are nanoseconds since the start of the run, -1 where
    the source had none.
    """

    process: int
    f: str
    arg: Hashable
    ret: Hashable
    start: int
    completion: int | None
    outcome: Outcome
    start_ns: int = -1
    end_ns: int = -1

    def __str__(self) -> str:
        """The call in a few words: ``cas [1 2]``, ``inc -> 11``, ``write 3 (pending)``."""
        words = self.f if self.arg is None else f"{self.f} {show(self.arg)}"
        if self.outcome != "ok":
            return f"{words} ({'failed' if self.outcome == 'fail' else 'pending'})"
        if self.arg is not None and self.arg == self.ret:
            return words
        return f"{words} -> {show(self.ret)}"

    @property
    def end(self) -> int | None:
        """Index of the op after which the call can no longer take effect; None if pending."""
        return None if self.outcome == "info" else self.completion

    @property
    def indexes(self) -> tuple[int, ...]:
        """The op indexes that the call is made of."""
        return (self.start,) if self.completion is None else (self.start, self.completion)


Pair = tuple[Op, "Op | None"]
_RETIRED = -1       # in the place of an open call


class History:
    """Ops in order, and the calls that they make up.

    ``source`` names the file, ``lines`` the line of each op there, both for messages only.  Ops
    without an index get their place as index.
    """

    def __init__(
        self, ops: Iterable[Op], *, source: str = "", lines: Sequence[int] | None = None
    ) -> None:
        self.ops: list[Op] = list(ops)
        self.source = source
        self.lines = lines
        if self.ops and self.ops[0].index < 0:
            self.ops = [Op(*op[:5], index, *op[6:]) for index, op in enumerate(self.ops)]

    def __len__(self) -> int:
        return len(self.ops)

    def __iter__(self) -> Iterator[Op]:
        return iter(self.ops)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, History) and self.ops == other.ops

    __hash__ = None  # type: ignore[assignment]

    @cached_property
    def pairs(self) -> list[Pair]:
        """Each client invocation, in order, with its completion or None.

        UsageError, with file and line, names the first op that breaks an invariant.
        """
        pairs: list[Pair] = []
        open_at: dict[int, int] = {}
        last = -1
        for position, op in enumerate(self.ops):
            process, kind = op.process, op.type
            if op.index <= last:
                self._refuse(position, f"index {op.index} comes after index {last}")
            last = op.index
            if type(process) is not int:
                self._check_nemesis(position, op)
            elif kind == "invoke":
                if process in open_at:
                    self._refuse(position, f"process {process} " + (
                        "went on after an info completion" if open_at[process] == _RETIRED
                        else "already has an open call"))
                open_at[process] = len(pairs)
                pairs.append((op, None))
            else:
                at = self._completed(position, op, open_at, pairs)
                pairs[at] = (pairs[at][0], op)
                if kind == "info":
                    open_at[process] = _RETIRED
        return pairs

    def _completed(
        self, position: int, op: Op, open_at: dict[int, int], pairs: list[Pair]
    ) -> int:
        """The place in pairs of the call that this op completes."""
        assert isinstance(op.process, int)
        if op.type not in TYPES:
            self._refuse(position, f"type {op.type!r} is none of {', '.join(TYPES)}")
        at = open_at.pop(op.process, None)
        if at is None or at == _RETIRED:
            self._refuse(position, f"process {op.process} completes a call " + (
                "it has not invoked" if at is None else "after an info completion"))
        if pairs[at][0].f != op.f:
            self._refuse(position, f"{op.f!r} completes a call of {pairs[at][0].f!r}")
        return at

    def _check_nemesis(self, position: int, op: Op) -> None:
        if op.process != NEMESIS:
            self._refuse(position, f'process {op.process!r} is no whole number and not "nemesis"')
        if op.type not in TYPES:
            self._refuse(position, f"type {op.type!r} is none of {', '.join(TYPES)}")

    def _refuse(self, position: int, problem: str) -> NoReturn:
        raise UsageError(f"{self.where(position)}: {problem}")

    def where(self, position: int) -> str:
        """Where the op at this position stands, for a message: file, line and op index."""
        op = f"op {self.ops[position].index}"
        if not self.source:
            return op
        line = "" if self.lines is None else f":{self.lines[position]}"
        return f"{self.source}{line}: {op}"

    def line(self, index: int) -> int | None:
        """The line in the file, from 1, of the op with this index; None where none is known."""
        if self.lines is None:
            return None
        return self.lines[bisect_left(self.ops, index, key=lambda op: op.index)]

    @cached_property
    def _calls(self) -> list[Call]:
        return [self.call(invoke, done) for invoke, done in self.pairs]

    def call(self, invoke: Op, done: Op | None) -> Call:
        """The call that an invocation and its completion make up.

        UsageError names the op whose ``f`` is no word, or whose value nobody can judge.
        """
        outcome: Outcome = "info" if done is None else done.type  # type: ignore[assignment]
        if not isinstance(invoke.f, str):
            raise UsageError(f"op {invoke.index}: f is a word, found {show(invoke.f)}")
        try:
            arg = freeze(invoke.value)
            ret = freeze(done.value) if done is not None and outcome == "ok" else UNKNOWN
        except UsageError as problem:
            where = f"{self.source}: " if self.source else ""
            raise UsageError(f"{where}op {invoke.index}: {problem}") from None
        completion, end_ns = (None, -1) if done is None else (done.index, done.time)
        return Call(
            invoke.process, invoke.f, arg, ret,  # type: ignore[arg-type]
            invoke.index, completion, outcome, invoke.time, end_ns,
        )

    def calls(self) -> list[Call]:
        """The client calls, in the order of their invocations; do not change the list.

        UsageError as for `pairs` and `call`.
        """
        return self._calls

    def clients(self) -> "History":
        """The same history without the nemesis."""
        kept = [place for place, op in enumerate(self.ops) if op.process != NEMESIS]
        lines = None if self.lines is None else [self.lines[place] for place in kept]
        return History([self.ops[place] for place in kept], source=self.source, lines=lines)

    def by(self, key: Callable[[Call], Hashable]) -> dict[Hashable, list[Call]]:
        """The calls grouped by a key, groups and calls in the order of first appearance.

        UsageError as for `calls`.
        """
        groups: dict[Hashable, list[Call]] = {}
        for call in self.calls():
            groups.setdefault(key(call), []).append(call)
        return groups
