"""A space-time diagram in text: a column for the clients, each host, disk, cluster and network.

Time goes down, a row for each event.  A message is drawn in the row of its arrival, from the axis
of its sender; one that was lost ends in an x.  The axis of a host tells its role.  Faults stand in
the margin, a letter each, from their beginning to their end.  What says little by itself (log
entries of ticks, acknowledgements, replay) is counted in one row; over ROWS_MAX rows those nearest
to the marks and turns are kept, and the gaps say how many rows they leave out.

Without a trace, the columns are the clients, each with its own up to CLIENTS_MAX of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from itertools import groupby
from typing import Iterable, Iterator, NamedTuple, Sequence

from checker.event_words import tell
from checker.report.faults import Band
from checker.report.lanes import (CLIENTS, OTHERS, UNTOLD, Role, client_lanes, hosts, others,
                                  roles)
from checker.report.lives import Lives
from checker.report.nearest import nearest
from checker.scene import SIGNS, Scene
from checker.story import Story
from histories import Call, Event
from histories.value import quantity, show

ROWS_MAX = 120
CLIENTS_MAX = 8
FAULTS_MAX = 12
COUNTED_MIN = 5                         # what says little is told of where it is this much
WIDTH, NARROW = 26, 14                  # of a column, in characters
MARGIN_NS = 2_000_000                   # shown before and after the failure
AXIS = {"primary": "#", "alone": "#", "backup": ":", "winner": "?", "contending": "?",
        "paused": "=", "spare": ".", "halted": " ", "crashed": " ", "off": " "}
LEGEND = "axes: # live  : backup  ? contending  = paused  . spare  blank: down"
TURNING = ("crash", "suspect", "live", "halt")    # with the marks, what rows are kept by
QUIET = ("log", "ack", "acknowledge", "replay", "output", "release")
SOURCES = {"test-and-set": "asked", "place": "asked", "backup": "of", "disk-write": "source",
           "disk-read": "source"}       # who sent what arrives


class Row(NamedTuple):
    """What happens at a node; ``source`` is where the message came from that arrives with it."""

    time_ns: int
    node: str
    text: str
    source: str | None = None
    lost: bool = False
    sign: str = " "


class Span(NamedTuple):
    """A stretch of time, both ends in it."""

    since_ns: int
    until_ns: int


def failing(scene: Scene) -> Span:
    """The time of the failure, with a margin; all of it if nothing is marked."""
    calls = {call.start: call for call in scene.record.history.calls()}
    ends = [mark.time_ns for mark in scene.told]
    ends += [calls[mark.op].end_ns for mark in scene.told if mark.op is not None]
    margin_ns = MARGIN_NS if scene.timed else 2
    if not ends:
        return of_calls(scene, list(calls.values()))
    first = min(mark.time_ns for mark in scene.told)
    return Span(max(0, first - margin_ns), max(ends) + margin_ns)


def of_calls(scene: Scene, calls: Sequence[Call]) -> Span:
    """From the first invocation to the last end of these."""
    return Span(min((call.start_ns for call in calls), default=0),
                max((max(call.start_ns, call.end_ns) for call in calls), default=0))


def diagram(scene: Scene, calls: Sequence[Call], span: Span) -> list[str]:
    """The diagram of a stretch of time; of clients' operations these ones only."""
    found = sorted(_rows(scene, calls, span), key=lambda row: row.time_ns)
    turns = [event.time for event in scene.record.trace.of(*TURNING)]
    moments = sorted([mark.time_ns for mark in scene.told] + turns) or [span.since_ns]
    kept = nearest([(row.time_ns, row.time_ns) for row in found], moments, ROWS_MAX)
    faults = [band for band in scene.faults if band.start_ns <= span.until_ns
              and (band.end_ns is None or band.end_ns >= span.since_ns)][:FAULTS_MAX]
    sheet = _Sheet(scene, _used(scene, found), faults)
    lines = [f"{scene.when(span.since_ns)} to {scene.when(span.until_ns)}, "
             f"{len(kept)} of {quantity(len(found), 'row')}", "", sheet.head()]
    last = -1
    for place in kept:
        lines += _gap(place - last - 1)
        lines.append(sheet.row(found[place]))
        last = place
    lines += _gap(len(found) - last - 1)
    return [*lines, "", *_legend(scene, faults)]


def _gap(rows: int) -> list[str]:
    return [f"      ... {quantity(rows, 'row')} left out here ..."] if rows else []


def _legend(scene: Scene, faults: Sequence[Band]) -> list[str]:
    lines = [SIGNS] if scene.marks else []
    lines += [LEGEND, f"ticks, acknowledgements and replay are counted, from {COUNTED_MIN} on"] \
        if len(scene.record.trace) else []
    return lines + [f"{_letter(at)}  {band.what}, from {scene.when(band.start_ns)}"
                    f"{_until(scene, band)}" for at, band in enumerate(faults)]


def _until(scene: Scene, band: Band) -> str:
    if band.end_ns is None:
        return " to the end"
    return "" if band.end_ns == band.start_ns else f" to {scene.when(band.end_ns)}"


def _letter(at: int) -> str:
    return chr(ord("a") + at)


def _columns(scene: Scene) -> list[str]:
    trace = scene.record.trace
    if len(trace):
        return [CLIENTS, *hosts(trace), *others(trace)]
    lanes = max(_lanes(scene).values(), default=0) + 1
    return [f"client {lane}" for lane in range(lanes)] if lanes <= CLIENTS_MAX else [CLIENTS]


def _used(scene: Scene, rows: Sequence[Row]) -> list[str]:
    """The columns without those of services that have nothing to tell."""
    told = {row.node for row in rows}.union(row.source for row in rows)
    return [name for name in _columns(scene) if name not in OTHERS or name in told]


def _lanes(scene: Scene) -> dict[int, int]:
    clients = scene.record.test.get("clients")
    return client_lanes(scene.record.history.calls(), clients if type(clients) is int else 0)


# What there is to tell

def _rows(scene: Scene, calls: Sequence[Call], span: Span) -> list[Row]:
    """All rows of a stretch of time, not yet in order."""
    shown = [call for call in calls if call.start_ns <= span.until_ns
             and max(call.start_ns, call.end_ns) >= span.since_ns]
    told = dict(_linked(scene, shown))
    rows = [row for row in [*_of_calls(scene, shown), *told.values()] if _within(span, row)]
    rest = [event for place, event in enumerate(scene.record.trace)
            if place not in told and span.since_ns <= event.time <= span.until_ns]
    turns = list(_turns(rest, _carried(scene.record.trace.events, told)))
    rows += [row for _, row in turns]
    loud = {place for place, _ in turns}
    quiet = [event for place, event in enumerate(rest) if place not in loud]
    return rows + list(_counts(quiet, sorted(row.time_ns for row in rows)))


def _within(span: Span, row: Row) -> bool:
    return span.since_ns <= row.time_ns <= span.until_ns


def _of_calls(scene: Scene, calls: Sequence[Call]) -> Iterator[Row]:
    """Invocations and completions."""
    story, lanes, columns = Story(scene.record), _lanes(scene), _columns(scene)
    for call in calls:
        sign = scene.sign(call)
        node = CLIENTS if CLIENTS in columns else f"client {lanes[call.process]}"
        asks = call.f if call.arg is None else f"{call.f} {show(call.arg)}"
        yield Row(call.start_ns, node, f"op {call.start} {asks}", sign=sign)
        if call.completion is not None:
            told = story.answered(call) if call.outcome != "info" else None
            ended = {"ok": str(call), "fail": f"{call.f} failed", "info": f"{call.f}: no answer"}
            yield Row(call.end_ns, node, f"op {call.start} {ended[call.outcome]}",
                      None if told is None else told.node, sign=sign)


def _linked(scene: Scene, calls: Sequence[Call]) -> Iterator[tuple[int, Row]]:
    """What the machines did about these operations, by the place of the event in the trace."""
    lives = Lives(scene.record.trace, {call.start for call in calls})
    places = {_name(event): place for place, event in enumerate(scene.record.trace)}
    for call in calls:
        for life in lives.of(call.start):
            answered = None if life.output is None else life.output.node
            for event, source in [(life.arrived, CLIENTS), (life.output, None),
                                  (life.acknowledged, answered), (life.executed, None),
                                  *((each, None) for each in life.releases)]:
                if event is not None:
                    yield places[_name(event)], Row(event.time, event.node, tell(event), source,
                                                    sign=scene.sign(call))


def _name(event: Event) -> tuple[object, ...]:
    """What tells an event of a request from every other."""
    data = event.data
    number = data.get("seq", data.get("last", data.get("received")))
    return event.time, event.node, event.kind, number


def _carried(events: Sequence[Event], told: Iterable[int]) -> set[tuple[str, int]]:
    """The entries that are told of: where they were logged, and their numbers."""
    return {(events[place].node, events[place].data["seq"]) for place in told
            if "seq" in events[place].data}


def _turns(events: Sequence[Event], entries: set[tuple[str, int]]) -> Iterator[tuple[int, Row]]:
    """Events with rows of their own; of lost entries, the first loss of those that are told of."""
    lost_to: dict[str, int] = {}
    for place, event in enumerate(events):
        data, loses = event.data, event.kind in ("drop", "stalled")
        if event.kind in QUIET or data.get("message") in UNTOLD:
            continue
        if loses and "first" in data:
            since = max(data["first"], lost_to.get(event.node, 0) + 1)
            lost_to[event.node] = max(data["last"], lost_to.get(event.node, 0))
            if not any((event.node, seq) in entries for seq in range(since, data["last"] + 1)):
                continue
        source = data.get(SOURCES.get(event.kind, ""))
        yield place, Row(event.time, event.node, tell(event), source, loses)


def _counts(events: Sequence[Event], times: Sequence[int]) -> Iterator[Row]:
    """The others, counted between one row and the next."""
    for _, group in groupby(events, key=lambda event: bisect_right(times, event.time)):
        together = list(group)
        if len(together) >= COUNTED_MIN:
            counted = Counter(_sort(event) for event in together)
            said = ", ".join(f"{number} {what}" for what, number in sorted(counted.items()))
            yield Row(together[0].time, "", f"({said})")


def _sort(event: Event) -> str:
    if event.kind == "log":
        return f"log {event.data['entry']}"
    return f"lost {event.data['message']}" if "message" in event.data else event.kind


# How it is drawn

class _Sheet:
    """Rows as lines: a time, a margin, then the columns."""

    def __init__(self, scene: Scene, columns: Sequence[str], faults: Sequence[Band]) -> None:
        self.scene, self.columns, self.faults = scene, columns, faults
        self.roles: dict[str, list[Role]] = {}
        for role in roles(scene.record.trace):
            self.roles.setdefault(role.host, []).append(role)
        self.widths = [NARROW if name in OTHERS or name not in (CLIENTS, *self.roles) else WIDTH
                       for name in columns]
        self.places = {name: sum(self.widths[:at]) for at, name in enumerate(columns)}
        self.time_width = len(scene.when(max(
            (op.time for op in scene.record.history), default=0)))

    def head(self) -> str:
        """The names of the columns."""
        return self._line("", "", " ", self._cells(self.columns))

    def row(self, row: Row) -> str:
        """One row."""
        margin = "".join(self._letter(at, band, row.time_ns)
                         for at, band in enumerate(self.faults))
        axes = self._cells([self._axis(name, row.time_ns) for name in self.columns])
        return self._line(self.scene.when(row.time_ns), margin, row.sign, self._drawn(axes, row))

    def _cells(self, texts: Sequence[str]) -> str:
        return "".join(map(str.ljust, texts, self.widths))

    def _line(self, when: str, margin: str, sign: str, cells: str) -> str:
        return (f"{when:>{self.time_width}} {margin:<{len(self.faults)}} {sign} "
                f"{cells}").rstrip()

    def _letter(self, at: int, band: Band, time_ns: int) -> str:
        active = band.start_ns <= time_ns and (band.end_ns is None or time_ns <= band.end_ns)
        return _letter(at) if active else " "

    def _axis(self, name: str, time_ns: int) -> str:
        known = [role for role in self.roles.get(name, ()) if role.start_ns <= time_ns]
        return AXIS.get(known[-1].role, "|") if known else "|"

    def _drawn(self, axes: str, row: Row) -> str:
        """The axes with a text beside one, and an arrow from another."""
        if row.node not in self.places:
            return _put(axes, 2, row.text)
        here = self.places[row.node]
        if row.lost:
            return _put(axes, here + 1, f"--x {row.text}")
        there = here if row.source is None else self.places.get(row.source, here)
        if there < here:
            axes = _put(axes, there + 1, "-" * (here - there - 2) + ">")
        if there <= here:
            return _put(axes, here + 2, row.text)
        text = f"{row.text} <"
        return _put(axes, here + 2, text + "-" * (there - here - 2 - len(text)))


def _put(line: str, at: int, text: str) -> str:
    """A line with a text over it."""
    return line[:at].ljust(at) + text + line[at + len(text):]
