"""What a page holds, as compact JSON: chosen within limits, and honest about what was left out.

Calls, trace events and arrows have a limit each.  Over it, those are kept that are nearest in time
to what the page is about: the marks, then the faults, then the beginning.  Columns and string
tables keep ten thousand calls in about a megabyte.  Times are integers of nanoseconds, from
``base``; a history without times is drawn by position, and says so.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, Callable, Hashable, Iterable, NamedTuple, Sequence, TypeVar

from checker.check import Record
from checker.report.faults import Band
from checker.report.lanes import CLIENTS, Arrow, arrows, client_lanes, hosts, others, roles
from checker.report.lives import Lives, row
from checker.report.marks import Mark, Moment
from checker.verdict import Verdict
from histories import Call, Event
from histories.value import show

CALLS_MAX = 15_000
EVENTS_MAX = 9_000
ARROWS_MAX = 9_000
RARE_MAX = 2_000
TEXT_MAX = 200
EXACT_MAX = 1 << 53             # larger integers are not exact in a browser
STEADY = ("log", "ack", "acknowledge", "replay", "output", "release", "complete", "disk-read",
          "disk-write", "drop", "stalled")
OUTCOMES = ("ok", "fail", "info")

T = TypeVar("T")


class Kept(NamedTuple):
    """How much of something the page holds."""

    what: str
    kept: int
    total: int


class Strings:
    """Texts by number, each once."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of a text."""
        text = text if len(text) <= TEXT_MAX else text[:TEXT_MAX] + "…"
        if text not in self._numbers:
            self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return self._numbers[text]


def nearest(
    items: Sequence[T], times: Callable[[T], tuple[int, int]], moments: Sequence[int], limit: int
) -> list[T]:
    """At most ``limit`` items, in order: those whose time is nearest to one of the moments.

    ``times`` gives an item's beginning and end; ``moments`` are sorted.
    """
    if len(items) <= limit:
        return list(items)
    far = [_distance(*times(item), moments) for item in items]
    order = sorted(range(len(items)), key=lambda at: (far[at], at))[:limit]
    return [items[at] for at in sorted(order)]


def _distance(start: int, end: int, moments: Sequence[int]) -> int:
    """From a stretch of time to the nearest moment; 0 where it covers one."""
    if not moments:
        return start
    at = bisect_left(moments, start)
    after = max(0, moments[at] - end) if at < len(moments) else None
    before = start - moments[at - 1] if at else None
    return min(far for far in (before, after) if far is not None)


class Chosen(NamedTuple):
    """The parts of a record that fit on a page."""

    calls: list[Call]
    events: list[Event]
    arrows: list[Arrow]
    kept: list[Kept]
    gaps: dict[str, list[list[int]]]


def choose(record: Record, marked: Sequence[Mark], faults: Sequence[Band]) -> Chosen:
    """What to show; the kinds of events that are not routine are kept first."""
    calls, trace = record.history.calls(), record.trace
    about = sorted({mark.time_ns for mark in marked}) or sorted({band.start_ns for band in faults})
    named = {mark.op for mark in marked}
    some = nearest(calls, lambda call: (call.start_ns, max(call.start_ns, call.end_ns)),
                   about, CALLS_MAX)
    offending = [call for call in calls if call.start in named]
    calls_kept = sorted({call.start: call for call in [*some, *offending]}.values(),
                        key=lambda call: call.start)
    rare = nearest([event for event in trace if event.kind not in STEADY],
                   lambda event: (event.time, event.time), about, RARE_MAX)
    steady = nearest([event for event in trace if event.kind in STEADY],
                     lambda event: (event.time, event.time), about, EVENTS_MAX)
    every = list(arrows(trace, {call.start: call for call in calls}))
    arrows_kept = nearest(every, lambda arrow: (arrow.start_ns, arrow.end_ns or arrow.start_ns),
                          about, ARROWS_MAX)
    return Chosen(calls_kept, sorted([*rare, *steady], key=lambda event: event.time), arrows_kept, [
        Kept("operations", len(calls_kept), len(calls)),
        Kept("trace events", len(rare) + len(steady), len(trace)),
        Kept("messages", len(arrows_kept), len(every))], {
        "calls": gaps([call.start_ns for call in calls], [call.start_ns for call in calls_kept]),
        "events": gaps([event.time for event in trace if event.kind in STEADY],
                       [event.time for event in steady])})


def gaps(every: Sequence[int], kept: Sequence[int]) -> list[list[int]]:
    """The stretches of time in which something was left out; both lists are in order."""
    if len(every) == len(kept):
        return []
    there, found, begun = set(kept), [], None
    for time_ns in every:
        if time_ns not in there:
            begun = [time_ns, time_ns] if begun is None else [begun[0], time_ns]
        elif begun is not None:
            found.append(begun)
            begun = None
    return found if begun is None else [*found, begun]


def clock(record: Record) -> str:
    """What the times are: "ns", or "position" where the history has none."""
    return "position" if any(op.time < 0 for op in record.history) else "ns"


def page_data(
    record: Record, chosen: Chosen, marked: Sequence[Mark], told: Sequence[Moment],
    faults: Sequence[Band], *, verdict: Verdict, symbols: dict[str, int]
) -> dict[str, Any]:
    """Everything the page's script is given."""
    strings = Strings()
    nodes = [*hosts(record.trace), *others(record.trace), CLIENTS]
    clients = record.test.get("clients")
    lanes = client_lanes(record.history.calls(), clients if type(clients) is int else 0)
    lives = Lives(record.trace)
    numbers = {node: at for at, node in enumerate(nodes)}
    return {
        "clock": clock(record), "end": _end(record), "nodes": nodes,
        "hosts": len(hosts(record.trace)), "clients": 1 + max(lanes.values(), default=-1),
        "known": type(clients) is int,
        "calls": _calls(record, chosen.calls, lanes, strings, verdict),
        "lives": [[row(life, call.start_ns, numbers) for life in lives.of(call.start)]
                  for call in chosen.calls],
        "events": _events(chosen.events, numbers, strings),
        "arrows": _arrows(chosen.arrows, numbers, strings),
        "roles": [[numbers[role.host], role.start_ns, role.end_ns, strings.number(role.role)]
                  for role in roles(record.trace)],
        "bands": [list(band) for band in faults],
        "marks": [list(mark) for mark in marked],
        "moments": [list(moment) for moment in told],
        "symbols": sorted(([at, name] for name, at in symbols.items())),
        "gaps": chosen.gaps, "strings": strings.texts,
    }


def _end(record: Record) -> int:
    """The last moment of the record."""
    times = [op.time for op in record.history] + [event.time for event in record.trace]
    return max(times, default=0)


def _calls(
    record: Record, calls: Sequence[Call], lanes: dict[int, int], strings: Strings,
    verdict: Verdict
) -> list[list[int]]:
    """Columns: op, completion, process, lane, f, text, start, duration, outcome, key, error.

    Ops and starts as differences to the row before; a completion as the difference to its op, a
    duration, a key and an error -1 where there is none.
    """
    keyed = any("parts" in part.evidence for part in verdict.parts.values())
    errors = {op.index: op.error for op in record.history if op.error is not None}
    columns: list[list[int]] = [[] for _ in range(11)]
    op = start = 0
    for call in calls:
        error = errors.get(-1 if call.completion is None else call.completion)
        key = key_of(call) if keyed else None
        line = (call.start - op,
                -1 if call.completion is None else call.completion - call.start,
                call.process, lanes[call.process], strings.number(call.f),
                strings.number(str(call)), call.start_ns - start,
                -1 if call.completion is None else call.end_ns - call.start_ns,
                OUTCOMES.index(call.outcome),
                -1 if key is None else strings.number(show(key)),
                -1 if error is None else strings.number(show(error)))
        for column, value in zip(columns, line):
            column.append(value)
        op, start = call.start, call.start_ns
    return columns


def key_of(call: Call) -> Hashable:
    """The part of a divided history that a call belongs to: the first of its arguments."""
    return call.arg[0] if isinstance(call.arg, tuple) and call.arg else call.arg


def _events(events: Iterable[Event], nodes: dict[str, int], strings: Strings) -> dict[str, Any]:
    """Events by shape: a shape is a kind and its keys, a row its node, time and values."""
    shapes: dict[tuple[str, ...], int] = {}
    rows = []
    for event in events:
        shape = shapes.setdefault((event.kind, *event.data), len(shapes))
        values = [strings.number(value) if isinstance(value, str) else
                  value if type(value) is int else [show(value)] for value in event.data.values()]
        texts = sum(1 << at for at, value in enumerate(event.data.values())
                    if isinstance(value, str))
        rows.append([shape, texts, nodes[event.node], event.time, *values])
    return {"shapes": [list(shape) for shape in shapes], "rows": rows}


def _arrows(arrows: Iterable[Arrow], nodes: dict[str, int], strings: Strings) -> list[list[Any]]:
    """Rows: kind, start, source, duration or -1, destination, op or -1, text; nodes or -1."""
    return [[strings.number(arrow.kind), arrow.start_ns,
             -1 if arrow.source is None else nodes[arrow.source],
             -1 if arrow.end_ns is None else arrow.end_ns - arrow.start_ns,
             -1 if arrow.to is None else nodes.get(arrow.to, -1),
             -1 if arrow.op is None else arrow.op, strings.number(arrow.what)]
            for arrow in arrows]
