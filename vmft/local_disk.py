"""A host's own disk, where disks are not shared [paper 4.1].

It is asked what the shared disk would be asked, and answers the same, but it is as near as the
host's own memory: no network lies between, nobody else can reach it, and it fences nothing.  Its
blocks outlive the host's crashes, and know nothing of what happened meanwhile; what was being
written is lost.  So whoever becomes a backup is given what differs, with the machine's memory.
"""

from __future__ import annotations

from collections import deque
from typing import Callable

from vmft.blocks import BLOCK_SIZE, SERVICE_NS, Blocks
from vmft.devices import READ
from vmft.messages import DISK_NODE, DiskReply, DiskRequest, Effect, Note, Send

Page = tuple[int, bytes]


class LocalDisk:
    """Of the host `name`; `breaks_off` says whether the read that it is asked for now fails."""

    def __init__(self, name: str, blocks: Blocks, breaks_off: Callable[[str], bool]) -> None:
        self.name = name
        self.blocks = blocks
        self.breaks_off = breaks_off
        self._under_way: deque[tuple[int, DiskRequest]] = deque()

    def take(self, effects: list[Effect]) -> list[Effect]:
        """What of these effects is for others; the requests to a disk are for this one."""
        for effect in effects:
            if _is_request(effect):
                assert isinstance(effect, Send) and isinstance(effect.message, DiskRequest)
                self._under_way.append((effect.at_ns + SERVICE_NS, effect.message))
        return [effect for effect in effects if not _is_request(effect)]

    def serve(self, now_ns: int) -> list[tuple[Note, DiskReply]]:
        """Carry out what is due."""
        served = []
        while self._under_way and self._under_way[0][0] <= now_ns:
            _, request = self._under_way.popleft()
            breaks_off = request.command == READ and self.breaks_off(self.name)
            served.append(self.blocks.serve(now_ns, self.name, request, breaks_off=breaks_off))
        return served

    def due_ns(self) -> int | None:
        """When something is due."""
        return self._under_way[0][0] if self._under_way else None

    def forget(self) -> None:
        """The machine is gone: what it asked for is not done any more."""
        self._under_way.clear()


def _is_request(effect: Effect) -> bool:
    return isinstance(effect, Send) and effect.to == DISK_NODE \
        and isinstance(effect.message, DiskRequest)


class DiskCopy:
    """A clone's copy of a machine's own disk: what is known of the other side's; else empty.

    Pre-copy, as of memory, but from what is there: a disk that was once in step differs little.
    """

    def __init__(self, blocks: Blocks | None) -> None:
        self.blocks = blocks
        self._theirs: dict[int, int] | None = None

    def learn(self, sums: tuple[tuple[int, int], ...]) -> None:
        """The other side has told what it holds."""
        self._theirs = dict(sums)

    def differing(self) -> list[int]:
        """The blocks that are not yet alike."""
        if self.blocks is None or self._theirs is None:
            return []
        ours, theirs = self.blocks.sums, self._theirs
        return sorted(number for number in ours.keys() | theirs.keys()
                      if ours.get(number) != theirs.get(number))

    def next_round(self) -> tuple[Page, ...]:
        """Their content, which the other side will have."""
        numbers = self.differing()
        if self.blocks is None or not numbers:
            return ()
        self._theirs = dict(self.blocks.sums)
        return tuple((number, self.blocks.read(number, 1)) for number in numbers)


def store(now_ns: int, blocks: Blocks | None, pages: tuple[Page, ...]) -> list[Effect]:
    """Put copied blocks on this host's disk."""
    if blocks is None or not pages:
        return []
    for number, content in pages:
        assert len(content) == BLOCK_SIZE
        blocks.write(number, content)
    shown = [[number, content.rstrip(b"\0").hex()] for number, content in pages]
    return [Note(now_ns, "disk-copy", {"blocks": shown})]
