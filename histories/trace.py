"""The white-box record: what replicas, disks, the network and devices did.

Kept apart from the history, which holds only what clients could see.  Events are written as they
happen, one JSON object a line, so that a run cut off in the middle leaves a readable prefix.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterable, Iterator, NamedTuple, TextIO

from histories.errors import UsageError
from histories.jsonl import decode_text, dump_line, load_bytes, parse_lines


class Event(NamedTuple):
    """One thing that one node did: ``time`` in ns of virtual time, ``data`` JSON-able."""

    time: int
    node: str
    kind: str
    data: dict[str, Any]


class Trace:
    """Events in the order in which they happened, written to ``sink`` as they are appended."""

    def __init__(self, events: Iterable[Event] = (), *, sink: TextIO | None = None) -> None:
        self.events: list[Event] = list(events)
        self._sink = sink

    def append(self, event: Event) -> None:
        """Record one more event."""
        self.events.append(event)
        if self._sink is not None:
            self._sink.write(dump_event(event) + "\n")

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def of(self, *kinds: str) -> list[Event]:
        """The events of these kinds, in order."""
        return [event for event in self.events if event.kind in kinds]


def dump_event(event: Event) -> str:
    """An event as one line of JSON, its data in the order of insertion.

    UsageError for what JSON cannot hold.
    """
    return dump_line(event._asdict())


def read_trace(path: Path, *, cut_ok: bool = False) -> Trace:
    """A trace from its file; with ``cut_ok`` the last line may be cut off in the middle.

    UsageError, with its line, for what is no event.
    """
    source = str(path)
    text = decode_text(load_bytes(path), source, cut_ok=cut_ok)
    records = parse_lines(text, source, cut_ok=cut_ok)
    return Trace(_event(record, f"{source}:{number}") for number, record in records)


def _event(record: Any, where: str) -> Event:
    try:
        event = Event(**record)
    except TypeError:
        event = Event(-1, "", "", {})
    if type(event.time) is not int or not event.kind or type(event.data) is not dict:
        raise UsageError(f"{where}: expected an event, a map with time, node, kind and data")
    return event
