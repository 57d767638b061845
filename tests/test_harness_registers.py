"""Registers at operations: those that `step` shows, on both machines, and never at a price."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_trace import Record, event

from checker.report import registers as about
from checker.report.marks import Mark, focus, marks
from checker.report.registers import Registers, by_place, closest, packed, places, told
from harness import registers
from harness.cli import main
from harness.registers import lines, registers_of
from harness.run import Outcome, run
from harness.stand import at_instruction
from harness.test import Test
from histories import History, Op, Trace

FAILING = Test(nemesis=("crash", "log-loss"), bugs=("no-output-rule",), seed=65, rate_hz=20,
               time_limit_s=3)
FIRST, SECOND = 32, 46      # the two elevens


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run in which clients see a double eleven."""
    outcome = run(FAILING, tmp_path_factory.mktemp("store"))
    assert outcome.verdict.valid is False
    return outcome


def test_both_machines_have_them_where_both_got_to(outcome: Outcome) -> None:
    """Of the answer that was lost only the primary that died; of the other one the new pair."""
    found = registers_of(outcome.record, places(outcome.record, [FIRST, SECOND]))
    assert found.why_not == ""
    for op, nodes in ((FIRST, ["n1"]), (SECOND, ["n2", "n3"])):
        for place in places(outcome.record, [op]):
            sides = by_place(found.registers)[place]
            assert [side.node for side in sides] == nodes
            assert all(side.values == sides[0].values for side in sides)


def test_they_are_those_that_step_shows(outcome: Outcome) -> None:
    """Another execution, with other breakpoints, at an operation of the first generation."""
    (_, at), *_ = places(outcome.record, [0])
    sides = by_place(registers_of(outcome.record, [(1, at), (1, at + 400)]).registers)[1, at]
    shown = at_instruction(FAILING, at).sides
    assert [(side.node, side.time_ns, side.values) for side in sides] \
        == [(side.node, side.time_ns, side.registers) for side in shown]
    assert len(sides) == 2


def test_machines_that_diverged_differ() -> None:
    """And what differs is named, first among the rest."""
    one = {**dict.fromkeys(about.GENERAL, 1), "xmm0": 5}
    other = {**one, "rax": 2, "xmm0": 6}
    sides = [Registers("n1", 10, 1, 7, one), Registers("n2", 20, 1, 7, other)]
    (head, *rest) = told(sides, about.names(sides))
    assert head == "  instruction 7, generation 1: n1 and n2 differ"
    assert rest[-2:] == ["  ! rax    n1 0x1  n2 0x2", "  ! xmm0   n1 0x5  n2 0x6"]
    data = packed(sides, ["n1", "n2"])
    assert data["names"][-1] == "xmm0"
    ((generation, at, *values),) = data["rows"]
    assert (generation, at) == (1, 7)
    assert [(node, text.split()[-1]) for node, _, text in values] == [(0, "5"), (1, "6")]


def test_a_divergence_is_shown_where_it_was_noticed(tmp_path: Path) -> None:
    """Each side read its own time stamp counter, and the registers tell."""
    outcome = run(Test(workload="token", bugs=("untrapped-rdtsc",), time_limit_s=1), tmp_path)
    (event, *_) = outcome.record.trace.of("divergence")
    wanted = about.diverged(outcome.record)
    assert (1, event.data["found_at"]) in wanted
    sides = by_place(registers_of(outcome.record, wanted).registers)[1, event.data["found_at"]]
    assert [side.node for side in sides] == ["n1", "n2"]
    assert about.differences(sides)
    assert dict(sides[1].values) == event.data["registers"], "as the backup itself tells it"


def test_equal_values_are_packed_once() -> None:
    """The second machine's are those of the first."""
    values = dict.fromkeys(about.GENERAL, 255)
    data = packed([Registers("n1", 1, 1, 7, values), Registers("n2", 2, 1, 7, values)],
                  ["n1", "n2"])
    assert data["rows"] == [[1, 7, [0, 1, " ".join(["ff"] * 18)], [1, 2, ""]]]


def test_a_run_that_is_not_what_is_stored_is_one_line(outcome: Outcome) -> None:
    """One event of the trace was changed."""
    events = list(outcome.record.trace)
    events[3] = events[3]._replace(time=events[3].time + 1)
    record = Record(outcome.record.test, outcome.record.history, Trace(events))
    found = registers_of(record, places(record, [FIRST]))
    assert found.registers == [] and "is not what is stored" in found.why_not


@pytest.mark.parametrize("test, ops, said", [
    ({"workload": "nothing"}, [FIRST], "nothing"),
    (None, [], "no machine knew"),
    ({}, [1_000_000], "no machine knew"),
], ids=["unknown workload", "no ops", "unknown op"])
def test_what_cannot_be_executed_again_is_one_line(
    outcome: Outcome, test: dict[str, str] | None, ops: list[int], said: str
) -> None:
    """Whatever the reason."""
    record = Record({**outcome.record.test, **(test or {})}, outcome.record.history,
                    outcome.record.trace)
    found = registers_of(record, places(record, ops))
    assert found.registers == [] and said in found.why_not and "\n" not in found.why_not


@pytest.mark.parametrize("limit", ["EVENTS_MAX", "INSTRUCTIONS_MAX"])
def test_it_is_not_executed_again_for_long(
    outcome: Outcome, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """Both limits are counted, not timed, so that a page is the same everywhere."""
    monkeypatch.setattr(registers, limit, 10)
    assert registers_of(outcome.record, [(1, 100)]).why_not.endswith("is too far into the run")
    assert list(lines(outcome.record, FIRST))[1].startswith("  none: event ")


@given(count=st.integers(0, 40), marked=st.sets(st.integers(0, 39), max_size=10),
       limit=st.integers(2, 20))
def test_the_operations_that_matter_are_marked_or_near(
    count: int, marked: set[int], limit: int
) -> None:
    """No more than the limit; marked ones first, and those next to what is told."""
    ops = [Op(0, kind, "inc", None, at, at) for number in range(count)
           for at, kind in ((2 * number, "invoke"), (2 * number + 1, "ok"))]
    found = [Mark(2 * number, 2 * number, None, "check", "why") for number in sorted(marked)
             if number < count]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(about, "OPERATIONS_MAX", limit)
        chosen = closest(Record({}, History(ops), Trace()), found[:1], found)
    assert chosen == sorted(set(chosen)) and len(chosen) <= limit
    assert {mark.op for mark in found[:limit // 2]} <= set(chosen)
    if found and count > limit:
        near = {2 * (found[0].time_ns // 2 + by) for by in range(-(limit // 8), limit // 8)}
        assert {op for op in near if 0 <= op < 2 * count} <= set(chosen)


def test_a_machine_that_is_cloned_anew_is_waited_for() -> None:
    """It passes an instruction twice, once in each life."""
    events = [event(ms, node, "replay", first=1, last=1, at=at, waiting=0)
              for ms, (node, at) in enumerate((("n1", 50), ("n1", 90), ("n2", 60), ("n1", 70),
                                               ("n1", 95), ("n2", 99)))]
    assert registers._last(events, 80) == 5
    assert registers._last(events[:5], 80) == 4
    assert registers._last(events[:2], 40) == 0


def test_the_limit_holds_for_a_failing_run(outcome: Outcome) -> None:
    """All that matters is among those that are looked at."""
    found = marks(outcome.record, outcome.verdict, outcome.explanation)
    chosen = closest(outcome.record, focus(
        outcome.record, found, outcome.verdict, outcome.explanation), found)
    assert {FIRST, SECOND} <= set(chosen) and len(chosen) <= about.OPERATIONS_MAX


def test_inspect_shows_them(outcome: Outcome, capsys: pytest.CaptureFixture[str]) -> None:
    """One operation, at the terminal."""
    assert main(["inspect", str(outcome.path), "--op", str(FIRST + 1), "--registers"]) == 1
    text = capsys.readouterr().out
    assert "\nRegisters, before the instruction:\n  instruction " in text
    assert "generation 1: only n1 got there\n    rax    0x" in text and "rip    0x" in text


@pytest.mark.parametrize("asked, said", [
    (["inspect", "--registers"], "--registers wants --op"),
    (["inspect", "{file}", "--op", "0", "--registers"], "for a stored run"),
])
def test_registers_of_nothing_are_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: list[str], said: str
) -> None:
    """Exit code 254."""
    file = tmp_path / "history.jsonl"
    file.write_text('{"process": 0, "type": "invoke", "f": "inc", "value": null, "time": 1}\n')
    assert main([each.format(file=file) for each in asked]) == 254
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
