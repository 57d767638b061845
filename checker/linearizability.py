"""Linearizability of a history under a model, part by part, with evidence.

A history is linearizable when its calls can be put in one order that the model allows and that
respects real time: what returned before something else was invoked comes first.  (Herlihy & Wing,
TOPLAS 1990.)  Failed calls did not happen; calls without a known end may happen at any time
after their invocation, or never.  Parts (keys) can be judged alone (Horn & Kroening, FORTE 2015).
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import Any, Sequence

from checker import monitors
from checker.found import Budget, Found, Leaf
from checker.learn import decide_and_learn
from checker.model import Inconsistent, Model
from checker.narrow import Prefix, core, shortest_prefix
from checker.native import loosened, numbered
from checker.parts import judge_each, merged, split
from checker.precedence import contradiction
from checker.problem import ILLEGAL, Problem, Spread, Table, build
from checker.refute import decide
from checker.verdict import Verdict
from histories.errors import UsageError
from histories.history import Call, History
from histories.value import quantity, show

ORDER_SHOWN_MAX = 20
NAMED_CALLS_MAX = 50
CALLS_IN_A_LINE_MAX = 5
EXPLAINED_CALLS_MAX = 10_000        # of a history that a monitor has convicted,
WHOLE_CALLS_MAX = 100               # where that names few calls
EXPLAIN_STEPS_MAX = 100_000
EXPLAIN_SPREAD_MAX = 5_000          # states of sets that all may be the case
LOOKED_BACK_OPS = 5_000


def linearizable(
    history: History | Sequence[Call], model: Model, *, budget: Budget = Budget(),
    threads: int | None = None,
) -> Verdict:
    """Judge a history, or calls in the order of their invocations.

    ``evidence["method"]`` says how: "search", or the name of a monitor.  Invalid:
    ``evidence["op"]`` is the index of the op that ends the shortest prefix that no order explains,
    ``orders`` the longest orders of its calls, each with the ``states`` after its calls (none where
    they cannot be told), the ``state`` that it leads to and the model's reason against every next
    call, ``ops`` the indexes of the ops open there.  ``core`` names, by the op that invokes them,
    few calls that fail even when all others may have happened or not, with any answer;
    ``core_smallest`` says whether it is known that none of them can be spared, and ``cycle``, if
    there is one, who must come before whom among them, in a circle, and ``precedence`` all that
    is known of that, as [before, after, why].

    Of a history of more than WHOLE_CALLS_MAX calls a monitor names few that fail by themselves, and
    only these are searched: ``orders`` are orders of them, and the core is one of them, which may
    end later than the prefix.  There is no core where the failure rests on what all others were
    answered, as that of a lost item does: any of them might have taken it.  Of more than
    EXPLAINED_CALLS_MAX calls a search finds none.

    Unknown: the budget ended; ``evidence["cause"]`` says why, ``ops`` where.  UsageError: the
    history is malformed, or has calls that the model does not know.

    Parts that take long are judged by so many ``threads`` at most (None: as many as there are
    processors), which ask the model in turn; the verdict does not depend on it.  A budget's counts
    are those of each part: so many configurations may be remembered by each thread.  Its clock is
    that of all.
    """
    def judge(part: History | Sequence[Call], budget: Budget) -> Verdict:
        return _judge(part, model, Table(model), budget)

    if model.partition is None:
        return judge(history, budget)
    parts = split(history, model)
    return merged(dict(zip(parts, judge_each(list(parts.values()), judge, budget, threads))))


def _judge(
    history: History | Sequence[Call], model: Model, table: Table, budget: Budget
) -> Verdict:
    """Judge one part, by a monitor where there is one for it, else by search."""
    judged = monitors.judge(history, model)
    if judged is not None:
        return _judged(history, judged, table, budget)
    problem = _problem(history, table)
    judged = monitors.judge_numbered(problem, table)
    if judged is not None:
        return _judged(history, judged, table, budget)
    try:
        found = decide_and_learn(problem, table, budget)
    except Spread as spread:
        size = {"method": "search", "calls": len(problem.classes)}
        verdict = too_many_states(spread)
        return replace(verdict, evidence={**size, **verdict.evidence})
    if found.valid:
        why = f"an order of {quantity(len(found.order), 'call')} explains everything that was seen"
        evidence = {"method": "search", "calls": len(problem.classes), "steps": found.steps}
        return Verdict(valid=True, why=why, evidence=evidence)
    return _not_valid(problem, found, table, budget)


def _problem(history: History | Sequence[Call], table: Table) -> Problem:
    return numbered(history, table) if isinstance(history, History) else build(history, table)


def _judged(
    history: History | Sequence[Call], judged: monitors.Judged, table: Table, budget: Budget
) -> Verdict:
    """The verdict of a monitor; a search explains it where that is cheap."""
    size = {"method": judged.method, "calls": judged.calls}
    if judged.op is None:
        why = "an order of the calls explains everything that was seen"
        return Verdict(valid=True, why=why, evidence=size)
    verdict: Verdict | None = None
    budget = budget._replace(steps_max=EXPLAIN_STEPS_MAX)
    table.spread_max = EXPLAIN_SPREAD_MAX
    try:
        if judged.few is not None and judged.calls > WHOLE_CALLS_MAX:
            verdict = _few_explained(history, judged.few, judged.op, budget)
        elif judged.calls <= (EXPLAINED_CALLS_MAX if judged.few is None else WHOLE_CALLS_MAX):
            verdict = _whole_explained(history, judged.op, table, budget)
    except Spread:
        pass
    verdict = verdict or unexplained(_ending(history, judged.op))
    return replace(verdict, evidence={**size, **verdict.evidence})


def _whole_explained(
    history: History | Sequence[Call], op: int, table: Table, budget: Budget
) -> Verdict | None:
    """The verdict, as far as a search of the whole prefix says why; None if it does not."""
    problem = _problem(history, table)
    last = _returns(problem, op)
    prefix = loosened(problem, table, None, last)
    found = decide(prefix, table, budget)
    if found.valid is not False:
        return None
    return _explained(problem, Prefix(last, found, prefix), table, budget)


def unexplained(stuck: Call) -> Verdict:
    """The verdict where no more is known than the call whose return nothing explains."""
    return Verdict(valid=False, why=_why(stuck), evidence={
        "op": stuck.completion, "ops": list(stuck.indexes), "orders": []})


def _ending(history: History | Sequence[Call], op: int) -> Call:
    """The call that an op completes, found without pairing all others."""
    if not isinstance(history, History):
        return next(call for call in history if call.end == op)
    at = bisect_left(history.ops, op, key=lambda each: each.index)
    done = history.ops[at]
    while history.ops[at].type != "invoke" or history.ops[at].process != done.process:
        at -= 1
    return history.call(history.ops[at], done)


def _why(stuck: Call) -> str:
    return f"no order of the calls explains process {stuck.process}: {stuck} " \
           f"(op {stuck.completion})"


def _indexes(calls: Sequence[Call]) -> list[int]:
    return sorted(index for call in calls for index in call.indexes)[:NAMED_CALLS_MAX]


def _not_valid(problem: Problem, found: Found, table: Table, budget: Budget) -> Verdict:
    """What a search that found no order says."""
    size = {"method": "search", "calls": len(problem.classes), "steps": found.steps}
    if found.valid is None:
        return _unknown(problem, found, size)
    shortest = Prefix(problem.events.index(~_stuck(found)), found, problem)
    try:
        shortest = shortest_prefix(problem, table, found, budget)
    except UsageError:
        pass        # the model cannot take a call without its answer; then there is less to tell
    verdict = _explained(problem, shortest, table, budget)
    return replace(verdict, evidence={**size, **verdict.evidence})


def _explained(problem: Problem, prefix: Prefix, table: Table, budget: Budget) -> Verdict:
    """The verdict on a prefix."""
    last, found, searched = prefix
    evidence: dict[str, Any] = {}
    if last < 2 * EXPLAINED_CALLS_MAX:
        evidence = _core(problem, last, table, budget)
    last_call, around = ~problem.events[last], _around(problem, _stuck(found))
    orders = [_order(leaf, searched, around, table) for leaf in found.leaves]
    named = [problem.call(n) for n in (around if last_call in around else [*around, last_call])]
    ending = problem.call(last_call)
    return Verdict(valid=False, why=_why(ending), evidence={
        "op": ending.end, "ops": _indexes(named), "orders": orders, **evidence})


def _core(problem: Problem, last: int, table: Table, budget: Budget) -> dict[str, Any]:
    """Few calls of a prefix that fail on their own, as evidence."""
    try:
        few, smallest = core(problem, table, last, budget)
    except UsageError:
        return {}       # the same again
    return {"core": [problem.call(n).start for n in few], "core_smallest": smallest,
            **contradiction(problem, table, last, few)}


def _few_explained(
    history: History | Sequence[Call], few: monitors.Few, op: int, budget: Budget
) -> Verdict | None:
    """The verdict, as far as few calls say why; None if they do not."""
    table = Table(few.model)
    table.spread_max = EXPLAIN_SPREAD_MAX
    problem = build(few.calls, table)
    prefix = loosened(problem, table, None, _returns(problem, few.op))
    found = decide(prefix, table, budget)
    if found.valid is not False:
        return None
    evidence: dict[str, Any] = {}
    if few.core:
        evidence = {"core": [call.start for call in few.core], "core_smallest": True}
    elif few.all is not None:
        every = build(few.all, table)
        evidence = _core(every, _returns(every, few.op), table, budget)
    around = _around(problem, _stuck(found))
    return Verdict(valid=False, why=_why(_ending(history, op)), evidence={
        "op": op, "ops": _open_at(history, op),
        "orders": [_order(leaf, prefix, around, table) for leaf in found.leaves], **evidence})


def _returns(problem: Problem, op: int) -> int:
    """The event at which the call returns that an op completes; the last if none does."""
    return next((at for at, event in enumerate(problem.events)
                 if event < 0 and problem.call(~event).end == op), len(problem.events) - 1)


def _open_at(history: History | Sequence[Call], op: int) -> list[int]:
    """The op that ends a call, and what invoked those open then, of the last so many ops."""
    earliest = op - LOOKED_BACK_OPS
    if not isinstance(history, History):
        named = [call.start for call in history
                 if earliest <= call.start < op and (call.end is None or call.end >= op)]
        return [*named[1 - NAMED_CALLS_MAX:], op]
    at = bisect_left(history.ops, op, key=lambda each: each.index)
    first = bisect_left(history.ops, earliest, key=lambda each: each.index)
    invoked: dict[object, int] = {}
    for each in history.ops[first:at]:
        if each.type == "invoke":
            invoked[each.process] = each.index
        elif each.type != "info":
            invoked.pop(each.process, None)
    return [*sorted(invoked.values())[1 - NAMED_CALLS_MAX:], op]


def _stuck(found: Found) -> int:
    assert found.stuck is not None
    return found.stuck


def _unknown(problem: Problem, found: Found, size: dict[str, Any]) -> Verdict:
    stuck = problem.call(_stuck(found))
    around = [problem.call(n) for n in _around(problem, _stuck(found))]
    pending = [call for call in around if call.end is None]
    others = [call for call in around if call.end is not None and call != stuck]
    why = (
        f"gave up, {found.cause}: at op {stuck.end} ({stuck}) with "
        f"{quantity(len(others), 'other call')} open{_named(others)} and {len(pending)} more "
        f"without a known end{_named(pending)}"
    )
    return Verdict(valid=None, why=why, evidence={
        **size, "op": stuck.end, "ops": _indexes(around), "cause": found.cause})


def too_many_states(spread: Spread) -> Verdict:
    """The verdict where a model may be in more states at once than are followed."""
    why = f"gave up, {spread.cause}: at op {spread.call.start} ({spread.call})"
    return Verdict(valid=None, why=why, evidence={
        "op": spread.call.start, "ops": list(spread.call.indexes), "cause": spread.cause})


def _named(calls: list[Call]) -> str:
    """Some of the calls, in brackets."""
    shown = [f"process {call.process}: {call}" for call in calls[:CALLS_IN_A_LINE_MAX]]
    more = ["..."] if len(calls) > len(shown) else []
    return f" ({', '.join(shown + more)})" if shown else ""


def _around(problem: Problem, stuck: int) -> list[int]:
    """The calls open when the given one returns, itself included."""
    until = problem.events[:problem.events.index(~stuck)]
    returned = {~event for event in until if event < 0}
    return sorted(event for event in until if event >= 0 and event not in returned)


def _order(leaf: Leaf, problem: Problem, around: list[int], table: Table) -> dict[str, Any]:
    """A partial order for people and reports: its calls, its state, why it cannot go on."""
    done = set(leaf.order)
    rejected = []
    for number in around:
        call = problem.call(number)
        if call.end is None or number in done:
            continue
        after = table.apply(leaf.state, call)
        if isinstance(after, Inconsistent):
            rejected.append({"op": call.start, "call": str(call), "why": after.reason})
    shown = leaf.order[-ORDER_SHOWN_MAX:]
    return {
        "calls": [problem.call(number).start for number in shown],
        "omitted": len(leaf.order) - len(shown),
        "states": [show(table.states[state])
                   for state in _states(leaf, problem, table)[-ORDER_SHOWN_MAX:]],
        "state": show(table.states[leaf.state]),
        "rejected": rejected,
    }


def _states(leaf: Leaf, problem: Problem, table: Table) -> list[int]:
    """The states after the last calls of an order; empty where the search was told more than it.

    That is so of a call that returns later, whose answer the search may have used.  They are
    followed from a call on that leads to one state only.
    """
    classes = [problem.classes[number] for number in leaf.order]
    first = max(0, len(classes) - ORDER_SHOWN_MAX)
    while first > 0 and table.targets[classes[first - 1]] < 0:
        first -= 1
    state, states = table.targets[classes[first - 1]] if first else table.init, []
    for number in classes[first:]:
        state = table.step(state, number)
        if state == ILLEGAL:
            return []
        states.append(state)
    return states if state == leaf.state else []
