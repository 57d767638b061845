"""A paragraph for each checker that judges the trace: its rule, and where it was broken first."""

from __future__ import annotations

from typing import Any, Callable

from checker.output_requirement import sentence
from checker.story import Story, seconds
from checker.vacuity import effect_of
from checker.verdict import Verdict
from histories import Event, Op
from histories.value import show

STEPS_MAX = 8
CAME = "How it came to that:"


def times(part: Verdict) -> str:
    """How often, in words."""
    count = part.evidence["count"]
    return "once" if count == 1 else f"{count} times"


def _output_rule(story: Story, part: Verdict) -> list[str]:
    """The first output that left too early."""
    first = part.evidence["early"][0]
    return [
        f"The output rule was broken {times(part)}: an output may leave only when "
        "the backup has acknowledged its own log entry.",
        f"  {seconds(first['time'])}  {first['node']} let out output {first['number']}"
        f"{_answer(story, first.get('request'))} whose entry is {first['seq']}; the backup had "
        f"entries up to {first['had']}.", *circumstances(story, first["time"])]


def _single_primary(story: Story, part: Verdict) -> list[str]:
    """Who went live, when, and what the disk said."""
    problems = part.evidence["problems"]
    what = "Split brain" if any("other" in each for each in problems) else "Live without a right"
    lines = [f"{what}: {part.why}. Whoever goes live must first win the test-and-set of its "
             "generation on the shared disk, and nobody does after a power-off."]
    cut = story.fault_before(problems[0]["time"], ("cut",))
    if cut is not None:
        links = ", ".join(f"{source}->{to}" for source, to in cut.value["effect"]["cut"])
        lines.append(f"  {seconds(cut.time)}  the latest partition cut {links}.")
    for event in story.record.trace.of("suspect", "test-and-set", "live")[:STEPS_MAX]:
        lines.append(f"  {seconds(event.time)}  {event.node} {_step(event)}")
    return lines


def _output_requirement(story: Story, part: Verdict) -> list[str]:
    """The first output that the next primary does not fit."""
    first = part.evidence["problems"][0]
    lines = [f"The output requirement was broken {times(part)}: who takes over "
             "must go on from everything that the world has seen.",
             f"  {seconds(first['time'])}  {sentence(first)}."]
    if first["problem"] not in ("missing", "altered"):
        lines.append(f"  {seconds(first['released'])}  {first['by']} had let out output "
                     f"{first['number']}{_answer(story, first['request'])} first.")
    return lines + circumstances(story, first["time"])


def _duplicates(story: Story, part: Verdict) -> list[str]:
    """The first output that left again and should not have."""
    first = part.evidence["problems"][0]
    return [
        "An output may leave again only after a failover, and byte for byte the same.",
        f"  {seconds(first['first'])}  {first['by']} let out output {first['number']}"
        f"{_answer(story, first['request'])}",
        f"  {seconds(first['time'])}  {first['node']} let it out again in generation "
        f"{first['generation']}, {first['problem']}.", *circumstances(story, first["time"])]


def _backup_io(story: Story, part: Verdict) -> list[str]:
    """The first thing that somebody did to the world without living in it."""
    first = part.evidence["problems"][0]
    what = {"release": f"output {first['number']} left", "advertise": "the address was taken",
            "disk-write": f"disk request {first['number']} was written",
            "disk-read": f"disk request {first['number']} was read"}[first["event"]]
    return [f"Only the primary of a generation may speak to the world; somebody else did, "
            f"{times(part)}.",
            f"  {seconds(first['time'])}  {what}: {first['node']} {first['why']}.",
            *circumstances(story, first["time"])]


def _lag_bound(story: Story, part: Verdict) -> list[str]:
    """The first lag that was too long."""
    first = part.evidence["problems"][0]
    lines = [f"Time to go live is detection plus lag, so the lag is bounded; {part.why}.",
             f"  {seconds(first['time'])}  first seen, in generation {first['generation']}."]
    slow = [event for event in story.record.trace.of("slow", "share")
            if event.time <= first["time"]]
    return lines + [f"  {seconds(event.time)}  {event.node} {_speed(event)}."
                    for event in slow[-2:]] + circumstances(story, first["time"])


def _speed(event: Event) -> str:
    """What became of a host's or a machine's speed."""
    if event.kind == "slow":
        return f"{event.data['times']} times slower"
    return f"has {event.data['percent']} % of the processor"


def _failover(story: Story, part: Verdict) -> list[str]:
    """Who could have gone live, and did not."""
    first = part.evidence["problems"][0]
    return [f"A suspicion must end with somebody live; {part.why}.",
            f"  {seconds(first['since'])}  owed from here: {', '.join(first['able'])} was up and "
            "reached the disk.", *circumstances(story, first["time"])]


def _redundancy(story: Story, part: Verdict) -> list[str]:
    """Who was left alone, and what became of the attempts to help it."""
    first = part.evidence["problems"][0]
    tried = [event for event in story.record.trace.of("place", "clone", "clone-failed", "switch")
             if event.data["generation"] == first["generation"] and event.time <= first["time"]]
    lines = [f"Redundancy was not restored: {part.why}.",
             f"  {seconds(first['since'])}  owed from here: nothing changed any more, and "
             f"{', '.join(first['fit'])} could have taken the backup."]
    return lines + [f"  {seconds(event.time)}  {event.node} {_attempt(event)}"
                    for event in tried[-STEPS_MAX:]] + (
        [] if tried else ["  Nothing was tried."]) + circumstances(story, first["since"])


def _monotonic_time(story: Story, part: Verdict) -> list[str]:
    """The first reading that is smaller than an earlier one."""
    first = part.evidence["problems"][0]
    return [f"Time must not go back for the guest; {part.why}.",
            f"  {seconds(first['time'])}  it was told {first['value']} ns, after "
            f"{first['earlier']} ns in its own past.", *circumstances(story, first["time"])]


def _divergence(story: Story, part: Verdict) -> list[str]:
    """The first entry at which the machines differed, and in what."""
    first = part.evidence["events"][0]
    lines = [f"A backup must do exactly what the log says; {part.why}."]
    if "registers" in first:
        lines.append(f"  {seconds(first['time'])}  {first['node']} stood at rip "
                     f"{first['registers']['rip']:#x}, and halted rather than go on.")
    return lines + circumstances(story, first["time"])


def _disk_operations(story: Story, part: Verdict) -> list[str]:
    """The first operation that was forgotten, repeated, or ended twice."""
    first = min(part.evidence["problems"], key=lambda each: each["time"])
    return ["Who takes over issues again exactly the disk operations that were started and not "
            f"completed; {part.why}.",
            f"  {seconds(first['time'])}  in generation {first['generation']}: "
            f"{first['node']}, {first['problem']}.",
            *circumstances(story, first["time"])]


def _quiet(story: Story, part: Verdict) -> list[str]:
    """The first calls that got no answer, and who could have given one."""
    first = part.evidence["problems"][0]
    rows = [f"  {seconds(each['time'])}  op {each['op']} ({story.calls[each['op']]}) was not "
            "answered." for each in part.evidence["problems"][:3]]
    return [f"After healing, the service must answer again; {part.why}.", *rows,
            *circumstances(story, first["time"])]


def _answer(story: Story, request: int | None) -> str:
    """Which call an output answers."""
    call = story.calls.get(-1 if request is None else request)
    return "" if call is None else f", the answer to op {call.start} ({call}),"


def circumstances(story: Story, at_ns: int) -> list[str]:
    """The latest fault by then, as it was observed, and the latest steps of a takeover."""
    told = []
    fault = story.fault_before(at_ns)
    if fault is not None:
        told.append((fault.time, f"the latest fault: {fault.f} ({_effect(fault)})."))
    steps = [event for event in story.record.trace.of("suspect", "test-and-set", "live")
             if event.time <= at_ns]
    told += [(event.time, f"{event.node} {_step(event)}") for event in steps[-3:]]
    lines = [f"  {seconds(time_ns)}  {what}" for time_ns, what in sorted(told)]
    return [CAME, *lines] if lines else []


def _effect(fault: Op) -> str:
    """What a fault did, in words: ``crashed n1, role primary``."""
    return ", ".join(f"{name} {value if isinstance(value, str) else show(value)}"
                     for name, value in effect_of(fault).items())


def _step(event: Event) -> str:
    """One step of a takeover, in words."""
    data = event.data
    if event.kind == "suspect":
        return f"suspected {data['peer']}: {data['why']}."
    if event.kind == "test-and-set":
        return f"answered {data['asked']}: generation {data['generation']} is {data['winner']}'s."
    return f"went live in generation {data['generation']}."


def _attempt(event: Event) -> str:
    """One step towards a new backup, in words."""
    data: dict[str, Any] = event.data
    return {"place": f"picked {data.get('host') or 'nobody'}.",
            "clone": f"began to clone to {data.get('to')}.",
            "clone-failed": f"gave the clone to {data.get('to')} up: {data.get('why')}.",
            "switch": f"stood still and switched to {data.get('to')}."}[event.kind]


WHITE_BOX: dict[str, Callable[[Story, Verdict], list[str]]] = {
    "output-rule": _output_rule,
    "output-requirement": _output_requirement,
    "duplicates": _duplicates,
    "single-primary": _single_primary,
    "no-backup-io": _backup_io,
    "lag-bound": _lag_bound,
    "failover": _failover,
    "redundancy": _redundancy,
    "monotonic-time": _monotonic_time,
    "divergence": _divergence,
    "disk-operations": _disk_operations,
    "quiet": _quiet,
}
