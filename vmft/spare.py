"""A host without a machine: it waits for a clone, and collects it page by page.

Nothing that is not whole ever runs: memory counts only with the switch that completes it, and a
new clone starts from nothing.
"""

from __future__ import annotations

from typing import Callable

from vmft.backup import Backup
from vmft.clone import assemble, hello_of
from vmft.local_disk import store
from vmft.machine import Machine
from vmft.messages import Copied, Effect, Handover, Note, Pages, Refused, Send, Switch
from vmft.replayer import Replayer
from vmft.settings import Settings


class Spare:
    """The role of a host that runs nothing."""

    generation = 0
    peer: str | None = None

    def __init__(self, make_machine: Callable[[], Machine], settings: Settings,
                 memory: dict[int, bytes], bugs: frozenset[str] = frozenset()) -> None:
        self.bugs = bugs
        self.make_machine = make_machine
        self.settings = settings
        self.incoming = (0, 0)      # the generation and attempt being collected
        self.memory = memory
        self.rounds = 0             # rounds that are here whole
        self._machine: Machine | None = None
        self._effects: list[Effect] = []

    def collect(self, now_ns: int, source: str, message: Pages) -> None:
        """Take a round of memory, or refuse a machine that would not replay alike."""
        if self._machine is None:
            self._machine = self.make_machine()
        expected = hello_of(self._machine)
        if message.hello != expected:
            why = f"the log is of {message.hello}, this host replays {expected}"
            self._effects += [Note(now_ns, "refuse", {"from": source, "why": why}),
                              Send(now_ns, source, Refused(message.generation, why))]
            return
        clone = (message.generation, message.attempt)
        if message.round == 0 and clone > self.incoming:
            self.incoming, self.rounds = clone, 0
            if "stale-clone" not in self.bugs:
                self.memory.clear()
        if clone == self.incoming and message.round == self.rounds:
            fresh = dict(message.pages)
            self.memory.update({**fresh, **self.memory} if "stale-clone" in self.bugs else fresh)
            self._effects += store(now_ns, self._machine.blocks, message.blocks)
            self.rounds += 1
        if clone == self.incoming:
            blocks = self._machine.blocks
            sums = tuple(blocks.sums.items()) if blocks is not None and message.round == 0 else ()
            self._effects.append(Send(now_ns, source, Copied(*clone, message.round, sums)))

    def become(self, now_ns: int, source: str, message: Switch) -> Backup | None:
        """A backup, if everything before the switch is here."""
        whole = (*self.incoming, self.rounds)
        if self._machine is None or (message.generation, message.attempt, message.round) != whole:
            return None
        self._effects += store(now_ns, self._machine.blocks, message.blocks)
        rest = assemble(self._machine, self.memory, message)
        backup = Backup(Replayer(self._machine, bugs=self.bugs), message.generation, source,
                        self.settings, self.bugs)
        backup.released = rest.released
        return backup

    def arrive(self, now_ns: int, message: Handover) -> Machine | None:
        """The machine that is handed over, if everything before it is here."""
        whole = (*self.incoming, self.rounds)
        if self._machine is None or (message.generation, message.attempt, message.round) != whole:
            return None
        self._effects += store(now_ns, self._machine.blocks, message.blocks)
        assemble(self._machine, self.memory, message)
        return self._machine

    def step(self, now_ns: int, until_ns: int) -> None:
        """There is nothing to run."""

    def wake_ns(self, now_ns: int) -> int | None:
        """Only a message can wake it."""
        return None

    def take_effects(self) -> list[Effect]:
        """What should be done, since the last call."""
        taken, self._effects = self._effects, []
        return taken
