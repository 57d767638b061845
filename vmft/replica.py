"""One host's part in the pair, sans-IO: messages go in by `receive`, effects come out of `tick`.

It reads no clock, socket, file or global random source.  A replica is, at any time, one of

    primary     executes, logs to its backup           backup      replays the primary's log
    contending  suspects the other side and asks the   alone       live without a backup
                disk; neither live nor halted          spare       runs nothing, may be cloned to
    winner      has won, and executes its log to the   halted      lost, or diverged: mute, soon a
                end before it is live                              spare
    off         switched off by its administrator

Whoever wants to go live, a primary that lost its backup included, first does an atomic
test-and-set on the shared disk [paper 2.3].  The flag belongs to the pair's generation, and the
winner lives in the next one.  While the disk does not answer, the replica waits.
"""

from __future__ import annotations

from typing import Any, Callable, Union

from vmft import control
from vmft import devices as dev
from vmft.backup import Backup
from vmft.cpu import GuestFault
from vmft.local_disk import LocalDisk
from vmft.machine import GuestError, Machine
from vmft.moves import Moves
from vmft.messages import (CLUSTER, DISK_NODE, SWITCH, Ack, Administer, Advertise, Copied,
                           DiskReply, Effect, Fenced, Heartbeat, HostUp, Log, Message, Note, Packet,
                           Pages, Place, Refused, Send, Switch, TestAndSetReply)
from vmft.moments import earliest
from vmft.primary import Primary
from vmft.prng import Rng
from vmft.protector import Protector
from vmft.recorder import Recorder
from vmft.replayer import Divergence, Replayer
from vmft.settings import DEFAULT, Settings
from vmft.spare import Spare
from vmft.watch import Watch

Role = Union[Primary, Backup, Spare]


class Replica:
    """A host, and the machine on it if there is one.

    It starts as the primary of generation 1 with `peer` as its backup, as that backup, alone (and
    then nobody seeks a backup for it), or as a spare, by `status`.
    """

    def __init__(self, name: str, make_machine: Callable[[], Machine], *, rng: Rng,
                 settings: Settings = DEFAULT, bugs: frozenset[str] = frozenset(),
                 host_clock_ns: Callable[[int], int] = lambda now_ns: now_ns,
                 status: str = "spare", peer: str = "",
                 local_disk: LocalDisk | None = None) -> None:
        self.name = name
        self.make_machine = make_machine
        self.settings = settings
        self.bugs = bugs
        self.rng = rng
        self.host_clock_ns = host_clock_ns
        self.local_disk = local_disk
        self.slowdown = 1
        self.watch: Watch | None = None
        self.protector: Protector | None = None
        self.moves = Moves(self)
        self.halted_ns: int | None = None
        self.off = False
        self._memory: dict[int, bytes] = {}
        self.role: Role = self._spare()
        self._inbox: list[tuple[int, str, Message]] = []
        self._effects: list[Effect] = []
        self._report_ns = 0
        self._advertise_ns = 0
        if status in ("primary", "alone"):
            self.role = self.live(make_machine(), 1, peer or None)
        elif status == "backup":
            self.role = Backup(Replayer(make_machine(), bugs=bugs), 1, peer, settings, bugs)
        if peer:
            self.watch = Watch(1, peer, settings, 0, bugs)

    @property
    def status(self) -> str:
        """One of the words in this module's docstring."""
        if self.off:
            return "off"
        if self.halted_ns is not None:
            return "halted"
        if self.watch is not None and self.watch.contending:
            return "contending"
        if isinstance(self.role, Primary):
            return "alone" if self.role.peer is None else "primary"
        if isinstance(self.role, Backup):
            return "winner" if self.role.deaf else "backup"
        return "spare"

    @property
    def machine(self) -> Machine | None:
        """The machine that this host runs, if any."""
        if isinstance(self.role, Primary):
            return self.role.recorder.machine
        return self.role.replayer.machine if isinstance(self.role, Backup) else None

    def report_from(self, now_ns: int) -> None:
        """The host comes up at this moment."""
        self._report_ns = now_ns

    def receive(self, now_ns: int, source: str, message: Message) -> None:
        """Queue a message that arrived; it is dealt with at the next tick."""
        self._inbox.append((now_ns, source, message))

    def tick(self, now_ns: int, until_ns: int) -> list[Effect]:
        """Do what is due at `now_ns`, and let the guest execute until `until_ns` at most."""
        if self.local_disk is not None:
            self._serve_locally(self.local_disk, now_ns)
        inbox, self._inbox = self._inbox, []
        for at_ns, source, message in inbox:
            if self.mute:
                break
            self._handle(at_ns, source, message)
        self._report(now_ns)
        if not self.mute and self.watch is not None:
            self._effects += self.watch.effects(now_ns)
            self._assume(now_ns, self.watch)
        if not self.mute:
            self._advertise_again(now_ns)
            self.moves.step(now_ns)
            due_ns = self._due_ns(now_ns)
            self._step(now_ns, until_ns if due_ns is None else min(until_ns, max(due_ns, now_ns)))
        self._effects += self.role.take_effects()
        taken, self._effects = self._effects, []
        return taken if self.local_disk is None else self.local_disk.take(taken)

    def _serve_locally(self, disk: LocalDisk, now_ns: int) -> None:
        """What this host's own disk has done by now, as answers to whoever is here."""
        for note, reply in disk.serve(now_ns):
            self._effects.append(note)
            self.receive(now_ns, DISK_NODE, reply)

    def wake_ns(self, now_ns: int) -> int | None:
        """When `tick` should be called next if nothing arrives."""
        if self._inbox:
            return now_ns
        work_ns = self.role.wake_ns(now_ns) if self._executing() and not self.mute else None
        return earliest(work_ns, self._due_ns(now_ns), self._report_ns)

    @property
    def mute(self) -> bool:
        """Whether this replica takes no part any more."""
        return self.off or self.halted_ns is not None

    def _due_ns(self, now_ns: int) -> int | None:
        """When the host itself has something to do, whatever its guest does."""
        served = self.local_disk.due_ns() if self.local_disk is not None else None
        if self.mute:
            reboot_ns = None if self.halted_ns is None \
                else self.halted_ns + self.settings.reboot_ns
            return earliest(served, reboot_ns)
        watched = self.watch.due_ns() if self.watch is not None else None
        protecting = self.protector is not None and self._executing()
        protected = self.protector.due_ns() if self.protector and protecting else None
        return earliest(served, watched, protected, self.moves.due_ns(now_ns))

    def _report(self, now_ns: int) -> None:
        """Tell the cluster service that this host is there; a halted one becomes a spare."""
        if self.halted_ns is not None and now_ns >= self.halted_ns + self.settings.reboot_ns:
            self.halted_ns = None
            self.role = self._spare()
            self._note(now_ns, "spare", {})
        if now_ns >= self._report_ns:
            self._report_ns = now_ns + self.settings.host_up_ns
            self._effects.append(
                Send(now_ns, CLUSTER, HostUp(self.status, self.role.generation)))

    # Messages

    def _handle(self, now_ns: int, source: str, message: Message) -> None:
        """Pass a message on to whom it concerns; in another role or generation, to nobody."""
        role = self.role
        if self.watch is not None and source == self.watch.peer:
            self.watch.greeting = None      # it knows where we are: it talks to us
        self.moves.handle(now_ns, source, message)
        if isinstance(message, TestAndSetReply):
            self._decided(now_ns, message)
        elif isinstance(role, Primary):
            self._handle_live(role, now_ns, source, message)
        elif isinstance(role, Backup):
            self._handle_backup(role, now_ns, source, message)
        elif isinstance(message, Pages) and self.moves.arrival is None:
            role.collect(now_ns, source, message)
        elif isinstance(message, Switch):
            self._become_backup(role, now_ns, source, message)

    def _handle_live(self, role: Primary, now_ns: int, source: str, message: Message) -> None:
        if isinstance(message, Packet):
            role.packet(now_ns, message.data)
        elif isinstance(message, DiskReply):
            role.disk_replied(now_ns, message)
        elif isinstance(message, Fenced):
            self._fenced(now_ns, message)
        elif isinstance(message, Administer) and message.order in control.ORDERS:
            role.control(now_ns, message.order, message.value)
        elif isinstance(message, Heartbeat):
            self._heard(now_ns, message)
        elif isinstance(message, Ack):
            self._acknowledged(role, now_ns, message)
        elif isinstance(message, Log) and "ack-after-live" in self.bugs:
            self._effects.append(Send(now_ns, source, Ack(message.generation, message.last, 0)))
        elif self.protector is not None:
            if isinstance(message, Place):
                self._effects += self.protector.start(now_ns, message)
            elif isinstance(message, Copied):
                self._effects += self.protector.copied(now_ns, message)
            elif isinstance(message, Refused):
                self._effects += self.protector.refuse(now_ns, source, message)

    def _handle_backup(self, role: Backup, now_ns: int, source: str, message: Message) -> None:
        if isinstance(message, Heartbeat):
            self._heard(now_ns, message)
        elif isinstance(message, Log) and message.generation == role.generation:
            if self.watch is not None:
                self.watch.detector.heard_log(now_ns)
            role.log(now_ns, message)
        elif isinstance(message, DiskReply):
            role.disk_replied(now_ns, message)
        elif isinstance(message, Switch) and message.generation == role.generation:
            role.acknowledge(now_ns)        # it was not heard the first time

    def _heard(self, now_ns: int, message: Heartbeat) -> None:
        if self.watch is not None and message.generation == self.watch.generation:
            self.watch.detector.heard_heartbeat(now_ns)

    def _acknowledged(self, role: Primary, now_ns: int, message: Ack) -> None:
        if role.sender is None or message.generation != role.generation:
            return
        if self.watch is not None:
            self.watch.detector.heard_log(now_ns)
        self.moves.announce(now_ns)
        if self.protector is not None:
            self.protector = None
            self._note(now_ns, "protected", {"peer": role.peer, "generation": role.generation})
        role.acknowledged(now_ns, message)

    def _become_backup(self, role: Spare, now_ns: int, source: str, message: Switch) -> None:
        backup = role.become(now_ns, source, message)
        if backup is None:
            return
        self._effects += role.take_effects()
        self.role = backup
        self.watch = Watch(backup.generation, source, self.settings, now_ns, self.bugs)
        backup.acknowledge(now_ns)
        self._note(now_ns, "backup", {"of": source, "generation": backup.generation,
                                      "position": backup.replayer.machine.position})

    # Going live

    def leave(self, now_ns: int) -> None:
        """The machine lives on another host now."""
        self.watch = self.protector = None
        self.role = self._spare()
        self._note(now_ns, "spare", {})

    def advertise(self, now_ns: int, generation: int) -> None:
        """The service is here: a gratuitous ARP."""
        self._advertise_ns = now_ns + self.settings.advertise_ns
        if "silent-takeover" not in self.bugs:
            self._effects.append(Send(now_ns, SWITCH, Advertise(generation)))

    def _advertise_again(self, now_ns: int) -> None:
        """Say every so often where the service is, as long as the backup is heard, if there is one.

        An old primary may have let out something later than we went live: an output whose
        acknowledgement reached it late.  The network has learnt a wrong place from that, and a
        machine that no request reaches has nothing to say that would correct it.
        """
        role, watch = self.role, self.watch
        if now_ns < self._advertise_ns or not isinstance(role, Primary) or role.generation == 1 \
                or self.status == "contending" or role.frozen or not self.moves.announced:
            return
        if watch is None or now_ns - watch.detector.log_ns < self.settings.heartbeat_ns:
            self.advertise(now_ns, role.generation)

    def do(self, effects: list[Effect]) -> None:
        """Have these effects carried out."""
        self._effects += effects

    def _decided(self, now_ns: int, reply: TestAndSetReply) -> None:
        self.moves.decided(now_ns, reply)
        if self.watch is None or not self.watch.decides(reply):
            return
        if reply.winner == self.name:
            self._won(now_ns)
        else:
            if "release-after-defeat" in self.bugs and isinstance(self.role, Primary):
                self.role.go_alone(now_ns, self.role.generation)
            self._halt(now_ns, f"lost the test-and-set to {reply.winner}")

    def _assume(self, now_ns: int, watch: Watch) -> None:
        """By mistake: decide without the disk."""
        side = "backup-takes-over" if isinstance(self.role, Backup) else "primary-goes-on"
        assumed = watch.assumes(now_ns)
        if watch.contending and ({"no-test-and-set", side} & self.bugs) or assumed is True:
            self._won(now_ns)
        elif assumed is False:
            self._halt(now_ns, "took a silent disk for a lost test-and-set")

    def _won(self, now_ns: int) -> None:
        """Nobody else can go live in this generation now."""
        self.watch = None
        self.moves.forget()
        role = self.role
        if isinstance(role, Backup):
            role.contention_won()
        elif isinstance(role, Primary) and not role.recorder.machine.devices.powered:
            self._switch_off(now_ns)
        elif isinstance(role, Primary):
            self._went_live(now_ns, role.generation + 1, held=len(role.held))
            self.advertise(now_ns, role.generation + 1)
            role.go_alone(now_ns, role.generation + 1)
            self._seek_backup(role)

    def _fenced(self, now_ns: int, message: Fenced) -> None:
        """The disk serves a newer generation: this one has been over for a while."""
        if message.generation > self.role.generation:
            self._halt(now_ns, f"fenced off: generation {message.generation} is live")

    def _go_live(self, backup: Backup, now_ns: int) -> None:
        """The log is consumed: the machine goes on by itself, from here."""
        self._effects += backup.take_effects()
        machine = backup.replayer.machine
        live = self.role = self.live(machine, backup.generation + 1, None)
        live.busy_ns, live.share_percent = backup.busy_ns, backup.share_percent
        self._seek_backup(live)
        pending = [operation.number for operation in machine.devices.disk.pending]
        self._went_live(now_ns, live.generation, executed=backup.replayer.executed,
                        position=machine.position, pending=pending)
        self.advertise(now_ns, live.generation)
        for output in backup.unconfirmed:
            if output.device != dev.DISK:
                live.send_out(now_ns, output, again=True)
        live.take_over(now_ns, backup.writes)
        live.recorder.continue_time(now_ns, backup.clock_read_ns)

    def _seek_backup(self, live: Primary) -> None:
        if "stays-alone" not in self.bugs:
            self.protector = Protector(live, self.settings)

    def _spare(self) -> Spare:
        if self.local_disk is not None:
            self.local_disk.forget()
        return Spare(self.make_machine, self.settings, self._memory, self.bugs)

    def live(self, machine: Machine, generation: int, peer: str | None) -> Primary:
        """A live role over a machine."""
        stream = self.rng.split(f"generation {generation}")
        recorder = Recorder(machine, stream, self.host_clock_ns, self.bugs)
        return Primary(recorder, generation, peer, self.settings, self.bugs)

    # Execution

    def _executing(self) -> bool:
        """Whether the guest may run: not while it is open who goes on, except along the log."""
        contending = self.watch is not None and self.watch.contending
        return not contending or isinstance(self.role, Backup)

    def _step(self, now_ns: int, until_ns: int) -> None:
        """Let the machine run; what goes wrong in it stops this replica for good."""
        role = self.role
        if isinstance(role, Spare) or not self._executing():
            return
        role.slowdown = self.slowdown
        try:
            if self.protector is not None:
                self._protect(self.protector, now_ns)
            role.step(now_ns, until_ns)
        except Divergence as divergence:
            self._note(now_ns, "divergence", divergence.data)
            self._halt(now_ns, f"replay diverged: {divergence}")
        except (GuestFault, GuestError) as fault:
            self._note(now_ns, "fault", {"why": str(fault)})
            self._halt(now_ns, f"the guest failed: {fault}")
        else:
            self._after_step(role, max(now_ns, role.busy_ns))

    def _protect(self, protector: Protector, now_ns: int) -> None:
        """Go on with restoring redundancy; from the switch on, the two watch each other."""
        self._effects += protector.step(now_ns)
        pair = protector.primary
        if pair.peer is not None and self.watch is None:
            self.watch = Watch(pair.generation, pair.peer, self.settings, pair.busy_ns,
                               self.bugs)

    def _after_step(self, role: Primary | Backup, now_ns: int) -> None:
        """What the step may have decided: an order was carried out, the log is consumed."""
        if isinstance(role, Primary):
            if role.off:
                self._switch_off(now_ns)
            return
        orders, role.replayer.orders = role.replayer.orders, []
        for order, value in orders:
            self._obey(role, now_ns, order, value)
        if not role.replayer.machine.devices.powered:
            self._switch_off(now_ns)
        if role.deaf and role.caught_up and not self.off and "waits-for-more" not in self.bugs:
            self._go_live(role, now_ns)

    def _obey(self, role: Backup, now_ns: int, order: str, value: int) -> None:
        """An order that the primary has logged holds for this host too."""
        if order == control.SHARE:
            role.share_percent = value
        elif order == control.QUIESCE:
            role.quiesced = value
        elif order == control.FAILOVER and self.watch is not None:
            self._effects.append(self.watch.contend(now_ns, "handed over on purpose"))

    def _switch_off(self, now_ns: int) -> None:
        self.off = True
        self.watch = self.protector = None
        self.moves.forget()
        self._note(now_ns, "off", {"generation": self.role.generation})

    def _went_live(self, now_ns: int, generation: int, **data: Any) -> None:
        assert self.machine is not None
        devices = self.machine.devices
        self._note(now_ns, "live", {"generation": generation, **data,
                                    "outputs": devices.outputs, "clock": devices.clock_last})

    def _halt(self, now_ns: int, why: str) -> None:
        self.halted_ns = now_ns
        self.watch = self.protector = None
        self.moves.forget()
        self._note(now_ns, "halt", {"why": why, "generation": self.role.generation})

    def _note(self, at_ns: int, kind: str, data: dict[str, Any]) -> None:
        self._effects.append(Note(at_ns, kind, data))
