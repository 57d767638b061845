"""The reference says what the code says."""

from __future__ import annotations

from harness.commands import COMMANDS
from harness.reference import PAGE, page, table
from harness.run import CHECKS
from nemesis import NEMESES
from vmft.bugs import BUGS
from vmft.ports import PORTS
from workloads import WORKLOADS


def test_the_page_is_what_the_code_makes() -> None:
    """Else run `python -m harness.reference`."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_everything_that_has_a_name_is_in_it() -> None:
    """And nothing without a word about it."""
    text = page()
    for names in (COMMANDS, WORKLOADS, NEMESES, BUGS, CHECKS, PORTS):
        for name in names:
            assert name in text
    assert "|  |\n" not in text


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    """It would move all that follows by a column."""
    assert table(("a",), [("x|y",)]).splitlines()[-1] == "| x\\|y |"
