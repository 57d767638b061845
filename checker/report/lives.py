"""The life of each request on the machines: logged, executed, answered, acknowledged, let out.

A request lives once in each generation that knows it: a second life is a retry, or a failover that
did it again.  Replay is deterministic, so an entry's instruction number holds on both machines; the
backup's life is when it acknowledged the answer's entry, and when it had executed it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import Any, Container, Iterator, NamedTuple

from histories import Event, Trace

Row = list[int | None]


class Life(NamedTuple):
    """One request in one generation; each event None where it did not happen.

    ``releases`` are those of its answer; ``acknowledged`` and ``executed`` the backup's events
    that cover the answer's entry.
    """

    generation: int
    arrived: Event | None
    output: Event | None
    pc: int | None
    acknowledged: Event | None
    executed: Event | None
    releases: list[Event]


PLACE = {"log": 0, "output": 1, "release": 2}
REPLAYS_LOOKED_AT = 200


class _Raw(NamedTuple):
    arrived: list[Event]
    outputs: list[Event]
    releases: list[Event]


class Lives:
    """The lives of the wanted requests of a trace, by the index of the op that invoked them."""

    def __init__(self, trace: Trace, wanted: Container[int]) -> None:
        self._wanted = wanted
        self._raw: dict[tuple[int, int], _Raw] = {}
        self._generations: dict[int, list[int]] = defaultdict(list)
        self._pc: dict[tuple[str, int, int], int | None] = {}
        self._received: dict[int, list[Event]] = defaultdict(list)
        self._replayed: dict[str, list[Event]] = defaultdict(list)
        for event in trace:
            self._take(event)

    def _take(self, event: Event) -> None:
        data, kind = event.data, event.kind
        if kind == "log" and data["entry"] == "output":
            self._pc[event.node, data["generation"], data["seq"]] = data.get("pc")
        elif kind == "acknowledge":
            self._received[data["generation"]].append(event)
        elif kind == "replay":
            self._replayed[event.node].append(event)
        request = data.get("request")
        if type(request) is int and request in self._wanted and kind in PLACE:
            self._life(request, data["generation"])[PLACE[kind]].append(event)

    def _life(self, request: int, generation: int) -> _Raw:
        key = (request, generation)
        if key not in self._raw:
            self._raw[key] = _Raw([], [], [])
            self._generations[request].append(generation)
        return self._raw[key]

    def of(self, request: int) -> Iterator[Life]:
        """The lives of one request, in the order in which they began."""
        for generation in self._generations.get(request, ()):
            raw = self._raw[request, generation]
            output = raw.outputs[0] if raw.outputs else None
            acknowledged = executed = pc = None
            if output is not None:
                seq = output.data["seq"]
                pc = self._pc.get((output.node, generation, seq))
                acknowledged = self._acknowledged(generation, seq, output)
                executed = None if acknowledged is None else self._executed(acknowledged, seq)
            yield Life(generation, raw.arrived[0] if raw.arrived else None, output, pc,
                       acknowledged, executed, raw.releases)

    def _acknowledged(self, generation: int, seq: int, output: Event) -> Event | None:
        """The first acknowledgement of an entry, or of a later one, by the other machine.

        A machine that runs alone logs nothing (entry 0), and nobody acknowledges.
        """
        heard = self._received.get(generation, []) if seq > 0 else []
        at = bisect_left(heard, seq, key=lambda event: int(event.data["received"]))
        while at < len(heard) and (heard[at].node == output.node or heard[at].time < output.time):
            at += 1
        return heard[at] if at < len(heard) else None

    def _executed(self, acknowledged: Event, seq: int) -> Event | None:
        """When the machine that acknowledged an entry had executed it."""
        done = self._replayed[acknowledged.node]
        at = bisect_left(done, acknowledged.time, key=lambda event: event.time)
        for event in done[at:at + REPLAYS_LOOKED_AT]:
            if event.data["last"] >= seq:
                return event
        return None


def row(life: Life, start_ns: int, nodes: dict[str, int]) -> Row:
    """A life as integers, times relative to the call's start; see `page.js` for the reader.

    Generation; node, time, entry, instruction and program counter where it arrived; the same of
    the answer, and its number; node and time of acknowledgement; time of execution; then node,
    time and whether again, of each release.
    """
    def when(event: Event | None) -> int | None:
        return None if event is None else event.time - start_ns

    def who(event: Event | None) -> int | None:
        return None if event is None else nodes[event.node]

    def said(event: Event | None, key: str) -> Any:
        return None if event is None else event.data.get(key)

    into, out, heard = life.arrived, life.output, life.acknowledged
    releases: Row = []
    for event in life.releases:
        releases += [nodes[event.node], event.time - start_ns, int(event.data.get("again", False))]
    return [life.generation,
            who(into), when(into), said(into, "seq"), said(into, "at"), said(into, "pc"),
            who(out), when(out), said(out, "seq"), said(out, "at"), life.pc, said(out, "number"),
            who(heard), when(heard), when(life.executed), *releases]
