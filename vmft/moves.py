"""A replica's part in moves: as the old host, as the new one, and as the other side of the pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmft import control
from vmft.backup import Backup
from vmft.channel import Receiver, Sender
from vmft.machine import Machine
from vmft.messages import (DISK_NODE, Administer, Copied, Handover, Message, Moved, MoveBackup,
                           Note, Quiesce, Refused, Send, Taken, TestAndSet, TestAndSetReply)
from vmft.moments import earliest
from vmft.moving import BackupState, Mover, Phase, PrimaryState
from vmft.primary import Primary
from vmft.replayer import Replayer
from vmft.spare import Spare
from vmft.watch import Watch

if TYPE_CHECKING:
    from vmft.replica import Replica

ABOUT_MOVES = (Administer, MoveBackup, Quiesce, Handover, Moved, Copied, Refused, Taken)


class Moves:
    """At most one move at a time: `mover` while this host's machine leaves, `arrival` while one
    comes."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.mover: Mover | None = None
        self.arrival: tuple[str, Handover, Machine] | None = None
        self._took = (0, 0)         # the latest move that this host won
        self._unannounced = False   # the network does not know yet where the primary is
        self._ask_ns = 0            # the disk, whose machine it is
        self._quiesce_ns = 0        # the primary, for a point without disk operations

    def handle(self, now_ns: int, source: str, message: Message) -> None:
        """A message about a move; others are ignored."""
        if not isinstance(message, ABOUT_MOVES):
            return
        role = self.replica.role
        if isinstance(message, Administer) and isinstance(role, Primary) \
                and message.order in (control.MOVE_PRIMARY, control.MOVE_BACKUP):
            self._order(role, now_ns, message)
        elif isinstance(message, MoveBackup) and isinstance(role, Backup):
            self._move_backup(role, now_ns, message)
        elif isinstance(message, Quiesce) and isinstance(role, Primary):
            self._quiesce(role, message)
        elif isinstance(message, Handover):
            self._arrive(now_ns, source, message)
        elif isinstance(message, Moved) and not isinstance(role, Spare):
            self._other_side(role, now_ns, source, message)
        elif self.mover is not None and source == self.mover.host:
            if isinstance(message, Copied):
                self.replica.do(self.mover.copied(now_ns, message))
            elif isinstance(message, Refused):
                self.replica.do(self.mover.refused(now_ns, message))
            elif isinstance(message, Taken):
                self.mover.taken(message)

    def decided(self, now_ns: int, reply: TestAndSetReply) -> None:
        """The disk has answered whose machine it is."""
        if self.mover is not None:
            self.mover.decided(reply, self.replica.name)
        if self.arrival is not None:
            source, handover, machine = self.arrival
            if (reply.generation, reply.flag) == (handover.generation, handover.move):
                self.arrival = None
                if reply.winner == self.replica.name:
                    self._take(now_ns, source, handover, machine)

    def step(self, now_ns: int) -> None:
        """Whatever is due."""
        if self.arrival is not None and now_ns >= self._ask_ns:
            handover = self.arrival[1]
            self._ask_ns = now_ns + self.replica.settings.test_and_set_retry_ns
            self.replica.do([Send(now_ns, DISK_NODE,
                                  TestAndSet(handover.generation, handover.move))])
        if self.mover is not None:
            self._go_on(self.mover, now_ns)

    def due_ns(self, now_ns: int) -> int | None:
        """When to call step next."""
        if self.mover is None and self.arrival is None:
            return None
        arriving = self._ask_ns if self.arrival is not None else None
        leaving, role = None, self.replica.role
        if self.mover is not None and not isinstance(role, Spare):
            leaving = max(self.mover.due_ns(now_ns), role.busy_ns)
        return earliest(arriving, leaving)

    def forget(self) -> None:
        """Whatever was under way is over: this replica has lost, or goes live."""
        self.mover = self.arrival = None
        self._unannounced = False

    @property
    def announced(self) -> bool:
        """Whether the network knows where the primary is, as far as moves go."""
        return not self._unannounced

    def announce(self, now_ns: int) -> None:
        """The backup has acknowledged: the generation is still ours, and so is the address.

        Until then it may long have gone live itself, this host being the last to know.
        """
        if self._unannounced:
            self._unannounced = False
            self.replica.advertise(now_ns, self.replica.role.generation)

    # The old host

    def _order(self, role: Primary, now_ns: int, message: Administer) -> None:
        host = f"n{message.value}"
        if self.mover is not None or role.sender is None or role.peer in (None, host) \
                or host == self.replica.name:
            self.replica.do([Note(now_ns, "order", {
                "order": message.order, "to": host, "why": "refused: nothing to move there"})])
            return
        role.moves += 1
        if message.order == control.MOVE_BACKUP:
            assert role.peer is not None
            self.replica.do([Send(now_ns, role.peer, MoveBackup(
                role.generation, role.moves, host))])
            return
        hasty = "unquiesced-move" in self.replica.bugs
        self._start(now_ns, Mover(
            role.recorder.machine, host, role.generation, role.moves, self.replica.settings,
            still=lambda: hasty or role.quiet, pair_state=lambda: self._primary_state(role)))

    def _move_backup(self, role: Backup, now_ns: int, message: MoveBackup) -> None:
        if self.mover is None and message.generation == role.generation and not role.deaf:
            number = message.move
            self._start(now_ns, Mover(
                role.replayer.machine, message.host, role.generation, number,
                self.replica.settings, still=lambda: role.quiesced == number,
                pair_state=lambda: _backup_state(role)))

    def _start(self, now_ns: int, mover: Mover) -> None:
        self.mover = mover
        self.replica.do(mover.start(now_ns))

    def _go_on(self, mover: Mover, now_ns: int) -> None:
        """One step of a machine that leaves, and what follows from its phase."""
        role = self.replica.role
        if isinstance(role, Spare) or role.busy_ns > now_ns:
            return
        watch = self.replica.watch
        if watch is not None and watch.contending and not mover.frozen:
            mover.phase = Phase.ABANDONED   # the machine may go live at any moment, here
        else:
            self.replica.do(mover.step(now_ns))
        if mover.phase is Phase.QUIESCING and isinstance(role, Backup) and not role.quiesced \
                and now_ns >= self._quiesce_ns:
            self._quiesce_ns = now_ns + self.replica.settings.resend_ns
            self.replica.do([Send(now_ns, role.peer, Quiesce(mover.generation, mover.number))])
        if mover.frozen:
            self.replica.watch = None       # who goes on is for the move's own flag to decide
        role.frozen = mover.frozen or mover.phase is Phase.QUIESCING and isinstance(role, Primary)
        if isinstance(role, Backup):
            role.leaving = mover.frozen
        if mover.phase is Phase.TAKEN:
            self.mover = None
            self.replica.leave(now_ns)
        elif mover.phase is Phase.ABANDONED:
            self.mover = None
            role.frozen = False
            if self.replica.watch is None and role.peer is not None:
                self.replica.watch = Watch(role.generation, role.peer, self.replica.settings,
                                           now_ns, self.replica.bugs)
            if isinstance(role, Backup):
                role.quiesced = 0

    def _primary_state(self, role: Primary) -> PrimaryState:
        assert role.sender is not None and role.peer is not None
        due_ns = role.recorder.timer_due_ns
        left_ns = None if due_ns is None else max(0, due_ns - role.busy_ns)
        return PrimaryState(role.peer, role.sender.last, role.released, role.share_percent,
                            left_ns, role.yielding, role.recorder.clock_age_ns(role.busy_ns))

    # The other side

    def _quiesce(self, role: Primary, message: Quiesce) -> None:
        if message.generation == role.generation and message.move not in (
                role.quiescing, role.quiesced):
            role.quiescing = message.move

    def _other_side(self, role: Primary | Backup, now_ns: int, source: str, message: Moved) -> None:
        """From now on the peer is at another host."""
        watch = self.replica.watch
        if watch is None or message.generation != role.generation or role.peer == source:
            return
        role.peer = watch.peer = source
        watch.detector.heard_heartbeat(now_ns)
        watch.detector.heard_log(now_ns)
        self.replica.do([Note(now_ns, "peer-moved", {
            "peer": source, "generation": role.generation, "move": message.move})])
        if isinstance(role, Backup):
            role.acknowledge(now_ns)
        elif role.sender is not None:
            role.sender.send_again()

    # The new host

    def _arrive(self, now_ns: int, source: str, message: Handover) -> None:
        role = self.replica.role
        if (message.generation, message.move) == self._took:
            self.replica.do([Send(now_ns, source, Taken(message.generation, message.move))])
        elif isinstance(role, Spare) and self.arrival is None:
            machine = role.arrive(now_ns, message)
            if machine is not None:
                self.arrival = (source, message, machine)
                self._ask_ns = now_ns

    def _take(self, now_ns: int, source: str, handover: Handover, machine: Machine) -> None:
        """This host owns the machine now; tell the old one, and the other side of the pair."""
        replica, state, generation = self.replica, handover.state, handover.generation
        self._took = (generation, handover.move)
        role = self._primary(now_ns, generation, machine, state) \
            if isinstance(state, PrimaryState) else self._backup(generation, machine, state)
        replica.role = role
        replica.watch = Watch(generation, state.peer, replica.settings, now_ns, replica.bugs)
        replica.watch.greeting = Moved(generation, handover.move)
        replica.do([
            Note(now_ns, "moved", {"from": source, "generation": generation,
                                   "move": handover.move, "role": replica.status}),
            Send(now_ns, source, Taken(generation, handover.move))])
        if isinstance(role, Primary):
            role.moves = handover.move
            self._unannounced = True

    def _primary(self, now_ns: int, generation: int, machine: Machine,
                 state: PrimaryState) -> Primary:
        role = self.replica.live(machine, generation, state.peer)
        role.sender = Sender(generation, self.replica.settings, state.last)
        role.released, role.share_percent = state.released, state.share_percent
        role.busy_ns, role.yielding = now_ns, state.yielding
        if state.timer_left_ns is not None:
            role.recorder.timer_due_ns = now_ns + state.timer_left_ns
        role.recorder.continue_time(now_ns, now_ns - state.clock_age_ns)
        return role

    def _backup(self, generation: int, machine: Machine, state: BackupState) -> Backup:
        replica = self.replica
        replayer = Replayer(machine, state.executed, replica.bugs)
        replayer.append(state.entries)
        role = Backup(replayer, generation, state.peer, replica.settings, replica.bugs)
        role.receiver = Receiver(replica.settings, state.received, replica.bugs)
        role.released, role.share_percent = state.released, state.share_percent
        role.unconfirmed.extend(state.unconfirmed)
        return role


def _backup_state(role: Backup) -> BackupState:
    replayer = role.replayer
    return BackupState(role.peer, role.receiver.received, replayer.executed,
                       tuple(replayer.entries), role.released, tuple(role.unconfirmed),
                       role.share_percent)
