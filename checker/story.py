"""The white-box side of an operation: what the trace tells about one request.

A request is named by the index of the op that invoked it, in the history and in the frames on the
wire alike, so the two records meet here.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Iterable

from checker.check import Record
from checker.vacuity import had_effect
from histories import NEMESIS, Call, Event, Op


class Story:
    """The trace of a record, ordered by request and by kind."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.calls = {call.start: call for call in record.history.calls()}
        self.inputs: dict[int, list[Event]] = defaultdict(list)
        self.releases: dict[int, list[Event]] = defaultdict(list)
        for event in record.trace:
            request = event.data.get("request")
            if request is None:
                continue
            if event.kind == "release":
                self.releases[request].append(event)
            elif event.kind == "log" and event.data["entry"] == "input":
                self.inputs[request].append(event)

    def answered(self, call: Call) -> Event | None:
        """The release of the answer that the client got."""
        for event in self.releases.get(call.start, []):
            if call.completion is not None and event.time <= call.end_ns:
                return event
        return None

    def acknowledged(self, generation: int, at_ns: int) -> int:
        """The last entry that the backup had acknowledged by then."""
        return max((event.data["received"] for event in self.record.trace.of("acknowledge")
                    if event.time <= at_ns and event.data["generation"] == generation), default=0)

    def first(self, kind: str, node: str | None = None, after_ns: int = 0,
              **data: Any) -> Event | None:
        """The first event of a kind, on a node, after a moment, that says this."""
        for event in self.record.trace.of(kind):
            if event.time >= after_ns and node in (None, event.node) \
                    and all(event.data.get(key) == value for key, value in data.items()):
                return event
        return None

    def lost(self, first: int, last: int, source: str) -> list[Event]:
        """Log messages from a host that never arrived, and carried any of these entries."""
        return [event for event in self.record.trace.of("drop", "stalled")
                if event.node == source and "first" in event.data
                and event.data["first"] <= last and first <= event.data["last"]]

    def fault_before(self, at_ns: int, names: Iterable[str] = ()) -> Op | None:
        """The latest fault that had an effect by then."""
        latest = None
        for op in self.record.history:
            if op.time > at_ns:
                break
            if op.process == NEMESIS and had_effect(op) and (not names or op.f in names):
                latest = op
        return latest


def seconds(time_ns: int) -> str:
    """A moment of a run, to the microsecond."""
    return f"{time_ns // 1_000_000_000}.{time_ns % 1_000_000_000 // 1000:06d} s"
