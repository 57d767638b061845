"""What nodes say to each other, and what a replica wants done.

Hosts, the shared disk and clients are nodes.  Every message between hosts carries the generation
of the pair it belongs to; whoever lives in another generation ignores it.  A replica performs
nothing itself: it answers effects, which its runtime carries out.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Union

DISK_NODE = "disk"
SWITCH = "switch"       # whoever is addressed through it: clients, and the service


class Log(NamedTuple):
    """Records of entries `first` to `last`; outputs up to number `released` have left."""

    generation: int
    first: int
    last: int
    released: int
    records: bytes


class Ack(NamedTuple):
    """Entries up to `received` are in the backup's log buffer; those up to `executed` are done."""

    generation: int
    received: int
    executed: int


class Heartbeat(NamedTuple):
    """The host is up."""

    generation: int


class TestAndSet(NamedTuple):
    """Whoever asks first for a generation may go live in it."""

    generation: int


class TestAndSetReply(NamedTuple):
    """Who won the generation: the answer is the same however often it is asked."""

    generation: int
    winner: str


class Advertise(NamedTuple):
    """The service's address is at this node now (a gratuitous ARP)."""

    generation: int


class Packet(NamedTuple):
    """A frame between a client and the service.

    It starts with the request's number (u64) and the client's (u32), little-endian; the switch
    reads the latter as the address.
    """

    data: bytes


Message = Union[Log, Ack, Heartbeat, TestAndSet, TestAndSetReply, Advertise, Packet]


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
