"""Histories as elle-cli reads them: one JSON array of op maps, with Jepsen's keys.

Values that EDN writes as keywords are strings.  Elle's transactions may come without ``f``, as in
EDN; see `jsonl.to_op`.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import Any, Iterable, Iterator

from histories.errors import UsageError
from histories.history import History
from histories.jsonl import DECODER, dump_op, reason, to_op
from histories.op import Op

_SPACE = re.compile(r"[ \t\r\n]*")


def parse_elle(text: str, source: str) -> History:
    """A history from a JSON array of ops; UsageError, with its line, for what is none."""
    starts = [0] + [match.end() for match in re.finditer("\n", text)]
    ops, lines = [], []
    for at, record in _members(text, source, starts):
        line = bisect_right(starts, at)
        lines.append(line)
        ops.append(to_op(record, f"{source}:{line}"))
    return History(ops, source=source, lines=lines)


def _members(text: str, source: str, starts: list[int]) -> Iterator[tuple[int, Any]]:
    """(place, value) of each member of the array that is the text."""
    def refuse(at: int, problem: str) -> UsageError:
        line = bisect_right(starts, at)
        return UsageError(f"{source}:{line}: not JSON: {problem} "
                          f"at column {at - starts[line - 1] + 1}")

    at = _skip(text, 0)
    if text[at:at + 1] != "[":
        raise refuse(at, "expected [")
    at = _skip(text, at + 1)
    more = text[at:at + 1] != "]"
    while more:
        try:
            record, end = DECODER.raw_decode(text, at)
        except json.JSONDecodeError as problem:
            raise refuse(problem.pos, problem.msg) from None
        except (ValueError, RecursionError) as problem:
            raise refuse(at, reason(problem)) from None
        yield at, record
        at = _skip(text, end)
        more = text[at:at + 1] == ","
        if more:
            at = _skip(text, at + 1)
        elif text[at:at + 1] != "]":
            raise refuse(at, "expected , or ]")
    at = _skip(text, at + 1)
    if at < len(text):
        raise refuse(at, "expected the end")


def _skip(text: str, at: int) -> int:
    """Where the next character stands that is not white."""
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()


def dump_elle(ops: Iterable[Op]) -> str:
    """Ops as a JSON array, one a line; UsageError for what JSON cannot hold."""
    return "[" + ",\n".join(map(dump_op, ops)) + "]\n"
