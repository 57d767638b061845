"""The logging channel under a hostile network: in order, whole, once, bounded, and in the end."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmft import entry as log
from vmft.channel import Receiver, Sender
from vmft.entry import Entry
from vmft.messages import Log
from vmft.settings import Settings

SMALL = Settings(primary_buffer_entries=8, backup_buffer_entries=6, batch_entries=3, resend_ns=10)
STEPS = ("add", "add", "flush", "deliver", "deliver", "again", "lose", "damage", "execute", "ack",
         "ack again", "wait")


@dataclass
class Channel:
    """Both ends, and everything on its way between them, in any order."""

    sender: Sender = field(default_factory=lambda: Sender(1, SMALL))
    receiver: Receiver = field(default_factory=lambda: Receiver(SMALL))
    now_ns: int = 0
    sent: list[Entry] = field(default_factory=list)
    got: list[Entry] = field(default_factory=list)
    executed: int = 0
    on_wire: list[Log] = field(default_factory=list)
    acks: list[int] = field(default_factory=list)

    def add(self) -> None:
        """The primary logs an entry, when its buffer has room."""
        if not self.sender.full:
            number = len(self.sent) + 1
            entry = self.sender.add(log.RESULT, 10 * number, bytes([number & 0xFF]), self.now_ns)
            self.sent.append(entry)

    def flush(self) -> None:
        """Everything that should go out now goes out."""
        while (message := self.sender.flush(self.now_ns, 0)) is not None:
            self.on_wire.append(message)

    def take(self, message: Log) -> None:
        """The backup takes a message and acknowledges."""
        received = self.receiver.take(message, len(self.got) - self.executed)
        self.got += received.entries
        self.acks.append(self.receiver.received)

    def do(self, step: str, which: int) -> None:
        """One thing that may happen."""
        self.now_ns += 1
        if step == "add":
            self.add()
        elif step == "flush":
            self.flush()
        elif step == "execute":
            self.executed = min(len(self.got), self.executed + 1 + which % 3)
        elif step == "wait":
            self.now_ns += SMALL.resend_ns
        elif step == "ack" and self.acks:
            self.sender.acknowledge(self.acks.pop(which % len(self.acks)), self.executed)
        elif step == "ack again" and self.acks:
            self.sender.acknowledge(self.acks[which % len(self.acks)], self.executed)
        elif self.on_wire:
            self.on_the_wire(step, which)

    def on_the_wire(self, step: str, which: int) -> None:
        """One thing that may happen to a message on its way."""
        at = which % len(self.on_wire)
        if step == "deliver":
            self.take(self.on_wire.pop(at))
        elif step == "again":
            self.take(self.on_wire[at])
        elif step == "lose":
            del self.on_wire[at]
        elif step == "damage":
            records = bytearray(self.on_wire[at].records)
            records[which % len(records)] ^= 1 + which % 255
            self.take(self.on_wire[at]._replace(records=bytes(records)))

    def check(self) -> None:
        """What must hold at every moment."""
        assert self.got == self.sent[:len(self.got)], "a contiguous prefix, unchanged"
        assert self.sender.acknowledged <= self.receiver.received == len(self.got)
        assert len(self.sender.buffer) <= SMALL.primary_buffer_entries
        assert len(self.got) - self.executed <= SMALL.backup_buffer_entries
        assert [each.seq for each in self.sender.buffer] == list(
            range(self.sender.acknowledged + 1, self.sender.last + 1)), "kept until acknowledged"


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 10_000)), max_size=80))
def test_whatever_the_network_does_the_log_is_a_prefix(steps: list[tuple[str, int]]) -> None:
    """C6: loss, duplication, reordering, damage and stale acknowledgements, at every moment."""
    channel = Channel()
    for step, which in steps:
        channel.do(step, which)
        channel.check()


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 10_000)), max_size=80))
def test_once_the_network_is_kind_everything_arrives(steps: list[tuple[str, int]]) -> None:
    """Whatever was lost before is sent again until it is acknowledged."""
    channel = Channel()
    for step, which in steps:
        channel.do(step, which)
    channel.on_wire.clear()
    channel.acks.clear()
    for _ in range(len(channel.sent) + 1):
        channel.now_ns += SMALL.resend_ns + 1
        channel.flush()
        for message in channel.on_wire:
            channel.take(message)
        channel.on_wire.clear()
        channel.executed = len(channel.got)
        channel.sender.acknowledge(channel.receiver.received, channel.executed)
        channel.check()
    assert channel.got == channel.sent
    assert not channel.sender.buffer
    assert channel.sender.due_ns() is None


@given(st.integers(1, 8))
def test_overdue_entries_are_sent_again_until_acknowledged(count: int) -> None:
    """As often as it takes, all of them, and not before they are due."""
    channel = Channel()
    for _ in range(count):
        channel.add()
    channel.flush()
    first = list(channel.on_wire)
    for _ in range(3):
        channel.on_wire.clear()
        due_ns = channel.sender.due_ns()
        assert due_ns is not None
        channel.now_ns = due_ns - 1
        channel.flush()
        assert not channel.on_wire
        channel.now_ns = due_ns
        channel.flush()
        assert channel.on_wire == first
    channel.sender.acknowledge(count, 0)
    assert channel.sender.due_ns() is None
    channel.now_ns += 100 * SMALL.resend_ns
    assert channel.sender.flush(channel.now_ns, 0) is None


def test_only_what_is_not_acknowledged_is_sent_again() -> None:
    """An acknowledgement of a part is a part less to send."""
    channel = Channel()
    for _ in range(5):
        channel.add()
    channel.flush()
    channel.on_wire.clear()
    channel.sender.acknowledge(4, 0)
    channel.now_ns += SMALL.resend_ns
    channel.flush()
    assert [(each.first, each.last) for each in channel.on_wire] == [(5, 5)]


def test_a_message_is_never_longer_than_a_batch() -> None:
    """Five entries in batches of three are two messages, with the numbers they say."""
    channel = Channel()
    for _ in range(5):
        channel.add()
    channel.flush()
    assert [(each.first, each.last) for each in channel.on_wire] == [(1, 3), (4, 5)]
    for each in channel.on_wire:
        assert [entry.seq for entry in log.decode_all(each.records)] == list(
            range(each.first, each.last + 1))


def test_a_full_backup_takes_what_fits_and_says_so() -> None:
    """What did not fit was not received, and comes again."""
    channel = Channel()
    for _ in range(8):
        channel.add()
    channel.flush()
    records = b"".join(message.records for message in channel.on_wire)
    received = channel.receiver.take(Log(1, 1, 8, 0, records), waiting=2)
    assert [entry.seq for entry in received.entries] == [1, 2, 3, 4]
    assert received.trouble == "full"
    assert channel.receiver.received == 4


def test_a_gap_is_named() -> None:
    """The message behind a lost one is refused whole."""
    channel = Channel()
    for _ in range(5):
        channel.add()
    channel.flush()
    received = channel.receiver.take(channel.on_wire[1], waiting=0)
    assert received == ([], "gap: expected entry 1, got 4")


def test_an_acknowledgement_from_the_future_changes_nothing() -> None:
    """Nobody can have received what was never sent."""
    sender = Sender(1, SMALL)
    sender.add(log.RESULT, 1, b"", 0)
    assert not sender.acknowledge(2, 2)
    assert (sender.acknowledged, sender.executed, len(sender.buffer)) == (0, 0, 1)


@pytest.mark.parametrize("last", [0, 41])
def test_a_sender_may_start_in_the_middle_of_a_log(last: int) -> None:
    """The first entry follows the last one that the other side has."""
    sender, receiver = Sender(1, SMALL, last), Receiver(SMALL, last)
    assert not sender.unsent()
    assert sender.add(log.RESULT, 1, b"", 0).seq == last + 1
    assert sender.unsent()
    message = sender.flush(0, 0)
    assert message is not None and not sender.unsent()
    assert len(receiver.take(message, 0).entries) == 1


def test_new_messages_do_not_put_off_what_is_overdue() -> None:
    """A guest that always has something to log must not keep its losses from being sent again."""
    channel = Channel()
    channel.add()
    channel.flush()
    channel.on_wire.clear()
    for _ in range(4):
        channel.now_ns += SMALL.resend_ns // 2
        channel.add()
        channel.flush()
    assert 1 in [message.first for message in channel.on_wire]
