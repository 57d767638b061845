"""Histories as Jepsen and its relatives write them.

* EDN: one vector or list of op maps, or op maps one after the other.  An op with a ``:key`` (as
  in Porcupine's logs of a key-value store) gets the value ``[key value]``, as
  jepsen.independent would write it.
* Jepsen's log, where each op is a line ``process type f value``, of which Porcupine keeps a
  hundred from runs against etcd.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Any, Iterable, Iterator

from histories.edn import Keyword, Reader, SyntaxProblem, Tagged, Token, dumps, keyword, loads
from histories.errors import UsageError
from histories.history import History
from histories.jsonl import to_op
from histories.op import NEMESIS, Op
from histories.value import show

_LOG_OP = re.compile(r"jepsen\.util(?: -|:) (\d+|:nemesis)\s+(.*)\Z")
_LOG_LINE = re.compile(r"(?:[0-9].*)?(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b")


def parse_edn(text: str, source: str) -> History:
    """A history from EDN; UsageError, with its line, for what is none."""
    starts = [0] + [match.end() for match in re.finditer("\n", text)]
    ops, lines = [], []
    try:
        for at, form in _forms(Reader(text)):
            line = bisect_right(starts, at)
            lines.append(line)
            ops.append(_op(form, f"{source}:{line}"))
    except SyntaxProblem as problem:
        line = bisect_right(starts, problem.at)
        raise UsageError(f"{source}:{line}: not EDN: {problem}") from None
    return History(ops, source=source, lines=lines)


def _forms(reader: Reader) -> Iterator[tuple[int, Any]]:
    """(place, form) of each op: the members of a single vector or list, or the forms."""
    token = reader.token()
    opening: Token | None = None
    if token.kind == "open" and token.text in ("[", "("):
        opening, token = token, reader.token()
    while token.kind not in ("close", "end"):
        if token.kind == "discard":
            reader.form(reader.token())
        else:
            yield token.at, reader.form(token)
        token = reader.token()
    if opening is not None:
        if token.kind == "end" or (opening.text == "[") is not (token.text == "]"):
            raise SyntaxProblem(opening.at, f"{opening.text} is never closed")
        token = reader.token()
    if token.kind != "end":
        raise SyntaxProblem(token.at, f"expected the end, found {token.text}")


def _op(form: Any, where: str) -> Op:
    if isinstance(form, Tagged):
        form = form.value
    if isinstance(form, dict):
        form = {str(key): value for key, value in form.items()}
        for name in ("process", "type", "f", "node"):
            if isinstance(form.get(name), Keyword):
                form[name] = str(form[name])
        if "key" in form:
            form["value"] = [form["key"], form.get("value")]
    return to_op(form, where)


def dump_edn(ops: Iterable[Op]) -> str:
    """Ops as EDN, one a line, in the words and the order of keys that Jepsen uses."""
    return "".join(_dump_op(op) + "\n" for op in ops)


def _dump_op(op: Op) -> str:
    process = op.process if isinstance(op.process, int) else keyword(op.process)
    parts = [
        f":index {op.index}", f":time {op.time}", f":type {keyword(op.type)}",
        f":process {process}", f":f {keyword(op.f)}", f":value {_dumps(op, op.value)}",
    ]
    if op.error is not None:
        parts.append(f":error {_dumps(op, op.error)}")
    if op.node is not None:
        parts.append(f":node {dumps(op.node)}")
    return "{" + ", ".join(parts) + "}"


def _dumps(op: Op, value: Any) -> str:
    try:
        return dumps(value)
    except TypeError as problem:
        raise UsageError(f"op {op.index}: {problem}") from None


def dump_kv(ops: Iterable[Op]) -> str:
    """Ops of clients of a key-value store as Porcupine reads them, times and indexes left out.

    UsageError unless each value is a pair of a key and nil, a string or a number.
    """
    return "".join(_dump_kv(op) + "\n" for op in ops if op.process != NEMESIS)


def _dump_kv(op: Op) -> str:
    pair = op.value
    if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not isinstance(op.process, int) \
            or not all(isinstance(each, (str, int, type(None))) for each in pair):
        raise UsageError(f"op {op.index}: expected a pair [key value], found {show(pair)}")
    key, value = (each if each is None else str(each) for each in pair)
    return (f"{{:process {op.process}, :type {keyword(op.type)}, :f {keyword(op.f)}, "
            f":key {dumps(key)}, :value {dumps(value)}}}")


def dump_log(ops: Iterable[Op]) -> str:
    """Ops as lines of a Jepsen log; times, indexes and nodes are left out."""
    return "".join(_dump_log(op) + "\n" for op in ops)


def _dump_log(op: Op) -> str:
    process = op.process if isinstance(op.process, int) else keyword(op.process)
    words = [f"INFO  jepsen.util - {process}", keyword(op.type), keyword(op.f)]
    if op.value is not None or op.error is None:
        words.append(_dumps(op, op.value))
    if op.error is not None:
        words.append(keyword(op.error) if isinstance(op.error, str) else _dumps(op, op.error))
    return "\t".join(words)


def parse_log(text: str, source: str) -> History:
    """A history from a Jepsen log; other lines of the log are passed over.

    UsageError, with its line, for an op that cannot be read.
    """
    ops, lines = [], []
    for number, line in enumerate(text.split("\n"), 1):
        match = _LOG_OP.search(line)
        if match is not None:
            ops.append(_log_op(match[1], match[2], f"{source}:{number}"))
            lines.append(number)
        elif line.strip() and not _LOG_LINE.match(line):
            raise UsageError(f"{source}:{number}: expected a line of a log, found {line!r:.60}")
    return History(ops, source=source, lines=lines)


def _log_op(process: str, rest: str, where: str) -> Op:
    try:
        kind, f, *values = loads(f"[{rest}]")
    except (SyntaxProblem, ValueError):
        raise UsageError(f"{where}: expected type, f and value, found {rest!r:.60}") from None
    value, error = (values + [None, None])[:2]
    if kind in ("info", "fail") and error is None and isinstance(value, Keyword):
        value, error = None, value
    who = int(process) if process.isdigit() else "nemesis"
    record = {"process": who, "type": kind, "f": f, "value": value, "error": error}
    return _op(record, where)
