"""The parts of a history, such as the keys of a map: told apart, judged, and made one verdict.

Parts share nothing but the model: each is numbered in a table of its own.  So what is found of one
depends neither on the others nor on which is judged first, and it is the same however many are
judged at a time.  (That parts can be judged alone: Horn & Kroening, FORTE 2015.)

The native search lets go of the interpreter, so threads are enough to judge several at once.  The
first parts are judged one by one, until their searches have taken ALONE_STEPS_MAX steps: most
histories never do, and other threads would cost them more than they save.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Callable, Hashable, Mapping, Sequence, Union

from checker.found import CHECK_EVERY_STEPS, Budget
from checker.model import Model, argument, first_of_argument
from checker.native import COLUMNS, NATIVE
from checker.problem import part_of
from checker.verdict import Verdict, merge_valid
from histories.errors import UsageError
from histories.history import Call, History
from histories.op import Op
from histories.value import freeze, quantity, show

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

ALONE_STEPS_MAX = 32 * CHECK_EVERY_STEPS
Part = Union[History, Sequence[Call]]
Judge = Callable[[Part, Budget], Verdict]


def split(history: Part, model: Model) -> dict[Hashable, Part]:
    """The parts of a history by their keys, both in the order of their first calls."""
    if isinstance(history, History):
        lists = _natively(history, model)
        if lists is not None:
            return {_key(ops[0], model): History(ops, source=history.source) for ops in lists}
        history = history.calls()
    parts: dict[Hashable, list[Call]] = {}
    for call in history:
        parts.setdefault(part_of(model, call), []).append(call)
    return dict(parts)


def _natively(history: History, model: Model) -> list[list[Op]] | None:
    """The ops of each part; None where Python must look at them."""
    if COLUMNS is None or model.partition not in (argument, first_of_argument):
        return None
    try:
        lists: list[list[Op]] | None = COLUMNS.split(
            history.ops, freeze, model.partition is first_of_argument)
    except UsageError:      # said again where it is met, with its place
        return None
    return lists


def _key(invoke: Op, model: Model) -> Hashable:
    return part_of(model, History([]).call(invoke, None))


def judge_each(
    parts: Sequence[Part], judge: Judge, budget: Budget, threads: int | None
) -> list[Verdict]:
    """The verdict on each part, by so many threads at most; None: as many as there are processors.

    What is raised by the first part that raises is raised; those behind it are given up.
    """
    most = (threads or processors()) if NATIVE is not None else 1
    return _Judging(parts, judge, budget, most).run()


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Judging:
    """Judges parts in order: alone at first; then, and while the part at hand goes on, with others.
    """

    def __init__(
        self, parts: Sequence[Part], judge: Judge, budget: Budget, threads: int
    ) -> None:
        self.judge, self.budget, self.threads = judge, budget, threads
        self.left = list(parts[::-1])
        self.steps = 0          # that were taken alone, about
        self.stopped = False
        self.pool: ThreadPoolExecutor | None = None
        self.others: list[Future[Verdict]] = []

    def run(self) -> list[Verdict]:
        """The verdicts, in the order of the parts."""
        verdicts: list[Verdict] = []
        budget = self.budget._replace(expired=self.go_on)
        try:
            while self.left:
                verdicts.append(self.judge(self.left.pop(), budget))
                self.count(verdicts[-1].evidence.get("steps", 0) % CHECK_EVERY_STEPS)
            return verdicts + [other.result() for other in self.others]
        finally:
            self.stopped = True
            if self.pool is not None:
                self.pool.shutdown(cancel_futures=True)

    def go_on(self) -> bool:
        """What a search asks every CHECK_EVERY_STEPS: is time up?"""
        self.count(CHECK_EVERY_STEPS)
        return self.over()

    def over(self) -> bool:
        """Is time up, or the rest of no interest?"""
        return self.stopped or self.budget.expired is not None and self.budget.expired()

    def count(self, steps: int) -> None:
        """Count steps, and call the others when there were many."""
        self.steps += steps
        if self.steps <= ALONE_STEPS_MAX or self.threads < 2 or not self.left:
            return
        from concurrent.futures import ThreadPoolExecutor   # takes longer than many a judgement

        self.pool = ThreadPoolExecutor(min(self.threads, len(self.left)))
        budget = self.budget._replace(expired=self.over)
        while self.left:
            self.others.append(self.pool.submit(self.judge, self.left.pop(), budget))


def merged(verdicts: Mapping[Hashable, Verdict]) -> Verdict:
    """One verdict; it tells of the first part that decides, and names all that are not valid."""
    valid = merge_valid(verdict.valid for verdict in verdicts.values())
    bad = {show(key): verdict for key, verdict in verdicts.items() if verdict.valid is not True}
    if valid is True:
        why = f"linearizable in {quantity(len(verdicts), 'part')}, which is all"
        return Verdict(valid=True, why=why, evidence={"parts": len(verdicts)})
    key, first = next((k, v) for k, v in bad.items() if v.valid is valid)
    return Verdict(
        valid=valid, why=f"part {key}: {first.why}", parts=bad,
        evidence={"part": key, "parts": len(verdicts), **first.evidence},
    )
