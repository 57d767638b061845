"""File formats: what is written is read back, and what is malformed is refused in one line."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histories import Event, History, Op, Trace, UsageError, bulk, edn
from histories.elle import dump_elle, parse_elle
from histories.jepsen import dump_edn, dump_kv, dump_log, parse_edn
from histories.jsonl import dump_op, parse_history, write_history
from histories.read import WRITERS, Limits, read_history
from histories.trace import dump_event, read_trace

texts = st.text(max_size=8)
words = st.from_regex(r"[a-z][a-z0-9_-]{0,6}", fullmatch=True)
numbers = st.integers(-2**70, 2**70) | st.floats(allow_nan=False)
scalars: st.SearchStrategy[Any] = st.none() | st.booleans() | numbers | texts
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
).filter(lambda value: "inf" not in repr(value))
edn_values = st.recursive(
    scalars | words.map(edn.Keyword) | words.map(edn.Symbol),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(scalars, inner, max_size=3)
        | st.builds(edn.Tagged, words, inner)
        | st.frozensets(scalars, max_size=3)
    ),
)


def ops(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Op]]:
    op = st.builds(
        Op, process=st.integers(0, 9) | st.just("nemesis"),
        type=st.sampled_from(["invoke", "ok", "fail", "info"]),
        f=words | texts, value=values, time=st.integers(-1, 2**62), error=values,
        node=st.none() | words,
    )
    return st.lists(op, max_size=5).map(lambda made: History(made).ops)


def same(left: list[Op], right: list[Op]) -> bool:
    """Equal, with the same types: 1 is not True, a keyword is not a string."""
    return left == right and edn.dumps(left) == edn.dumps(right)


@given(ops(json_values))
def test_json_lines_round_trip(made: list[Op]) -> None:
    text = "".join(dump_op(op) + "\n" for op in made)
    assert same(parse_history(text, "x").ops, made)
    assert text == "".join(dump_op(op) + "\n" for op in parse_history(text, "x"))


@given(ops(edn_values))
def test_edn_round_trip(made: list[Op]) -> None:
    assert same(parse_edn(dump_edn(made), "x").ops, made)
    listed = "[" + dump_edn(made) + "]"
    assert same(parse_edn(listed, "x").ops, made)


@given(edn_values)
def test_edn_values_round_trip(value: Any) -> None:
    assert edn.loads(edn.dumps(value)) == value


@given(st.text(alphabet="[](){}#_:\\\"; \n,a1-.N", max_size=30))
@settings(max_examples=500)
def test_edn_never_breaks_otherwise_than_it_says(text: str) -> None:
    try:
        edn.loads(text)
    except edn.SyntaxProblem:
        pass
    except UsageError as problem:
        assert "\n" not in str(problem)


@pytest.mark.parametrize("text, value", [
    ("; a comment\n 1 ; another", 1), ("[1, 2 , #_ 3 #_ [4] 5]", [1, 2, 5]), ("#_ 1 2", 2),
    ("(1 (2))", [1, [2]]), ("#{1 2}", frozenset({1, 2})), ("{:a nil}", {"a": None}),
    ("-12N", -12), ("1.5M", 1.5), ("1e3", 1000.0), (r"\a", "a"), (r"\newline", "\n"),
    (r"\u0041", "A"), (r'"a\n\u0041\""', 'a\nA"'), ("#inst \"2020\"", ("inst", "2020")),
    ("{[1 2] {3 4}}", {(1, 2): {3: 4}}), ("##Inf", float("inf")), ("a/b", "a/b"),
    ("[true false]", [True, False]), ("{}", {}), ("[]", []),
])
def test_edn_reads(text: str, value: Any) -> None:
    assert edn.loads(text) == value


@pytest.mark.parametrize("text, message", [
    ("", "expected a value, found the end"), ("[1", "[ is never closed"), ("[1}", "} closes ["),
    ("]", "expected a value, found ]"), ("{:a}", "a map with a key that has no value"),
    ("{:a 1 :a 2}", "a map with the same key twice"), ("1 2", "expected the end, found 2"),
    ('"abc', "cannot read '\"abc'"), ("007", "cannot read '007'"), ("1/2", "cannot read '1/2'"),
    (r'"\q"', r"no escape \q in strings"), (r"\blah", r"no character \blah"),
    ("[" * 200, "nested deeper than 100 levels"), ("#a " * 200, "nested deeper than 100 levels"),
    ("9" * 5000, "Exceeds the limit"), ("##Foo", "expected a value, found ##Foo"),
    ("#{{:a ##NaN}}", "a value is NaN"),
])
def test_edn_refuses(text: str, message: str) -> None:
    with pytest.raises((edn.SyntaxProblem, UsageError)) as caught:
        edn.loads(text)
    assert message in str(caught.value)


GOOD = '{"process":0,"type":"invoke","f":"read"}\n'


@pytest.mark.parametrize("content, message", [
    (b'{"process":0,', "f:1: not JSON: Expecting property name"),
    (GOOD.encode() + b"nonsense\n", "f:2: not JSON: Expecting value at column 1"),
    (GOOD.encode() + b'{"process":0,"type":"o\xff"}\n', "f:2: not UTF-8: byte 0xff"),
    (GOOD.encode() + b"[1]\n", "f:2: expected an op, a map with process, type and f"),
    (GOOD.encode() + b'{"process":1}\n', "f:2: expected process (a whole number), type and f"),
    (b'{"process":true,"type":"ok","f":"x"}', "found process true"),
    (b'{"process":0,"type":"ok","f":"x","time":1.5}', "time and index are whole numbers"),
    (b'{"process":0,"type":"ok","f":"x","value":NaN}', "f:1: not JSON: NaN is no value"),
    (b'{"process":0,"type":"ok","f":"x","value":' + b"9" * 5000 + b"}", "Exceeds the limit"),
    (b'{"process":0,"type":"invoke","f":"x","value":' + b"[" * 99999, "f:1: not JSON: nested too"),
    (b'{"process":0,"type":"invoke","f":"x","value":' + b"[" * 150 + b"]" * 150 + b"}",
     "f: op 0: a value is nested deeper than 100 levels"),
    (GOOD.encode() * 2, "f:2: op 1: process 0 already has an open call"),
    (b"\n\n" + GOOD.replace("invoke", "ok").encode(), "f:3: op 0: process 0 completes a call"),
    (b"[{:process 0, :type :invoke, :f :read}", "f:1: not EDN: [ is never closed"),
    (b"[{:process 0, :type :invoke,\n :f }]", "f:1: not EDN: a map with a key that has no value"),
    (b"[{:process 0}\n 3]", "f:1: expected process (a whole number), type and f"),
    (b"[{:process 0, :type :invoke, :f :read}\n 3]", "f:2: expected an op, a map with"),
    (b"[{:process 0, :type :ok, :f :read}]", "f:1: op 0: process 0 completes a call"),
    (b"[] []", "f:1: not EDN: expected the end, found ["),
    (b"[" * 100000, "f:1: not EDN: nested deeper than 100 levels"),
    (b"{:process 0, :type :invoke, :f :w, :value ##NaN}", "op 0: a value is NaN"),
    (b"INFO  jepsen.util - 0\t:invoke\t[", "f:1: expected type, f and value"),
    (b"INFO  jepsen.util - 0\t:invoke", "f:1: expected type, f and value"),
    (b"INFO  jepsen.util - 0\t:invoke\t:read\tnil\nhello", "f:2: expected a line of a log"),
    (b"INFO  jepsen.util - 0\t:ok\t:read\tnil\n", "f:1: op 0: process 0 completes a call"),
    (b'[{"process":0,"type":"invoke","f":"r"}', "f:1: not JSON: expected , or ] at column 39"),
    (b'[{"process":0,"type":"invoke","f":"r"},\n]', "f:2: not JSON: Expecting value at column 1"),
    (b'[{"process":0,"type":"invoke","f":"r"}] 1', "f:1: not JSON: expected the end at column 41"),
    (b'[{"process":0,"type":"invoke","f":"r"},\n3]', "f:2: expected an op, a map with"),
    (b'[{"process":0,"type":"invoke",\n"f":}]', "f:2: not JSON: Expecting value at column 5"),
    (b'[{"process":0,"type":"invoke","f":"r","value":NaN}]', "f:1: not JSON: NaN is no value"),
    (b'[{"type":"ok","value":[["r",1,[2]]]}]', "f:1: expected process (a whole number), type"),
    (b'[{"process":0,"type":"invoke","value":"r"}]', "f:1: expected process (a whole number)"),
    (b'[{"process":0,\n"type":"ok","f":"r"}]', "f:1: op 0: process 0 completes a call it has"),
    (b'[ {"process":' + b"[" * 99999, "f:1: not JSON: nested too deep"),
    (b"hello", "f:1: expected a history (JSON lines, a JSON array, Jepsen's EDN or a Jepsen log), "
     "found 'hello'"),
    (b"\xff\xfe", "f:1: not UTF-8: byte 0xff"),
])
def test_a_malformed_file_is_refused_in_one_line(
    content: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("f").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_history("f").calls()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_history(tmp_path / "absent")
    with pytest.raises(UsageError, match="Is a directory"):
        read_history(tmp_path)
    (tmp_path / "f").write_text(GOOD)
    with pytest.raises(UsageError, match="41 bytes, more than the limit of 40 bytes"):
        read_history(tmp_path / "f", limits=Limits(bytes_max=40))
    with pytest.raises(UsageError, match="no format 'xml'; there are edn, json, jsonl, kv, log"):
        read_history(tmp_path / "f", "xml")


@pytest.mark.parametrize("text", [
    GOOD,
    "[{:process 0, :type :invoke, :f :read}]",
    "({:process 0, :type :invoke, :f :read, :value nil})",
    "; comment\n{:process 0 :type :invoke :f :read :extra 1}",
    "#jepsen.history.Op{:index 0, :time -1, :type :invoke, :process 0, :f :read, :value nil}",
    "INFO  jepsen.util - 0\t:invoke\t:read\tnil\nWARN other\n\n",
    "2020-01-01 10:00:00,000{GMT}\tINFO\t[jepsen worker 0] jepsen.util: 0\t:invoke\t:read\tnil",
    "\ufeff" + GOOD,
    "\ufeff[" + GOOD + "]\n",
    '[\n {"index": 0, "time":-1, "process":0,"type":"invoke","f":"read"}]',
    GOOD.replace("\n", "\r\n"),
    '\n { "process":0,"type":"invoke","f":"read"}',
])
def test_formats_are_recognised(text: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_text(text, encoding="utf-8")
    assert read_history(tmp_path / "f").ops == [Op(0, "invoke", "read", None, -1, 0)]


def test_an_empty_file_is_an_empty_history(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    assert read_history(tmp_path / "f").ops == []


def test_a_key_beside_the_value_becomes_a_pair() -> None:
    text = '{:process 1, :type :invoke, :f :put, :key "k", :value "v"}'
    assert parse_edn(text, "x").ops[0].value == ["k", "v"]


def test_what_a_log_says_of_an_info_is_its_error(tmp_path: Path) -> None:
    line = "INFO  jepsen.util - 3\t{}\t:write\t{}\n"
    (tmp_path / "f").write_text(line.format(":invoke", "4") + line.format(":info", ":timed-out"))
    last = read_history(tmp_path / "f").ops[-1]
    assert (last.value, last.error) == (None, "timed-out")


@given(st.integers(0, 200))
def test_a_history_cut_off_anywhere_is_read_up_to_there(cut: int) -> None:
    whole = [Op(0, "invoke", "read", {"a": 1}), Op(0, "ok", "read", "x" * 9), Op(1, "invoke", "f")]
    text = "".join(dump_op(op) + "\n" for op in History(whole))[:cut]
    read = parse_history(text, "x", cut_ok=True).ops
    assert read == History(whole).ops[:len(read)]
    assert len(read) >= text.count("\n")


def test_a_broken_line_in_the_middle_is_refused_even_when_a_cut_is_accepted() -> None:
    with pytest.raises(UsageError, match="x:1: not JSON"):
        parse_history('{"proc\n' + GOOD, "x", cut_ok=True)


def test_sets_are_written_in_order_and_the_unwritable_is_refused(tmp_path: Path) -> None:
    assert '"value":["a","b","c"]' in dump_op(Op(0, "ok", "f", frozenset("cab")))
    with pytest.raises(UsageError, match="cannot be written as JSON"):
        write_history([Op(0, "ok", "f", object())], tmp_path / "f")
    with pytest.raises(UsageError, match="op -1: EDN has no object"):
        dump_edn([Op(0, "ok", "f", object())])


def test_a_trace_is_read_back_and_may_be_cut_off(tmp_path: Path) -> None:
    events = [Event(5, "n1", "entry", {"seq": 1, "at": 99}), Event(6, "disk", "flag", {})]
    lines = [dump_event(event) for event in events]
    assert lines[0] == '{"time":5,"node":"n1","kind":"entry","data":{"seq":1,"at":99}}'
    path = tmp_path / "trace.jsonl"
    path.write_text("\n".join(lines) + "\n" + lines[0][:20])
    assert read_trace(path, cut_ok=True).events == events
    with pytest.raises(UsageError, match=":3: not JSON"):
        read_trace(path)
    path.write_text('{"time":5}\n')
    with pytest.raises(UsageError, match=":1: expected an event"):
        read_trace(path)


def test_a_trace_finds_its_kinds() -> None:
    trace = Trace([Event(1, "a", "x", {}), Event(2, "b", "y", {})])
    trace.append(Event(3, "a", "z", {}))
    assert [event.time for event in trace.of("x", "z")] == [1, 3]


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_what_is_written_is_recognised_and_read_back(name: str, tmp_path: Path) -> None:
    """Times and indexes are lost in the two formats of Porcupine, and the nemesis in one."""
    made = History([
        Op(0, "invoke", "get", ["a", None]), Op("nemesis", "info", "kill", "n1"),
        Op(1, "invoke", "put", ["b", 'x "y"\n']), Op(0, "ok", "get", ["a", ""]),
        Op(1, "info", "put", ["b", 'x "y"\n'])]).ops
    if name == "kv":
        made = [op for op in made if op.process != "nemesis"]
    (tmp_path / "f").write_text(WRITERS[name](made), encoding="utf-8")
    read = read_history(tmp_path / "f").ops
    assert [op[:4] for op in read] == [op[:4] for op in made]


@pytest.mark.parametrize("error", ["timed-out", "no such host", ["a", 1]])
def test_a_log_keeps_the_error_of_an_info(error: Any, tmp_path: Path) -> None:
    made = History([Op(0, "invoke", "write", 4), Op(0, "info", "write", None, error=error)]).ops
    (tmp_path / "f").write_text(dump_log(made))
    if error == "no such host":     # no keyword can spell it, so that it reads as a value
        assert read_history(tmp_path / "f").ops[1].value == error
    else:
        assert read_history(tmp_path / "f").ops[1].error == (error if error != ["a", 1] else None)


@pytest.mark.parametrize("value", [None, 3, ["k"], ["k", [1, 2]], ["k", 1, 2]])
def test_porcupine_knows_pairs_only(value: Any) -> None:
    with pytest.raises(UsageError, match=r"op 7: expected a pair \[key value\], found"):
        dump_kv([Op(0, "ok", "get", value, index=7)])


def test_a_character_may_lie_across_the_part_that_is_looked_at(tmp_path: Path) -> None:
    text = "[" + " " * 4094 + "\u00e9]"
    (tmp_path / "f").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="f:1: expected an op, a map"):
        read_history(tmp_path / "f")


def test_transactions_may_come_without_f() -> None:
    text = '[{"process":0,"type":"invoke","value":[["append",1,2]]}]'
    assert parse_elle(text, "x").ops == [Op(0, "invoke", "txn", [["append", 1, 2]], -1, 0)]
    text = "{:process 0, :type :invoke, :value [[:r 1 nil]]}"
    assert parse_edn(text, "x").ops == [Op(0, "invoke", "txn", [["r", 1, None]], -1, 0)]


@given(ops(json_values))
def test_json_arrays_round_trip(made: list[Op]) -> None:
    assert same(parse_elle(dump_elle(made), "x").ops, made)


PIECES = [
    GOOD[:-1], '{"process":1,"type":"ok","f":"w","value":{"a":[1,{}]},"time":5}', "{}", "{", "}",
    '{"process":0,"type":"x","f":"w"}', '{"process":"nemesis","type":"info","f":"kill","node":3}',
    '{"process":0,"type":"ok","f":"w","value":[{}', "{}]}", '{"index":3,"type":"ok"}', " ", "\r",
    '{"process":0,"type":"ok","f":"\\ud800","value":"\u00e9\\u00e9","time":1.5}', "[1]", "NaN",
    '{"process":0,"type":"ok","f":"w","value":1e999,"index":9' + "9" * 30 + "}", ",", "\x0b",
    '{"process":0,"type":"ok","f":"w","f":"v","more":[true,null,-0.0,1.5e-7],"error":"e"}',
]


@given(st.lists(st.sampled_from([*PIECES, *["\n"] * 12]), max_size=14),
       st.sampled_from([1, 50, 1 << 20]), st.booleans())
@settings(max_examples=600)
def test_many_lines_at_a_time_read_as_one_by_one(
    pieces: list[str], block_bytes: int, cut_ok: bool
) -> None:
    """The same ops, of the same types, with the same lines; or the same refusal."""
    text = "".join(pieces)
    told = []
    for parse, content in ((bulk.parse_bulk, text.encode()), (parse_history, text)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bulk, "BLOCK_BYTES", block_bytes)
            try:
                history = parse(content, "x", cut_ok=cut_ok)      # type: ignore[arg-type]
                told.append((repr(history.ops), list(history.lines or [])))
            except UsageError as problem:
                told.append((str(problem), []))
    assert told[0] == told[1]


def test_a_broken_byte_is_placed_in_its_line_in_any_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BLOCK_BYTES", 50)
    with pytest.raises(UsageError, match="x:4: not UTF-8: byte 0xff"):
        bulk.parse_bulk(GOOD.encode() * 3 + b'{"f":"\xff"}\n' + GOOD.encode(), "x")
    assert len(bulk.parse_bulk(GOOD.encode() * 3 + b'{"f":"\xff', "x", cut_ok=True)) == 3


@pytest.mark.parametrize("different", [1, 3, bulk.WORDS_MAX + 1])
def test_each_word_is_one_object(different: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever block it comes in, and however many there are."""
    monkeypatch.setattr(bulk, "BLOCK_BYTES", 500)
    lines = [f'{{"process":0,"type":"ok","f":"word {number % different}","value":1}}\n'
             for number in range(5 * bulk.WORDS_MAX)]
    made = bulk.parse_bulk("".join(lines).encode(), "x").ops
    assert [op.f for op in made] == [f"word {number % different}" for number in range(len(lines))]
    assert len({id(op.f) for op in made}) == different


def test_a_pipe_is_read_as_a_file_is(tmp_path: Path) -> None:
    """It has no size, and cannot be read twice."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=[GOOD])
    writer.start()
    assert read_history(pipe).ops == parse_history(GOOD, "x").ops
    writer.join()


@pytest.mark.parametrize("text", [GOOD * 5, "[" + ",".join([GOOD] * 5) + "]"])
def test_a_history_of_too_many_ops(text: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_text(text)
    assert len(read_history(tmp_path / "f", limits=Limits(ops_max=5))) == 5
    with pytest.raises(UsageError, match="than the limit of 4"):
        read_history(tmp_path / "f", limits=Limits(ops_max=4))


@given(ops(json_values))
def test_lines_are_what_the_encoder_of_the_standard_library_writes(made: list[Op]) -> None:
    for op in made:
        record = {"index": op.index, "time": op.time, "process": op.process, "type": op.type,
                  "f": op.f, "value": op.value, "error": op.error, "node": op.node}
        for optional in ("error", "node"):
            if record[optional] is None:
                del record[optional]
        assert dump_op(op) == json.dumps(record, separators=(",", ":"))


def test_a_number_too_long_to_print_is_refused() -> None:
    with pytest.raises(UsageError, match="op -1: cannot be written as JSON: Exceeds"):
        dump_op(Op(0, "ok", "f", 10 ** 5000))
