"""Restoring redundancy: a machine that runs alone gets a new backup.

It asks the cluster service for a host, clones itself there round by round, and becomes the primary
of a pair at the instant the rest is taken: from then on its outputs wait for acknowledgements,
though the other side has not answered yet [paper 3.1].  A clone that is not answered is given up.
"""

from __future__ import annotations

from typing import Any

from vmft.clone import SWITCH_NS, Clone, duration_ns
from vmft.messages import (CLUSTER, Copied, Effect, NeedBackup, Note, Place, Refused, Send)
from vmft.primary import Primary
from vmft.settings import Settings


class Protector:
    """Works for one Primary, from alone until its first acknowledgement."""

    def __init__(self, primary: Primary, settings: Settings) -> None:
        self.primary = primary
        self.settings = settings
        self.clone: Clone | None = None
        self.refused: tuple[str, ...] = ()
        self._attempts = 0
        self._ask_ns = 0
        self._heard_ns = 0
        self._resend_ns = 0

    def start(self, now_ns: int, message: Place) -> list[Effect]:
        """The cluster service has picked a host."""
        if self.clone is not None or message.generation != self.primary.generation:
            return []
        if not message.host:
            self.refused = ()
            return []
        self._attempts += 1
        self.clone = Clone(self.primary.recorder.machine, message.host, message.generation,
                           self._attempts, self.primary.bugs)
        self._heard_ns = now_ns
        return [self._note(now_ns, "clone"), *self._send_round(now_ns)]

    def copied(self, now_ns: int, message: Copied) -> list[Effect]:
        """A round has arrived; send the next one, unless it is time to stand still."""
        clone = self.clone
        if clone is None or clone.switch is not None or not clone.copied(message):
            return []
        self._heard_ns = now_ns
        return [] if clone.ready() else self._send_round(now_ns)

    def refuse(self, now_ns: int, host: str, message: Refused) -> list[Effect]:
        """The host cannot replay this machine's log; another one may."""
        if self.clone is None or self.clone.host != host:
            return []
        self.refused += (host,)
        return self._give_up(now_ns, message.why)

    def step(self, now_ns: int) -> list[Effect]:
        """Whatever is due: a question, a round again, the switch."""
        if self.clone is None:
            return self._ask(now_ns)
        if self.clone.switch is None and now_ns - self._heard_ns >= self.settings.clone_silence_ns:
            return self._give_up(now_ns, "no answer")
        if self.clone.switch is None and self.clone.waiting is None:
            return self._stand_still(now_ns) if self.primary.busy_ns <= now_ns else []
        return self._send_again(now_ns) if now_ns >= self._resend_ns else []

    def due_ns(self) -> int:
        """When to call step next."""
        if self.clone is None:
            return self._ask_ns
        if self.clone.switch is None and self.clone.waiting is None:
            return self.primary.busy_ns
        return self._resend_ns

    def _ask(self, now_ns: int) -> list[Effect]:
        if now_ns < self._ask_ns:
            return []
        self._ask_ns = now_ns + self.settings.need_backup_ns
        return [Send(now_ns, CLUSTER, NeedBackup(self.primary.generation, self.refused))]

    def _send_round(self, now_ns: int) -> list[Effect]:
        assert self.clone is not None
        pages = self.clone.next_round()
        sent_ns = now_ns + duration_ns(pages)
        self._resend_ns = sent_ns + self.settings.resend_ns
        return [Send(sent_ns, self.clone.host, pages)]

    def _stand_still(self, now_ns: int) -> list[Effect]:
        """The stun: take the rest, and be the primary of a pair from this instant on."""
        assert self.clone is not None
        switch = self.clone.stand_still(self.primary.released)
        sent_ns = now_ns + duration_ns(switch) + SWITCH_NS
        self.primary.pair(sent_ns, self.clone.host)
        self._resend_ns = sent_ns + self.settings.resend_ns
        return [self._note(now_ns, "switch", stun_ns=sent_ns - now_ns,
                           pages=self.clone.sent_pages + len(switch.pages),
                           position=self.clone.machine.position,
                           pending=len(self.clone.machine.devices.disk.pending)),
                Send(sent_ns, self.clone.host, switch)]

    def _send_again(self, now_ns: int) -> list[Effect]:
        assert self.clone is not None
        message = self.clone.switch or self.clone.waiting
        assert message is not None
        sent_ns = now_ns + duration_ns(message)
        self._resend_ns = sent_ns + self.settings.resend_ns
        return [Send(sent_ns, self.clone.host, message)]

    def _give_up(self, now_ns: int, why: str) -> list[Effect]:
        assert self.clone is not None
        note = self._note(now_ns, "clone-failed", why=why)
        self.clone = None
        self._ask_ns = now_ns
        return [note]

    def _note(self, now_ns: int, kind: str, **data: Any) -> Note:
        assert self.clone is not None
        return Note(now_ns, kind, {"to": self.clone.host, "generation": self.clone.generation,
                                   "round": self.clone.round, **data})
