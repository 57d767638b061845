"""Why a run is invalid, in at most LINES_MAX lines of prose.

First which operations contradict each other, in the model's own words; then what the machines did
at that moment, which entries they had and lost, and the fault; last, the commands that run it
again and shrink it.  Where many checkers convict, the first ones have a paragraph and the others
the sentence that fits.  The same text goes everywhere a failure is shown.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

from checker.check import Record
from checker.story import Story, seconds
from checker.verdict import Verdict, word
from checker.white_box import CAME, WHITE_BOX, circumstances
from histories import Call, Event
from histories.value import quantity

LINES_MAX = 25
CORE_MAX = 10
CYCLE_MAX = 4
BLACK_BOX = ("linearizable", "monotonic", "unexpired", "answers")


def explain(record: Record, verdict: Verdict) -> list[str]:
    """The explanation of a verdict, line by line."""
    test = record.test
    convicting = [name for name, part in verdict.parts.items() if part.valid is verdict.valid]
    head, tail = headline(test, verdict, convicting), _commands(test, verdict)
    if verdict.valid is True:
        return [head, *tail]
    story = Story(record)
    tail = _witnesses(verdict, convicting) + tail
    told = [(paragraph(story, name, verdict.parts[name]), _short(name, verdict.parts[name]))
            for name in convicting]
    return [head, *fit(_once(told), LINES_MAX - 1 - len(tail)), *tail]


def paragraph(story: Story, name: str, part: Verdict) -> list[str]:
    """What one checker's conviction, or its ignorance, comes from."""
    tells = PARAGRAPHS.get(name, _ops) if part.valid is False else _plain
    return tells(story, part)


def _once(told: Sequence[tuple[list[str], str]]) -> list[tuple[list[str], str]]:
    """The paragraphs; how it came to something is not told again in the same words."""
    known: list[list[str]] = []
    found = []
    for lines, short in told:
        at = lines.index(CAME) if CAME in lines else len(lines)
        came = lines[at:]
        found.append((lines[:at] if came in known else lines, short))
        known.append(came)
    return found


def fit(told: Sequence[tuple[list[str], str]], room: int) -> list[str]:
    """As many paragraphs as there is room for, the first in any case; of the others a sentence."""
    lines: list[str] = []
    rest = list(told)
    while rest:
        owed = len(rest) if len(rest) > 1 else 0        # a sentence for each other, a blank line
        if lines and len(lines) + 1 + len(rest[0][0]) + owed > room:
            break
        lines += ["", *rest.pop(0)[0]]
    lines = _cut(lines, max(room // 2, room - (len(rest) and len(rest) + 1)))
    return _cut([*lines, *([""] if rest else []), *[short for _, short in rest]], room)


def _cut(lines: list[str], room: int) -> list[str]:
    if len(lines) <= room:
        return lines
    return [*lines[:room - 1], f"  ({quantity(len(lines) - room + 1, 'more line')} left out here)"]


def headline(test: dict[str, Any], verdict: Verdict, convicting: list[str]) -> str:
    """One line: the verdict, the test, and who says so."""
    what = [str(test.get("workload") or test.get("name") or "history")]
    if test.get("nemesis"):
        what.append("nemesis " + ",".join(test["nemesis"]))
    what += [f"bug {bug}" for bug in test.get("bugs", [])]
    if "seed" in test:
        what.append(f"seed {test['seed']}")
    says = "" if verdict.valid is True else f" ({', '.join(convicting)})"
    return f"{word(verdict.valid).upper()}  {', '.join(what)}{says}"


def _commands(test: dict[str, Any], verdict: Verdict) -> list[str]:
    """How to see it again, and how to see less of it."""
    command = test.get("command")
    if not command:
        return []
    lines = ["", f"Run it again:  {command}"]
    if verdict.valid is False and " run " in command:
        lines.append(f"Shrink it:     {command.replace(' run ', ' shrink ', 1)}")
    return lines


def _short(name: str, part: Verdict) -> str:
    return f"{name}: {part.why}."


def _plain(story: Story, part: Verdict) -> list[str]:
    return [part.why[:1].upper() + part.why[1:] + "."]


def _ops(story: Story, part: Verdict) -> list[str]:
    """The sentence, and the calls that the evidence names."""
    named = {part.evidence.get("op"), *part.evidence.get("ops", ())}
    calls = [call for call in story.calls.values() if named.intersection(call.indexes)]
    last_ns = max((call.start_ns for call in calls), default=-1)
    return _plain(story, part) + [_row(story, call) for call in calls[:CORE_MAX]] + \
        circumstances(story, last_ns)


def _witnesses(verdict: Verdict, convicting: list[str]) -> list[str]:
    """Say it when the clients saw nothing, or when only the clients saw it."""
    black = [name for name in convicting if name in BLACK_BOX]
    judged = [name for name in BLACK_BOX if name in verdict.parts]
    if verdict.valid is False and judged and not black and "quiet" not in convicting:
        return ["Only the trace convicts: no client was told anything contradictory."]
    if verdict.valid is False and black == convicting and len(verdict.parts) > len(black):
        return ["Only the clients' history convicts: the trace shows no broken rule."]
    return []


# Linearizability

def _linearizable(story: Story, part: Verdict) -> list[str]:
    """The calls that no order explains, their contradiction, and how the machines got there."""
    stuck, twins = _stuck(story, part), _twins(story)
    if twins is not None:
        first, second = twins
        return [
            f"Two different increments were both answered {second.ret}. A counter passes each "
            "value once, so no order of the calls explains both:",
            _row(story, first), _row(story, second), *_machines(story, first, second)]
    if stuck is None:
        return _plain(story, part)
    return [f"No order of the calls explains this one, {stuck}:", _row(story, stuck),
            *_model_says(part), *_core(story, part), *_cycle(part),
            *circumstances(story, stuck.start_ns)]


def _core(story: Story, part: Verdict) -> list[str]:
    """The few calls that contradict each other whatever became of the others."""
    named = part.evidence.get("core", [])
    calls = [call for call in story.calls.values() if call.start in named]
    if not 1 < len(calls) <= CORE_MAX:
        return []
    return ["These calls alone allow no order, whether or not any other happened:",
            *[_row(story, call) for call in sorted(calls, key=lambda call: call.start)]]


def _cycle(part: Verdict) -> list[str]:
    """Who must come before whom, in a circle, if that is short."""
    lines = part.evidence.get("cycle", [])
    if not 0 < len(lines) <= CYCLE_MAX:
        return []
    return ["For each would have to come before the next, and the last before the first:",
            *[f"  {line}" for line in lines]]


def _twins(story: Story) -> tuple[Call, Call] | None:
    """The double eleven: the earliest increment that is told what another was told before it."""
    told: dict[object, Call] = {}
    for call in sorted(story.calls.values(), key=lambda call: call.completion or 0):
        if call.f == "inc" and call.outcome == "ok":
            if call.ret in told:
                return told[call.ret], call
            told[call.ret] = call
    return None


def _stuck(story: Story, part: Verdict) -> Call | None:
    end = part.evidence.get("op")
    return next((call for call in story.calls.values() if call.end == end), None)


def _row(story: Story, call: Call) -> str:
    answered = story.answered(call)
    by = f"   answered by {answered.node}" if answered is not None else ""
    return (f"  op {call.start:<5} process {call.process:<3} {str(call) + ' ':<14} "
            f"{_when(story, call)}{by}").rstrip()


def _when(story: Story, call: Call) -> str:
    """From when to when, as far as the history says; else in which lines of its file."""
    if call.start_ns < 0:
        lines = list(map(story.record.history.line, call.indexes))
        words = " and ".join(str(line) for line in lines if line)
        return f"line{'s' * (len(lines) > 1)} {words}" if words else ""
    return f"{seconds(call.start_ns)} to {seconds(call.end_ns) if call.end_ns >= 0 else '?'}"


def _model_says(part: Verdict) -> list[str]:
    """The longest order's last state, and why the next call does not fit."""
    for order in part.evidence.get("orders", [])[:1]:
        for rejected in order["rejected"][:1]:
            return [f"In the best order the state is {order['state']} by then: {rejected['why']}."]
    return []


def _machines(story: Story, first: Call, second: Call) -> list[str]:
    """How two machines came to disagree: what one had that the other never got."""
    one, other = story.answered(first), story.answered(second)
    if one is None or other is None or one.node == other.node:
        return []
    generation = one.data["generation"]
    had = story.acknowledged(generation, one.time)
    lines = ["What the machines did:",
             f"  {seconds(one.time)}  {one.node} let the first answer out "
             f"({_entry(one)}), when {other.node} had acknowledged entries up to {had}."]
    lines += _lost(story, one, other.node)
    lines += _takeover(story, other.node, generation)
    return lines


def _entry(release: Event) -> str:
    return f"its log entry is {release.data['seq']}, instruction {release.data['at']}"


def _lost(story: Story, release: Event, backup: str) -> list[str]:
    """What became of the entries that the answer depended on."""
    lines = []
    seq = release.data["seq"]
    lost = story.lost(seq, seq, release.node)
    if lost:
        why = lost[0].data["why"]
        fault = story.fault_before(lost[0].time, ("drop-all", "drop-some", "truncate", "cut"))
        since = f" ({fault.f} since {seconds(fault.time)})" if fault is not None else ""
        lines.append(f"  {seconds(lost[0].time)}  entries {lost[0].data['first']} to "
                     f"{lost[0].data['last']} did not reach {backup}: {why}{since}.")
    crash = story.first("crash", release.node, release.time)
    if crash is not None:
        lines.append(f"  {seconds(crash.time)}  {release.node} crashed, and what it had not got "
                     "through died with it.")
    return lines


def _takeover(story: Story, node: str, generation: int) -> list[str]:
    live = story.first("live", node, generation=generation + 1)
    suspect = story.first("suspect", node, generation=generation)
    if live is None or suspect is None:
        return []
    executed = live.data.get("executed")
    knew = f" with entries up to {executed}: the first call is not among them" \
        if executed is not None else ""
    return [f"  {seconds(suspect.time)}  {node} suspected {suspect.data['peer']} "
            f"({suspect.data['why']}).",
            f"  {seconds(live.time)}  {node} went live{knew}."]


PARAGRAPHS: dict[str, Callable[[Story, Verdict], list[str]]] = {
    "linearizable": _linearizable,
    **WHITE_BOX,
}
