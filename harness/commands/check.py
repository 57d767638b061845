"""Judge history files from anywhere: JSON lines, Jepsen EDN, etcd logs, Porcupine KV logs."""

from __future__ import annotations

import argparse
import glob
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Iterator, NamedTuple

from checker import Budget, Verdict, models
from checker.check import merge
from checker.explain import explain
from checker.levels import LEVELS, weaker
from checker.report.page import Facts
from checker.verdict import EXIT_CODES, to_json, word
from harness.page import write_page
from harness.run import Recorded
from histories import History, Trace, UsageError
from histories.jsonl import FILE_BYTES_MAX
from histories.read import Limits, read_history

TIMEOUT_S = 60
MEMORY_MB = 1000
REMEMBERED_PER_MB = 1000            # configurations, each with a state never met before
STEPS_MAX = 10**12                  # time and memory end a search here


class Task(NamedTuple):
    """One file to judge, and how; what a worker process is given."""

    path: str
    model: str
    format: str | None
    timeout_s: int
    memory_mb: int
    bytes_max: int
    consistency: str


class Judged(NamedTuple):
    """What became of one file: its verdict and its explanation."""

    path: str
    verdict: Verdict
    explanation: list[str]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which files, and what they should mean."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="files, or patterns with * and **")
    parser.add_argument("--model", required=True, help="what the calls should mean; see list")
    parser.add_argument("--format", help="the files' format, where it is not recognised")
    parser.add_argument("--consistency", choices=list(LEVELS), default="linearizable",
                        help="what the order of the calls must keep (default %(default)s)")
    parser.add_argument("--timeout", type=int, default=TIMEOUT_S, metavar="SECONDS",
                        help="a file that takes longer is unknown (default %(default)s s)")
    parser.add_argument("--memory", type=int, default=MEMORY_MB, metavar="MB",
                        help="a search that takes more is unknown (default %(default)s MB)")
    parser.add_argument("--size-limit", type=int, default=FILE_BYTES_MAX, metavar="BYTES",
                        help="refuse larger files (default %(default)s bytes)")
    parser.add_argument("--jobs", type=int, default=2, help="files judged at once (default 2)")
    parser.add_argument("--json", action="store_true", help="print verdicts as one JSON object")
    parser.add_argument("--html", type=Path, metavar="PAGE",
                        help="write a page about the one file that is judged")


def execute(arguments: argparse.Namespace) -> int:
    """Judge each file; invalid outranks unknown outranks valid."""
    model = models.by_name(arguments.model).name
    tasks = [Task(path, model, arguments.format, arguments.timeout, arguments.memory,
                  arguments.size_limit, arguments.consistency) for path in expand(arguments.files)]
    if arguments.html is not None and len(tasks) != 1:
        raise UsageError(f"--html is for one file, not for {len(tasks)}")
    judged = list(_progress(_judge_all(tasks, arguments.jobs), len(tasks)))
    verdict = merge({each.path: each.verdict for each in judged})
    if arguments.json:
        files = {each.path: to_json(each.verdict) for each in judged}
        whole = "unknown" if verdict.valid is None else verdict.valid
        print(json.dumps({"valid": whole, "files": files}, indent=1))
    else:
        print("\n".join(report(judged)))
    if arguments.html is not None:
        line = _page(tasks[0], judged[0], arguments.html)
        print(line if arguments.json else f"\n{line}",
              file=sys.stderr if arguments.json else sys.stdout)
    return EXIT_CODES[verdict.valid]


def expand(patterns: list[str]) -> list[str]:
    """The files that are meant, each once, in the order given; a pattern must match some."""
    found: dict[str, None] = {}
    for pattern in patterns:
        magic = glob.has_magic(pattern) and not Path(pattern).exists()
        paths = sorted(glob.glob(pattern, recursive=True)) if magic else [pattern]
        if not paths:
            raise UsageError(f"{pattern}: no file has such a name")
        found.update(dict.fromkeys(paths))
    return list(found)


def _judge_all(tasks: list[Task], jobs: int) -> Iterator[Judged]:
    if len(tasks) == 1 or jobs <= 1:
        yield from map(judge, tasks)
        return
    with ProcessPoolExecutor(min(jobs, len(tasks))) as pool:
        yield from pool.map(judge, tasks)


def judge(task: Task) -> Judged:
    """Judge one file."""
    history = _read(task)
    deadline_s = time.monotonic() + task.timeout_s
    budget = Budget(steps_max=STEPS_MAX, memory_max=task.memory_mb * REMEMBERED_PER_MB,
                    expired=lambda: time.monotonic() > deadline_s)
    model = models.by_name(task.model)
    try:
        level = LEVELS[task.consistency](history, model, budget=budget)
        verdict = merge({task.consistency: level})
        lines = weaker(history, model, budget) if task.consistency == "linearizable" \
            and verdict.valid is False else []
    except UsageError as problem:
        raise UsageError(f"{task.path}: {problem}") from None
    return Judged(task.path, verdict, [*explain(_record(task, history), verdict), *lines])


def _read(task: Task) -> History:
    return read_history(task.path, task.format, limits=Limits(task.bytes_max))


def _record(task: Task, history: History) -> Recorded:
    """What is judged: a history alone."""
    return Recorded({"name": f"{task.path}, model {task.model}"}, history, Trace())


def _page(task: Task, judged: Judged, path: Path) -> str:
    """Write the page about a file; the line that says so."""
    record = _record(task, _read(task))
    return write_page(path, record, judged.verdict, judged.explanation, Facts())


def _progress(judged: Iterator[Judged], total: int) -> Iterator[Judged]:
    """Pass on what comes, with a count on a terminal."""
    shown = total > 1 and sys.stderr.isatty()
    for number, each in enumerate(judged, 1):
        if shown:
            end = "\n" if number == total else ""
            print(f"\r{number} of {total} files judged", end=end, file=sys.stderr, flush=True)
        yield each


def report(judged: list[Judged]) -> list[str]:
    """What is not valid, explained; then a line per file, where there are several."""
    lines: list[str] = []
    for each in judged:
        if len(judged) == 1 or each.verdict.valid is not True:
            lines += [*each.explanation, ""]
    if len(judged) == 1:
        return lines[:-1]
    width = max(len(each.path) for each in judged)
    for each in judged:
        (evidence,) = (part.evidence for part in each.verdict.parts.values())
        size = f"{evidence['calls']} calls, {evidence['method']}" if "calls" in evidence else ""
        lines.append(f"{each.path:<{width}}  {word(each.verdict.valid):<7}  {size}".rstrip())
    counts = [sum(each.verdict.valid is valid for each in judged) for valid in (True, False, None)]
    return [*lines, "{} valid, {} invalid, {} unknown".format(*counts)]
