"""The live side: executes, logs, and holds every output back until its entry is acknowledged.

The Output Rule [paper 2.2]: an output leaves only when the backup has acknowledged the entry of
that very output.  Only the output waits; the guest goes on.  Alone (no backup), outputs leave at
once.
"""

from __future__ import annotations

import zlib
from collections import deque
from typing import Any

from vmft import control, digest
from vmft import devices as dev
from vmft import entry as log
from vmft.backup_io import command_of
from vmft.blocks import BROKEN_OFF, DONE
from vmft.channel import Sender
from vmft.lag import Throttle
from vmft.messages import DISK_NODE, SWITCH, Ack, DiskReply, Effect, Note, Packet, Send
from vmft.moments import earliest
from vmft.outstanding import Outstanding
from vmft.recorder import INSTRUCTION_NS, Output, Recorder
from vmft.replayer import RESULT_NAMES
from vmft.settings import Settings

GATHER_NS = 20_000      # an entry waits no longer for others to leave with it
LOG_ENTRY_NS = 200      # to write an entry into the log buffer and onto the wire, of 10 Gbit/s
LOG_BYTE_NS = 1


class Primary:
    """A live machine, with a backup (`sender` is set) or alone (`sender` is None)."""

    def __init__(self, recorder: Recorder, generation: int, peer: str | None,
                 settings: Settings, bugs: frozenset[str]) -> None:
        self.recorder = recorder
        recorder.emit = self.emit
        self.generation = self.since = generation   # on this host
        self.peer = peer
        self.settings = settings
        self.bugs = bugs
        self.sender = Sender(generation, settings) if peer is not None else None
        self.held: deque[Output] = deque()
        self.released = recorder.machine.devices.outputs
        self.outstanding = Outstanding(
            lambda: [] if "unserialised" in bugs else recorder.machine.devices.disk.pending)
        self.throttle = Throttle(settings)
        self.share_percent = 100        # an administrator's
        self.slowdown = 1               # the host's
        self.yielding = False           # the backup shall take over
        self.moves = 0                  # of either side, in this generation
        self.frozen = False             # the machine is about to live elsewhere
        self.quiescing = 0              # the backup's move that waits for a quiet point
        self.quiesced = 0               # the one that got it
        self.busy_ns = 0
        self._digest_due = settings.digest_every_entries
        self._late = False
        self._latest_tag = 0
        self._effects: list[Effect] = []

    def emit(self, kind: int, at: int, data: bytes) -> int:
        """Log one entry; alone, there is nobody to log it for."""
        if self.sender is None:
            return 0
        if self._loses_entry():
            return self.sender.last
        made_ns = self.recorder.now_ns()
        entry = self.sender.add(kind, at, data, made_ns)
        self.recorder.spend(LOG_ENTRY_NS + len(entry.data) * LOG_BYTE_NS)
        self._note(made_ns, "log", {
            **describe(entry), "pc": self.recorder.machine.cpu.pc, "generation": self.generation})
        if self.sender.full:
            self.recorder.pause()
        self.recorder.hurry(made_ns + GATHER_NS)
        return entry.seq

    def _loses_entry(self) -> bool:
        """By mistake: a full buffer, or a log that begins too late."""
        assert self.sender is not None
        if "drop-when-full" in self.bugs and self.sender.full:
            return True
        late = "log-starts-late" in self.bugs and self.generation > 1 and not self._late
        self._late = self._late or late
        return late

    @property
    def stalled(self) -> bool:
        """The log buffer is full: nothing may happen until the backup acknowledges."""
        if "drop-when-full" in self.bugs:
            return False
        return self.sender is not None and self.sender.full

    def packet(self, now_ns: int, data: bytes) -> None:
        """A frame arrived for the guest; it is lost while the log is full or the guest moves."""
        if not self.stalled and not self.frozen:
            self.recorder.accept(now_ns, dev.NIC, data)

    def disk_replied(self, now_ns: int, reply: DiskReply) -> None:
        """An operation has ended; its data waits in the bounce buffer for the interrupt.

        Not one of another machine that was here before: it may bear the number of one of ours.
        """
        if reply.generation < self.since:
            return
        operation = self.outstanding.completed(reply.number)
        tag = operation.tag if operation is not None else self._latest_tag
        if operation is not None or "double-completion" in self.bugs:
            self._latest_tag = tag
            self._note(now_ns, "complete", {"number": reply.number, "status": reply.status,
                                            "generation": self.generation})
            completion = dev.COMPLETION.pack(reply.number, tag, reply.status)
            self.recorder.accept(now_ns, dev.DISK, completion + reply.data,
                                 completion if self._left_out(reply) else None)

    @property
    def _read_twice(self) -> bool:
        """Whether there is a backup that reads from the disk for itself."""
        return self.sender is not None and command_of(self.settings) == dev.READ

    def _left_out(self, reply: DiskReply) -> bool:
        """Whether the log need not say what was read: a failed read cannot be repeated."""
        good = reply.status == DONE or "failed-read-unshipped" in self.bugs
        return good and self._read_twice

    def acknowledged(self, now_ns: int, ack: Ack) -> None:
        """The backup has received entries; outputs that waited for them may leave."""
        assert self.sender is not None
        self.outstanding.backup_has_read(ack.read)
        news = self.sender.acknowledge(ack.received, ack.executed)
        lag_ns = self.sender.lag_ns(now_ns)
        if "no-throttle" not in self.bugs \
                and self.throttle.observe(now_ns, lag_ns, self.sender.behind):
            self._note(now_ns, "share", {"percent": self.throttle.percent, "lag_ns": lag_ns})
        if news:
            self._note(now_ns, "ack", {
                "received": ack.received, "executed": ack.executed, "lag_ns": lag_ns,
                "generation": self.generation, "buffered": len(self.sender.buffer)})
            self._release(now_ns)

    def pair(self, from_ns: int, peer: str) -> None:
        """Be the primary of a pair with a clone of this very state; stand still until `from_ns`."""
        assert not self.held
        self.peer = peer
        self.sender = Sender(self.generation, self.settings)
        if self._read_twice:
            self.outstanding.read_twice()
        self.busy_ns = max(self.busy_ns, from_ns)
        self.throttle = Throttle(self.settings)
        self._digest_due = self.settings.digest_every_entries

    def go_alone(self, now_ns: int, generation: int) -> None:
        """The backup is gone and cannot come back: what was held may leave."""
        self.generation = generation
        self.sender = None
        self.peer = None
        self.yielding = False
        self.outstanding.unread.clear()
        if "drop-held" in self.bugs:
            self.held.clear()
        self._release(now_ns)

    def take_over(self, now_ns: int, everything: list[dev.DiskOperation]) -> None:
        """Issue again exactly the disk operations that were started and have not completed."""
        pending = self.recorder.machine.devices.disk.pending
        if "everything-again" in self.bugs:
            pending = everything
        if "pending-forgotten" in self.bugs:
            pending = []
        for operation in pending:
            if "pending-fails" in self.bugs:
                failed = dev.COMPLETION.pack(operation.number, operation.tag, BROKEN_OFF)
                self.recorder.accept(now_ns, dev.DISK, failed)
                continue
            self.outstanding.submit(operation)
            self._note(now_ns, "reissue", {"number": operation.number, "block": operation.block,
                                           "generation": self.generation})

    def control(self, now_ns: int, order: str, value: int) -> None:
        """An administrator's order: logged, so that the backup does the same at the same place."""
        if order == control.FAILOVER and self.sender is None:
            self._note(now_ns, "order", {"order": order, "why": "refused: there is no backup"})
            return
        if order == control.POWER_OFF and "silent-power-off" in self.bugs:
            self.recorder.machine.obey(order)
            self.sender = None
        seq = self.recorder.control(now_ns, order, value)
        self._note(now_ns, "order", {"order": order, "value": value, "seq": seq})
        if order == control.SHARE:
            self.share_percent = value
        elif order == control.FAILOVER:
            self.yielding = True

    @property
    def quiet(self) -> bool:
        """Nothing is on its way: no disk operation, no output, no entry."""
        operations = self.recorder.machine.devices.disk.pending or self.outstanding.unread
        return not operations and not self.held and not (self.sender and self.sender.buffer)

    def _quiesce(self, now_ns: int) -> None:
        """Say in the log that no disk operation is on its way, once that is so."""
        if not self.recorder.machine.devices.disk.pending:
            self.recorder.control(now_ns, control.QUIESCE, self.quiescing)
            self.quiesced, self.quiescing = self.quiescing, 0

    @property
    def off(self) -> bool:
        """Switched off, and nobody is left who does not know it."""
        if self.recorder.machine.devices.powered or self.held:
            return False
        return self.sender is None or self.sender.acknowledged >= self.sender.last

    def step(self, now_ns: int, until_ns: int) -> None:
        """Execute for a while, then log and release what came of it."""
        if self.quiescing and self.busy_ns <= now_ns:
            self._quiesce(now_ns)
        if self.busy_ns <= now_ns and self._running():
            if self._has_news(now_ns):
                until_ns = min(until_ns, now_ns + GATHER_NS)
            share = min(self.share_percent, self.throttle.percent)
            self.recorder.instruction_ns = INSTRUCTION_NS * 100 * self.slowdown // share
            self.busy_ns = self.recorder.run(now_ns, until_ns)
            for output in self.recorder.take_outputs():
                if output.operation is not None and self.settings.disk == "local":
                    self.outstanding.submit(output.operation)   # it stays within the machine
                else:
                    self.held.append(output)
                clock = self.recorder.machine.devices.clock_last
                self._note(self.busy_ns, "output", {
                    **self._describe(output), "generation": self.generation, "clock": clock})
            for operation in self.recorder.take_requests():
                twice = self._read_twice and "unread-overwritten" not in self.bugs
                self.outstanding.submit(operation, twice=twice)
            self._digest()
            self._release(self.busy_ns)
        at_ns = max(now_ns, self.busy_ns)
        self._flush(at_ns)
        for request in self.outstanding.take_due(at_ns, self.generation):
            self._effects.append(Send(at_ns, DISK_NODE, request))

    def _has_news(self, now_ns: int) -> bool:
        """Whether something waits to be sent, to the backup or the disk, however busy the guest."""
        due_ns = self.outstanding.due_ns(now_ns)
        return self.sender is not None and self.sender.unsent() \
            or due_ns is not None and due_ns <= now_ns

    def _running(self) -> bool:
        return not (self.stalled or self.yielding or self.frozen or self.quiescing)

    def wake_ns(self, now_ns: int) -> int | None:
        """When there is something to do next."""
        ready_ns = None
        if self._running():
            ready_ns = self.recorder.wake_ns(max(now_ns, self.busy_ns))
        due_ns = self.sender.due_ns() if self.sender is not None else None
        return earliest(ready_ns, due_ns, self.outstanding.due_ns(now_ns))

    def take_effects(self) -> list[Effect]:
        """What should be done, since the last call."""
        taken, self._effects = self._effects, []
        return taken

    def _note(self, at_ns: int, kind: str, data: dict[str, Any]) -> None:
        self._effects.append(Note(at_ns, kind, data))

    def _may_leave(self, output: Output) -> bool:
        if self.sender is None or "no-output-rule" in self.bugs:
            return True
        if "ungated-disk" in self.bugs and output.device == dev.DISK:
            return True
        if "ungated-window" in self.bugs and self.generation > 1 and not self.sender.acknowledged:
            return True
        if "ack-at-send" in self.bugs:
            return output.seq <= self.sender.sent
        if "previous-ack" in self.bugs:
            return output.seq - 1 <= self.sender.acknowledged
        return output.seq <= self.sender.acknowledged

    def _release(self, now_ns: int) -> None:
        while self.held and self._may_leave(self.held[0]):
            output = self.held.popleft()
            self.released = output.number
            self.send_out(now_ns, output)

    def send_out(self, now_ns: int, output: Output, again: bool = False) -> None:
        """Let an output out into the world; `again` when another machine may have done so."""
        if "late-copy" in self.bugs and output.device == dev.NIC:
            machine = self.recorder.machine
            address = machine.devices.nic.tx_address
            output = output._replace(data=machine.cpu.read(address, len(output.data)))
        if "fresh-duplicates" in self.bugs and again:
            output = output._replace(data=output.data[:-1] + bytes([output.data[-1] ^ 1]))
        self._note(now_ns, "release", {
            **self._describe(output), "again": again, "generation": self.generation,
            "acknowledged": self.sender.acknowledged if self.sender is not None else None})
        if output.device == dev.NIC:
            self._effects.append(Send(now_ns, SWITCH, Packet(output.data)))
        elif output.operation is not None:
            self.outstanding.submit(output.operation)

    def _flush(self, now_ns: int) -> None:
        if self.sender is None or self.peer is None:
            return
        while (message := self.sender.flush(now_ns, self.released)) is not None:
            self._effects.append(Send(now_ns, self.peer, message))

    def _digest(self) -> None:
        """Every so many entries, say in the log what the state amounts to."""
        if self.sender is None or self.stalled or self.sender.last < self._digest_due \
                or not self.recorder.machine.devices.powered:
            return
        self._digest_due = self.sender.last + self.settings.digest_every_entries
        machine = self.recorder.machine
        self.emit(log.DIGEST, machine.position, digest.take(machine))

    def _describe(self, output: Output) -> dict[str, Any]:
        return {"number": output.number, "seq": output.seq, "at": output.at,
                "device": dev.DEVICES[output.device], "crc": zlib.crc32(output.data),
                **frame_fields(output.device, output.data)}


def describe(entry: log.Entry) -> dict[str, Any]:
    """An entry as trace data: its number, kind and position, and what it carries."""
    data: dict[str, Any] = {"seq": entry.seq, "entry": log.KINDS[entry.kind], "at": entry.at}
    if entry.kind == log.INPUT:
        device = log.APPLIED_DATA.unpack_from(entry.data)[1]
        frame = entry.data[log.APPLIED_DATA.size:]
        data |= {"device": dev.DEVICES[device], **frame_fields(device, frame)}
    elif entry.kind == log.INTERRUPT:
        data["vector"] = log.APPLIED_DATA.unpack(entry.data)[1]
    elif entry.kind == log.RESULT:
        source, data["value"] = log.RESULT_DATA.unpack(entry.data)
        data["of"] = RESULT_NAMES[source]
    elif entry.kind == log.OUTPUT:
        device, data["number"], _, data["crc"] = log.OUTPUT_DATA.unpack(entry.data)
        data["device"] = dev.DEVICES[device]
    return data


def frame_fields(device: int, data: bytes) -> dict[str, Any]:
    """What a network frame says of itself: the request it belongs to, and its length."""
    if device != dev.NIC or len(data) < 8:
        return {"bytes": len(data)}
    return {"bytes": len(data), "request": int.from_bytes(data[:8], "little")}
