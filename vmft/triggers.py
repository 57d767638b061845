"""Triggers: something is to be done at a moment that the system itself brings about.

A moment is an observation, as the trace will show it: the n-th from now on, or some time after it.
A host may have executed a few microseconds further by then; nobody has seen any of that.  Only
instructions are counted exactly: the machine is made to stand at that very one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, NamedTuple

from vmft.primary import Primary
from vmft.recorder import INSTRUCTION_NS
from vmft.replica import Replica

INSTRUCTION = "instruction"
MOMENTS = {
    "output": "output",                     # the guest has issued one
    "release": "release",                   # it may leave
    "entry": "log",                         # the primary has logged one
    "acknowledgement": "acknowledge",       # the backup has taken entries into its buffer
    "suspicion": "suspect",                 # one side has not yet asked the disk
    "victory": "test-and-set",              # the disk has named a winner, which does not know yet
    "live": "live",                         # and has said nothing yet
    "clone": "clone",                       # memory begins to be copied
    "switch": "switch",                     # the machine stands still for the rest
}


@dataclass
class Trigger:
    """`strike` is told the host whose moment it is; `left` observations or instructions before."""

    moment: str
    left: int
    after_ns: int
    strike: Callable[[str], None]

    def passed(self, node: str, kind: str, data: dict[str, Any]) -> str | None:
        """Whose moment an observation is, if it is the one that was waited for."""
        if MOMENTS.get(self.moment) != kind or self.left == 0:
            return None
        if kind == "test-and-set":
            if data["flag"] != 0 or data["winner"] != data["asked"]:
                return None
            node = data["winner"]
        self.left -= 1
        return node if self.left == 0 else None


class Strike(NamedTuple):
    """What a trigger has set off, for its moment."""

    trigger: Trigger
    node: str


class Triggers:
    """All that wait for their moment."""

    def __init__(self) -> None:
        self.waiting: list[Trigger] = []

    def observe(self, node: str, kind: str, data: dict[str, Any]) -> list[Strike]:
        """Those whose moment this is."""
        struck = [Strike(trigger, whose) for trigger in self.waiting
                  if (whose := trigger.passed(node, kind, data)) is not None]
        self._over(struck)
        return struck

    def until_ns(self, replica: Replica, now_ns: int, until_ns: int) -> int:
        """How long this host may execute, for a machine to be stopped at its instruction."""
        if not self.waiting or not isinstance(replica.role, Primary):
            return until_ns
        left = [each.left for each in self.waiting if each.moment == INSTRUCTION]
        return min([until_ns] + [now_ns + instructions * INSTRUCTION_NS for instructions in left])

    def executed(self, node: str, instructions: int) -> list[Strike]:
        """Those whose instruction a live machine has reached by so many more."""
        struck = []
        for trigger in self.waiting:
            if trigger.moment == INSTRUCTION:
                trigger.left = max(0, trigger.left - instructions)
                if trigger.left == 0:
                    struck.append(Strike(trigger, node))
        self._over(struck)
        return struck

    def _over(self, struck: list[Strike]) -> None:
        gone = [strike.trigger for strike in struck]
        self.waiting = [trigger for trigger in self.waiting if trigger not in gone]
