"""One host's half of the pair, sans-IO: `receive` takes messages, `tick` answers effects.

It reads no clock, socket, file or global random source.  A replica is, at any time, one of

    primary     executes, logs to its backup           backup      replays the primary's log
    contending  suspects the other side and asks the   alone       live without a backup
                disk; neither live nor halted          halted      lost, or diverged: mute for good

Whoever wants to go live, a primary that lost its backup included, first does an atomic
test-and-set on the shared disk [paper 2.3].  The flag belongs to the pair's generation, and the
winner lives in the next one.  While the disk does not answer, the replica waits.
"""

from __future__ import annotations

from typing import Any, Callable, Union

from vmft.backup import Backup
from vmft.cpu import GuestFault
from vmft.detector import Detector
from vmft.machine import GuestError, Machine
from vmft.messages import (DISK_NODE, SWITCH, Ack, Advertise, Effect, Heartbeat, Log, Message, Note,
                           Packet, Send, TestAndSet, TestAndSetReply)
from vmft.primary import Primary
from vmft.prng import Rng
from vmft.recorder import Recorder
from vmft.replayer import Divergence, Replayer
from vmft.settings import DEFAULT, Settings


class Replica:
    """A host with its machine; `first` starts as the primary of generation 1."""

    def __init__(self, name: str, peer: str, machine: Machine, *, first: bool, rng: Rng,
                 settings: Settings = DEFAULT, bugs: frozenset[str] = frozenset(),
                 host_clock_ns: Callable[[int], int] = lambda now_ns: now_ns) -> None:
        self.name = name
        self.peer = peer
        self.machine = machine
        self.settings = settings
        self.bugs = bugs
        self.rng = rng
        self.host_clock_ns = host_clock_ns
        self.detector = Detector(settings, 0)
        self.contending = False
        self.halted = False
        self.role: Union[Primary, Backup]
        if first:
            self.role = self._live(1, peer)
        else:
            self.role = Backup(Replayer(machine), 1, peer, settings)
        self._inbox: list[tuple[int, str, Message]] = []
        self._effects: list[Effect] = []
        self._beat_ns = 0
        self._ask_ns = 0

    @property
    def status(self) -> str:
        """One of the words in this module's docstring."""
        if self.halted:
            return "halted"
        if self.contending:
            return "contending"
        if isinstance(self.role, Backup):
            return "backup"
        return "primary" if self.role.peer is not None else "alone"

    def receive(self, now_ns: int, source: str, message: Message) -> None:
        """Queue a message that arrived; it is dealt with at the next tick."""
        self._inbox.append((now_ns, source, message))

    def tick(self, now_ns: int, until_ns: int) -> list[Effect]:
        """Do what is due at `now_ns`, and let the guest execute until `until_ns` at most."""
        inbox, self._inbox = self._inbox, []
        for at_ns, source, message in inbox:
            if not self.halted:
                self._handle(at_ns, source, message)
        if not self.halted:
            self._beat(now_ns)
            self._watch(now_ns)
            due_ns = self._due_ns()
            self._step(now_ns, until_ns if due_ns is None else min(until_ns, due_ns))
        self._effects += self.role.take_effects()
        taken, self._effects = self._effects, []
        return taken

    def wake_ns(self, now_ns: int) -> int | None:
        """When `tick` should be called next if nothing arrives; None for never."""
        if self.halted:
            return None
        if self._inbox:
            return now_ns
        work_ns = self.role.wake_ns(now_ns) if self._executing() else None
        due_ns = self._due_ns()
        return min((each for each in (work_ns, due_ns) if each is not None), default=None)

    def _due_ns(self) -> int | None:
        """When the host itself has something to do, whatever its guest does."""
        if self.role.peer is None or self._going_live():
            return None
        other_ns = self._ask_ns if self.contending else self.detector.due_ns()
        return min(self._beat_ns, other_ns)

    # Messages

    def _handle(self, now_ns: int, source: str, message: Message) -> None:
        role = self.role
        if isinstance(message, Packet):
            if isinstance(role, Primary):
                role.packet(now_ns, message.data)
        elif isinstance(message, TestAndSetReply):
            self._decided(now_ns, message)
        elif isinstance(message, Heartbeat):
            if message.generation == role.generation:
                self.detector.heard_heartbeat(now_ns)
        elif isinstance(message, Log):
            if isinstance(role, Backup) and message.generation == role.generation:
                self.detector.heard_log(now_ns)
                role.log(now_ns, message)
        elif isinstance(message, Ack):
            if isinstance(role, Primary) and message.generation == role.generation \
                    and role.sender is not None:
                self.detector.heard_log(now_ns)
                role.acknowledged(now_ns, message)

    def _beat(self, now_ns: int) -> None:
        if self.role.peer is not None and now_ns >= self._beat_ns and not self._going_live():
            self._beat_ns = now_ns + self.settings.heartbeat_ns
            self._effects.append(Send(now_ns, self.role.peer, Heartbeat(self.role.generation)))

    # Suspicion, test-and-set

    def _watch(self, now_ns: int) -> None:
        """Suspect the other side when it is silent; ask the disk until it answers."""
        if self.role.peer is None or self._going_live():
            return
        if not self.contending:
            why = self.detector.suspicion(now_ns)
            if why is None:
                return
            self.contending = True
            self._ask_ns = now_ns
            self._note(now_ns, "suspect", {"peer": self.role.peer, "why": why,
                                           "generation": self.role.generation})
        if "no-test-and-set" in self.bugs:
            self._won(now_ns)
        elif now_ns >= self._ask_ns:
            self._ask_ns = now_ns + self.settings.test_and_set_retry_ns
            self._effects.append(Send(now_ns, DISK_NODE, TestAndSet(self.role.generation)))

    def _decided(self, now_ns: int, reply: TestAndSetReply) -> None:
        if not self.contending or reply.generation != self.role.generation:
            return
        if reply.winner == self.name:
            self._won(now_ns)
        else:
            self._halt(now_ns, f"lost the test-and-set to {reply.winner}")

    def _won(self, now_ns: int) -> None:
        """Nobody else can go live in this generation now."""
        self.contending = False
        if isinstance(self.role, Primary):
            generation = self.role.generation + 1
            self._went_live(now_ns, generation, held=len(self.role.held))
            self.role.go_alone(now_ns, generation)
        else:
            self.role.deaf = True

    def _going_live(self) -> bool:
        return isinstance(self.role, Backup) and self.role.deaf

    def _go_live(self, now_ns: int) -> None:
        """The log is consumed: the machine goes on by itself, from here."""
        backup = self.role
        assert isinstance(backup, Backup)
        assert backup.caught_up
        self._effects += backup.take_effects()
        self.role = self._live(backup.generation + 1, None)
        self.role.busy_ns = backup.busy_ns
        self._went_live(now_ns, self.role.generation, executed=backup.replayer.executed,
                        position=self.machine.position)
        self._effects.append(Send(now_ns, SWITCH, Advertise(self.role.generation)))
        for output in backup.unconfirmed:
            self.role.send_out(now_ns, output, again=True)

    def _live(self, generation: int, peer: str | None) -> Primary:
        """A live role over this host's machine."""
        stream = self.rng.split(f"generation {generation}")
        recorder = Recorder(self.machine, stream, self.host_clock_ns)
        return Primary(recorder, generation, peer, self.settings, self.bugs)

    # Execution

    def _executing(self) -> bool:
        return not self.contending or isinstance(self.role, Backup)

    def _step(self, now_ns: int, until_ns: int) -> None:
        """Let the machine run; what goes wrong in it stops this replica for good."""
        if not self._executing():
            return
        try:
            self.role.step(now_ns, until_ns)
        except Divergence as divergence:
            self._note(now_ns, "divergence", divergence.data)
            self._halt(now_ns, f"replay diverged: {divergence}")
        except (GuestFault, GuestError) as fault:
            self._note(now_ns, "fault", {"why": str(fault)})
            self._halt(now_ns, f"the guest failed: {fault}")
        else:
            self._after_step(now_ns)

    def _after_step(self, now_ns: int) -> None:
        if isinstance(self.role, Backup) and self.role.deaf and self.role.caught_up:
            self._go_live(max(now_ns, self.role.busy_ns))

    def _went_live(self, now_ns: int, generation: int, **data: Any) -> None:
        self._note(now_ns, "live", {"generation": generation, **data})

    def _halt(self, now_ns: int, why: str) -> None:
        self.halted = True
        self._note(now_ns, "halt", {"why": why, "generation": self.role.generation})

    def _note(self, at_ns: int, kind: str, data: dict[str, Any]) -> None:
        self._effects.append(Note(at_ns, kind, data))
