"""The HTML page of a run: what the checker cannot know of it, and where it goes.

A page that cannot be made changes nothing else: the reason is one line.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Sequence

from checker.check import Record
from checker.report.marks import focus, marks
from checker.report.page import Facts, render
from checker.report.registers import closest, diverged, places
from checker.verdict import Verdict
from harness.coverage import MARKS, reached
from harness.registers import registers_of
from histories.store import PAGE
from nemesis import NEMESES
from vmft.guests.build import load
from workloads import WORKLOADS


def write_page(
    path: Path, record: Record, verdict: Verdict, explanation: Sequence[str], facts: Facts
) -> str:
    """Write a page; the line that names it, or that says why there is none."""
    try:
        path.write_text(render(record, verdict, explanation, facts), encoding="utf-8",
                        newline="\n")
    except Exception as error:      # a picture that fails must never change a verdict
        return f"no page: {type(error).__name__}: {error}"
    return f"page: {path}"


def write_run_page(
    folder: Path, record: Record, verdict: Verdict, explanation: Sequence[str]
) -> str:
    """Write the page of a stored run into its folder; the line that names it."""
    try:
        facts = facts_of(record, verdict, folder)
        if verdict.valid is False:
            facts = _with_registers(facts, record, verdict, explanation)
    except Exception as error:      # the same
        return f"no page: {type(error).__name__}: {error}"
    return write_page(folder / PAGE, record, verdict, explanation, facts)


def facts_of(record: Record, verdict: Verdict, folder: Path) -> Facts:
    """The guest's symbols, the fault families, the situations reached, and the commands."""
    test, name = record.test, f"{folder.parent.name}/{folder.name}"
    found = reached(record)
    return Facts(
        symbols=_symbols(test), families=_families(test),
        situations=[(name, meaning, name in found) for name, meaning in MARKS.items()],
        commands=_commands(test, verdict, name), step=f"python -m checker step {name} --at")


def _with_registers(
    facts: Facts, record: Record, verdict: Verdict, explanation: Sequence[str]
) -> Facts:
    """What the machines' registers were at the operations that matter."""
    marked = marks(record, verdict, explanation)
    ops = closest(record, focus(record, marked, verdict, explanation), marked)
    found = registers_of(record, [*places(record, ops), *diverged(record)])
    return replace(facts, registers=found.registers, registers_note=found.why_not)


def _families(test: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """The faults of each family, first of those that were asked for."""
    asked = [name for name in test.get("nemesis", []) if name in NEMESES]
    return {name: tuple(NEMESES[name].faults) for name in dict.fromkeys([*asked, *NEMESES])}


def _symbols(test: dict[str, Any]) -> dict[str, int]:
    workload = WORKLOADS.get(str(test.get("workload")))
    return {} if workload is None else load(workload.guest).symbols


def _commands(test: dict[str, Any], verdict: Verdict, name: str) -> list[tuple[str, str]]:
    """What to do next with a run of this name in its store."""
    again = [("run it again", str(test["command"]))] if test.get("command") else []
    smaller = [("shrink it", f"python -m checker shrink {name}")]
    return [*again, *(smaller if verdict.valid is False else []),
            ("see it in a terminal", f"python -m checker inspect {name}")]
