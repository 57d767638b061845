"""JSON lines, many at a time: a million operations are read in little more than a second.

msgspec decodes a block of lines at once into records with Jepsen's keys.  It decides nothing on
its own: a block that it refuses, or that is not one record a line, is read line by line with the
standard library, which refuses it with its line, or accepts it.  Both read the same.  A file is
read block by block, so that its text is never in memory as a whole.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from sys import intern
from typing import Any, BinaryIO, Iterator, Literal, Sequence

import msgspec

from histories.errors import UsageError
from histories.history import History
from histories.jsonl import decode_text, ops_of
from histories.op import Op

BLOCK_BYTES = 1 << 20
OPS_MAX = 100_000_000
WORDS_MAX = 100                 # different f, for each to be one object from the start
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


_any = msgspec.json.Decoder(_Line).decode_lines
_op = partial(tuple.__new__, Op)
_REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def parse_bulk(
    data: bytes | BinaryIO, source: str, *, cut_ok: bool = False, ops_max: int = OPS_MAX
) -> History:
    """A history from JSON lines: a text, or a file that is read from where it stands.

    With ``cut_ok`` a last line without its newline may be broken.  UsageError, with its line, for
    what is no op, and for more than ``ops_max`` of them.
    """
    file = BytesIO(data) if isinstance(data, bytes) else data
    decode = _Decoder()
    ops: list[Op] = []
    lines: list[Sequence[int]] = []
    first = 1
    with _garbage_left_alone():
        while block := file.read(BLOCK_BYTES) + file.readline():
            if first == 1:
                block = block.removeprefix(_MARK)
            records, newlines = decode(block), block.count(b"\n")
            if _one_a_line(block, len(records), newlines):
                ops += map(_op, map(msgspec.structs.astuple, records))
                lines.append(range(first, first + len(records)))
            else:
                text = decode_text(block, source, cut_ok=cut_ok, first=first)
                made, numbers = ops_of(text, source, cut_ok=cut_ok, first=first)
                ops += made
                lines.append(numbers)
            first += newlines
            if len(ops) > ops_max:
                raise UsageError(f"{source}: more than the limit of {ops_max} ops")
    return History(ops, source=source, lines=_joined(lines))


class _Decoder:
    """From a block to records; none where it is no sequence of them.

    Each ``f`` is one object throughout, which saves the space, and comparisons later on: msgspec
    is told those that have been met, and makes no others.
    """

    def __init__(self) -> None:
        self._met: dict[str, None] = {}
        self._decode: Any = _any

    def __call__(self, block: bytes) -> list[_Line]:
        for decode in dict.fromkeys([self._decode, _any]):
            try:
                records: list[_Line] = decode(block)
            except _REFUSED:
                continue
            if decode is _any:
                self._meet(records)
            return records
        return []

    def _meet(self, records: list[_Line]) -> None:
        """Expect the words of these records from now on, if all are few."""
        for record in records:
            record.f = intern(record.f)
        self._met.update((record.f, None) for record in records)
        if 0 < len(self._met) <= WORDS_MAX:
            known: Any = Literal[tuple(self._met)]
            line = msgspec.defstruct("_Known", [("f", known)], bases=(_Line,), gc=False)
            self._decode = msgspec.json.Decoder(line).decode_lines


def _one_a_line(block: bytes, records: int, newlines: int) -> bool:
    """Whether so many records are one a line, given that the block is records one by one.

    Where ``}``, a newline and ``{`` follow each other, only a record can end: elsewhere JSON wants
    a comma or a colon between, and strings hold no newline.  If that is so at each end of a line,
    each line has at least one record, and exactly one if there are as many records as lines.
    """
    ended = block.endswith(b"\n")
    return records == newlines + (not ended) and block.startswith(b"{") \
        and block.count(b"}\n{") == newlines - ended


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
