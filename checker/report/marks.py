"""What a page marks: the operations and moments that convict a run, and what led there.

A mark is a place to look at: an operation that a verdict's evidence or the explanation names, or
an event that a checker objects to.  The moments are the marks together with the faults and the
turns of the machines around them, numbered: the failure as a list of a dozen lines.
"""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from checker.check import Record
from checker.report.faults import Band
from checker.verdict import Verdict
from histories import Call, Event

MARKS_MAX = 200                 # of one checker
MOMENTS_MAX = 14
FOCUS_MAX, FOCUS_NS = 3, 100_000_000
TURNS = ("crash", "restart", "suspect", "live", "halt", "divergence", "refused", "off",
         "hand-over", "fault")
AROUND_NS = 200_000_000         # how far from the marks causes and consequences are looked for
NAMED = re.compile(r"\b[Oo]p (\d+)")


class Mark(NamedTuple):
    """One place to look at; ``op`` is the invocation's index, ``node`` a machine, or None."""

    time_ns: int
    op: int | None
    node: str | None
    check: str
    why: str


class Moment(NamedTuple):
    """One step of the failure, for people."""

    time_ns: int
    what: str
    op: int | None
    node: str | None
    kind: str


def marks(record: Record, verdict: Verdict, explanation: Sequence[str]) -> list[Mark]:
    """Every place to look at, in order of time; none for a valid run.

    Of an unknown one, the calls at which a checker gave up.
    """
    calls = {index: call for call in record.history.calls() for index in call.indexes}
    found: dict[tuple[object, ...], Mark] = {}
    for mark in _all(calls, verdict, explanation):
        known = found.get((mark.op, mark.node, mark.time_ns if mark.op is None else None))
        if known is None or mark.why not in known.why:
            why = mark.why if known is None else f"{known.why}; {mark.why}"
            check = mark.check if known is None else known.check
            key = (mark.op, mark.node, mark.time_ns if mark.op is None else None)
            found[key] = (known or mark)._replace(why=why, check=check)
    return sorted(found.values(), key=lambda mark: (mark.time_ns, mark.op or -1, mark.node or ""))


def _all(calls: dict[int, Call], verdict: Verdict, explanation: Sequence[str]) -> Iterator[Mark]:
    if verdict.valid is True:
        return
    named = [int(text) for line in explanation for text in NAMED.findall(line)]
    for name, part in verdict.parts.items():
        if part.valid is None and verdict.valid is None:
            yield from _given_up(calls, name, part.evidence)
            yield from _of_events(calls, name, part, "")
        elif part.valid is False:
            yield from _of_calls(calls, name, part.evidence)
            yield from _of_events(calls, name, part, part.why)
    for index in named:
        if index in calls:
            yield _of_call(calls[index], "", "named in the explanation")


def _of_calls(calls: dict[int, Call], name: str, evidence: Any) -> Iterator[Mark]:
    """What the evidence says of operations."""
    if evidence.get("op") in calls:
        yield _of_call(calls[evidence["op"]], name, f"{name}: no order gets past its answer"
                       if "orders" in evidence else f"{name} objects to it")
    elif "op" not in evidence:
        for index in evidence.get("ops", [])[:MARKS_MAX]:
            if index in calls:
                yield _of_call(calls[index], name, f"{name} objects to it")
    for index in evidence.get("core", [])[:MARKS_MAX]:
        if index in calls:
            yield _of_call(calls[index], name, f"{name}: one of the calls that allow no order")


def _given_up(calls: dict[int, Call], name: str, evidence: Any) -> Iterator[Mark]:
    """Where a search ended without an answer, and what was open there."""
    if evidence.get("op") in calls:
        yield _of_call(calls[evidence["op"]], name, f"{name} gave up here")
    for index in evidence.get("ops", [])[:MARKS_MAX]:
        if index in calls:
            yield _of_call(calls[index], name, f"{name}: open where it gave up")


def _of_call(call: Call, check: str, why: str) -> Mark:
    return Mark(call.start_ns, call.start, None, check, why)


def _of_events(calls: dict[int, Call], name: str, part: Verdict, said: str) -> Iterator[Mark]:
    """What the evidence says of moments: itself, and in every list of maps with a time.

    ``said`` is about the first.
    """
    lists = [value for value in part.evidence.values() if isinstance(value, list)]
    for item in [part.evidence, *(item for items in lists for item in items[:MARKS_MAX])]:
        if isinstance(item, Mapping) and type(item.get("time")) is int:
            problem = item.get("problem")
            yield _of_event(calls, name, item,
                            said or (problem if isinstance(problem, str) else ""))
            said = ""


def _of_event(
    calls: dict[int, Call], name: str, item: Mapping[str, Any], problem: str
) -> Mark:
    request = item.get("op", item.get("request"))
    call = calls.get(request) if type(request) is int else None
    why = f"{name}: {problem}" if problem else name
    return Mark(item["time"], None if call is None else call.start, item.get("node"), name, why)


def focus(
    record: Record, found: Sequence[Mark], verdict: Verdict, explanation: Sequence[str]
) -> list[Mark]:
    """The marks that the failure is told by.

    The ops that the explanation's first paragraph names, and what the first check that decides
    objects to first.
    """
    first = next((name for name, part in verdict.parts.items() if part.valid is verdict.valid), "")
    mine = [mark for mark in found if mark.check == first]
    events = [mark for mark in mine if mark.node is not None and mark.why != first]
    calls = {index: call.start for call in record.history.calls() for index in call.indexes}
    for paragraph in "\n".join(explanation[1:]).split("\n\n"):
        named = {calls.get(int(text)) for text in NAMED.findall(paragraph)} - {None}
        told = [mark for mark in found if mark.op in named and mark.node is None]
        if told:
            return sorted([*told, *_nearby(events)], key=lambda mark: mark.time_ns)
        if paragraph.strip():
            break
    if verdict.valid is None:
        return mine[:MOMENTS_MAX]       # what never happened is no one moment
    return _nearby(events or mine)


def _nearby(found: Sequence[Mark]) -> list[Mark]:
    """The first few, close together."""
    return [mark for mark in found if mark.time_ns - found[0].time_ns < FOCUS_NS][:FOCUS_MAX]


def moments(
    record: Record, told: Sequence[Mark], faults: Sequence[Band]
) -> list[Moment]:
    """The steps of the failure in order: faults, turns of the machines, offending operations."""
    if not told:
        return []
    first = min(mark.time_ns for mark in told)
    last = max(_end(record, mark) for mark in told)
    around = AROUND_NS if len(record.trace) else 0      # without a trace times may be positions
    since, until = min(first - around, _cause(faults, first, last)), last + around
    steps = [_told(record, mark) for mark in told]
    steps += [Moment(band.start_ns, f"fault: {band.what}", None, None, "fault")
              for band in faults if since <= band.start_ns <= until
              and (band.start_ns, None) not in {(mark.time_ns, mark.op) for mark in told}]
    known = {(band.start_ns, place) for band in faults for place in band.places}
    known |= {(mark.time_ns, mark.node) for mark in told if mark.node is not None}
    turns = [event for event in record.trace.of(*TURNS)
             if since <= event.time <= until and (event.time, event.node) not in known]
    room = max(0, MOMENTS_MAX - len(steps))
    steps += [_turn(series) for series in _series(turns)[:room]]
    return sorted(steps, key=lambda step: step.time_ns)[-MOMENTS_MAX:]


def _cause(faults: Sequence[Band], first: int, last: int) -> int:
    """The beginning of the latest fault that was still there at the first mark.

    Where there was none, and none came between the marks, the latest that ended before.
    """
    before = [band for band in faults if band.start_ns <= first]
    still = [band for band in before if band.end_ns is None or band.end_ns >= first]
    between = any(first < band.start_ns <= last for band in faults)
    told = still or ([] if between else before)
    return told[-1].start_ns if told else first


def _end(record: Record, mark: Mark) -> int:
    if mark.op is None or mark.node is not None:
        return mark.time_ns
    call = next(call for call in record.history.calls() if call.start == mark.op)
    return max(call.start_ns, call.end_ns)


def _told(record: Record, mark: Mark) -> Moment:
    if mark.op is None or mark.node is not None:
        about = "" if mark.op is None else f" (op {mark.op})"
        return Moment(mark.time_ns, mark.why + about, mark.op, mark.node, "mark")
    call = next(call for call in record.history.calls() if call.start == mark.op)
    return Moment(mark.time_ns, f"op {call.start}, process {call.process}: {call}", call.start,
                  None, "mark")


def _series(turns: Sequence[Event]) -> list[list[Event]]:
    """Turns in order, those that a machine made again and again together."""
    series: dict[tuple[object, ...], list[Event]] = {}
    for event in turns:
        again = event.kind == "refused"
        series.setdefault((event.kind, event.node, None if again else event.time), []).append(event)
    return list(series.values())


def _turn(series: Sequence[Event]) -> Moment:
    """What a machine did, in a few words; and how many times."""
    event, data = series[0], series[0].data
    more = f", and so on, {len(series)} times" if len(series) > 1 else ""
    said = {
        "crash": "crashed", "restart": "came back", "off": "was switched off",
        "suspect": f"suspected {data.get('peer')} ({data.get('why')})",
        "live": f"went live, generation {data.get('generation')}",
        "halt": f"halted: {data.get('why')}", "divergence": "diverged from the log",
        "refused": f"refused log entries {data.get('first')} to {data.get('last')}",
        "hand-over": "handed over", "fault": f"faulted: {data.get('why')}",
    }[event.kind]
    return Moment(event.time, f"{event.node} {said}{more}", None, event.node, "turn")
