"""One operation with everything that is linked to it, as lines for a terminal.

What the client saw; then, for each generation in which the machines knew the request: where it
arrived, its log entry and instruction and the guest's function there, the answer's entry, how long
it was held, who acknowledged and executed it, and each time it left; what was lost of it on the
way; the faults meanwhile; and which checks name it.
"""

from __future__ import annotations

from typing import Iterator

from checker.event_words import tell
from checker.report.lives import Life, Lives
from checker.scene import Scene, call_of
from histories import Call, Event
from histories.value import quantity

LOST_MAX = 4            # lost messages told of one operation


def operation(scene: Scene, index: int) -> list[str]:
    """Everything about the operation that the op of this index belongs to.

    UsageError if no client's operation has such an op.
    """
    call = call_of(scene.record, index)
    lines = [f"{scene.sign(call)} op {call.start}, process {call.process}: {call}",
             f"  invoked   {scene.when(call.start_ns)}", f"  ended     {_end(scene, call)}"]
    lives = list(Lives(scene.record.trace, (call.start,)).of(call.start))
    for life in lives:
        lines += ["", f"In generation {life.generation}:", *_life(scene, call, life)]
    if len(scene.record.trace) and not lives:
        lines += ["", "No machine knew of it."]
    lines += _section("Lost on the way:", _lost(scene, call, lives))
    lines += _section("Faults meanwhile:", _faults(scene, call))
    return lines + _section("Named by:", [f"  {mark.why}" for mark in scene.marks
                                          if mark.op == call.start]
                            or ["  no check that convicts"])


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", title, *lines] if lines else []


def _end(scene: Scene, call: Call) -> str:
    if call.completion is None:
        return "never: it was open when the history ended"
    took_us = (call.end_ns - call.start_ns) // 1000
    took = f", after {took_us} us" if scene.timed else ""
    error = next(op.error for op in scene.record.history if op.index == call.completion)
    why = f" ({error})" if error is not None else ""
    return f"{scene.when(call.end_ns)}  as {call.outcome}{why}, op {call.completion}{took}"


def _life(scene: Scene, call: Call, life: Life) -> list[str]:
    """What the machines did about it in one generation, in order of time."""
    steps = [*_steps(scene, life), *_leaving(scene, call, life)]
    lines = [f"  {scene.when(event.time)}  {event.node} {what}"
             for event, what in sorted(steps, key=lambda step: step[0].time)]
    return lines + [f"  {what}" for what in _missing(life)]


def _steps(scene: Scene, life: Life) -> Iterator[tuple[Event, str]]:
    if life.arrived is not None:
        data = life.arrived.data
        yield life.arrived, (f"took the request: entry {data['seq']}, instruction {data['at']}"
                             f"{_in_guest(scene, data.get('pc'))}")
    if life.output is not None:
        data = life.output.data
        yield life.output, (f"made the answer, output {data['number']}: entry {data['seq']}, "
                            f"instruction {data['at']}{_in_guest(scene, life.pc)}")
    if life.acknowledged is not None:
        yield life.acknowledged, (f"acknowledged entries to {life.acknowledged.data['received']}, "
                                  "the answer's among them")
    if life.executed is not None:
        yield life.executed, f"had executed entries to {life.executed.data['last']}"


def _in_guest(scene: Scene, pc: int | None) -> str:
    return "" if pc is None else f", in {scene.guest(pc)}"


def _leaving(scene: Scene, call: Call, life: Life) -> Iterator[tuple[Event, str]]:
    """Each time that the answer left a machine."""
    for release in life.releases:
        data = release.data
        held = "" if life.output is None or life.output.node != release.node \
            else f", held for {(release.time - life.output.time) // 1000} us"
        had = data.get("acknowledged")
        knew = "alone, without a backup" if had is None else f"when entries to {had} were safe"
        again = " once more" if data.get("again") else ""
        late = "" if call.completion is not None and release.time <= call.end_ns \
            else "; its client no longer waited"
        yield release, f"let it out{again}, {knew}{held}{late}"


def _missing(life: Life) -> Iterator[str]:
    """What never happened."""
    if life.arrived is not None and life.output is None:
        yield "never answered by the guest"
    if life.output is not None and not life.releases:
        yield "the answer was never let out"
    alone = all(release.data.get("acknowledged") is None for release in life.releases)
    if life.output is not None and life.acknowledged is None and not (life.releases and alone):
        yield "the answer's entry was never acknowledged by another machine"
    elif life.acknowledged is not None and life.executed is None:
        yield "the backup never executed it"


def _lost(scene: Scene, call: Call, lives: list[Life]) -> list[str]:
    """Messages that never arrived and carried the request, its entries or its answer."""
    spans = [(each.node, each.data["seq"], each.time) for life in lives
             for each in (life.arrived, life.output) if each is not None]
    found = [event for event in scene.record.trace.of("drop", "stalled")
             if event.data.get("request") == call.start or any(
                 event.node == node and event.time >= since
                 and event.data.get("first", seq + 1) <= seq <= event.data.get("last", -1)
                 for node, seq, since in spans)]
    lines = [f"  {scene.when(event.time)}  {event.node}: {tell(event)}"
             for event in found[:LOST_MAX]]
    more = len(found) - LOST_MAX
    return lines + ([f"  ({quantity(more, 'more message')} left out here)"] if more > 0 else [])


def _faults(scene: Scene, call: Call) -> list[str]:
    """The faults that were active while it was open."""
    end_ns = call.end_ns if call.completion is not None else None
    return [f"  {band.what}, from {scene.when(band.start_ns)}"
            f"{'' if band.end_ns is None else f' to {scene.when(band.end_ns)}'}"
            for band in scene.faults
            if (end_ns is None or band.start_ns <= end_ns)
            and (band.end_ns is None or band.end_ns >= call.start_ns)]
