"""Judge history files from anywhere: JSON lines, Jepsen EDN and logs, Porcupine KV, elle-cli."""

from __future__ import annotations

import argparse
import glob
import sys
from pathlib import Path
from typing import Any

from checker import models
from checker.check import merge
from checker.levels import LEVELS
from checker.report.page import Facts
from checker.verdict import to_json, word
from harness.case import Case, of_file
from harness.judge import Judged, Task, judge_all, record
from harness.page import write_page
from harness.progress import progress
from harness.publish import add_outlets, publish
from histories import UsageError
from histories.read import FORMATS, Limits, read_history

TIMEOUT_S = 60
MEMORY_MB = 4000


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which files, and what they should mean."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="files, or patterns with * and **")
    parser.add_argument("--model", help="what the calls should mean, see list; "
                        "recognised by the names of the calls where only one model fits")
    parser.add_argument("--format", help="the files' format, where it is not recognised: "
                        + ", ".join(FORMATS))
    parser.add_argument("--consistency", choices=list(LEVELS), default="linearizable",
                        help="what the order of the calls must keep (default %(default)s)")
    parser.add_argument("--timeout", type=_positive, default=TIMEOUT_S, metavar="SECONDS",
                        help="a file that takes longer is unknown (default %(default)s s)")
    parser.add_argument("--memory", type=_positive, default=MEMORY_MB, metavar="MB",
                        help="a file that takes more is unknown (default %(default)s MB)")
    parser.add_argument("--max-bytes", type=_positive, default=Limits().bytes_max, metavar="BYTES",
                        help="refuse larger files (default %(default)s bytes)")
    parser.add_argument("--max-ops", type=_positive, default=Limits().ops_max, metavar="OPS",
                        help="refuse longer histories (default %(default)s ops)")
    parser.add_argument("--jobs", type=_positive, default=2,
                        help="files judged at once (default %(default)s)")
    parser.add_argument("--html", type=Path, metavar="PAGE",
                        help="write a page about the one file that is judged")
    add_outlets(parser)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


_positive.__name__ = "number from 1"       # what argparse calls it in its message


def execute(arguments: argparse.Namespace) -> int:
    """Judge each file; invalid outranks refused outranks unknown outranks valid."""
    model = None if arguments.model is None else models.by_name(arguments.model).name
    limits = Limits(arguments.max_bytes, arguments.max_ops)
    tasks = [Task(path, model, arguments.format, arguments.timeout, arguments.memory, limits,
                  arguments.consistency) for path in expand(arguments.files)]
    if arguments.html is not None and len(tasks) != 1:
        raise UsageError(f"--html is for one file, not for {len(tasks)}")
    with progress(len(tasks), "files") as bar:
        judged = []
        for each in judge_all(tasks, arguments.jobs):
            judged.append(each)
            bar.update()
    for each in judged:
        if each.refused:
            print(f"error: {each.refused}", file=sys.stderr)
    text, data = report(judged), _as_json(judged)
    if arguments.html is not None and not judged[0].refused:
        data["page"] = _page(tasks[0], judged[0], arguments.html)
        text += ["", data["page"]]
    return publish(arguments, [_case(each) for each in judged], text=text, data=data)


def _case(judged: Judged) -> Case:
    return of_file(judged.path, judged.model, judged.verdict, "\n".join(judged.explanation),
                   judged.refused)


def expand(patterns: list[str]) -> list[str]:
    """The files that are meant, each once, in the order given; a pattern must match some."""
    found: dict[str, None] = {}
    for pattern in patterns:
        magic = glob.has_magic(pattern) and not Path(pattern).exists()
        paths = sorted(glob.glob(pattern, recursive=True)) if magic else [pattern]
        files = [path for path in paths if not (magic and Path(path).is_dir())]
        if not files:
            raise UsageError(f"{pattern}: no file has such a name")
        found.update(dict.fromkeys(files))
    return list(found)


def _as_json(judged: list[Judged]) -> dict[str, Any]:
    valid = merge({each.path: each.verdict for each in judged}).valid
    files = {}
    for each in judged:
        files[each.path] = {"model": each.model, **to_json(each.verdict),
                            "explanation": "\n".join(each.explanation)}
        if each.refused:
            files[each.path]["refused"] = each.refused
    return {"valid": "unknown" if valid is None else valid, "files": files}


def _page(task: Task, judged: Judged, path: Path) -> str:
    """Write the page about a file; the line that says so."""
    try:
        history = read_history(task.path, task.format, limits=task.limits)
    except Exception as error:      # too much for this process, say; the verdict stands
        return f"no page: {type(error).__name__}: {error}"
    recorded = record(task.path, judged.model, history)
    return write_page(path, recorded, judged.verdict, judged.explanation, Facts())


def report(judged: list[Judged]) -> list[str]:
    """What is not valid, explained; then a line per file, where there are several."""
    lines: list[str] = []
    for each in judged:
        if len(judged) == 1 or each.explanation and each.verdict.valid is not True:
            lines += [*each.explanation, ""]
    if len(judged) == 1:
        return lines[:-1]
    rows = [_row(each) for each in judged]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines += ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    counted = {"valid": 0, "invalid": 0, "unknown": 0, "refused": 0}
    for row in rows:
        counted[row[1]] += 1
    if not counted["refused"]:
        del counted["refused"]
    return [*lines, ", ".join(f"{many} {what}" for what, many in counted.items())]


def _row(each: Judged) -> tuple[str, str, str, str]:
    """A file in the table: its name, verdict, model and size."""
    if each.refused:
        return each.path, "refused", "", ""
    (evidence,) = (part.evidence for part in each.verdict.parts.values())
    size = f"{evidence['calls']} calls, {evidence['method']}" if "calls" in evidence else ""
    return each.path, word(each.verdict.valid), each.model, size
