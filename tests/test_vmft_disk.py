"""The shared disk as arbiter: one winner a generation, and nothing from the past."""

from __future__ import annotations

from random import Random

from vmft import messages
from vmft.blocks import BLOCK_SIZE
from vmft.devices import READ, WRITE
from vmft.disk import DiskNode
from vmft.messages import DiskReply, DiskRequest, Fenced, Message, Send


def reply(disk: DiskNode, source: str, message: Message) -> Message:
    """What the disk answers."""
    send = disk.handle(0, source, message)[-1]
    assert isinstance(send, Send) and send.to == source
    return send.message


def test_exactly_one_wins_each_of_many_races() -> None:
    """E4, E6: ten thousand times; both ask, some again, in any order; no answer changes."""
    disk, random = DiskNode(), Random(1)
    won = {"n1": 0, "n2": 0}
    for generation in range(1, 10_001):
        asked = ["n1", "n2"] + random.choices(["n1", "n2"], k=2)
        random.shuffle(asked)
        answers = [reply(disk, name, messages.TestAndSet(generation)) for name in asked]
        winners = {each.winner for each in answers if isinstance(each, messages.TestAndSetReply)}
        assert winners == {asked[0]}
        won[asked[0]] += 1
    assert min(won.values()) > 4000


def write(generation: int, byte: int) -> DiskRequest:
    """Fill block 3."""
    return DiskRequest(generation, 1, WRITE, 3, 1, bytes([byte]) * BLOCK_SIZE)


def test_what_comes_late_from_an_older_generation_changes_nothing() -> None:
    """E8: a write that was long on its way is refused as soon as its generation is over."""
    for bugs, left in ((frozenset[str](), 2), (frozenset({"no-fencing"}), 3)):
        disk = DiskNode(bugs)
        assert reply(disk, "n1", write(1, 1)) == DiskReply(1, 1, 0, b"")
        reply(disk, "n2", messages.TestAndSet(1))
        reply(disk, "n2", write(2, 2))
        late = reply(disk, "n1", write(1, 3))
        assert bugs or late == Fenced(2)
        held = reply(disk, "n2", DiskRequest(2, 9, READ, 3, 1, b""))
        assert held == DiskReply(2, 9, 0, bytes([left]) * BLOCK_SIZE)
