"""Read a history from a file of any format that we know."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Callable

from histories.errors import UsageError
from histories.history import History
from histories.jepsen import parse_edn, parse_log
from histories.jsonl import FILE_BYTES_MAX, decode_text, load_bytes, parse_history

SNIFFED_CHARACTERS = 4096
FORMATS: dict[str, Callable[[str, str], History]] = {
    "jsonl": parse_history, "edn": parse_edn, "log": parse_log,
}


def read_history(
    path: Path | str, format: str | None = None, *, bytes_max: int = FILE_BYTES_MAX
) -> History:
    """The history in a file, checked; ``format`` is a key of FORMATS, recognised when None.

    UsageError, with the line, for whatever is wrong with the file.
    """
    source = str(path)
    text = decode_text(load_bytes(Path(path), bytes_max=bytes_max), source)
    chosen = format or recognise(text, source)
    if chosen not in FORMATS:
        raise UsageError(f"no format {chosen!r}; there are {', '.join(sorted(FORMATS))}")
    history = FORMATS[chosen](text, source)
    history.calls()
    return history


def recognise(text: str, source: str) -> str:
    """The name of the format, from how the text begins; an empty text counts as JSON lines."""
    start = text[:SNIFFED_CHARACTERS].lstrip()
    if not start or re.match(r'\{\s*"', start):
        return "jsonl"
    if re.match(r"[\[({;#]", start):
        return "edn"
    if re.match(r"(?:[0-9].*)?(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b", start):
        return "log"
    raise UsageError(
        f"{source}:1: expected a history (JSON lines, Jepsen's EDN or a Jepsen log), "
        f"found {start[:40]!r}"
    )
