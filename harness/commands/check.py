"""Judge history files from anywhere: JSON lines, Jepsen EDN and logs, Porcupine KV, elle-cli."""

from __future__ import annotations

import argparse
import glob
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from checker import models
from checker.levels import LEVELS
from checker.verdict import to_json
from harness.case import of_file
from harness.judge import Judged, Task, judge_all, record
from harness.progress import progress
from harness.publish import add_outlets, publish
from histories import UsageError
from histories.read import FORMATS, Limits, read_history
from histories.value import quantity

TIMEOUT_S = 60
MEMORY_MB = 4000
SUMMED = ("valid", "invalid", "unknown", "refused", "crashed")     # the first three always


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
        if each.ended == "refused":
            print(f"error: {each.verdict.why}", file=sys.stderr)
    text, data = report(judged), _as_json(judged)
    if arguments.html is not None and not judged[0].ended:
        data["page"] = _page(tasks[0], judged[0], arguments.html)
        text += ["", data["page"]]
    return publish(arguments, list(map(of_file, judged)), text=text, data=data)


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
    return {"files": {each.path: {"model": each.model, "outcome": each.outcome,
                                  **to_json(each.verdict)} for each in judged}}


def _page(task: Task, judged: Judged, path: Path) -> str:
    """Write the page about a file; the line that says so."""
    from checker.report.page import Facts           # what few ask for, and takes long to load
    from harness.page import write_page

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
        if each.ended != "refused" and (len(judged) == 1 or each.outcome != "valid"):
            lines += [*each.explanation, ""]
    if len(judged) == 1:
        return lines[:-1]
    rows = [_row(each) for each in judged]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines += ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    counts = Counter(each.outcome for each in judged)
    return [*lines, ", ".join(f"{counts[outcome]} {outcome}" for outcome in SUMMED
                              if counts[outcome] or outcome in SUMMED[:3])]


def _row(each: Judged) -> tuple[str, str, str, str]:
    """A file in the table: its name, verdict, model and size."""
    evidence = next((part.evidence for part in each.verdict.parts.values()), {})
    sizes = [quantity(evidence["parts"], "part")] if "parts" in evidence else \
        [quantity(evidence["calls"], "call"), evidence["method"]] if "calls" in evidence else []
    return each.path, each.outcome, each.model, ", ".join(sizes)
