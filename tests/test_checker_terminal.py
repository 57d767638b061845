"""The views in the terminal, on one small double eleven: an operation, a table, a diagram.

`python tests/test_checker_terminal.py` writes their golden texts anew.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from checker import Verdict, models
from checker.around import AROUND, select, table
from checker.check import merge
from checker.diagram import ROWS_MAX, Span, diagram, failing, of_calls
from checker.event_words import WORDS, tell
from checker.explain import explain
from checker.linearizability import linearizable
from checker.operation import operation
from checker.scene import Scene, call_of, scene
from histories import Event, History, Op, Trace, UsageError
from small_trace import MS, Record, boot, event, live

FOLDER = Path(__file__).parent / "golden"
SYMBOLS = {"start": 0x1000, "answer": 0x1100}
FAMILIES = {"crash": ("crash", "restart"), "log-loss": ("drop-all", "keep")}


def logged(ms: int, node: str, seq: int, entry: str, **data: object) -> Event:
    """An entry of the log, made at ten instructions a number."""
    return event(ms, node, "log", seq=seq, entry=entry, at=10 * seq, generation=1, **data)


def answered(ms: int, node: str, request: int, number: int, *, generation: int = 1,
             acknowledged: int | None = 0) -> list[Event]:
    """A request is taken, answered, and its answer let out one millisecond later."""
    seq = 2 * number
    same = {"number": number, "seq": seq, "at": 10 * seq, "device": "nic", "request": request,
            "generation": generation, "bytes": 16, "crc": number}
    return [
        event(ms, node, "log", seq=seq - 1, entry="input", at=10 * seq - 10, device="nic",
              request=request, pc=0x1004, generation=generation, bytes=16),
        event(ms, node, "log", seq=seq, entry="output", at=10 * seq, device="nic", number=number,
              pc=0x1110, generation=generation, crc=number),
        event(ms, node, "output", **same, clock=0),
        event(ms + 1, node, "release", **same, again=False, acknowledged=acknowledged)]


OPS = (
    Op(0, "invoke", "inc", None, 1 * MS), Op(0, "ok", "inc", 1, 5 * MS),
    Op("nemesis", "info", "drop-all", {"effect": {"link": ["n1", "n2"]}}, 7 * MS),
    Op(1, "invoke", "inc", None, 8 * MS), Op(1, "ok", "inc", 2, 12 * MS),
    Op("nemesis", "info", "crash", {"effect": {"crashed": "n1"}}, 13 * MS),
    Op(2, "invoke", "read", None, 14 * MS),
    Op(0, "invoke", "inc", None, 40 * MS), Op(0, "ok", "inc", 2, 44 * MS),
)
EVENTS = (
    *boot("primary", "backup"), *answered(2, "n1", 0, 1, acknowledged=2)[:3],
    event(3, "n2", "acknowledge", received=2, generation=1),
    event(3, "n2", "replay", first=1, last=2, at=20, waiting=0),
    answered(3, "n1", 0, 1, acknowledged=2)[3],
    *(logged(6, "n1", 3 + each, "interrupt", vector=32) for each in range(6)),
    *answered(9, "n1", 3, 5), event(10, "n1", "stalled", to="n2", message="Log", why="stalled",
                                    first=9, last=10),
    event(11, "n1", "stalled", to="n2", message="Log", why="stalled", first=9, last=10),
    event(13, "n1", "crash"),
    event(14, "clients", "drop", to="n1", message="Packet", why="nobody there", request=6),
    event(33, "n2", "suspect", peer="n1", why="no heartbeat", generation=1),
    event(34, "disk", "test-and-set", generation=1, flag=0, asked="n2", winner="n2"),
    live(35, "n2", 2, executed=2),
    *answered(41, "n2", 7, 6, generation=2, acknowledged=None),
)


def seen(ops: tuple[Op, ...] = OPS, events: tuple[Event, ...] = EVENTS) -> Scene:
    """A run with these ops and events, judged and explained."""
    history = History([op._replace(index=index) for index, op in enumerate(ops)])
    record = Record({"workload": "counter"}, history, Trace(events))
    verdict = merge({"linearizable": linearizable(history.clients(), models.by_name("counter"))})
    return look(record, verdict)


def look(record: Record, verdict: Verdict) -> Scene:
    """The same of a record that was judged."""
    return scene(record, verdict, explain(record, verdict), families=FAMILIES, symbols=SYMBOLS)


VIEWS = {
    "operation-lost": lambda: operation(seen(), 3),
    "operation-alone": lambda: operation(seen(), 8),
    "operation-open": lambda: operation(seen(), 6),
    "table": lambda: table(seen(), select(seen())),
    "lanes": lambda: diagram(seen(), select(seen()), failing(seen())),
    "lanes-untimed": lambda: _lanes(seen(tuple(op._replace(time=-1) for op in OPS), ())),
}


def _lanes(what: Scene) -> list[str]:
    return diagram(what, select(what), failing(what))


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_reads_as_it_did(name: str) -> None:
    """Line by line."""
    assert "\n".join(VIEWS[name]()) + "\n" == \
        (FOLDER / f"terminal-{name}.txt").read_text(encoding="utf-8")


def test_an_op_of_nobody_is_one_clear_line() -> None:
    """A number beyond the end, the nemesis's, and no history at all."""
    for index, said in [(99, "no op 99: there are ops 0 to 8"), (-1, "no op -1"),
                        (2, "op 2 is the nemesis's")]:
        with pytest.raises(UsageError, match=said):
            operation(seen(), index)
    with pytest.raises(UsageError, match="there are no ops"):
        call_of(Record({}, History([]), Trace()), 0)


def test_operations_are_selected_by_process_key_and_place() -> None:
    """Each filter by itself and together; what nobody has is one clear line."""
    ops = tuple(op for index in range(40) for op in (
        Op(index % 3, "invoke", "inc", None, index * MS),
        Op(index % 3, "ok", "inc", index + 1, index * MS + 1)))
    scene = seen(ops, ())
    assert [call.process for call in select(scene, process=2)] == [2] * 13
    near = select(scene, around=41)
    assert [call.start for call in near] == list(range(40 - 2 * AROUND, 42 + 2 * AROUND, 2))
    assert len(select(scene, process=1, around=40)) == 13
    with pytest.raises(UsageError, match="no operation of process 7; there are processes 0, 1, 2"):
        select(scene, process=7)
    with pytest.raises(UsageError, match="no operation on key 'x'"):
        select(scene, key="x")
    keyed = History([Op(0, "invoke", "write", ("x", 1), 0, 0), Op(0, "ok", "write", ("x", 1), 1, 1),
                     Op(0, "invoke", "read", ("y", None), 2, 2)])
    verdict = merge({"stats": Verdict(valid=True, why="")})
    kept = select(look(Record({}, keyed, Trace()), verdict), key="x")
    assert [call.start for call in kept] == [0]


def test_a_long_diagram_says_what_it_leaves_out() -> None:
    """At most ROWS_MAX rows, the gaps with their numbers, and the marks among them."""
    ops = tuple(op for index in range(200) for op in (
        Op(0, "invoke", "inc", None, index * MS), Op(0, "ok", "inc", index + 1, index * MS + 1)))
    scene = seen((*ops, Op(0, "invoke", "inc", None, 999 * MS), Op(0, "ok", "inc", 7, 1000 * MS)))
    lines = diagram(scene, select(scene), of_calls(scene, select(scene)))
    gaps = [int(line.split()[1]) for line in lines if "left out" in line]
    kept, total = ROWS_MAX, int(lines[0].split(" of ")[1].split()[0])
    assert f"{kept} of {total} rows" in lines[0] and sum(gaps) == total - kept
    assert any("op 400 inc -> 7" in line for line in lines)


def test_an_empty_history_has_an_empty_diagram() -> None:
    """No call, no event."""
    scene = seen((), ())
    assert diagram(scene, [], failing(scene))[0] == "0.000000 s to 0.000000 s, 0 of 0 rows"
    assert diagram(scene, [], Span(5, 1))[-1] == ""


@pytest.mark.parametrize("kind", [*WORDS, "something-new"])
def test_any_event_can_be_told(kind: str) -> None:
    """A kind nobody has thought of, and one of ours with other data than expected."""
    assert tell(Event(0, "n1", kind, {"odd": [1, None], "even": "two"})).strip()


if __name__ == "__main__":
    for each in sys.argv[1:] or VIEWS:
        text = "\n".join(VIEWS[each]()) + "\n"
        (FOLDER / f"terminal-{each}.txt").write_text(text, encoding="utf-8")
