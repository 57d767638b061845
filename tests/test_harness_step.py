"""`step`: both machines at an instruction or an event; a breakpoint changes nothing."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cli import USAGE, main
from harness.disassembly import MISSING, disassembly
from harness.drive import Driver
from harness.run import system_of
from harness.stand import at_event, at_instruction, event_before
from harness.test import Test
from histories import Event
from histories.store import latest
from histories.trace import dump_event
from vmft.cpu import Breakpoint
from vmft.guests.build import load

TEST = Test(time_limit_s=1, clients=2, rate_hz=20, nemesis=("crash", "log-loss"), seed=3)
TIMES = Test(workload="clock", time_limit_s=1, clients=2, rate_hz=20, seed=3)


def traced(test: Test, *positions: list[int]) -> tuple[list[str], list[int]]:
    """The trace of a run, and where its machines were looked at; positions of each host."""
    lines: list[str] = []
    hits: list[int] = []

    def observe(time_ns: int, node: str, kind: str, data: dict[str, Any]) -> None:
        lines.append(dump_event(Event(time_ns, node, kind, data)))

    def hit(node: str) -> None:
        machine = system.replicas[node].machine
        assert machine is not None
        hits.append(machine.position)
        machine.cpu.registers()

    def stop(node: str, at: list[int]) -> Breakpoint:
        return Breakpoint(at, lambda: hit(node))

    system = system_of(test, observe, {f"n{number}": stop(f"n{number}", at)
                                       for number, at in enumerate(positions, 1)})
    Driver(test, system, lambda op: None).run(test.nemeses(), list(system.replicas))
    system.close()
    return lines, hits


@pytest.fixture(scope="module")
def plain() -> dict[str, list[str]]:
    """The traces without a breakpoint."""
    return {test.workload: traced(test)[0] for test in (TEST, TIMES)}


@pytest.mark.parametrize("test", [TEST, TIMES], ids=lambda test: test.workload)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_breakpoint_changes_nothing(
    plain: dict[str, list[str]], test: Test, data: st.DataObject
) -> None:
    """Wherever it is, on both machines, the trace has the same bytes."""
    places = st.sets(st.integers(1, 1500), min_size=1, max_size=5).map(sorted)
    positions = [data.draw(places) for _ in range(2)]
    lines, hits = traced(test, *positions)
    assert lines == plain[test.workload]
    assert hits and set(hits) <= {*positions[0], *positions[1]}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one short run."""
    root = tmp_path_factory.mktemp("store")
    main(["run", "--time-limit", "1", "--clients", "2", "--seed", "3", "--store", str(root)])
    return root


def stepped(store: Path, capsys: pytest.CaptureFixture[str], *options: str, code: int = 0) -> str:
    """What `step` prints of the run of the store."""
    capsys.readouterr()
    assert main(["step", *options, "--store", str(store)]) == code
    captured = capsys.readouterr()
    return captured.out if code == 0 else captured.err


def test_both_machines_are_the_same_at_an_instruction(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One later than the other, with the same registers, and the guest's code with its names."""
    text = stepped(store, capsys, "--at", "100", "--memory", "0x1000:16")
    times = re.findall(r"^n\d  \w+, generation 1, after 100 instructions, at (\S+) s", text,
                       re.MULTILINE)
    assert len(times) == 2 and times[0] < times[1]
    assert "  ! " not in text and "n1, memory at 0x1000:" in text and "Buffers:" in text
    assert re.search(r"^> 0x[0-9a-f]+ \w+\+0x", text, re.MULTILINE)


def test_who_took_over_has_another_past(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beyond the instruction at which it went live, and not before."""
    main(["run", "--time-limit", "2", "--bug", "no-output-rule", "--nemesis", "crash,log-loss",
          "--seed", "65", "--store", str(tmp_path)])
    live = latest(tmp_path).trace.of("live")[0]
    at, words = live.data["position"], "did beyond them is not in n2's past, and is no divergence."
    same = stepped(tmp_path, capsys, "--at", str(at))
    assert words not in same and "  ! " not in same
    other = stepped(tmp_path, capsys, "--at", str(at + 100))
    assert f"n2 went live in generation 2, after {at} instructions: what n1 {words}" in other
    assert "  ! " in other


def test_a_primary_that_goes_on_alone_has_nothing_beyond_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It goes live in the next generation, too, and nobody knows less than it."""
    main(["run", "--time-limit", "3", "--bug", "no-output-rule", "--nemesis", "crash,log-loss",
          "--rate", "20", "--seed", "64", "--store", str(tmp_path)])
    trace = latest(tmp_path).trace
    live = next(event for event in trace.of("live") if "position" not in event.data)
    at = max(event.data["at"] for event in trace.of("log") if event.time < live.time)
    text = stepped(tmp_path, capsys, "--at", str(at))
    assert f"{live.node}  primary, generation 1" in text and "no divergence" not in text


def test_what_is_observed_until_then_is_the_stored_run(store: Path) -> None:
    """Line by line."""
    test = Test(time_limit_s=1, clients=2, seed=3)
    events = latest(store).trace.events
    stand = at_instruction(test, 100)
    lines = list(map(dump_event, events[:len(stand.events)]))
    assert list(map(dump_event, stand.events)) == lines and lines


def test_a_place_that_nobody_gets_to(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That is said."""
    assert stepped(store, capsys, "--at", "1000000000").endswith("No machine got there.\n")


def test_only_one_machine_gets_to_an_event_before_the_log_begins(store: Path) -> None:
    """At the first entry the backup has executed nothing that the trace names."""
    events = latest(store).trace.events
    first = next(place for place, event in enumerate(events) if event.kind == "log")
    test = Test(time_limit_s=1, clients=2, seed=3)
    assert [side.node for side in at_event(test, events, first).sides] == ["n1"]


def test_an_event_shows_each_machine_as_the_trace_has_it(store: Path) -> None:
    """Each at the latest instruction named by then; one event back is at most there."""
    test = Test(time_limit_s=1, clients=2, seed=3)
    events = latest(store).trace.events
    place = len(events) // 2
    sides = {side.node: side for side in at_event(test, events, place).sides}
    assert sorted(sides) == ["n1", "n2"]
    for node, side in sides.items():
        named = [event.data["at"] for event in events[:place + 1]
                 if event.node == node and event.kind in ("log", "output", "replay")]
        assert side.position == named[-1]
        assert side.time_ns <= events[place].time
    before = event_before(events, sides["n1"].position)
    assert events[before].data["at"] < sides["n1"].position


@pytest.mark.parametrize("options, said", [
    (["--at", "0"], "instruction 0: expected a number from 1"),
    (["--event", "1000000"], "no event 1000000: there are events 0 to "),
    (["--event", "0", "--back"], "no event -1"),
    (["--at", "1", "--back"], "no event before instruction 1"),
    ([], "one of the arguments --at --event is required"),
    (["--at", "9", "--memory", "here"], "ADDRESS[:BYTES]"),
    (["--at", "100", "--memory", "0xffffffff"], "no memory at 0xffffffff: the guest has 0x1000 to"),
])
def test_a_bad_place_is_one_clear_line(
    store: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    """Exit code 254."""
    text = stepped(store, capsys, *options, code=USAGE)
    assert said in text and text.count("\n") == 1


def test_without_capstone_there_are_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a line that says why."""
    image = load("counter")
    lines = disassembly(image.data, image.base, image.entry, image.symbols)
    assert lines[0].startswith(f"> {image.entry:#x} ") and len(lines) > 3
    monkeypatch.setitem(sys.modules, "capstone", None)
    lines = disassembly(image.data, image.base, image.entry, image.symbols)
    assert len(lines) == 2 and MISSING in lines[1] and image.data[:4].hex(" ") in lines[0]
