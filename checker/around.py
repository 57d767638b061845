"""Operations as a table, for a terminal: those around one, of a process, or of a key."""

from __future__ import annotations

from typing import Sequence

from checker.scene import SIGNS, Scene, call_of
from checker.story import Story
from histories import Call, UsageError
from histories.value import show

AROUND = 10             # operations on either side
HEAD = ("", "op", "process", "call", "from", "to", "", "on the machines")


def select(
    scene: Scene, *, around: int | None = None, process: int | None = None, key: str | None = None
) -> list[Call]:
    """The operations that are asked for, in the order of their invocations.

    ``around`` keeps AROUND on either side of that op's operation, of those of a process and a key.
    UsageError if there are none.
    """
    calls = scene.record.history.calls()
    if process is not None:
        known = sorted({call.process for call in calls})
        if process not in known:
            raise UsageError(f"no operation of process {process}; "
                             f"there are processes {_few(list(map(str, known)))}")
        calls = [call for call in calls if call.process == process]
    if key is not None:
        keys = dict.fromkeys(key_of(call) for call in calls)
        if key not in keys:
            raise UsageError(f"no operation on key {key!r}; there are {_few(list(keys))}")
        calls = [call for call in calls if key_of(call) == key]
    if around is None:
        return calls
    start = call_of(scene.record, around).start
    before = [call for call in calls if call.start < start]
    after = [call for call in calls if call.start > start]
    middle = [call for call in calls if call.start == start]
    return before[-AROUND:] + middle + after[:AROUND]


def _few(names: list[str]) -> str:
    shown = ", ".join(name or "(none)" for name in names[:AROUND])
    return f"{shown} and {len(names) - AROUND} more" if len(names) > AROUND else shown


def key_of(call: Call) -> str:
    """What a call is on, as text: its argument, or the first part of it; empty without one."""
    arg = call.arg[0] if isinstance(call.arg, tuple) and call.arg else call.arg
    return "" if arg is None else arg if isinstance(arg, str) else show(arg)


def table(scene: Scene, calls: Sequence[Call]) -> list[str]:
    """A row for each operation; one that convicts the run has a sign in front."""
    story = Story(scene.record)
    rows = [HEAD, *(_row(scene, story, call) for call in calls)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return [*lines, "", SIGNS] if any(scene.sign(call) != " " for call in calls) else lines


def _row(scene: Scene, story: Story, call: Call) -> tuple[str, ...]:
    ended = "never" if call.completion is None else scene.when(call.end_ns)
    return (scene.sign(call), str(call.start), str(call.process), str(call),
            scene.when(call.start_ns), ended, call.outcome, _machines(story, call))


def _machines(story: Story, call: Call) -> str:
    """Where it was logged and who answered it."""
    inputs = [f"{event.node} entry {event.data['seq']}" for event in story.inputs[call.start]]
    answered = story.answered(call)
    by = [] if answered is None else [f"answered by {answered.node}"]
    return ", ".join([*inputs, *by])
