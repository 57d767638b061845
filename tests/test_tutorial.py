"""What the documents say: the tutorial's commands print what it quotes, no check goes unexplained.

In the tutorial's `console` blocks a line ends in `...` where more was printed, and a line of that
alone stands for any number.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli import main
from harness.run import CHECKS
from workloads import WORKLOADS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PROMPT = "$ python -m checker "
HERE = {"shrink": ["--jobs", "1"], "hunt": ["--jobs", "1"]}     # what is found is the same


def blocks(text: str, language: str) -> Iterator[list[str]]:
    """The lines of each block of code in a language."""
    for block in re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield block.splitlines()


def first_missing(quoted: list[str], printed: list[str]) -> str | None:
    """The first quoted line that was not printed, in this order."""
    rest = iter(printed)
    for line in quoted:
        start, dots, _ = line.partition("...")
        if start and not any(said.startswith(start) if dots else said == start for said in rest):
            return line
    return None


def test_a_line_that_was_not_printed_is_missed() -> None:
    """By its words, by its end and by its place."""
    printed = ["one", "two more", "three"]
    assert first_missing(["one", "...", "two ...", "three"], printed) is None
    assert first_missing(["two"], printed) == "two"
    assert first_missing(["three", "one"], printed) == "one"


def test_the_tutorial_shows_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command, one after the other, in one store: invalid until it is fixed, then valid.

    A `diff` ends in 1 for a reason of its own.
    """
    monkeypatch.chdir(tmp_path)
    examples = list(blocks((DOCS / "tutorial.md").read_text(encoding="utf-8"), "console"))
    assert len(examples) >= 8
    codes = []
    for command, *quoted in examples:
        assert command.startswith(PROMPT)
        words = shlex.split(command[len(PROMPT):])
        code = main([*words, *HERE.get(words[0], [])])
        codes += [code] if words[0] != "diff" else []
        printed, complaint = capsys.readouterr()
        missing = first_missing(quoted, printed.splitlines())
        assert missing is None, f"{command}\ndoes not print\n{missing}\nbut\n{printed}{complaint}"
    assert codes == sorted(codes, reverse=True) and set(codes) == {0, 1}


def test_the_tutorial_quotes_the_source() -> None:
    """The rule is where it says, as it says."""
    source = (ROOT / "vmft" / "primary.py").read_text(encoding="utf-8")
    quotes = list(blocks((DOCS / "tutorial.md").read_text(encoding="utf-8"), "python"))
    assert quotes and all("\n".join(lines) in source for lines in quotes)


def test_every_check_has_its_explanation() -> None:
    """A check without a row would leave its reader alone."""
    text = (DOCS / "how-to-read-a-failure.md").read_text(encoding="utf-8")
    names = {*CHECKS, *(name for each in WORKLOADS.values() for name in each.checks)}
    assert [name for name in sorted(names) if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize("document", ["README.md", "docs/tutorial.md",
                                      "docs/how-to-read-a-failure.md"])
def test_links_lead_somewhere(document: str) -> None:
    """To files that are there."""
    path = ROOT / document
    targets = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
    assert targets and [each for each in targets if not (path.parent / each).exists()] == []
