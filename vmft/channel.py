"""The logging channel's two ends: a send buffer on the primary, a receive buffer on the backup.

The sender keeps every entry until the backup has acknowledged it and sends again what stays
unacknowledged.  The receiver takes entries in order only: one that it has is dropped, one that
leaves a gap or is damaged is dropped with everything behind it [paper 2.2, 3.2].  An
acknowledgement is cumulative and means received, not executed.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from vmft import entry as log
from vmft.messages import Log
from vmft.settings import Settings


class Buffered(NamedTuple):
    """An entry waiting in the primary's buffer, encoded."""

    seq: int
    record: bytes


class Made(NamedTuple):
    """An entry that the backup has not executed: after which instruction, and when, it was made."""

    seq: int
    at: int
    time_ns: int


class Flight(NamedTuple):
    """A message on its way: its last entry's number, and when it was sent."""

    last: int
    sent_ns: int


class Sender:
    """The primary's log buffer.

    `last` is the newest entry's number, `sent` the newest that a message has carried,
    `acknowledged` the newest that the backup has confirmed; `bytes` counts what was logged.
    Each message is overdue on its own: new ones in steady traffic must not put off an old one.
    """

    def __init__(self, generation: int, settings: Settings, last: int = 0) -> None:
        self.generation = generation
        self.settings = settings
        self.last = last
        self.acknowledged = last
        self.bytes = 0
        self.executed = last
        self.buffer: deque[Buffered] = deque()
        self._made: deque[Made] = deque()   # not executed by the backup
        self.sent = last
        self._flights: deque[Flight] = deque()

    def add(self, kind: int, at: int, data: bytes, now_ns: int) -> log.Entry:
        """Log one entry; it leaves with the next flush."""
        self.last += 1
        entry = log.Entry(self.last, kind, at, data)
        record = log.encode(entry)
        self.bytes += len(record)
        self.buffer.append(Buffered(self.last, record))
        self._made.append(Made(self.last, at, now_ns))
        return entry

    def lag_ns(self, now_ns: int) -> int:
        """How long ago the oldest entry was made that the backup has not executed."""
        return max(0, now_ns - self._made[0].time_ns) if self._made else 0

    @property
    def behind(self) -> int:
        """How many instructions the backup has to execute, as far as entries tell."""
        return self._made[-1].at - self._made[0].at if self._made else 0

    @property
    def full(self) -> bool:
        """Whether the primary must stop until something is acknowledged."""
        return len(self.buffer) >= self.settings.primary_buffer_entries

    def flush(self, now_ns: int, released: int) -> Log | None:
        """The entries that were not sent yet, or all of them again when they are overdue."""
        overdue = self.due_ns()
        if overdue is not None and now_ns >= overdue:
            self.send_again()
        if self.sent == self.last:
            return None
        skip = self.sent - self.acknowledged
        batch = [self.buffer[i] for i in range(
            skip, min(len(self.buffer), skip + self.settings.batch_entries))]
        self.sent = batch[-1].seq
        self._flights.append(Flight(self.sent, now_ns))
        return Log(self.generation, batch[0].seq, batch[-1].seq, released,
                   b"".join(each.record for each in batch))

    def send_again(self) -> None:
        """What is not acknowledged leaves once more: it got lost, or the other end is new."""
        self.sent = self.acknowledged
        self._flights.clear()

    def acknowledge(self, received: int, executed: int) -> bool:
        """Take note of an acknowledgement; answers whether it says anything new."""
        if received > self.last:
            return False
        while self._made and self._made[0].seq <= executed:
            self._made.popleft()
        self.executed = max(self.executed, executed)
        news = received > self.acknowledged
        while self.buffer and self.buffer[0].seq <= received:
            self.buffer.popleft()
        while self._flights and self._flights[0].last <= received:
            self._flights.popleft()
        self.acknowledged = max(self.acknowledged, received)
        self.sent = max(self.sent, self.acknowledged)
        return news

    def due_ns(self) -> int | None:
        """When what was sent and not acknowledged will be sent again."""
        return self._flights[0].sent_ns + self.settings.resend_ns if self._flights else None

    def unsent(self) -> bool:
        """Whether there are entries that no message has carried yet."""
        return self.sent < self.last


class Received(NamedTuple):
    """What the receiver made of one message: the entries it took, and what was wrong, if so."""

    entries: list[log.Entry]
    trouble: str | None


class Receiver:
    """The backup's side: puts entries in order; `received` is the last one it has."""

    def __init__(self, settings: Settings, received: int = 0,
                 bugs: frozenset[str] = frozenset()) -> None:
        self.settings = settings
        self.bugs = bugs
        self.received = received

    def take(self, message: Log, waiting: int) -> Received:
        """The new entries of a message, as far as there is room beside `waiting` ones."""
        taken: list[log.Entry] = []
        trouble = None
        try:
            for entry in log.decode_all(message.records):
                if waiting + len(taken) >= self.settings.backup_buffer_entries:
                    trouble = "full"
                    break
                if "unchecked-sequence" in self.bugs:
                    taken.append(entry)
                    self.received = max(self.received, entry.seq)
                    continue
                if entry.seq > self.received + 1:
                    trouble = f"gap: expected entry {self.received + 1}, got {entry.seq}"
                    break
                if entry.seq == self.received + 1:
                    taken.append(entry)
                    self.received = entry.seq
        except log.Damaged as damage:
            trouble = str(damage)
        return Received(taken, trouble)
