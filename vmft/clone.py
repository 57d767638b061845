"""FT VMotion: copy a running machine to another host and make the two a pair [paper 3.1].

Pre-copy: all of memory is sent while the machine goes on, then again what has changed, until
little is left.  Then the machine stands still for as long as the rest takes to send (the stun),
and from that instant its log begins: the first entry is the first event after the switch-over.
Memory is compared, never write-protected: the emulator loses stores to protected pages.
"""

from __future__ import annotations

import pickle
from typing import NamedTuple

from vmft import entry as log
from vmft.cpu import Snapshot
from vmft.engine import EMULATOR, PAGE_SIZE
from vmft.local_disk import DiskCopy
from vmft.machine import Machine, State
from vmft.messages import Copied, Handover, Hello, Pages, Switch

PAGE_NS = 33_000            # to put one page on a wire of 1 Gbit/s
BLOCK_NS = 4_200            # one block
SWITCH_NS = 50_000          # registers, devices, and the switch itself
FEW_PAGES = 4               # few enough to stand still for
FEW_BLOCKS = 32
ROUNDS_MAX = 8
CPU_MODEL = "SANDYBRIDGE"

Page = tuple[int, bytes]


def hello_of(machine: Machine) -> Hello:
    """What the other side must share."""
    return Hello(log.VERSION, EMULATOR, CPU_MODEL, machine.image.digest)


class Rest(NamedTuple):
    """What a switch carries beside memory: the processor, the devices, what the pair has done."""

    position: int
    halted: bool
    context: bytes
    devices: bytes
    released: int


class Clone:
    """The source's side: copies `machine` to `host` in rounds, then takes the rest."""

    def __init__(self, machine: Machine, host: str, generation: int, attempt: int,
                 bugs: frozenset[str] = frozenset()) -> None:
        self.bugs = bugs
        self.machine = machine
        self.host = host
        self.generation = generation
        self.attempt = attempt
        self.round = 0
        self.sent_pages = 0
        self.switch: Switch | None = None
        self.waiting: Pages | None = None
        self.disk = DiskCopy(None if "no-resync" in bugs else machine.blocks)
        self._digests: list[int] = []

    def next_round(self) -> Pages:
        """What has changed since the previous round; at first, everything."""
        self.waiting = Pages(self.generation, self.attempt, self.round, hello_of(self.machine),
                             self._dirty(), self.disk.next_round())
        self.sent_pages += len(self.waiting.pages)
        return self.waiting

    def copied(self, message: Copied) -> bool:
        """A round has arrived; answers whether it is the one that was waited for."""
        if self.waiting is None or (message.attempt, message.round) != (self.attempt, self.round):
            return False
        self.waiting = None
        if self.round == 0:
            self.disk.learn(message.sums)
        self.round += 1
        return True

    def ready(self) -> bool:
        """Whether it is time to stand still: little has changed, or it will not get better."""
        current = self.machine.cpu.page_digests()
        changed = sum(old != new for old, new in zip(self._digests, current))
        little = changed <= FEW_PAGES and len(self.disk.differing()) <= FEW_BLOCKS
        return little or self.round >= ROUNDS_MAX

    def stand_still(self, released: int) -> Switch:
        """The rest of the machine; it must not run before this has been taken."""
        state = self.machine.state()
        if "device-forgotten" in self.bugs:
            state = _without_head(state)
        cpu = state.cpu
        assert isinstance(cpu, Snapshot)
        rest = Rest(cpu.position, cpu.halted, cpu.context, state.devices, released)
        dirty = self._dirty()
        if "missed-page" in self.bugs:
            dirty = dirty[:-1]
        self.switch = Switch(self.generation, self.attempt, self.round, dirty,
                             pickle.dumps(rest), self.disk.next_round())
        return self.switch

    def _dirty(self) -> tuple[Page, ...]:
        """The pages that differ from what was sent of them; page 0 does not exist."""
        current = self.machine.cpu.page_digests()
        old = self._digests or [-1] * len(current)
        self._digests = current
        return tuple((number, self.machine.cpu.read(number * PAGE_SIZE, PAGE_SIZE))
                     for number, digest in enumerate(current)
                     if number > 0 and digest != old[number])


def _without_head(state: State) -> State:
    """By mistake: where the network card stands in its ring is not part of the state."""
    devices = pickle.loads(state.devices)
    devices.nic.head = 0
    return state._replace(devices=pickle.dumps(devices))


def duration_ns(message: Pages | Switch | Handover) -> int:
    """How long the pages and blocks in a message take to send."""
    return len(message.pages) * PAGE_NS + len(message.blocks) * BLOCK_NS


def assemble(machine: Machine, memory: dict[int, bytes], switch: Switch | Handover) -> Rest:
    """Make `machine` the one that the switch was taken from; answers the rest."""
    memory.update(switch.pages)
    rest = pickle.loads(switch.rest)
    assert isinstance(rest, Rest)
    ram = bytes(PAGE_SIZE) + b"".join(memory[number] for number in sorted(memory))
    machine.resume(State(Snapshot(rest.position, rest.halted, ram, rest.context), rest.devices))
    return rest
