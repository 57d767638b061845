"""What nodes say to each other, and what a replica wants done.

Hosts, the shared disk, the cluster service and clients are nodes.  Every message between hosts
carries the generation of the pair it belongs to; whoever lives in another generation ignores it.
A replica performs nothing itself: it answers effects, which its runtime carries out.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Union

DISK_NODE = "disk"
CLUSTER = "cluster"
SWITCH = "switch"       # whoever is addressed through it: clients, and the service


class Log(NamedTuple):
    """Records of entries `first` to `last`; outputs up to number `released` have left."""

    generation: int
    first: int
    last: int
    released: int
    records: bytes


class Ack(NamedTuple):
    """Entries up to `received` are in the backup's log buffer; those up to `executed` are done.

    Disk operations up to `read` need no reading by the backup any more.
    """

    generation: int
    received: int
    executed: int
    read: int = 0


class Heartbeat(NamedTuple):
    """The host is up."""

    generation: int


class TestAndSet(NamedTuple):
    """Whoever asks first for a flag has it: a generation's, or that of one of its moves.

    Flag 0 of a generation decides who goes live; flag n > 0 who owns the pair's part that its
    n-th move was about.
    """

    generation: int
    flag: int = 0


class TestAndSetReply(NamedTuple):
    """Who won the flag: the answer is the same however often it is asked."""

    generation: int
    flag: int
    winner: str


class DiskRequest(NamedTuple):
    """Read or write `blocks` blocks from `block` on; generations before the newest are fenced."""

    generation: int
    number: int
    command: int
    block: int
    blocks: int
    data: bytes


class DiskReply(NamedTuple):
    """The end of request `number` of its generation: status 0 is done; the data of a read."""

    generation: int
    number: int
    status: int
    data: bytes


class Fenced(NamedTuple):
    """The disk serves a newer generation: whoever asked has lost, whether it knows or not."""

    generation: int


class HostUp(NamedTuple):
    """A host tells the cluster service that it is there and what it runs."""

    status: str
    generation: int


class NeedBackup(NamedTuple):
    """A machine that runs alone asks the cluster service for a host."""

    generation: int
    refused: tuple[str, ...]


class Place(NamedTuple):
    """The cluster service's choice; empty when no host is fit."""

    generation: int
    host: str


class Hello(NamedTuple):
    """What both sides must have in common to replay alike."""

    version: int
    emulator: str
    cpu_model: str
    image: int


class Pages(NamedTuple):
    """One round of pre-copy: guest memory while the machine goes on changing it."""

    generation: int
    attempt: int
    round: int
    hello: Hello
    pages: tuple[tuple[int, bytes], ...]
    blocks: tuple[tuple[int, bytes], ...] = ()


class Copied(NamedTuple):
    """A round of pre-copy has arrived; after the first, what this host's own disk holds."""

    generation: int
    attempt: int
    round: int
    sums: tuple[tuple[int, int], ...] = ()


class Refused(NamedTuple):
    """This host cannot replay what the other side logs."""

    generation: int
    why: str


class Switch(NamedTuple):
    """The rest of the machine, taken while it stood still: from here on the log tells the story."""

    generation: int
    attempt: int
    round: int
    pages: tuple[tuple[int, bytes], ...]
    rest: bytes
    blocks: tuple[tuple[int, bytes], ...] = ()


class Advertise(NamedTuple):
    """The service's address is at this node now (a gratuitous ARP)."""

    generation: int


class Packet(NamedTuple):
    """A frame between a client and the service.

    It starts with the request's number (u64) and the client's (u32), little-endian; the switch
    reads the latter as the address.
    """

    data: bytes


class MoveBackup(NamedTuple):
    """The primary tells its backup to move to another host."""

    generation: int
    move: int
    host: str


class Quiesce(NamedTuple):
    """A backup that moves asks its primary for a point without disk operations."""

    generation: int
    move: int


class Handover(NamedTuple):
    """One side of a pair, whole: what a switch carries, and that side's part of the protocol."""

    generation: int
    attempt: int
    round: int
    move: int
    pages: tuple[tuple[int, bytes], ...]
    rest: bytes
    state: Any
    blocks: tuple[tuple[int, bytes], ...] = ()


class Taken(NamedTuple):
    """The new host owns the machine."""

    generation: int
    move: int


class Moved(NamedTuple):
    """This side of the pair is here now: talk to this host."""

    generation: int
    move: int


class Administer(NamedTuple):
    """An administrator's order, given at the primary: see vmft.control."""

    order: str
    value: int = 0


Message = Union[
    Log, Ack, Heartbeat, TestAndSet, TestAndSetReply, DiskRequest, DiskReply, Fenced, Advertise,
    Packet, HostUp, NeedBackup, Place, Pages, Copied, Refused, Switch, MoveBackup, Quiesce,
    Handover, Taken, Moved, Administer]


class Send(NamedTuple):
    """Effect: put a message on the network at `at_ns`."""

    at_ns: int
    to: str
    message: Message


class Note(NamedTuple):
    """Effect: something worth an event in the trace happened at `at_ns`; `data` is JSON-able."""

    at_ns: int
    kind: str
    data: dict[str, Any]


Effect = Union[Send, Note]
