"""FT VMotion of one side of a pair: its machine goes on, unbroken, on another host [paper 3.3].

Memory is copied while the machine runs.  Then its disk operations are quiesced: a primary stands
still until those on their way have completed; a backup cannot do that by itself and asks its
primary over the logging channel, which answers with a control entry at such a point.  What the
machine amounts to there is handed over in one message.

Who owns that side of the pair afterwards is decided like everything else that two hosts could
disagree about: by a test-and-set on the shared disk.  The new host takes part only once it has won
the flag of this move; the old one, when it hears nothing, asks for the same flag and goes on only
if it wins.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Callable, NamedTuple

from vmft.clone import SWITCH_NS, Clone, duration_ns
from vmft.entry import Entry
from vmft.machine import Machine
from vmft.messages import (DISK_NODE, Copied, Effect, Handover, Note, Refused, Send, Taken,
                           TestAndSet, TestAndSetReply)
from vmft.recorder import Output
from vmft.settings import Settings


class Phase(Enum):
    """How far a move has got."""

    COPYING = "copying"
    QUIESCING = "quiescing"         # little memory is left; disk operations are on their way
    HANDED_OVER = "handed over"     # the machine stands still, until it is known who owns it
    TAKEN = "taken"                 # by the new host: this one has nothing any more
    ABANDONED = "abandoned"         # it goes on here


class PrimaryState(NamedTuple):
    """What a primary needs beside its machine; nothing of it is on its way."""

    peer: str
    last: int               # entry
    released: int           # output
    share_percent: int
    timer_left_ns: int | None
    yielding: bool          # it hands over to its backup
    clock_age_ns: int       # how long ago the guest read its clock


class BackupState(NamedTuple):
    """What a backup needs beside its machine."""

    peer: str
    received: int           # entry
    executed: int
    entries: tuple[Entry, ...]
    released: int           # output
    unconfirmed: tuple[Output, ...]
    share_percent: int


class Mover:
    """The old host's side of the `number`-th move in a generation.

    `still()` tells whether the machine may be taken now; `pair_state()` what beside the machine
    the new host needs.
    """

    def __init__(self, machine: Machine, host: str, generation: int, number: int,
                 settings: Settings, *, still: Callable[[], bool],
                 pair_state: Callable[[], Any]) -> None:
        self.clone = Clone(machine, host, generation, -number)
        self.host = host
        self.generation = generation
        self.number = number
        self.settings = settings
        self.still = still
        self.pair_state = pair_state
        self.phase = Phase.COPYING
        self.handover: Handover | None = None
        self._heard_ns = 0
        self._resend_ns = 0

    def start(self, now_ns: int) -> list[Effect]:
        """Send all of memory."""
        self._heard_ns = now_ns
        return [self._note(now_ns, "move", to=self.host), *self._send_round(now_ns)]

    def copied(self, now_ns: int, message: Copied) -> list[Effect]:
        """A round has arrived; send the next one, unless it is time to quiesce."""
        if self.phase is not Phase.COPYING or not self.clone.copied(message):
            return []
        self._heard_ns = now_ns
        if not self.clone.ready():
            return self._send_round(now_ns)
        self.phase = Phase.QUIESCING
        return [self._note(now_ns, "quiesce")]

    def step(self, now_ns: int) -> list[Effect]:
        """Whatever is due: the handover, something again, the question who owns the machine."""
        silent = now_ns - self._heard_ns >= self.settings.clone_silence_ns
        if self.phase is Phase.QUIESCING and self.still():
            return self._hand_over(now_ns)
        if self.phase in (Phase.COPYING, Phase.QUIESCING):
            if silent:
                self.phase = Phase.ABANDONED
                return [self._note(now_ns, "move-failed")]
            return self._again(now_ns, self.clone.waiting)
        if silent and now_ns >= self._resend_ns:
            self._resend_ns = now_ns + self.settings.test_and_set_retry_ns
            return [Send(now_ns, DISK_NODE, TestAndSet(self.generation, self.number))]
        return self._again(now_ns, self.handover)

    def due_ns(self, now_ns: int) -> int:
        """When to call step next."""
        if self.phase is Phase.QUIESCING:
            return now_ns if self.still() else self._heard_ns + self.settings.clone_silence_ns
        return self._resend_ns

    def refused(self, now_ns: int, message: Refused) -> list[Effect]:
        """The new host cannot replay this machine's log."""
        self.phase = Phase.ABANDONED
        return [self._note(now_ns, "move-failed", why=message.why)]

    def taken(self, message: Taken) -> None:
        """The new host owns the machine."""
        if (message.generation, message.move) == (self.generation, self.number):
            self.phase = Phase.TAKEN

    def decided(self, reply: TestAndSetReply, name: str) -> None:
        """The disk has answered who owns the machine."""
        if (reply.generation, reply.flag) == (self.generation, self.number):
            self.phase = Phase.ABANDONED if reply.winner == name else Phase.TAKEN

    @property
    def frozen(self) -> bool:
        """Whether the machine must not run here."""
        return self.phase in (Phase.HANDED_OVER, Phase.TAKEN)

    def _hand_over(self, now_ns: int) -> list[Effect]:
        switch = self.clone.stand_still(0)
        self.handover = Handover(
            self.generation, switch.attempt, switch.round, self.number, switch.pages, switch.rest,
            self.pair_state(), switch.blocks)
        self.phase = Phase.HANDED_OVER
        self._heard_ns = now_ns
        sent_ns = now_ns + duration_ns(switch) + SWITCH_NS
        self._resend_ns = sent_ns + self.settings.resend_ns
        return [self._note(now_ns, "hand-over", stun_ns=sent_ns - now_ns,
                           position=self.clone.machine.position),
                Send(sent_ns, self.host, self.handover)]

    def _send_round(self, now_ns: int) -> list[Effect]:
        pages = self.clone.next_round()
        sent_ns = now_ns + duration_ns(pages)
        self._resend_ns = sent_ns + self.settings.resend_ns
        return [Send(sent_ns, self.host, pages)]

    def _again(self, now_ns: int, message: Any) -> list[Effect]:
        if message is None or now_ns < self._resend_ns:
            return []
        self._resend_ns = now_ns + duration_ns(message) + self.settings.resend_ns
        return [Send(now_ns + duration_ns(message), self.host, message)]

    def _note(self, now_ns: int, kind: str, **data: Any) -> Note:
        return Note(now_ns, kind, {"to": self.host, "generation": self.generation,
                                   "move": self.number, **data})
