"""The shadow: takes entries into its log buffer, acknowledges them, and replays them.

An acknowledgement is sent as soon as entries are in the buffer; execution may lag far behind.
What was acknowledged is never lost: it is executed, all of it, before this side goes live
[paper 2.1, 2.2, 3.2].  Its outputs go nowhere; those that the primary has not reported as
released are kept for whoever goes live.
"""

from __future__ import annotations

import zlib
from collections import deque
from typing import Any

from vmft.backup_io import BackupIO
from vmft.channel import Receiver
from vmft.devices import NIC, DiskOperation
from vmft.messages import DISK_NODE, SWITCH, Ack, DiskReply, Effect, Log, Note, Packet, Send
from vmft.moments import earliest
from vmft.recorder import INSTRUCTION_NS, Output
from vmft.replayer import Replayer
from vmft.settings import Settings


class Backup:
    """A machine that replays what `peer` logs in `generation`."""

    def __init__(self, replayer: Replayer, generation: int, peer: str, settings: Settings,
                 bugs: frozenset[str] = frozenset()) -> None:
        self.bugs = bugs
        self.replayer = replayer
        self.io = replayer.io = BackupIO(replayer.machine, settings, bugs)
        self.generation = generation
        self.peer = peer
        self.receiver = Receiver(settings, bugs=bugs)
        self.unconfirmed: deque[Output] = deque()
        self.released = replayer.machine.devices.outputs
        self.writes: list[DiskOperation] = []   # only to issue everything again, by mistake
        self.deaf = False           # going live: what arrives now is not part of the past
        self.quiesced = 0           # the move for which replay has stopped at a quiet point
        self.frozen = False         # the machine is about to live elsewhere
        self.leaving = False        # what arrives now belongs to the new host
        self.share_percent = 100    # an administrator's
        self.slowdown = 1           # the host's
        self.busy_ns = 0
        self.clock_read_ns: int | None = None   # since when the guest's latest reading is known
        self._read = 0              # what the primary was told of our own reads
        self._effects: list[Effect] = []

    def log(self, now_ns: int, message: Log) -> None:
        """Take entries into the buffer and acknowledge them."""
        if self.deaf or self.leaving:
            return
        received = self.receiver.take(message, len(self.replayer.entries))
        self.replayer.append(received.entries)
        self.released = max(self.released, message.released)
        if received.trouble is not None:
            self._note(now_ns, "refused", {"first": message.first, "last": message.last,
                                           "why": received.trouble})
        self._note(now_ns, "acknowledge", {
            "received": self.receiver.received, "generation": self.generation})
        self.acknowledge(now_ns)

    def acknowledge(self, now_ns: int) -> None:
        """Tell the primary what is in the buffer, and what has been executed and read."""
        self._read = self.io.read
        ack = Ack(self.generation, self.receiver.received, self.replayer.executed, self._read)
        self._effects.append(Send(now_ns, self.peer, ack))

    def disk_replied(self, now_ns: int, reply: DiskReply) -> None:
        """An operation that this side does itself has ended; not one of an older generation."""
        if reply.generation >= self.generation:
            self.io.replied(now_ns, reply)

    def contention_won(self) -> None:
        """Going live: what arrives now is not part of the past, and the disk is ours."""
        self.deaf = True
        self.io.ask_again()

    def step(self, now_ns: int, until_ns: int) -> None:
        """Replay for a while, and do what this side does itself on a disk."""
        if self.busy_ns <= now_ns and not self.frozen and self.replayer.runnable():
            self._replay(now_ns, until_ns)
        at_ns = max(now_ns, self.busy_ns)
        for request in self.io.take_due(at_ns, self.generation + self.deaf):
            self._effects.append(Send(at_ns, DISK_NODE, request))
        if self.io.read > self._read and not self.deaf and not self.leaving:
            self.acknowledge(at_ns)

    def _replay(self, now_ns: int, until_ns: int) -> None:
        before = self.replayer.executed
        self.replayer.instruction_ns = INSTRUCTION_NS * 100 * self.slowdown // self.share_percent
        clock = self.replayer.machine.devices.clock_last
        self.busy_ns = self.replayer.run(now_ns, until_ns)
        if self.replayer.machine.devices.clock_last != clock:
            self.clock_read_ns = self.busy_ns
        if "everything-again" in self.bugs:
            self.writes += [each.operation for each in self.replayer.outputs if each.operation]
        if "backup-speaks" in self.bugs:
            self._speak(self.replayer.outputs)
        self.unconfirmed.extend(self.replayer.outputs)
        self.replayer.outputs.clear()
        while self.unconfirmed and self.unconfirmed[0].number <= self.released:
            self.unconfirmed.popleft()
        if self.replayer.executed != before:
            self._note(self.busy_ns, "replay", {
                "first": before + 1, "last": self.replayer.executed,
                "at": self.replayer.machine.position, "waiting": len(self.replayer.entries)})

    def _speak(self, outputs: list[Output]) -> None:
        """By mistake: what the shadow sends goes out into the world, too."""
        for output in outputs:
            if output.device == NIC:
                self._note(self.busy_ns, "release", {
                    "number": output.number, "seq": output.seq, "at": output.at, "device": "nic",
                    "crc": zlib.crc32(output.data), "bytes": len(output.data), "again": False,
                    "generation": self.generation, "acknowledged": None})
                self._effects.append(Send(self.busy_ns, SWITCH, Packet(output.data)))

    def wake_ns(self, now_ns: int) -> int | None:
        """When there is something to execute."""
        runnable = self.replayer.runnable() and not self.frozen
        replay_ns = max(now_ns, self.busy_ns) if runnable else None
        return earliest(replay_ns, self.io.due_ns(now_ns))

    @property
    def caught_up(self) -> bool:
        """Everything received has been executed."""
        if "lost-buffer" in self.bugs and self.deaf:
            self.replayer.entries.clear()
        return not self.replayer.entries or "live-too-soon" in self.bugs

    def take_effects(self) -> list[Effect]:
        """What should be done, since the last call."""
        taken, self._effects = self._effects, []
        return taken

    def _note(self, at_ns: int, kind: str, data: dict[str, Any]) -> None:
        self._effects.append(Note(at_ns, kind, data))
