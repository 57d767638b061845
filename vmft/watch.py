"""One side's watch over the other: heartbeats, suspicion, and the test-and-set that follows.

Suspicion gives no right to anything: dead and unreachable look alike.  Whoever suspects asks the
shared disk for the generation's flag, again and again until it answers; only the winner may go
live [paper 2.3].
"""

from __future__ import annotations

from vmft.detector import Detector
from vmft.messages import (DISK_NODE, Effect, Heartbeat, Message, Note, Send, TestAndSet,
                           TestAndSetReply)
from vmft.settings import Settings


class Watch:
    """Over `peer`, in one generation; `contending` once the peer is suspected."""

    def __init__(self, generation: int, peer: str, settings: Settings, now_ns: int,
                 bugs: frozenset[str] = frozenset()) -> None:
        self.bugs = bugs
        self.generation = generation
        self.peer = peer
        self.settings = settings
        self.detector = Detector(settings, now_ns)
        self.contending = False
        self.greeting: Message | None = None    # sent with each heartbeat, until it is heard
        self._beat_ns = now_ns
        self._ask_ns = now_ns
        self._asked_ns = now_ns

    def assumes(self, now_ns: int) -> bool | None:
        """By mistake: what silence of the disk is taken for, a victory or a defeat."""
        if not self.contending or now_ns - self._asked_ns < self.settings.heartbeat_silence_ns:
            return None
        if "timeout-is-success" in self.bugs:
            return True
        return False if "timeout-is-defeat" in self.bugs else None

    def effects(self, now_ns: int) -> list[Effect]:
        """What is due: a heartbeat, a suspicion, a question to the disk."""
        due: list[Effect] = []
        if now_ns >= self._beat_ns:
            self._beat_ns = now_ns + self.settings.heartbeat_ns
            due.append(Send(now_ns, self.peer, Heartbeat(self.generation)))
            if self.greeting is not None:
                due.append(Send(now_ns, self.peer, self.greeting))
        why = None if self.contending else self.detector.suspicion(now_ns)
        if why is not None:
            due.append(self.contend(now_ns, why))
        if self.contending and now_ns >= self._ask_ns:
            self._ask_ns = now_ns + self.settings.test_and_set_retry_ns
            due.append(Send(now_ns, DISK_NODE, TestAndSet(self.generation)))
        return due

    def contend(self, now_ns: int, why: str) -> Note:
        """Start asking the disk for the right to go live."""
        self.contending = True
        self._ask_ns = now_ns
        self._asked_ns = now_ns
        return Note(now_ns, "suspect", {
            "peer": self.peer, "why": why, "generation": self.generation})

    def decides(self, reply: TestAndSetReply) -> bool:
        """Whether this answer is the one that was asked for."""
        return self.contending and (reply.generation, reply.flag) == (self.generation, 0)

    def due_ns(self) -> int:
        """When something is due next."""
        return min(self._beat_ns, self._ask_ns if self.contending else self.detector.due_ns())
