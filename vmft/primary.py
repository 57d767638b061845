"""The live side: executes, logs, and holds every output back until its entry is acknowledged.

The Output Rule [paper 2.2]: an output leaves only when the backup has acknowledged the entry of
that very output.  Only the output waits; the guest goes on.  Alone (no backup), outputs leave at
once.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from vmft import devices as dev
from vmft import entry as log
from vmft.channel import Sender
from vmft.messages import SWITCH, Ack, Effect, Note, Packet, Send
from vmft.recorder import Output, Recorder
from vmft.settings import Settings


class Primary:
    """A live machine, with a backup (`sender` is set) or alone (`sender` is None)."""

    def __init__(self, recorder: Recorder, generation: int, peer: str | None,
                 settings: Settings, bugs: frozenset[str]) -> None:
        self.recorder = recorder
        recorder.emit = self.emit
        self.generation = generation
        self.peer = peer
        self.settings = settings
        self.bugs = bugs
        self.sender = Sender(generation, settings) if peer is not None else None
        self.held: deque[Output] = deque()
        self.released = recorder.machine.devices.outputs
        self.busy_ns = 0
        self._digest_due = settings.digest_every_entries
        self._effects: list[Effect] = []

    def emit(self, kind: int, at: int, data: bytes) -> int:
        """Log one entry; alone, there is nobody to log it for."""
        if self.sender is None:
            return 0
        made_ns = self.recorder.now_ns()
        entry = self.sender.add(kind, at, data, made_ns)
        self._note(made_ns, "log", describe(entry))
        if self.sender.full:
            self.recorder.pause()
        return entry.seq

    @property
    def stalled(self) -> bool:
        """The log buffer is full: nothing may happen until the backup acknowledges."""
        return self.sender is not None and self.sender.full

    def packet(self, now_ns: int, data: bytes) -> None:
        """A frame arrived for the guest; with a full log it is lost, as on a busy wire."""
        if not self.stalled:
            self.recorder.accept(now_ns, dev.NIC, data)

    def acknowledged(self, now_ns: int, ack: Ack) -> None:
        """The backup has received entries; outputs that waited for them may leave."""
        assert self.sender is not None
        if self.sender.acknowledge(ack.received, ack.executed):
            self._note(now_ns, "ack", {"received": ack.received, "executed": ack.executed})
            self._release(now_ns)

    def go_alone(self, now_ns: int, generation: int) -> None:
        """The backup is gone and cannot come back: what was held may leave."""
        self.generation = generation
        self.sender = None
        self.peer = None
        self._release(now_ns)

    def step(self, now_ns: int, until_ns: int) -> None:
        """Execute for a while, then log and release what came of it."""
        if self.busy_ns <= now_ns and not self.stalled:
            self.busy_ns = self.recorder.run(now_ns, until_ns)
            for output in self.recorder.take_outputs():
                self.held.append(output)
                self._note(self.busy_ns, "output", self._describe(output))
            self._digest()
            self._release(self.busy_ns)
        self._flush(max(now_ns, self.busy_ns))

    def wake_ns(self, now_ns: int) -> int | None:
        """When there is something to do next."""
        ready = None if self.stalled else self.recorder.wake_ns(max(now_ns, self.busy_ns))
        due = self.sender.due_ns() if self.sender is not None else None
        return min((each for each in (ready, due) if each is not None), default=None)

    def take_effects(self) -> list[Effect]:
        """What should be done, since the last call."""
        taken, self._effects = self._effects, []
        return taken

    def _note(self, at_ns: int, kind: str, data: dict[str, Any]) -> None:
        self._effects.append(Note(at_ns, kind, data))

    def _may_leave(self, output: Output) -> bool:
        if self.sender is None or "no-output-rule" in self.bugs:
            return True
        return output.seq <= self.sender.acknowledged

    def _release(self, now_ns: int) -> None:
        while self.held and self._may_leave(self.held[0]):
            output = self.held.popleft()
            self.released = output.number
            self.send_out(now_ns, output)

    def send_out(self, now_ns: int, output: Output, again: bool = False) -> None:
        """Let an output out into the world; `again` when another machine may have done so."""
        self._note(now_ns, "release", {
            **self._describe(output), "again": again, "generation": self.generation,
            "acknowledged": self.sender.acknowledged if self.sender is not None else None})
        if output.device == dev.NIC:
            self._effects.append(Send(now_ns, SWITCH, Packet(output.data)))

    def _flush(self, now_ns: int) -> None:
        if self.sender is None or self.peer is None:
            return
        while (message := self.sender.flush(now_ns, self.released)) is not None:
            self._effects.append(Send(now_ns, self.peer, message))

    def _digest(self) -> None:
        """Every so many entries, say in the log what the state amounts to."""
        if self.sender is None or self.stalled or self.sender.last < self._digest_due:
            return
        self._digest_due = self.sender.last + self.settings.digest_every_entries
        machine = self.recorder.machine
        self.emit(log.DIGEST, machine.position, log.DIGEST_DATA.pack(*machine.digest()))

    def _describe(self, output: Output) -> dict[str, Any]:
        return {"number": output.number, "seq": output.seq, "at": output.at,
                "device": dev.DEVICES[output.device], **frame_fields(output.device, output.data)}


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
        data["value"] = log.RESULT_DATA.unpack(entry.data)[1]
    elif entry.kind == log.OUTPUT:
        data["number"] = log.OUTPUT_DATA.unpack(entry.data)[1]
    return data


def frame_fields(device: int, data: bytes) -> dict[str, Any]:
    """What a network frame says of itself: the request it belongs to, and its length."""
    if device != dev.NIC or len(data) < 8:
        return {"bytes": len(data)}
    return {"bytes": len(data), "request": int.from_bytes(data[:8], "little")}
