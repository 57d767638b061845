"""Cases for GitHub Actions: annotations as workflow commands, and a summary in Markdown.

What else is printed stands between two commands that switch commands off, with a word that nobody
can know beforehand: a value in a history may look like a command.  GitHub shows ten annotations
of each level for a step and takes a mebibyte of summary; what is beyond is counted.
"""

from __future__ import annotations

import html
import re
import secrets
from pathlib import Path
from typing import Sequence

from harness.case import Case

LEVELS = {"invalid": "error", "crashed": "error", "refused": "error", "unknown": "warning"}
ANNOTATIONS_MAX = 10        # of each level
SUMMARY_BYTES_MAX = 1 << 20
ROWS_MAX = 500
OUTCOMES = {"invalid": "❌ invalid", "crashed": "💥 crashed", "refused": "🚫 refused",
            "unknown": "❔ unknown", "valid": "✅ valid", "vacuous": "➖ vacuous"}


def quoted(lines: Sequence[str]) -> list[str]:
    """Lines of which GitHub takes none for a command."""
    word = secrets.token_hex(16)
    return [f"::stop-commands::{word}", *lines, f"::{word}::"]


def workflow_commands(cases: Sequence[Case]) -> list[str]:
    """A line for each case that is neither valid nor vacuous, as far as GitHub shows them."""
    lines = []
    for level in ("error", "warning"):
        told = [case for case in cases if LEVELS.get(case.outcome) == level]
        shown = told if len(told) <= ANNOTATIONS_MAX else told[:ANNOTATIONS_MAX - 1]
        lines += [_annotation(level, case) for case in shown]
        if len(told) > len(shown):
            lines.append(f"::{level} title=Double Eleven::{len(told) - len(shown)} more like these "
                         "are in the summary")
    return lines


def _annotation(level: str, case: Case) -> str:
    place = {"file": case.file.replace("\\", "/")} if case.file else {}
    properties = {**place, "title": case.title}
    named = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {named}::{_data(case.text or case.why)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def append_summary(path: Path, command: str, cases: Sequence[Case]) -> None:
    """Add this command's part to a step's summary, which other commands may have begun."""
    written = path.stat().st_size if path.exists() else 0
    with path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.write(markdown(command, cases, SUMMARY_BYTES_MAX - written))


def markdown(command: str, cases: Sequence[Case], bytes_max: int = SUMMARY_BYTES_MAX) -> str:
    """A table of the cases, and the explanation of each that is neither valid nor vacuous."""
    bad = [case for case in cases if case.outcome in LEVELS]
    good = [case for case in cases if case.outcome not in LEVELS]
    rows = [_row(case) for case in [*bad, *good][:ROWS_MAX]]
    if len(cases) > ROWS_MAX:
        rows.append(f"| | {len(cases) - ROWS_MAX} more cases are left out here | | |")
    parts = [f"## checker {command}", "\n".join(
        ["| verdict | test | case | wall time |", "|---|---|---|---|", *rows])]
    return _fit(parts, [_detail(case) for case in bad], bytes_max)


def _fit(parts: list[str], details: list[str], bytes_max: int) -> str:
    """As many of the details as there is room for, and how many there was none for."""
    room = bytes_max - sum(_size(part) for part in parts) - _size(_left_out(len(details)))
    for number, detail in enumerate(details):
        room -= _size(detail)
        if room < 0:
            parts.append(_left_out(len(details) - number))
            break
        parts.append(detail)
    text = "\n\n".join([*parts, ""])
    if _size(text) - 2 > bytes_max:
        raise ValueError("the summary of this step is full")
    return text


def _left_out(count: int) -> str:
    return f"{count} more explanations are left out here: a summary has a limit of size."


def _size(text: str) -> int:
    """Bytes in the file, the empty line after it included."""
    return len(text.encode("utf-8", "backslashreplace")) + 2


def _row(case: Case) -> str:
    return (f"| {OUTCOMES[case.outcome]} | {_cell(case.group)} | {_cell(case.name)} | "
            f"{case.took_s:.1f} s |")


def _cell(text: str) -> str:
    """Text that is neither HTML nor Markdown, on one line."""
    plain = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", plain)


def _detail(case: Case) -> str:
    """One explanation, in a fence that nothing in it can close."""
    longest = max(map(len, re.findall("`+", case.text)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = [f"### {_cell(case.title)}", "", fence + "text", case.text or case.why, fence]
    if case.artifacts:
        lines += ["", "Written: " + ", ".join(_cell(path) for path in case.artifacts)]
    return "\n".join(lines)
