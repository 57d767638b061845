"""Linearizability of a history under a model, part by part, with evidence.

A history is linearizable when its calls can be put in one order that the model allows and that
respects real time: what returned before something else was invoked comes first.  (Herlihy & Wing,
TOPLAS 1990.)  Failed calls did not happen; calls without a known end may happen at any time
after their invocation, or never.  Parts (keys) can be judged alone (Horn & Kroening, FORTE 2015).
"""

from __future__ import annotations

from typing import Any, Hashable, Sequence

from checker.model import Inconsistent, Model
from checker.problem import Table, build, guarded
from checker.found import Budget, Found, Leaf
from checker.native import search
from checker.verdict import Verdict, merge_valid
from histories.history import Call, History
from histories.value import show

ORDER_SHOWN_MAX = 20
NAMED_CALLS_MAX = 50


def linearizable(
    history: History | Sequence[Call], model: Model, *, budget: Budget = Budget()
) -> Verdict:
    """Judge a history, or calls in the order of their invocations.

    Invalid: ``evidence["op"]`` is the index of the op up to which no order explains what was
    seen, ``ops`` the indexes of the calls open there, ``orders`` the longest orders that got so
    far, each with the state it leads to and the model's reason against every next call.
    Unknown: the budget ended; ``evidence["cause"]`` says why, ``ops`` where.  UsageError: the
    history is malformed, or has calls that the model does not know.
    """
    calls = history.calls() if isinstance(history, History) else history
    table = Table(model)
    if model.partition is None:
        return _judge(calls, table, budget)
    parts: dict[Hashable, list[Call]] = {}
    for call in calls:
        parts.setdefault(guarded(model, call, model.partition, call), []).append(call)
    return _merge({key: _judge(part, table, budget) for key, part in parts.items()})


def _merge(verdicts: dict[Hashable, Verdict]) -> Verdict:
    """One verdict; it tells of the first part that decides, and names all that are not valid."""
    valid = merge_valid(verdict.valid for verdict in verdicts.values())
    bad = {show(key): verdict for key, verdict in verdicts.items() if verdict.valid is not True}
    if valid is True:
        why = f"all {len(verdicts)} parts are linearizable"
        return Verdict(valid=True, why=why, evidence={"parts": len(verdicts)})
    key, first = next((k, v) for k, v in bad.items() if v.valid is valid)
    return Verdict(
        valid=valid, why=f"part {key}: {first.why}", parts=bad,
        evidence={"part": key, "parts": len(verdicts), **first.evidence},
    )


def _judge(calls: Sequence[Call], table: Table, budget: Budget) -> Verdict:
    """Judge one part."""
    problem = build(calls, table)
    found = search(problem, table, budget)
    numbered = [calls[place] for place in problem.places]
    size: dict[str, Any] = {
        "method": "search", "calls": len(numbered), "steps": found.steps,
    }
    if found.valid:
        why = f"an order of {len(found.order)} calls explains everything that was seen"
        return Verdict(valid=True, why=why, evidence=size)
    assert found.stuck is not None
    stuck = numbered[found.stuck]
    around = _around(numbered, stuck)
    size |= {"op": stuck.end, "ops": sorted(i for call in around for i in call.indexes)}
    size["ops"] = size["ops"][:NAMED_CALLS_MAX]
    if found.valid is None:
        return _unknown(stuck, around, found, size)
    why = f"no order of the calls explains process {stuck.process}: {stuck} (op {stuck.end})"
    orders = [_order(leaf, numbered, around, table) for leaf in found.leaves]
    return Verdict(valid=False, why=why, evidence={**size, "orders": orders})


def _unknown(stuck: Call, around: list[Call], found: Found, size: dict[str, Any]) -> Verdict:
    pending = sum(call.end is None for call in around)
    why = (
        f"gave up, {found.cause}: at op {stuck.end} ({stuck}) {len(around) - pending} calls are "
        f"open and {pending} more have no known end"
    )
    return Verdict(valid=None, why=why, evidence={**size, "cause": found.cause})


def _around(numbered: list[Call], stuck: Call) -> list[Call]:
    """The calls open when the given one returns, itself included."""
    assert stuck.end is not None
    return [
        call for call in numbered
        if call.start <= stuck.end and (call.end is None or call.end >= stuck.end)
    ]


def _order(leaf: Leaf, numbered: list[Call], around: list[Call], table: Table) -> dict[str, Any]:
    """A partial order for people and reports: its calls, its state, why it cannot go on."""
    done = set(leaf.order)
    numbers = {call.start: number for number, call in enumerate(numbered)}
    rejected = []
    for call in around:
        if call.end is None or numbers[call.start] in done:
            continue
        after = table.apply(leaf.state, call)
        if isinstance(after, Inconsistent):
            rejected.append({"op": call.start, "call": str(call), "why": after.reason})
    shown = leaf.order[-ORDER_SHOWN_MAX:]
    return {
        "calls": [numbered[number].start for number in shown],
        "omitted": len(leaf.order) - len(shown),
        "state": show(table.states[leaf.state]),
        "rejected": rejected,
    }
