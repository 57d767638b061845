"""Explain a stored run, or a history file: as a paragraph, by operation, as a table or diagram."""

from __future__ import annotations

import argparse
import pydoc
import shutil
import sys
from pathlib import Path
from typing import Sequence

from checker import models
from checker.around import select, table
from checker.check import Record
from checker.diagram import diagram, failing, of_calls
from checker.operation import operation
from checker.report.page import Facts
from checker.scene import Scene, call_of, scene
from checker.verdict import Verdict, from_json, to_json
from harness.case import of_file, of_record
from harness.commands.check import MEMORY_MB, TIMEOUT_S
from harness.commands.run import add_store
from harness.judge import Task, judge, record
from harness.page import facts_of, write_run_page
from harness.publish import add_outlets, publish
from harness.registers import lines as register_lines
from harness.run import checks_of, conclude
from harness.show import facts, summary
from harness.test import from_json as test_from_json
from histories import UsageError
from histories.read import FORMATS, Limits, read_history
from histories.store import Run, resolve

NOT_ENDED = "the run did not end, and nobody knows what the rest of it would have shown"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which run, and which part of it."""
    parser.add_argument("run", nargs="?", metavar="RUN|FILE",
                        help="its folder, or its name in the store (default: the latest); "
                             "or a history file from anywhere")
    add_store(parser)
    parser.add_argument("--op", type=int, metavar="N",
                        help="one operation, with everything that is linked to it")
    parser.add_argument("--registers", action="store_true",
                        help="with --op: run it again, and show both machines' registers there")
    parser.add_argument("--around", type=int, metavar="N", help="the operations around this one")
    parser.add_argument("--process", type=int, metavar="P", help="the operations of one process")
    parser.add_argument("--key", metavar="K", help="the operations on one key")
    parser.add_argument("--lanes", action="store_true",
                        help="who did what when, side by side: of those operations, "
                             "or of the failure")
    parser.add_argument("--model", help="what a file's calls should mean, as for check")
    parser.add_argument("--format", help="a file's format, where it is not recognised: "
                        + ", ".join(FORMATS))
    add_outlets(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Judge what is stored again, and explain it; a run cut off is judged as far as it got.

    It can be convicted by that, and not acquitted.
    """
    if arguments.registers and arguments.op is None:
        raise UsageError("--registers wants --op: the operation at which to look")
    if _is_history(arguments.run):
        return _inspect_file(arguments)
    stored = resolve(arguments.store, arguments.run)
    for option in ("model", "format"):
        if getattr(arguments, option) is not None:
            raise UsageError(f"--{option} is for a history file, not for a stored run")
    test = test_from_json(stored.test)
    checks = checks_of(test)
    if stored.results is None:
        checks["ended"] = lambda record: Verdict(valid=None, why=NOT_ENDED)
    verdict, explanation = conclude(stored, checks)
    if _chosen(arguments):
        known = facts_of(stored, verdict, stored.path)
        lines = _view(arguments, _scene(stored, verdict, explanation, known))
        if arguments.registers:
            lines += ["", *register_lines(stored, call_of(stored, arguments.op).start)]
    else:
        lines = _paragraph(stored, verdict, explanation)
    return publish(arguments, [of_record(test, stored.path, verdict, explanation)], text=lines,
                   data={**facts(stored, verdict), "shown": lines}, show=show)


def _is_history(name: str | None) -> bool:
    """Whether this names a file, and no run; a name that cannot be one is no file."""
    try:
        return name is not None and Path(name).is_file()
    except OSError:
        return False


def _chosen(arguments: argparse.Namespace) -> bool:
    """Whether a part of it is asked for."""
    return arguments.lanes or any(value is not None for value in (
        arguments.op, arguments.around, arguments.process, arguments.key))


def _paragraph(stored: Run, verdict: Verdict, explanation: Sequence[str]) -> list[str]:
    """The run in a few lines, where its page is, and why it is what it is."""
    lines = []
    if stored.results is None:
        lines = [f"{stored.path}: this run did not end; judged as far as it got", ""]
    elif from_json(stored.results).valid is not verdict.valid:
        lines = [f"{stored.path}: results.json says otherwise; it was judged by other rules", ""]
    page = write_run_page(stored.path, stored, verdict, explanation)
    return [*lines, *summary(stored, verdict), "", page, "", *explanation]


def _inspect_file(arguments: argparse.Namespace) -> int:
    """The same for a history without a trace, judged as `check` does."""
    model = None if arguments.model is None else models.by_name(arguments.model).name
    if arguments.registers:
        raise UsageError("--registers is for a stored run: no machine stands behind a history file")
    task = Task(arguments.run, model, arguments.format, TIMEOUT_S, MEMORY_MB, Limits(),
                "linearizable")
    judged = judge(task)
    history = read_history(task.path, task.format, limits=task.limits)
    recorded = record(task.path, judged.model, history)
    seen = _scene(recorded, judged.verdict, judged.explanation, Facts())
    lines = _view(arguments, seen) if _chosen(arguments) else judged.explanation
    return publish(arguments, [of_file(judged)], text=lines, show=show, data={
        "model": judged.model, "results": to_json(judged.verdict), "shown": lines})


def _scene(
    recorded: Record, verdict: Verdict, explanation: Sequence[str], facts: Facts
) -> Scene:
    return scene(recorded, verdict, explanation, families=facts.families, symbols=facts.symbols)


def _view(arguments: argparse.Namespace, seen: Scene) -> list[str]:
    """What was asked for, one part after the other."""
    lines: list[str] = []
    if arguments.op is not None:
        lines += [*operation(seen, arguments.op), ""]
    narrowed = any(value is not None for value in (
        arguments.around, arguments.process, arguments.key))
    if narrowed or arguments.lanes:
        calls = select(seen, around=arguments.around, process=arguments.process,
                       key=arguments.key)
        if arguments.lanes:
            span = of_calls(seen, calls) if narrowed else failing(seen)
            lines += [*diagram(seen, calls, span), ""]
        else:
            lines += [*table(seen, calls), ""]
    return lines[:-1]


def show(lines: Sequence[str]) -> None:
    """Print; page by page where a terminal has too few lines."""
    text = "\n".join(lines)
    if sys.stdin.isatty() and sys.stdout.isatty() \
            and len(lines) >= shutil.get_terminal_size().lines:
        pydoc.pager(text)
    else:
        print(text)
