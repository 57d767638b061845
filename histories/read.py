"""Read a history from a file of any format that we know, and write it in any."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Callable, Iterable, NamedTuple

from histories.bulk import OPS_MAX, parse_bulk
from histories.elle import dump_elle, parse_elle
from histories.errors import UsageError
from histories.history import History
from histories.jepsen import dump_edn, dump_kv, dump_log, parse_edn, parse_log
from histories.jsonl import FILE_BYTES_MAX, decode_text, dump_op, opened
from histories.op import Op

SNIFFED_BYTES = 4096
READERS: dict[str, Callable[[str, str], History]] = {
    "json": parse_elle, "edn": parse_edn, "kv": parse_edn, "log": parse_log,
}
FORMATS = ("jsonl", *READERS)


class Limits(NamedTuple):
    """How large a history may be; values have `value.NESTING_MAX`."""

    bytes_max: int = FILE_BYTES_MAX
    ops_max: int = OPS_MAX


def read_history(
    path: Path | str, format: str | None = None, *, limits: Limits = Limits()
) -> History:
    """The history in a file; ``format`` is one of FORMATS, recognised when None.

    UsageError, with the line, for whatever is wrong with the file.  Whether its ops fit together
    is looked at when they are paired: by `History.calls`, or by whoever judges them.
    """
    source = str(path)
    if format is not None and format not in FORMATS:
        raise UsageError(f"no format {format!r}; there are {', '.join(sorted(FORMATS))}")
    with opened(Path(path), bytes_max=limits.bytes_max) as opened_file:
        file: BinaryIO = opened_file if opened_file.seekable() else BytesIO(opened_file.read())
        chosen = format or recognise(_beginning(file.read(SNIFFED_BYTES), source), source)
        file.seek(0)
        if chosen == "jsonl":
            return parse_bulk(file, source, ops_max=limits.ops_max)
        data = file.read()
    history = READERS[chosen](decode_text(data, source), source)
    if len(history) > limits.ops_max:
        raise UsageError(f"{source}: {len(history)} ops, more than the limit of {limits.ops_max}")
    return history


def _beginning(data: bytes, source: str) -> str:
    """The beginning of the text, without a character that is cut in two."""
    try:
        return getincrementaldecoder("utf-8-sig")().decode(data[:SNIFFED_BYTES])
    except UnicodeDecodeError:
        return decode_text(data, source)


def recognise(text: str, source: str) -> str:
    """The name of the format, from how the text begins; an empty text counts as JSON lines.

    UsageError for a text that begins like none of them.
    """
    start = text.lstrip()
    if not start or re.match(r'\{\s*"', start):
        return "jsonl"
    if re.match(r'\[\s*\{\s*"', start):
        return "json"
    if re.match(r"[\[({;#]", start):
        return "edn"
    if re.match(r"(?:[0-9].*)?(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b", start):
        return "log"
    raise UsageError(
        f"{source}:1: expected a history (JSON lines, a JSON array, Jepsen's EDN or a Jepsen log), "
        f"found {start[:40]!r}"
    )


def _dump_jsonl(ops: Iterable[Op]) -> str:
    return "".join(dump_op(op) + "\n" for op in ops)


WRITERS: dict[str, Callable[[Iterable[Op]], str]] = {
    "jsonl": _dump_jsonl, "json": dump_elle, "edn": dump_edn, "kv": dump_kv, "log": dump_log,
}
