"""What a page holds, as compact JSON: chosen within limits, and honest about what was left out.

Calls, trace events and arrows have a limit each.  Over it, those are kept that are nearest in time
to what the page is about: the marks, then the faults, then the beginning.  Columns and string
tables keep ten thousand calls in about a megabyte.  Times are integers of nanoseconds, from
``since``; a history without times is drawn by position, and says so.
"""

from __future__ import annotations

from typing import Any, Hashable, Iterable, NamedTuple, Sequence

from checker.check import Record
from checker.report.faults import Band
from checker.report.lanes import CLIENTS, Arrow, arrows, client_lanes, hosts, others, roles
from checker.report.lives import Lives, row
from checker.report.marks import Mark, Moment
from checker.report.nearest import nearest
from checker.verdict import Verdict
from histories import Call, Event, History, Trace
from histories.value import show

CALLS_MAX = 15_000
ROWS_MAX = 21_000               # of calls and trace events together, of calls and messages too,
ROWS_MIN = 8_000                # but of the trace not fewer than this
RARE_MAX = 2_000
TEXT_MAX = 200
EMPTY_MAX = 9                   # times as long as all that happens, before anything does
SECOND_NS = 10**9
STEADY = ("log", "ack", "acknowledge", "replay", "output", "release", "complete", "disk-read",
          "disk-write", "drop", "stalled")
OUTCOMES = ("ok", "fail", "info")


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


class Chosen(NamedTuple):
    """The parts of a record that fit on a page."""

    calls: list[Call]
    events: list[Event]
    arrows: list[Arrow]
    kept: list[Kept]
    gaps: dict[str, list[list[int]]]


def choose(
    record: Record, marked: Sequence[Mark], faults: Sequence[Band], eighths: int = 8
) -> Chosen:
    """What to show; the kinds of events that are not routine are kept first.

    `eighths` of the limits: values may be long, and a page is measured in bytes in the end.
    """
    calls, trace = record.history.calls(), record.trace
    about = sorted({mark.time_ns for mark in marked}) or sorted({band.start_ns for band in faults})
    named = {mark.op for mark in marked}
    near = nearest([(call.start_ns, max(call.start_ns, call.end_ns)) for call in calls],
                   about, CALLS_MAX * eighths // 8)
    offending = [at for at, call in enumerate(calls) if call.start in named]
    calls_kept = [calls[at] for at in sorted({*near, *offending})]
    rows = max(ROWS_MIN, ROWS_MAX - len(calls_kept)) * eighths // 8
    rare = _near([event for event in trace if event.kind not in STEADY], about,
                 RARE_MAX * eighths // 8)
    routine = [event for event in trace if event.kind in STEADY]
    steady = _near(routine, about, rows)
    every = list(arrows(trace, {call.start: call for call in calls}))
    arrows_kept = [every[at] for at in nearest(
        [(arrow.start_ns, arrow.end_ns or arrow.start_ns) for arrow in every], about, rows)]
    return Chosen(calls_kept, sorted([*rare, *steady], key=lambda event: event.time), arrows_kept, [
        Kept("operations", len(calls_kept), len(calls)),
        Kept("trace events", len(rare) + len(steady), len(trace)),
        Kept("messages", len(arrows_kept), len(every))], {
        "calls": gaps([call.start_ns for call in calls], [call.start_ns for call in calls_kept]),
        "events": gaps([event.time for event in routine], [event.time for event in steady])})


def _near(events: Sequence[Event], about: Sequence[int], limit: int) -> list[Event]:
    return [events[at] for at in nearest([(event.time, event.time) for event in events],
                                         about, limit)]


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


class Placed(NamedTuple):
    """A record whose times are positions in its history, or count from its beginning."""

    test: dict[str, Any]
    history: History
    trace: Trace


def clock(record: Record) -> str:
    """What the times are: "ns", or "position" where the history has none."""
    return "position" if any(op.time < 0 for op in record.history) else "ns"


def since(record: Record) -> int:
    """What a page's times count from: 0, unless most of the axis would be empty, as since 1970."""
    times = [op.time for op in record.history]
    if not times or len(record.trace) or clock(record) != "ns":
        return 0
    first = min(times)
    return first if first > EMPTY_MAX * (max(times) - first) else 0


def placed(record: Record) -> Record:
    """The record itself, or with the times of its ops from `since` on, or their indexes for times.

    A script's numbers hold nanoseconds of some weeks, and not those since 1970.
    """
    timed, begin_ns = clock(record) == "ns", since(record)
    if timed and not begin_ns:
        return record
    ops = [op._replace(time=op.time - begin_ns if timed else op.index) for op in record.history]
    return Placed(record.test, History(ops), Trace())


def page_data(
    record: Record, chosen: Chosen, marked: Sequence[Mark], told: Sequence[Moment],
    faults: Sequence[Band], *, verdict: Verdict, symbols: dict[str, int], unit: str = "ns",
    begin_ns: int = 0
) -> dict[str, Any]:
    """Everything the page's script is given."""
    strings = Strings()
    nodes = [*hosts(record.trace), *others(record.trace), CLIENTS]
    clients = record.test.get("clients")
    lanes = client_lanes(record.history.calls(), clients if type(clients) is int else 0)
    lives = Lives(record.trace, {call.start for call in chosen.calls})
    numbers = {node: at for at, node in enumerate(nodes)}
    return {
        "clock": unit, "since": divmod(begin_ns, SECOND_NS), "valid": verdict.valid,
        "end": _end(record), "nodes": nodes,
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
    """Events by shape: its kind, which values are texts (as bits), its keys.

    A row is a shape, a node, the time since the row before, and the values.
    """
    shapes: dict[tuple[str | int, ...], int] = {}
    rows = []
    before = 0
    for event in events:
        values = [strings.number(value) if isinstance(value, str) else
                  value if type(value) is int else [show(value)] for value in event.data.values()]
        texts = sum(1 << at for at, value in enumerate(event.data.values())
                    if isinstance(value, str))
        shape = shapes.setdefault((event.kind, texts, *event.data), len(shapes))
        rows.append([shape, nodes[event.node], event.time - before, *values])
        before = event.time
    return {"shapes": [list(shape) for shape in shapes], "rows": rows}


def _arrows(arrows: Iterable[Arrow], nodes: dict[str, int], strings: Strings) -> list[list[Any]]:
    """Rows: kind, time since the row before, source, duration, destination, op, text.

    -1 for a duration, a node or an op where there is none.
    """
    rows = []
    before = 0
    for arrow in arrows:
        rows.append([strings.number(arrow.kind), arrow.start_ns - before,
                     -1 if arrow.source is None else nodes[arrow.source],
                     -1 if arrow.end_ns is None else arrow.end_ns - arrow.start_ns,
                     -1 if arrow.to is None else nodes.get(arrow.to, -1),
                     -1 if arrow.op is None else arrow.op, strings.number(arrow.what)])
        before = arrow.start_ns
    return rows
