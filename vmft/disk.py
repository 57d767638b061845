"""The shared disk node: the pair's blocks, and its arbiter.

The test-and-set is atomic because one node decides it, and idempotent because the winner of each
flag is kept by name: whoever asks again after a lost reply gets the same answer.  Winning the flag
of generation g means to live in g + 1, and from then on requests of older generations are refused:
a write of the old primary that was long on its way changes nothing any more [not in the paper,
which assumes fail-stop; see docs/design.md].

Where every host has a disk of its own, this node holds no blocks and is the arbiter only: the third
party that breaks ties [paper 4.1].
"""

from __future__ import annotations

from typing import Callable

from vmft.ailments import FAIL, LOSE, TEAR, Ailments
from vmft.blocks import FAILED, NO_ROOM, SERVICE_NS, Blocks
from vmft.devices import READ
from vmft.messages import (DiskRequest, Effect, Fenced, Message, Note, Send, TestAndSet,
                           TestAndSetReply)
from vmft.prng import Rng

TORN_NS = 5_000_000         # between test and set, of the defect of that name
REARMED_NS = 500_000_000    # after which the flag is cleared, by mistake


class DiskNode:
    """Sans-IO, like the replicas: messages in, effects out.

    `breaks_off(source)` says whether the read that this host asks for now fails, `ailments` what
    else is wrong.
    """

    def __init__(self, bugs: frozenset[str] = frozenset(),
                 breaks_off: Callable[[str], bool] = lambda source: False,
                 ailments: Ailments | None = None) -> None:
        self.ailments = ailments or Ailments(Rng(0))
        self.bugs = bugs
        self.breaks_off = breaks_off
        self.winners: dict[tuple[int, int], str] = {}
        self.blocks = Blocks()
        self.fence = 1
        self._torn: dict[tuple[int, int], tuple[int, str]] = {}
        self._set_ns = 0
        self._done_ns = 0

    def handle(self, now_ns: int, source: str, message: Message) -> list[Effect]:
        """Serve one request."""
        done_ns = max(self._done_ns, now_ns + SERVICE_NS + self.ailments.extra_ns)
        self._done_ns = done_ns     # in the order in which they came, however slow it was
        if isinstance(message, TestAndSet):
            return self._test_and_set(done_ns, source, message)
        if isinstance(message, DiskRequest):
            return self._serve(done_ns, source, message)
        return []

    def _test_and_set(self, done_ns: int, source: str, request: TestAndSet) -> list[Effect]:
        key = self._flag(done_ns, request)
        winner = self.winners.get(key) or source
        if "torn-test-and-set" in self.bugs and key not in self.winners:
            first_ns, _ = self._torn.setdefault(key, (done_ns, source))
            if done_ns - first_ns > TORN_NS:
                self.winners[key] = source
        elif "success-is-defeat" in self.bugs and self.winners.get(key) == source:
            winner = "somebody"
        else:
            self.winners.setdefault(key, source)
        if request.flag == 0:
            self.fence = max(self.fence, request.generation + 1)
        data = {"generation": request.generation, "flag": request.flag, "asked": source,
                "winner": winner}
        return [Note(done_ns, "test-and-set", data),
                Send(done_ns, source, TestAndSetReply(request.generation, request.flag, winner))]

    def _flag(self, now_ns: int, request: TestAndSet) -> tuple[int, int]:
        """What the flag is kept under: one for each generation, except by mistake."""
        if "rearmed-blindly" in self.bugs and now_ns - self._set_ns > REARMED_NS:
            self.winners.clear()
        self._set_ns = now_ns
        if "never-rearmed" in self.bugs or "rearmed-blindly" in self.bugs:
            return (0, request.flag)
        return (request.generation, request.flag)

    def _serve(self, done_ns: int, source: str, request: DiskRequest) -> list[Effect]:
        """Read or write, unless the requester has been superseded."""
        if request.generation < self.fence and "no-fencing" not in self.bugs:
            data = {"source": source, "generation": request.generation, "number": request.number,
                    "block": request.block, "blocks": request.blocks}
            return [Note(done_ns, "fenced", data), Send(done_ns, source, Fenced(self.fence))]
        if request.command == READ:
            note, reply = self.blocks.serve(done_ns, source, request,
                                            breaks_off=self.breaks_off(source))
        else:
            torn = self.ailments.strikes(source, TEAR)
            note, reply = self.blocks.serve(done_ns, source, request, breaks_off=torn,
                                            refused=self._refused(source, request))
        if self.ailments.strikes(source, LOSE):
            return [note]
        return [note, Send(done_ns + self.ailments.late_ns(source), source, reply)]

    def _refused(self, source: str, request: DiskRequest) -> int | None:
        """The status of a write that is not carried out, or None."""
        if self.ailments.refuses(self.blocks.holds(request.block, request.blocks)):
            return NO_ROOM
        return FAILED if self.ailments.strikes(source, FAIL) else None
