"""JSON lines, many at a time: a million operations are read in a second or two.

msgspec decodes a block of lines at once into records with Jepsen's keys.  It decides nothing on
its own: a block that it refuses, or that is not one record a line, is read line by line with the
standard library, which refuses it with its line, or accepts it.  Both read the same.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from functools import partial
from operator import attrgetter
from sys import intern
from typing import Any, Iterator, Literal, Sequence

import msgspec

from histories.errors import UsageError
from histories.history import History
from histories.jsonl import decode_text, ops_of
from histories.op import Op

BLOCK_BYTES = 1 << 20
OPS_MAX = 100_000_000
_MARK = b"\xef\xbb\xbf"         # some editors begin a file with it


class _Line(msgspec.Struct, gc=False):
    """What a line of an ordinary history holds, in the order of Op's fields."""

    process: int | str
    type: Literal["invoke", "ok", "fail", "info"]
    f: str
    value: Any = None
    time: int = -1
    index: int = -1
    error: Any = None
    node: str | None = None


_decode = msgspec.json.Decoder(_Line).decode_lines
_columns = [attrgetter(name) for name in Op._fields]
_F = Op._fields.index("f")
_op = partial(tuple.__new__, Op)


def parse_bulk(
    data: bytes, source: str, *, cut_ok: bool = False, ops_max: int = OPS_MAX
) -> History:
    """A history from JSON lines; with ``cut_ok`` a last line without its newline may be broken."""
    at = len(_MARK) if data.startswith(_MARK) else 0
    ops: list[Op] = []
    lines: list[Sequence[int]] = []
    first = 1
    with _garbage_left_alone():
        while at < len(data):
            block = data[at:_end(data, at)]
            at += len(block)
            made, numbers = _block(block, first, source, cut_ok and at == len(data))
            ops += made
            lines.append(numbers)
            first += block.count(b"\n")
            if len(ops) > ops_max:
                raise UsageError(f"{source}: more than the limit of {ops_max} ops")
    return History(ops, source=source, lines=_joined(lines))


def _end(data: bytes, at: int) -> int:
    """Where the block of whole lines that starts here ends."""
    last = data.rfind(b"\n", at, at + BLOCK_BYTES)
    if last < 0:
        last = data.find(b"\n", at + BLOCK_BYTES)
    return last + 1 or len(data)


def _block(
    block: bytes, first: int, source: str, cut_ok: bool
) -> tuple[list[Op], Sequence[int]]:
    """The ops of a block, and their lines."""
    try:
        records = _decode(block)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        records = []
    if not _one_a_line(block, len(records)):
        text = decode_text(block, source, cut_ok=cut_ok, first=first)
        return ops_of(text, source, cut_ok=cut_ok, first=first)
    columns: list[Iterator[Any]] = [map(column, records) for column in _columns]
    columns[_F] = map(intern, columns[_F])
    return list(map(_op, zip(*columns))), range(first, first + len(records))


def _one_a_line(block: bytes, records: int) -> bool:
    """Whether so many records are one a line, given that the block is records one by one.

    Where ``}``, a newline and ``{`` follow each other, only a record can end: elsewhere JSON wants
    a comma or a colon between, and strings hold no newline.  If that is so at each end of a line,
    each line has at least one record, and exactly one if there are as many records as lines.
    """
    lines = block.count(b"\n")
    ends, open_ended = block.count(b"}\n"), not block.endswith(b"\n")
    return records == lines + open_ended and ends == lines and block.startswith(b"{") \
        and block.count(b"\n{") == records - 1


def _joined(lines: list[Sequence[int]]) -> Sequence[int]:
    """The lines of all blocks, without a list where they are simply counted."""
    if all(isinstance(part, range) for part in lines):
        return range(1, 1 + sum(map(len, lines)))
    return [number for part in lines for number in part]


@contextmanager
def _garbage_left_alone() -> Iterator[None]:
    """No search for cycles meanwhile: there are none, and it would walk over every op again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
