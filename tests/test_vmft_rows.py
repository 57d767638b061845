"""docs/vmft.md and the tests: every row has a test whose docstring starts with its number."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NamedTuple

from vmft.bugs import BUGS

ROOT = Path(__file__).parent.parent
ROWS = [f"{part}{number}" for part, last in (("A", 11), ("B", 9), ("C", 8), ("D", 7), ("E", 11),
                                             ("F", 6)) for number in range(1, last + 1)]
NUMBERS = re.compile(r"([A-F]\d+(?:, [A-F]\d+)*): ")


class Row(NamedTuple):
    """A line of the table."""

    number: str
    modules: list[str]
    tests: list[str]
    text: str


def table() -> list[Row]:
    """The rows of docs/vmft.md."""
    rows = []
    for line in (ROOT / "docs/vmft.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"[A-F]\d+", cells[0]):
            number, _, modules, tests = cells
            rows.append(Row(number, re.findall(r"`(.+?)`", modules),
                            re.findall(r"`(test_.+?)`", tests), tests))
    return rows


def numbered() -> dict[str, list[str]]:
    """The rows that each test's docstring starts with, by the test's name."""
    found = {}
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                numbers = NUMBERS.match(ast.get_docstring(node) or "")
                if numbers is not None:
                    found[node.name] = numbers[1].split(", ")
    return found


def test_the_table_has_every_row_once() -> None:
    """In order."""
    assert [row.number for row in table()] == ROWS


def test_every_row_has_its_tests_and_modules_or_says_why_not() -> None:
    """A test that the table names exists and names the row; a row without one gives a reason."""
    known = numbered()
    for row in table():
        assert row.tests or row.text.startswith("left out"), row.number
        for name in row.tests:
            assert row.number in known.get(name, []), f"{row.number} is not what {name} starts with"
        for module in row.modules:
            assert (ROOT / module).is_file(), f"{row.number}: no {module}"


def test_no_test_names_a_row_that_the_table_has_not() -> None:
    """What has been left out is said to be left out."""
    rows = {row.number for row in table() if row.tests}
    for name, numbers in numbered().items():
        assert set(numbers) <= rows, name


def test_every_bug_is_in_the_table_with_those_who_convict_it() -> None:
    """With its mutant's number, in order."""
    found = []
    for line in (ROOT / "docs/vmft.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0].strip("`") in BUGS:
            found.append((cells[0].strip("`"), cells[1], tuple(re.findall(r"`(.+?)`", cells[3]))))
    assert found == [(name, bug.row, bug.convicted_by) for name, bug in BUGS.items()]
