"""The linearizability check, fed one operation at a time, in bounded memory.

Whatever was fed, the verdict is that of `linearizable` on the history so far, in which the calls
still open may have happened or not, with any answer.

What was fed is cut in two.  Before the *cut* every call has ended, so its answer is known; of all
that only the ways remain in which it can have gone (`checker/past.py`).  The calls behind it are
the *window*.  Of each past one order of its window is kept that explains what was seen.  A call
that returns goes to the end of that order, where it fits; else the window is searched again, from
that past and, when it fails, from the next.  A past that has failed once has failed for good.
(Just-in-time linearization: Lowe, CCPE 2017.)
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import replace
from typing import Any, Hashable

from checker.found import Budget, Found
from checker.linearizability import linearizable, unexplained
from checker.model import Model
from checker.past import Key, Lost, Past, advance, name, table_from, with_settled
from checker.problem import ILLEGAL, READ, Problem, Spread, Table, build, part_of
from checker.refute import decide
from checker.verdict import Verdict
from histories.errors import UsageError
from histories.history import Call, History
from histories.op import NEMESIS, TYPES, Op
from histories.value import quantity, show

SETTLE_CALLS = 64           # the cut moves when the window is at least so long
WINDOW_MAX = 10_000         # calls behind the cut
LOST_MAX = 10_000           # calls before the cut that never returned
PASTS_MAX = 1_000
REACH_STEPS_MAX = 100_000  # configurations, to move the cut once
STEPS_MAX = 200_000         # of one judgement
OPEN_SHOWN_MAX = 5


class Online:
    """A check in progress.

    ``budget`` is that of one judgement.  Limits have names; where one is reached the verdict is
    unknown for that part, with the calls that were open there, and stays so.
    """

    def __init__(self, model: Model, *, budget: Budget = Budget(steps_max=STEPS_MAX)) -> None:
        self.model = model
        self.budget = budget
        self.calls = 0
        self._pairing = _Pairing()
        self._parts: dict[Hashable, _Part] = {}
        self._bad: Verdict | None = None

    def feed(self, op: Op) -> Verdict | None:
        """Take the next op; answers the verdict so far, None as long as it is valid.

        Once invalid, always invalid: what is fed then is not looked at.  UsageError: the op does
        not fit those before it, or the model does not know it.
        """
        if self._bad is not None and self._bad.valid is False:
            return self._bad
        call = self._pairing.feed(op)
        if call is not None:
            if call.f not in self.model.fs:
                Table(self.model).classify(call)    # which refuses it
            key = part_of(self.model, call)
            part = self._parts.get(key)
            if part is None:
                part = self._parts[key] = _Part(self.model, self.budget)
            self.calls += call.completion is None
            bad = part.feed(call)
            if bad is not None and (self._bad is None or bad.valid is False):
                self._bad = self._of_part(key, bad)
        return self._bad

    def verdict(self) -> Verdict:
        """The verdict on what was fed so far."""
        if self._bad is not None:
            return self._bad
        why = f"an order explains {quantity(self.calls, 'call')} so far"
        return Verdict(valid=True, why=why, evidence={"method": "online", "calls": self.calls})

    def _of_part(self, key: Hashable, bad: Verdict) -> Verdict:
        if self.model.partition is None:
            return bad
        return replace(bad, why=f"part {show(key)}: {bad.why}",
                       evidence={"part": show(key), **bad.evidence})


class _Pairing:
    """Ops of clients made into calls, as they come; what `History.pairs` is for whole histories."""

    def __init__(self) -> None:
        self._open: dict[int, Op] = {}
        self._retired: set[int] = set()
        self._next = 0

    def feed(self, op: Op) -> Call | None:
        """The call that the op opens, or ends; None for the nemesis."""
        if op.index < 0:
            op = op._replace(index=self._next)
        self._check(op)
        self._next = op.index + 1
        if type(op.process) is not int:
            return None
        if op.type == "invoke":
            self._open[op.process] = op
            return History([]).call(op, None)
        if op.type == "info":
            self._retired.add(op.process)
        return History([]).call(self._open.pop(op.process), op)

    def _check(self, op: Op) -> None:
        """Refuse what does not fit."""
        process = op.process
        problem = ""
        if op.index < self._next:
            problem = f"index {op.index} comes after index {self._next - 1}"
        elif op.type not in TYPES:
            problem = f"type {op.type!r} is none of {', '.join(TYPES)}"
        elif type(process) is not int:
            if process != NEMESIS:
                problem = f'process {process!r} is no whole number and not "nemesis"'
        elif op.type == "invoke":
            if process in self._open:
                problem = f"process {process} already has an open call"
            elif process in self._retired:
                problem = f"process {process} went on after an info completion"
        elif process not in self._open:
            problem = f"process {process} completes a call " + (
                "after an info completion" if process in self._retired else "it has not invoked")
        elif self._open[process].f != op.f:
            problem = f"{op.f!r} completes a call of {self._open[process].f!r}"
        if problem:
            raise UsageError(f"op {op.index}: {problem}")


class _Order:
    """Calls of a window in an order that explains what was seen, and the state it leads to."""

    def __init__(self, found: Found, problem: Problem, table: Table) -> None:
        self.names: set[int] = set()
        self.state = table.init
        self.table = table
        for number in found.order:
            self.names.add(name(problem.call(number)))
            self.state = table.step(self.state, problem.classes[number])

    def takes(self, call: Call) -> bool:
        """Put a call that has just returned at the end, if it fits there."""
        after = self.table.step(self.state, self.table.classify(call))
        if after == ILLEGAL:
            return False
        self.state = after
        self.names.add(call.start)
        return True


class _Part:
    """The check of one part."""

    def __init__(self, model: Model, budget: Budget) -> None:
        self.model = with_settled(model)
        self.budget = budget
        self.table = Table(self.model)
        self.pasts = [Past(model.init)]
        self.window: dict[int, Call] = {}       # by the op that invokes it, in that order
        self.lost: dict[Key, Lost] = {}
        self._order: _Order | None = None       # of the first past
        self._settle_at = SETTLE_CALLS
        self._gave_up = False

    def feed(self, call: Call) -> Verdict | None:
        """Take a call that has begun or ended; answers a verdict that is not valid."""
        if self._gave_up:
            return None
        self.window[call.start] = call
        if call.completion is None:
            return None
        bad = None if call.outcome == "info" else self._heard(call)
        return bad or self._settle(call)

    def _heard(self, call: Call) -> Verdict | None:
        """A call has ended, so that more is known: does an order still explain all?"""
        order = self._order
        if call.outcome == "fail":
            del self.window[call.start]
            stands = order is not None and call.start not in order.names
        else:
            stands = order is not None and call.start not in order.names and order.takes(call)
        return None if stands else self._judge(call)

    def _judge(self, call: Call) -> Verdict | None:
        """Search from one past after the other; those that fail have failed for good."""
        first: tuple[Past, list[Call]] | None = None
        self._order = None
        while self.pasts:
            past = self.pasts[0]
            left = past.left(self.lost, self.window.values())
            problem = build(left, self.table)
            table = table_from(self.table, past.state)
            try:
                found = decide(problem, table, self.budget)
            except Spread as spread:
                return self._give_up(call, spread.cause)
            if found.valid:
                self._order = _Order(found, problem, table)
                return None
            if found.valid is None:
                return self._give_up(call, found.cause)
            first = first or (past, left)
            self.pasts.pop(0)
        assert first is not None
        return self._invalid(call, *first)

    def _invalid(self, stuck: Call, past: Past, left: list[Call]) -> Verdict:
        """Why, as far as one past and the window behind it say, before the budget ends.

        That nothing explains what was seen is known by now, whether they say so again or not.
        """
        model = replace(self.model, init=past.state)
        verdict = linearizable(left, model, budget=self.budget)
        if verdict.valid is not False:
            verdict = unexplained(stuck)
        evidence: dict[str, Any] = {**verdict.evidence, "method": "online"}
        for words in ("ops", "core"):       # what stands below 0 was put there by `past.left`
            if words in evidence:
                evidence[words] = sorted(op for op in evidence[words] if op >= 0)
        return replace(verdict, evidence=evidence)

    def _give_up(self, call: Call, cause: str) -> Verdict:
        self._gave_up = True
        waiting = [each for each in self.window.values() if each.completion is None]
        shown = ", ".join(f"process {each.process}: {each}" for each in waiting[:OPEN_SHOWN_MAX])
        more = ", ..." if len(waiting) > OPEN_SHOWN_MAX else ""
        why = (f"gave up, {cause}: at op {call.completion}, with "
               f"{quantity(len(waiting), 'call')} open"
               + (f" ({shown}{more})" if waiting else ""))
        return Verdict(valid=None, why=why, evidence={
            "method": "online", "op": call.completion, "cause": cause,
            "ops": [each.start for each in waiting]})

    # The cut

    def _settle(self, call: Call) -> Verdict | None:
        """Move the cut on when the window has grown, as far as all calls before it have ended."""
        if len(self.window) < self._settle_at:
            return None
        if len(self.window) > WINDOW_MAX:
            return self._give_up(call, f"{WINDOW_MAX} calls wait for what has not ended")
        cut = self._cut(call)
        pasts = None if cut is None else self._advanced(cut)
        if cut is not None and pasts is not None:
            self._forget(cut, pasts)
            lost = sum(many for _call, many in self.lost.values())
            if lost > LOST_MAX:
                return self._give_up(call, f"{LOST_MAX} calls have no known end")
        self._settle_at = max(SETTLE_CALLS, 2 * len(self.window))
        return None

    def _cut(self, last: Call) -> int | None:
        """Where few calls are open, in the later half of what lies before the oldest open one."""
        assert last.completion is not None
        calls = list(self.window.values())
        oldest = next((at for at, call in enumerate(calls) if call.completion is None), None)
        if oldest is None:
            return last.completion + 1
        ends = sorted(call.end for call in calls if call.end is not None)
        places = range((oldest + 1) // 2, oldest + 1) if oldest else ()
        width = {at: at - bisect(ends, calls[at].start) for at in places}
        at = min(width, key=lambda place: (width[place], -place), default=None)
        return None if at is None else calls[at].start

    def _advanced(self, cut: int) -> list[Past] | None:
        """The pasts behind another cut; None if that is too many, or takes too long to say."""
        self.table = Table(self.model)      # the old one may know all that ever was
        left = Past(None).left(self.lost, self.window.values())
        try:
            reached = advance(self.pasts, left, cut, self.table, REACH_STEPS_MAX)
        except Spread:
            return None
        pasts: list[Past] = []
        for each in reached or []:
            if not any(each.is_worse(other) for other in pasts):
                pasts = [other for other in pasts if not other.is_worse(each)] + [each]
        return None if reached is None or len(pasts) > PASTS_MAX else pasts

    def _forget(self, cut: int, pasts: list[Past]) -> None:
        """Leave only the window behind the cut, and count what was lost before it."""
        for call in [each for each in self.window.values() if each.start < cut]:
            if call.completion is not None and call.outcome == "info":
                self._lose(call)
            if call.outcome == "info" or call.end is not None and call.end < cut:
                del self.window[call.start]
        for key, (call, many) in list(self.lost.items()):
            least = min(past.used[key] for past in pasts)
            for past in pasts:
                past.used[key] -= least
            self.lost[key] = Lost(call, many - least)
            if many == least:
                del self.lost[key]
        self.pasts, self._order = pasts, None

    def _lose(self, call: Call) -> None:
        if self.table.kinds[self.table.classify(call)] != READ:
            key = call.f, call.arg
            self.lost[key] = Lost(call, self.lost[key].many + 1 if key in self.lost else 1)
