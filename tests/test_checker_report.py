"""The page of a run: what it holds, what it leaves out, and that it is the same every time."""

from __future__ import annotations

import html
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from bench.page import long_record
from hypothesis import given
from hypothesis import strategies as st
from small_trace import Record, boot, event, history, live, release

from checker import Budget, Verdict, linearizable, models
from checker.check import merge
from checker.explain import explain
from checker.report import data as page_data
from checker.report.faults import Band, bands
from checker.report.lanes import arrows, client_lanes, roles
from checker.report.lives import Lives
from checker.report.marks import Mark, focus, marks, moments
from checker.report.nearest import nearest
from checker.report.page import Facts, render
from checker.vacuity import vacuity
from harness.cli import main
from harness.page import write_run_page
from harness.run import Outcome, run
from harness.test import Test
from histories import Event, History, Op, Trace

MS = 1_000_000
FAILING = Test(nemesis=("crash", "log-loss"), bugs=("no-output-rule",), seed=65, rate_hz=20,
               time_limit_s=3)


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run that fails, stored."""
    return run(FAILING, tmp_path_factory.mktemp("store"))


def data_of(page: str) -> dict[str, Any]:
    """What a page's script is given."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert found is not None
    answer: dict[str, Any] = json.loads(found[1])
    return answer


def page_of(calls: History, verdict: Verdict, test: dict[str, Any] | None = None) -> str:
    """The page about a history alone."""
    record = Record(test or {"name": "a test"}, calls, Trace())
    return render(record, verdict, explain(record, verdict))


DOUBLE = history((0, "invoke", "inc", None, 1), (0, "ok", "inc", 11, 2),
                 (1, "invoke", "inc", None, 3), (1, "ok", "inc", 11, 4))


def judged(calls: History) -> Verdict:
    """What the counter's model says of a history."""
    return merge({"linearizable": linearizable(calls, models.counter)})


# The page

def test_one_call_is_not_called_several() -> None:
    """A read of what nobody ever wrote contradicts the model by itself."""
    odd = history((0, "invoke", "read", None, 1), (0, "ok", "read", 7, 2))
    page = page_of(odd, merge({"linearizable": linearizable(odd, models.register)}))
    assert "This call alone contradicts the model" in page and "These 1 " not in page


@given(st.integers(0, 2 * 10**18), st.integers(0, 10**12))
def test_a_history_since_1970_is_not_mostly_emptiness(begin_ns: int, length_ns: int) -> None:
    """Times count from the first op, where that leaves out more than there is."""
    calls = History([Op(0, "invoke", "inc", None, begin_ns, 0),
                     Op(0, "ok", "inc", 1, begin_ns + length_ns, 1)])
    record = Record({"name": "a test"}, calls, Trace())
    first, last = (op.time for op in page_data.placed(record).history)
    assert last - first == length_ns and first <= page_data.EMPTY_MAX * length_ns
    assert first + page_data.since(record) == begin_ns


def test_a_failing_run_names_its_operations_without_a_script() -> None:
    """The paragraph, word for word, the orders and their reasons are text of the page itself."""
    page = page_of(DOUBLE, judged(DOUBLE))
    text = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert '<span class="badge invalid">INVALID</span>' in text
    assert '<a href="#op-0">op 0</a>' in text and '<a href="#op-2">op 2</a>' in text
    paragraph = re.search(r'<pre class="said invalid">(.*?)</pre>', text, flags=re.DOTALL)
    assert paragraph is not None
    plain = html.unescape(re.sub(r"<[^>]*>", "", paragraph[1]))
    assert plain.strip().splitlines() == explain(Record({"name": "a test"}, DOUBLE, Trace()),
                                                 judged(DOUBLE)), "the text of report.txt"
    assert "inc answered 11, the counter stood at 0 and must answer 1" in text


def test_the_same_record_gives_the_same_bytes(failing: Outcome) -> None:
    """Twice in one process; other processes are compared with the command line."""
    one, other = (render(failing.record, failing.verdict, failing.explanation) for _ in range(2))
    assert one == other and len(one) > 100_000


def test_nothing_on_a_page_is_fetched() -> None:
    """No address of anything outside, and a policy that would refuse it."""
    page = page_of(DOUBLE, judged(DOUBLE))
    assert "default-src 'none'" in page
    addresses = set(re.findall(r"https?://[^\"' <]+", page))
    assert all(address.startswith("http://www.w3.org/") for address in addresses)
    assert not re.search(r"<(link|img|iframe)\b|\bsrc=|@import|fetch\(|XMLHttpRequest", page)


@pytest.mark.parametrize("value", ["</script><b>", "<!--", "\u2028", "'\"&", "é", "x" * 10_000])
def test_what_clients_said_cannot_break_out(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a value is, the page's data is one JSON text and its markup is not changed."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)    # plots hold no values
    calls = history((0, "invoke", "write", value, 1), (0, "ok", "write", value, 2))
    verdict = merge({"linearizable": linearizable(calls, models.register)})
    page = page_of(calls, verdict, {"name": value})
    assert data_of(page)["strings"] and "<b>" not in page
    assert page.count("</script>") == 2


@pytest.mark.parametrize("calls", [
    History([]),
    history((0, "invoke", "inc", None, 1)),
    history((0, "invoke", "inc", None, 1), (0, "info", "inc", None, 2)),
    history((0, "invoke", "read", None, 0), (0, "ok", "read", 7, 0)),
    History([Op(0, "invoke", "read"), Op(0, "ok", "read", 7)]),
    history(("nemesis", "info", "kill", ["n1"], 1), ("nemesis", "info", "kill", "killed", 2)),
], ids=["empty", "open", "info", "first fails", "no times", "nemesis alone"])
def test_odd_histories_have_a_page(calls: History) -> None:
    """Nothing, a single call, calls without an end, a first call that fails, no times."""
    page = page_of(calls, judged(calls))
    assert len(data_of(page)["lives"]) == len(calls.calls())


def test_a_history_without_times_says_so() -> None:
    """Its calls are drawn by position, and there is nothing to plot."""
    calls = History([Op(0, "invoke", "read"), Op(0, "ok", "read", 0)])
    page = page_of(calls, judged(calls))
    data = data_of(page)
    assert "this history has no times" in page and data["clock"] == "position"
    assert (data["calls"][6], data["calls"][7], data["end"]) == ([0], [1], 1)


def test_a_page_tells_what_it_was_given() -> None:
    """Symbols, situations, commands, parameters and versions."""
    record = Record({"name": "t", "seed": 7, "versions": {"unicorn": "2"}}, DOUBLE, Trace())
    verdict = judged(DOUBLE)
    page = render(record, verdict, explain(record, verdict), Facts(
        symbols={"guest": 4160}, situations=[("failover", "a backup went live", True)],
        commands=[("Again:", "python -m checker run")]))
    assert data_of(page)["symbols"] == [[4160, "guest"]]
    for words in ("✓ failover: a backup went live", "python -m checker run",
                  "<dt>seed</dt><dd>7</dd>", "<dt>version of unicorn</dt><dd>2</dd>"):
        assert re.sub(r"\s+", " ", words) in re.sub(r"\s+", " ", page)


# What is left out

@given(st.lists(st.integers(0, 1000), max_size=60), st.lists(st.integers(0, 1000), max_size=5),
       st.integers(0, 30))
def test_the_nearest_are_kept(times: list[int], about: list[int], limit: int) -> None:
    """As many as there may be, in order, and none farther than one that was left out."""
    times, about = sorted(times), sorted(about)
    places = nearest([(time_ns, time_ns) for time_ns in times], about, limit)
    assert places == sorted(places) and len(places) == min(limit, len(times))

    def far(at: int) -> int:
        return min((abs(times[at] - moment) for moment in about), default=times[at])
    left = set(range(len(times))) - set(places)
    assert not left or not places or max(map(far, places)) <= min(map(far, left))


def test_a_page_says_what_it_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """And keeps what convicts, and what is near."""
    monkeypatch.setattr(page_data, "CALLS_MAX", 10)
    ops: list[tuple[Any, ...]] = []
    for number in range(50):
        value = 30 if number == 31 else number + 1      # the answer of the one before
        ops += [(0, "invoke", "inc", None, 2 * number), (0, "ok", "inc", value, 2 * number + 1)]
    calls = history(*ops)
    page = page_of(calls, judged(calls))
    data = data_of(page)
    assert "This page holds 10 of 50 operations" in re.sub(r"\s+", " ", page)
    assert len(data["calls"][0]) == 10 and data["gaps"]["calls"]
    kept = [sum(data["calls"][0][:at + 1]) for at in range(10)]
    assert 62 in kept and all(40 < op < 80 for op in kept)


# Faults

def nemesis(ms: int, f: str, **effect: Any) -> Op:
    """A fault of ours, and what it did."""
    return Op("nemesis", "info", f, {"start": 0, "effect": effect}, ms * MS)


FAMILIES = {"partition": ("cut", "join"), "crash": ("crash", "restart"), "move": ("move",),
            "crash-both": ("crash-both", "restart"), "flapping": ("cut", "join")}


def test_a_fault_ends_where_it_is_healed() -> None:
    """By the places that the end names; a family without an end is a moment."""
    links, others = [["n1", "n2"]], [["n2", "disk"], ["disk", "n2"]]
    found = bands(History([
        nemesis(1, "cut", cut=links, roles={"n1": "primary"}), nemesis(2, "cut", cut=others),
        nemesis(3, "crash", crashed="n1", role="primary"), nemesis(4, "join", healed=others),
        nemesis(5, "move", told=["n1"], to="n3"), nemesis(6, "crash", nothing="nobody is left"),
        nemesis(7, "crash", crashed="n2", role="backup"), nemesis(8, "restart", healed=["n2"]),
        nemesis(9, "heal", healed="everything", roles={})]), FAMILIES)
    assert [(band.start_ns // MS, band.end_ns and band.end_ns // MS, band.what)
            for band in found] == [
        (1, 9, "cut n1 to n2"), (2, 4, "cut n2 and disk"), (3, 9, "crash n1"),
        (5, 5, "move n1, n3"), (7, 8, "crash n2")]
    assert [band.family for band in found] == ["partition", "partition", "crash", "move", "crash"]


def test_another_systems_nemesis_is_read_by_its_words() -> None:
    """Jepsen records each fault twice, as its beginning and its completion."""
    found = bands(history(*[("nemesis", "info", f, None, ms) for ms, f in enumerate(
        ["start-partition", "start-partition", "stop-partition", "stop-partition", "kill",
         "kill", "start", "start", "bump", "bump"])]), {})
    assert [(band.what, band.start_ns // MS, band.end_ns and band.end_ns // MS)
            for band in found] == [("start-partition", 0, 2), ("kill", 4, 6), ("bump", 8, None)]


# Lanes, messages and lives

def test_processes_share_lanes_when_they_do_not_meet() -> None:
    """As clients do that go on under a new id."""
    calls = history((0, "invoke", "inc", None, 1), (1, "invoke", "inc", None, 2),
                    (0, "info", "inc", None, 3), (5, "invoke", "inc", None, 4)).calls()
    assert client_lanes(calls) == {0: 0, 1: 1, 5: 0}
    assert client_lanes(calls, 5) == {0: 0, 1: 1, 5: 0}


def test_roles_follow_the_trace() -> None:
    """From what a host was at first to what became of it."""
    trace = Trace([*boot("primary", "backup"), event(5, "n1", "crash"),
                   event(7, "n2", "suspect", peer="n1"), live(8, "n2", 2)])
    assert [(role.host, role.role, role.start_ns // MS, role.end_ns and role.end_ns // MS)
            for role in roles(trace)] == [
        ("n1", "primary", 0, 5), ("n2", "backup", 0, 7), ("n1", "crashed", 5, None),
        ("n2", "contending", 7, 8), ("n2", "alone", 8, None)]


ONE = history((3, "invoke", "inc", None, 1), (3, "ok", "inc", 1, 9))
LIFE: list[Event] = [
    event(2, "n1", "log", seq=1, entry="input", at=10, pc=4200, device="nic", bytes=1, request=0,
          generation=1),
    event(3, "n1", "log", seq=2, entry="output", at=20, pc=4300, number=1, crc=1, device="nic",
          generation=1),
    event(3, "n1", "output", number=1, seq=2, at=20, device="nic", crc=1, bytes=1, request=0,
          generation=1, clock=0),
    event(4, "n1", "drop", to="n2", message="Log", why="lost", first=1, last=1),
    event(5, "n2", "acknowledge", received=2, generation=1),
    event(6, "n2", "replay", first=1, last=2, at=20, waiting=0),
    event(7, "n1", "ack", received=2, executed=0, lag_ns=1, generation=1, buffered=0),
    event(8, "n1", "release", number=1, seq=2, at=20, device="nic", crc=1, bytes=1, request=0,
          again=False, generation=1, acknowledged=2),
    event(12, "n1", "release", number=1, seq=2, at=20, device="nic", crc=1, bytes=1, request=0,
          again=True, generation=1, acknowledged=2),
]


def test_a_paused_host_is_what_it_was_before() -> None:
    """When it goes on."""
    trace = Trace([*boot("primary"), event(2, "n1", "pause"), event(3, "n1", "resume")])
    assert [role.role for role in roles(trace)] == ["primary", "paused", "primary"]


def test_messages_are_arrows_and_lost_ones_stubs() -> None:
    """From where a message left to where it is known to have arrived."""
    calls = {call.start: call for call in ONE.calls()}
    assert [(arrow.kind, arrow.start_ns // MS, arrow.end_ns and arrow.end_ns // MS)
            for arrow in arrows(Trace(LIFE), calls)] == [
        ("request", 1, 2), ("lost", 4, None), ("log", 3, 5), ("ack", 5, 7), ("answer", 8, 9),
        ("answer", 12, None)]


def test_the_life_of_a_request_spans_both_machines() -> None:
    """Logged, answered, acknowledged, executed, let out, and let out again."""
    (life,) = Lives(Trace(LIFE), {0}).of(0)
    assert life.arrived == LIFE[0] and life.output == LIFE[2] and life.pc == 4300
    assert life.acknowledged == LIFE[4] and life.executed == LIFE[5]
    assert life.releases == LIFE[7:]


def test_who_runs_alone_is_acknowledged_by_nobody() -> None:
    """Though another machine lives in the same generation, as after a split brain."""
    alone = event(3, "n3", "output", number=1, seq=0, at=20, device="nic", crc=1, bytes=1,
                  request=0, generation=1, clock=0)
    (life,) = Lives(Trace([*LIFE[4:6], alone]), {0}).of(0)
    assert life.output == alone and life.acknowledged is None


def test_marks_tell_ops_and_moments() -> None:
    """What a verdict's evidence and the explanation name, merged by place."""
    verdict = merge({
        "linearizable": Verdict(valid=False, why="no", evidence={
            "op": 3, "core": [0, 2], "orders": []}),
        "output-rule": Verdict(valid=False, why="early", evidence={
            "early": [{"time": 8, "node": "n1", "request": 0, "problem": "too early"}]})})
    record = Record({}, DOUBLE, Trace([release(1, "n1", 1), event(2, "n1", "crash")]))
    told = ["INVALID", "", "See op 2 (inc).", "", "And op 0."]
    found = marks(record, verdict, told)
    assert [(mark.op, mark.node) for mark in found] == [(0, "n1"), (0, None), (2, None)]
    assert "no order gets past" in found[2].why and "named in the explanation" in found[2].why
    assert [mark.op for mark in focus(record, found, verdict, told)] == [2]
    steps = moments(record, focus(record, found, verdict, told), [])
    assert [step.what for step in steps] == ["n1 crashed", "op 2, process 1: inc -> 11"]
    lone = merge({"divergence": Verdict(valid=False, why="n2 went astray", evidence={
        "time": 5 * MS, "node": "n2"})})
    (mark,) = marks(record, lone, ["INVALID"])
    assert mark == (5 * MS, None, "n2", "divergence", "divergence: n2 went astray")
    assert marks(record, Verdict(valid=True, why=""), told) == []


def test_an_unknown_verdict_marks_where_it_gave_up() -> None:
    """The call that the search ended at, and those that were open there; that one is told."""
    calls = history((0, "invoke", "write", 1, 1), (1, "invoke", "write", 1, 2),
                    (2, "invoke", "cas", [1, 2], 3), (3, "invoke", "cas", [2, 1], 4),
                    (2, "ok", "cas", [1, 2], 5), (3, "ok", "cas", [2, 1], 6))
    verdict = merge({"linearizable": linearizable(
        calls, models.cas_register, budget=Budget(steps_max=1))})
    assert verdict.valid is None
    record = Record({}, calls, Trace())
    told = explain(record, verdict)
    found = marks(record, verdict, told)
    stuck = verdict.parts["linearizable"].evidence["op"]
    assert {0, 1} <= {mark.op for mark in found} and all("gave up" in mark.why for mark in found)
    (shown,) = focus(record, found, verdict, told)
    assert [call.start for call in calls.calls() if stuck in call.indexes] == [shown.op]
    page = page_of(calls, verdict)
    assert 'data-key="n">mark' in page and "What is unknown" in page


def test_the_steps_tell_the_op_and_the_moment_that_convicts() -> None:
    """And what a machine did again and again once."""
    calls = history((0, "invoke", "inc", None, 1), (0, "ok", "inc", 1, 2))
    verdict = merge({"duplicates": Verdict(valid=False, why="n2 let it out again", evidence={
        "problems": [{"time": 50 * MS, "node": "n2", "request": 0, "problem": "changed"}]})})
    again = [event(ms, "n2", "refused", first=ms, last=ms) for ms in range(10, 40)]
    record, told = Record({}, calls, Trace(again)), ["INVALID", "", "See op 1."]
    found = focus(record, marks(record, verdict, told), verdict, told)
    assert [step.what for step in moments(record, found, [])] == [
        "op 0, process 0: inc -> 1", "n2 refused log entries 10 to 10, and so on, 30 times",
        "duplicates: n2 let it out again (op 0)"]


def test_a_circle_is_drawn_with_its_reasons() -> None:
    """Each call in a box, and why it must come before the next."""
    calls = history((0, "invoke", "write", 1, 1), (0, "ok", "write", 1, 2),
                    (1, "invoke", "write", 2, 3), (1, "ok", "write", 2, 4),
                    (2, "invoke", "read", None, 5), (2, "ok", "read", 1, 6))
    verdict = merge({"linearizable": linearizable(calls, models.register)})
    page = re.sub(r"\s+", " ", page_of(calls, verdict))
    assert '<a class="box" href="#op-0">0: write 1</a> <span class="on"><b>1</b> ↓ before ' \
        'the next: ' in page
    assert '<a class="box" href="#op-2">2: write 2</a> <span class="back"><b>2</b> ↰ before ' \
        'the first: <a href="#op-4">op 4</a> saw what' in page


def test_a_large_core_is_told_by_its_ends() -> None:
    """Thousands of calls that contradict each other are not a list to read."""
    calls = history(*[each for ms in range(100) for each in (
        (0, "invoke", "inc", None, ms), (0, "ok", "inc", 1, ms))])
    verdict = merge({"linearizable": Verdict(valid=False, why="no", evidence={
        "core": [call.start for call in calls.calls()], "orders": [
            {"calls": [], "omitted": 0, "state": "0", "rejected": []}]})})
    page = re.sub(r"\s+", " ", render(Record({"name": "t"}, calls, Trace()), verdict, ["INVALID"]))
    assert "These 100 calls contradict" in page and "… 60 more …" in page
    core = page[page.index("These 100 calls"):page.index('<section id="checks">')]
    named = re.findall(r'href="#op-(\d+)"', core)
    assert named == [str(2 * number) for number in (*range(20), *range(80, 100))]


def test_a_vacuous_run_marks_what_met_nothing() -> None:
    """Faults that came while nothing was open, or did nothing; calls that did not succeed."""
    faults = [nemesis(5, "crash", crashed="n1"), nemesis(9, "cut", nothing="nobody is left")]
    calls = [Op(0, "invoke", "inc", None, 1 * MS), Op(0, "ok", "inc", 1, 2 * MS)]
    record = Record({"nemesis": ["crash"]}, History([*calls, *faults]), Trace())
    verdict = merge({"vacuity": vacuity(record)})
    found = marks(record, verdict, explain(record, verdict))
    assert [(mark.time_ns // MS, mark.why) for mark in found] == [
        (5, "vacuity: crash met no open operation"),
        (9, "vacuity: cut had no effect: nobody is left")]
    told = focus(record, found, verdict, explain(record, verdict))
    assert [step.what for step in moments(record, told, bands(record.history, FAMILIES))] == [
        mark.why for mark in found], "and the fault itself is no step beside its mark"
    failed = history((0, "invoke", "inc", None, 1), (0, "info", "inc", None, 2))
    record = Record({}, failed, Trace())
    verdict = merge({"vacuity": vacuity(record)})
    (mark,) = marks(record, verdict, explain(record, verdict))
    assert mark[:3] == (1 * MS, 0, None) and "did not succeed (info)" in mark.why


def test_the_steps_begin_with_the_fault_that_was_there() -> None:
    """Not with one that was over, unless there is no other."""
    over = Band(1 * MS, 2 * MS, "crash", "crash", "crash n1", ("n1",), 0)
    there = Band(3 * MS, 900 * MS, "slow", "slow", "slow n2", ("n2",), 2)
    record = Record({}, history((0, "invoke", "inc", None, 700), (0, "ok", "inc", 1, 701)),
                    Trace([event(1, "n1", "crash")]))
    told = [Mark(700 * MS, 0, None, "linearizable", "why")]
    assert [step.what[:15] for step in moments(record, told, [over, there])] == [
        "fault: slow n2", "op 0, process 0"]
    assert [step.what[:15] for step in moments(record, told, [over])] == [
        "fault: crash n1", "op 0, process 0"]


# How large it gets

@pytest.mark.slow
@pytest.mark.parametrize("count, bytes_max", [(10_000, 3_000_000), (100_000, 5_000_000)])
def test_a_long_run_has_a_page_of_bounded_size(count: int, bytes_max: int) -> None:
    """All of ten thousand operations; of more, what is near, and it says so."""
    record = long_record(count)
    verdict = judged(record.history)
    assert verdict.valid is False
    page = render(record, verdict, explain(record, verdict))
    data = data_of(page)
    assert len(page.encode()) < bytes_max
    assert len(data["calls"][0]) == min(count, page_data.CALLS_MAX)
    assert "of the diagram have more than is drawn" in page
    assert count == 10_000 or f"15,000 of {count:,}" in page


def test_long_values_leave_room_for_less() -> None:
    """Two hundred letters that take three bytes each, ten thousand times."""
    calls = [Op(number % 10, kind, "write", "\u20ac" * 150 + str(number), number * MS + late_ns)
             for number in range(10_000) for late_ns, kind in ((0, "invoke"), (1, "ok"))]
    record = Record({"name": "long"}, History(calls), Trace())
    page = render(record, Verdict(valid=True, why=""), ["VALID"])
    assert len(page.encode()) < 3_000_000
    assert 2_000 < len(data_of(page)["calls"][0]) < 10_000
    assert "of 10,000 operations" in re.sub(r"\s+", " ", page)


# The command line

def test_commands_write_and_name_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """run and inspect; one that cannot be made is a line, and changes no verdict."""
    asked = ["run", "--nemesis", "crash,log-loss", "--bug", "no-output-rule", "--seed", "65",
             "--rate", "20", "--time-limit", "3", "--store", str(tmp_path)]
    assert main(asked) == 1
    folder = tmp_path / "counter-crash,log-loss-no-output-rule" / "1"
    page = (folder / "report.html").read_bytes()
    assert f"page: {folder / 'report.html'}" in capsys.readouterr().out
    assert "guest" in dict(reversed(each) for each in data_of(page.decode())["symbols"])
    assert b"python -m checker shrink counter-crash,log-loss-no-output-rule/1" in page
    data = data_of(page.decode())
    assert data["registers"]["rows"] and b"no registers on this page" not in page
    assert data["step"] == "python -m checker step counter-crash,log-loss-no-output-rule/1 --at"
    assert main(["inspect", "--store", str(tmp_path)]) == 1
    assert (folder / "report.html").read_bytes() == page

    def fails(*_arguments: object) -> str:
        raise RuntimeError("no ink")
    monkeypatch.setattr("harness.page.render", fails)
    capsys.readouterr()
    assert main(["inspect", "--store", str(tmp_path)]) == 1
    assert "no page: RuntimeError: no ink" in capsys.readouterr().out


def test_a_run_that_cannot_be_executed_again_has_its_page(
    failing: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says why there are no registers, and the verdict is what it was."""
    def fails(*_arguments: object) -> None:
        raise RuntimeError("no more paper")
    monkeypatch.setattr("harness.registers.at_instructions", fails)
    line = write_run_page(failing.path, failing.record, failing.verdict, failing.explanation)
    page = (failing.path / "report.html").read_text()
    assert line.startswith("page: ") and data_of(page)["registers"]["rows"] == []
    assert "There are no registers on this page: RuntimeError: no more paper." in page


def test_check_writes_a_page_about_a_strangers_history(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In Jepsen's format; for several files there is no one page."""
    file, page = tmp_path / "history.edn", tmp_path / "page.html"
    file.write_text("{:process 0 :type :invoke :f :read :value nil :time 1000}\n"
                    "{:process 0 :type :ok :f :read :value 3 :time 2000}\n")
    asked = ["check", str(file), "--model", "register"]
    assert main([*asked, "--html", str(page)]) == 1
    assert f"page: {page}" in capsys.readouterr().out and "read -&gt; 3" in page.read_text()
    assert main(["check", str(file), str(tmp_path / "other"), "--model", "register", "--html",
                 str(page)]) == 254
