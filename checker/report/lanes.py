"""The lanes of the space-time diagram, and what passes between them.

A client whose call timed out goes on under a new process id: where the number of clients is known,
the ids differ by it; else a process gets the lane of one that has ended.  Arrows are messages that
the trace implies: a request arrives where it is logged, an entry where it is acknowledged.  A
message that the trace says was lost is a stub, with no second end.
"""

from __future__ import annotations

import heapq
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from histories import Call, Event, Trace

OTHERS = ("disk", "cluster", "network")         # not hosts, in the order of their lanes
CLIENTS = "clients"
UNTOLD = ("Heartbeat", "HostUp")                # lost ones say nothing by themselves
BECOMES = {"live": "alone", "protected": "primary", "backup": "backup", "spare": "spare",
           "crash": "crashed", "restart": "spare", "halt": "halted", "suspect": "contending",
           "pause": "paused", "off": "off"}


class Arrow(NamedTuple):
    """A message: sent and received at a node, or by the call of an op (then the node is None).

    ``end_ns`` None: it never arrived; ``to`` says where it was meant to.
    """

    kind: str
    start_ns: int
    source: str | None
    end_ns: int | None
    to: str | None
    op: int | None
    what: str


class Role(NamedTuple):
    """What a host was, from when to when (None: to the end)."""

    host: str
    start_ns: int
    end_ns: int | None
    role: str


def client_lanes(calls: Sequence[Call], clients: int = 0) -> dict[int, int]:
    """The lane of each process; `clients` is their number, 0 where nobody knows."""
    if clients > 0:
        return {call.process: call.process % clients for call in calls}
    last = {call.process: max(call.start, call.completion or call.start) for call in calls}
    lanes: dict[int, int] = {}
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    for call in calls:
        if call.process in lanes:
            continue
        while busy and busy[0][0] < call.start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        lane = heapq.heappop(free) if free else len(busy)
        lanes[call.process] = lane
        heapq.heappush(busy, (last[call.process], lane))
    return lanes


def hosts(trace: Trace) -> list[str]:
    """The machines, in the order in which they are first heard of."""
    seen = dict.fromkeys(event.node for event in trace)
    return sorted(node for node in seen if node not in (*OTHERS, CLIENTS))


def others(trace: Trace) -> list[str]:
    """The other nodes that did something."""
    seen = {event.node for event in trace}
    return [node for node in OTHERS if node in seen]


def roles(trace: Trace) -> list[Role]:
    """What each host was, in the order of the beginnings."""
    found: list[Role] = []
    now: dict[str, int] = {}
    paused: dict[str, str] = {}         # what a paused host was
    for event in trace:
        role = BECOMES.get(event.kind)
        if event.kind == "boot":
            role = event.data.get("role", "spare")
        elif event.kind == "pause" and event.node in now:
            paused[event.node] = found[now[event.node]].role
        elif event.kind == "resume":
            role = paused.pop(event.node, None)
        if role is None or event.node not in now and event.kind != "boot":
            continue
        if event.node in now:
            at = now[event.node]
            if found[at].role == role:
                continue
            found[at] = found[at]._replace(end_ns=event.time)
        now[event.node] = len(found)
        found.append(Role(event.node, event.time, None, str(role)))
    return found


def arrows(trace: Trace, calls: Mapping[int, Call]) -> Iterator[Arrow]:
    """Every message that the trace tells of; `calls` by the index of their invocations."""
    way = _OnTheirWay()
    answered: set[int] = set()
    for event in trace:
        request = event.data.get("request")
        call = calls.get(request) if type(request) is int else None
        if event.kind in ("drop", "stalled"):
            if event.data["message"] not in UNTOLD:
                yield _lost(event, request if call is not None else None)
        elif call is None:
            yield from way.take(event)
        elif event.kind == "log" and event.data.get("entry") == "input":
            yield Arrow("request", call.start_ns, None, event.time, event.node, call.start, "")
            yield from way.take(event)
        elif event.kind == "release":
            heard = call.outcome != "info" and event.time <= call.end_ns \
                and call.start not in answered
            answered.add(call.start)
            yield Arrow("answer", event.time, event.node, call.end_ns if heard else None, None,
                        call.start, "" if heard else "a client that no longer waits")
        else:
            yield from way.take(event)


def _lost(event: Event, op: int | None) -> Arrow:
    data: dict[str, Any] = event.data
    source = None if event.node == CLIENTS else event.node
    entries = f" {data['first']} to {data['last']}" if "first" in data else ""
    return Arrow("lost", event.time, source, None, data["to"], op,
                 f"{data['message']}{entries}: {data['why']}")


class _OnTheirWay:
    """Log messages, acknowledgements and disk requests that have not arrived yet."""

    def __init__(self) -> None:
        self.logged: dict[tuple[int, int], Event] = {}          # by generation and number
        self.received: dict[tuple[int, int], Event] = {}
        self.issued: dict[tuple[str, int, int], Event] = {}     # by host, generation and number
        self.served: dict[tuple[str, int, int], Event] = {}
        self.cloning: dict[str, Event] = {}                     # by the host cloned to

    def take(self, event: Event) -> Iterator[Arrow]:
        """One more event; yields the message that arrived with it, if one did."""
        data, kind = event.data, event.kind
        if kind == "log":
            self.logged[data["generation"], data["seq"]] = event
        elif kind == "acknowledge":
            key = (data["generation"], data["received"])
            self.received.setdefault(key, event)
            yield from self._arrived("log", self.logged.pop(key, None), event)
        elif kind == "ack":
            key = (data["generation"], data["received"])
            yield from self._arrived("ack", self.received.pop(key, None), event)
        elif kind == "release" and data["device"] == "disk":
            self.issued[event.node, data["generation"], data["number"]] = event
        elif kind in ("disk-write", "disk-read"):
            request = (data["source"], data["generation"], data["number"])
            self.served[request] = event
            yield from self._arrived("disk", self.issued.pop(request, None), event)
        elif kind == "complete":
            request = (event.node, data["generation"], data["number"])
            yield from self._arrived("disk", self.served.pop(request, None), event)
        elif kind == "clone":
            self.cloning.setdefault(data["to"], event)
        elif kind == "backup":
            yield from self._arrived("clone", self.cloning.pop(event.node, None), event)

    @staticmethod
    def _arrived(kind: str, sent: Event | None, event: Event) -> Iterator[Arrow]:
        if sent is not None and sent.node != event.node:
            number = event.data.get("received", event.data.get("number", ""))
            yield Arrow(kind, sent.time, sent.node, event.time, event.node, None, str(number))
