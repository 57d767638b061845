"""Exact monitors: verdicts in near-linear time where a data type allows it, without a search.

*Fetch and add*: increments by one that answer the new value.  The answers say the order, so they
must be distinct, and nothing may be invoked after something of a higher answer returned.  Values
that nobody was told were made by pending increments: each takes the one invoked first of those
left, which must be invoked before anything of a higher answer returns.  (Gibbons & Korach, SIAM
J. Comput. 1997, give the same argument for registers whose writes are distinct.)
"""

from __future__ import annotations

from typing import NamedTuple, Sequence

from checker.model import Model
from checker.native import MONITORS
from histories.history import Call, History


class Judged(NamedTuple):
    """What a monitor found in how many calls: the first op that no order explains, or None."""

    method: str
    calls: int
    op: int | None


def judge(history: History | Sequence[Call], model: Model) -> Judged | None:
    """What the model's monitor says; None when it has none for calls like these."""
    if model.monitor != "fetch-and-add":
        return None
    if isinstance(history, History) and MONITORS is not None:
        found = MONITORS.fetch_and_add(history.ops)
        if found is not None:
            calls, at = found
            return Judged(model.monitor, calls, None if at < 0 else history.ops[at].index)
    known = history.calls() if isinstance(history, History) else history
    return fetch_and_add([call for call in known if call.outcome != "fail"])


def fetch_and_add(calls: Sequence[Call]) -> Judged | None:
    """Judge increments by one, in the order of their invocations; None if there are others."""
    for call in calls:
        if call.f != "inc" or call.arg is not None or call.outcome == "ok" \
                and type(call.ret) is not int:
            return None
    ends = sorted(call.end for call in calls if call.end is not None)
    if not ends or increments_hold(calls, ends[-1]):
        return Judged("fetch-and-add", len(calls), None)
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        if increments_hold(calls, ends[middle]):
            low = middle + 1
        else:
            high = middle
    return Judged("fetch-and-add", len(calls), ends[low])


def increments_hold(calls: Sequence[Call], last: int) -> bool:
    """Does some order explain what was seen up to an op?"""
    answered: list[tuple[int, int, int]] = []
    spare: list[int] = []
    for call in calls:
        if call.end is None or call.end > last:
            spare.append(call.start)
        else:
            assert isinstance(call.ret, int)
            answered.append((call.ret, call.end, call.start))
    answered.sort()
    soonest = [last + 1]        # the first return at this answer and above
    for _result, end, _start in reversed(answered):
        soonest.append(min(soonest[-1], end))
    soonest.reverse()
    before, taken = 0, 0
    for place, (result, _end, start) in enumerate(answered):
        if result <= before or start > soonest[place + 1]:
            return False
        taken += result - before - 1
        if taken > len(spare) or taken and spare[taken - 1] > soonest[place]:
            return False
        before = result
    return True
