"""The kill matrix: does each deliberate bug get convicted, by whom, and how soon?

A checker that has never convicted anybody is untested.  So every rule that can be switched off is,
under the workload and the faults where that should show, seed after seed, until a checker that
should notice has; and the unbroken pair must pass the very same seeds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, Iterable, NamedTuple, Sequence

from harness.failure import black_box, find
from harness.test import Test
from histories.value import quantity
from vmft.bugs import BUGS, Bug


class Hunted(NamedTuple):
    """A bug to be looked for: `test` has it, and the seeds from the test's own on are tried.

    `thorough` goes on until every checker named in the bug's row has convicted, not only one.
    """

    name: str
    test: Test
    seeds: int
    thorough: bool = True


@dataclass
class Row:
    """What became of one bug: each checker's first seed, and the operations until then."""

    name: str
    test: Test
    runs: int = 0
    killed: int | None = None                   # the first seed at which a named checker convicted
    operations: int | None = None
    convicted: dict[str, int] = field(default_factory=dict)

    @property
    def bug(self) -> Bug:
        """The row in the table of bugs."""
        return BUGS[self.name]

    @property
    def silent(self) -> list[str]:
        """Checkers that should have convicted, and did not."""
        return [each for each in self.bug.convicted_by if each not in self.convicted]

    @property
    def witness(self) -> str:
        """Whether a client could have known."""
        if not self.convicted:
            return "nobody"
        return "black box" if black_box(self.convicted) else "white box only"

    @property
    def command(self) -> str:
        """The run that convicts, or the first one."""
        first = self.test.seed if self.killed is None else self.killed
        return replace(self.test, seed=first).command()

    def to_json(self) -> dict[str, Any]:
        """The row as JSON-able data."""
        return {"bug": self.name, "row": self.bug.row, "meaning": self.bug.meaning,
                "workload": self.test.workload, "nemesis": list(self.test.nemesis),
                "killed": self.killed is not None, "first_seed": self.killed,
                "operations": self.operations, "convicted": self.convicted,
                "silent": self.silent, "witness": self.witness, "runs": self.runs,
                "command": self.command}


def hunted(names: Iterable[str], base: Test, seeds: int, *, thorough: bool = True) -> list[Hunted]:
    """The questions: each bug under the workload, the faults and the disks of its row."""
    return [Hunted(name, replace(base, workload=bug.workload, nemesis=bug.nemesis, disk=bug.disk,
                                 disk_reads=bug.disk_reads, bugs=(name,)), seeds, thorough)
            for name, bug in ((name, BUGS[name]) for name in names)]


def row(question: Hunted) -> Row:
    """Look for one bug."""
    found = Row(question.name, question.test)
    for seed in range(question.test.seed, question.test.seed + question.seeds):
        finding = find(replace(question.test, seed=seed))
        found.runs += 1
        for checker in finding.convicted_by:
            found.convicted.setdefault(checker, seed)
        if found.killed is None and set(found.bug.convicted_by).intersection(finding.convicted_by):
            found.killed, found.operations = seed, finding.operations
        if found.killed is not None and not (question.thorough and found.silent):
            break
    return found


def unbroken(rows: Iterable[Row]) -> list[Test]:
    """The tests of all rows without their bugs, each once."""
    tests = {replace(row.test, bugs=(), seed=row.test.seed + number): None
             for row in rows for number in range(row.runs)}
    return list(tests)


def columns(rows: Sequence[Row]) -> list[str]:
    """Every checker that convicted, or should have."""
    return sorted({name for row in rows for name in (*row.convicted, *row.bug.convicted_by)})


def html(rows: Sequence[Row], summary: str) -> str:
    """The matrix as one self-contained page."""
    names = columns(rows)
    head = "".join(f"<th>{escape(name)}</th>" for name in
                   ("bug", "what is broken", "workload", "nemesis", "first seed", "operations",
                    "witness", *names))
    body = "\n".join(_html_row(row, names) for row in rows)
    return (f"<!doctype html>\n<html lang=en><meta charset=utf-8><title>Kill matrix</title>\n"
            f"<style>{STYLE}</style>\n<h1>Kill matrix</h1>\n<p>{escape(summary)}</p>\n"
            f"<p>A number is the first seed at which that checker convicted; a dash marks a "
            f"checker that should have and did not.</p>\n"
            f"<table><tr>{head}</tr>\n{body}\n</table>\n</html>\n")


STYLE = """body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; color-scheme: light dark }
table { border-collapse: collapse } th, td { padding: .2em .6em; text-align: left;
border-bottom: 1px solid #8884 } th { position: sticky; top: 0; background: Canvas }
.named { font-weight: bold } .alive { background: #c003 }"""


def _html_row(row: Row, names: Sequence[str]) -> str:
    cells = [row.name, row.bug.meaning, row.test.workload, ", ".join(row.test.nemesis) or "none",
             "survived" if row.killed is None else row.killed,
             "" if row.operations is None else row.operations, row.witness]
    convicted = "".join(f"<td{' class=named' * (name in row.bug.convicted_by)}>{_cell(row, name)}"
                        "</td>" for name in names)
    return (f"<tr{' class=alive' * (row.killed is None)}>"
            + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + convicted + "</tr>")


def _cell(row: Row, name: str) -> str:
    seed = row.convicted.get(name)
    return str(seed) if seed is not None else "-" * (name in row.silent)


def table(rows: Sequence[Row]) -> list[str]:
    """The matrix as text: one line a bug; a checker that was named and silent is in brackets."""
    lines = []
    width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        who = [f"{name} ({seed})" for name, seed in row.convicted.items()]
        who += [f"[{name}]" for name in row.silent]
        first = f"SURVIVED {quantity(row.runs, 'seed')}" if row.killed is None else \
            f"seed {row.killed}, {quantity(row.operations or 0, 'operation')}"
        lines.append(f"{row.name:<{width}}  {first:<26}  {row.witness:<14}  {', '.join(who)}")
    return lines
