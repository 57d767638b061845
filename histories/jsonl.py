"""Our own file format: JSON lines, one op or event a line, keys in a fixed order.

The same ops give the same bytes.  Lines are written as things happen, so a run that was killed
leaves whole lines and at most one cut-off line, which readers accept when asked to.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from sys import intern
from typing import Any, BinaryIO, Iterable, Iterator

from histories.errors import UsageError
from histories.history import History
from histories.op import Op
from histories.value import show

FILE_BYTES_MAX = 1_000_000_000
_SHORT = 1 << 64                # longer numbers may be more than Python wants to print
_DEFAULTS: dict[str, Any] = {
    "process": None, "type": None, "f": None, "value": None,
    "time": -1, "index": -1, "error": None, "node": None,
}


def dump_line(record: Any) -> str:
    """One compact JSON line, without its newline; sets become sorted lists.

    UsageError for what JSON cannot hold.
    """
    try:
        return _encode(record)
    except (TypeError, ValueError, RecursionError) as problem:
        raise UsageError(f"cannot be written as JSON: {problem}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=show)
    raise TypeError(f"a value of type {type(value).__name__}")


# What contains itself ends in a RecursionError, without being looked for in every line.
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False,
                           default=_plain).encode


def dump_op(op: Op) -> str:
    """An op as a line of JSON; ``error`` and ``node`` only where there is one.

    UsageError, with the op's index, for what JSON cannot hold.
    """
    try:
        return _dump_op(op)
    except UsageError as problem:
        raise UsageError(f"op {op.index}: {problem}") from None


def _dump_op(op: Op) -> str:
    process, type_, f, value, time, index, error, node = op
    line = (f'{{"index":{_dump(index)},"time":{_dump(time)},"process":{_dump(process)},'
            f'"type":{_dump(type_)},"f":{_dump(f)},"value":{_dump(value)}')
    if error is not None:
        line += f',"error":{_dump(error)}'
    if node is not None:
        line += f',"node":{_dump(node)}'
    return line + "}"


def _dump(value: Any) -> str:
    """A value as JSON; what most ops are made of, without the encoder."""
    if type(value) is int and -_SHORT < value < _SHORT:
        return str(value)
    if value is None:
        return "null"
    return _word(value) if type(value) is str else dump_line(value)


@lru_cache(maxsize=1024)
def _word(text: str) -> str:
    return _encode(text)


def load_bytes(path: Path, *, bytes_max: int = FILE_BYTES_MAX) -> bytes:
    """The content of an untrusted file; UsageError when it is absent, unreadable or too large."""
    with opened(path, bytes_max=bytes_max) as file:
        return file.read()


@contextmanager
def opened(path: Path, *, bytes_max: int = FILE_BYTES_MAX) -> Iterator[BinaryIO]:
    """An untrusted file, to be read bit by bit; UsageError as for `load_bytes`."""
    try:
        size = path.stat().st_size
        if size > bytes_max:
            raise UsageError(f"{path}: {size} bytes, more than the limit of {bytes_max} bytes")
        with path.open("rb") as file:
            yield file
    except OSError as problem:
        raise UsageError(f"{path}: {problem.strerror or problem}") from None


def decode_text(data: bytes, source: str, *, cut_ok: bool = False, first: int = 1) -> str:
    """The data, which begins at line ``first``, as UTF-8.

    With ``cut_ok`` a last line without its newline may be broken.  UsageError names the line of a
    byte that is none.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        whole = data.rfind(b"\n") + 1
        if cut_ok and problem.start >= whole:
            return data[:whole].decode("utf-8-sig")
        line = data.count(b"\n", 0, problem.start) + first
        raise UsageError(f"{source}:{line}: not UTF-8: byte 0x{data[problem.start]:02x}") from None


def parse_lines(
    text: str, source: str, *, cut_ok: bool = False, first: int = 1
) -> Iterator[tuple[int, Any]]:
    """(line number, value) of each line that is not blank; the text begins at line ``first``.

    UsageError for a line that is not JSON; with ``cut_ok`` the last one may be broken.
    """
    lines = text.split("\n")
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        try:
            record = _decode(line)
        except (ValueError, RecursionError) as problem:
            if cut_ok and number - first == len(lines) - 1:
                break
            raise UsageError(f"{source}:{number}: not JSON: {reason(problem)}") from None
        yield number, record


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no value")


DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_decode = DECODER.decode


def reason(problem: Exception) -> str:
    """Why a text is not JSON, in a few words."""
    if isinstance(problem, RecursionError):
        return "nested too deep"
    if isinstance(problem, json.JSONDecodeError):
        return f"{problem.msg} at column {problem.colno}"
    return str(problem)


def to_op(record: Any, where: str) -> Op:
    """An op from a decoded map with Jepsen's keys; keys that are not Jepsen's are dropped.

    Elle's transactions may come without ``f``: then it is "txn".  UsageError, which begins with
    ``where``, says what was expected and found.
    """
    if type(record) is not dict:
        raise UsageError(f"{where}: expected an op, a map with process, type and f")
    if "f" not in record and _is_transaction(record.get("value")):
        record = {**record, "f": "txn"}
    values: list[Any] = [record.get(key, default) for key, default in _DEFAULTS.items()]
    values[1:3] = (intern(word) if type(word) is str else word for word in values[1:3])
    op = Op(*values)
    if type(op.process) not in (int, str) or type(op.type) is not str or type(op.f) is not str:
        raise UsageError(
            f"{where}: expected process (a whole number), type and f (words), found process "
            f"{show(op.process)}, type {show(op.type)}, f {show(op.f)}"
        )
    if type(op.time) is not int or type(op.index) is not int:
        raise UsageError(
            f"{where}: time and index are whole numbers, "
            f"found time {show(op.time)}, index {show(op.index)}"
        )
    return op


def _is_transaction(value: Any) -> bool:
    """Whether this is a list of steps, each a list that begins with a word."""
    return type(value) is list and value != [] and all(
        type(step) is list and step != [] and isinstance(step[0], str) for step in value)


def parse_history(text: str, source: str, *, cut_ok: bool = False) -> History:
    """A history from JSON lines; UsageError, with its line, for what is no op."""
    ops, lines = ops_of(text, source, cut_ok=cut_ok)
    return History(ops, source=source, lines=lines)


def ops_of(
    text: str, source: str, *, cut_ok: bool = False, first: int = 1
) -> tuple[list[Op], list[int]]:
    """The ops in JSON lines, and the line of each; the text begins at line ``first``.

    UsageError as for `parse_lines` and `to_op`.
    """
    ops, lines = [], []
    for number, record in parse_lines(text, source, cut_ok=cut_ok, first=first):
        ops.append(to_op(record, f"{source}:{number}"))
        lines.append(number)
    return ops, lines


def write_history(ops: Iterable[Op], path: Path) -> None:
    """Write ops to a file of JSON lines; UsageError as for `dump_op`, OSError as for any file."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(dump_op(op) + "\n" for op in ops)
