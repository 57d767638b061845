"""The examples for CI services: YAML, and every command in them is one that there is."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml

from harness.cli import parser
from harness.suite import read

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples/ci").glob("*.yml"))


def commands(data: Any) -> Iterator[str]:
    """The shell lines of a workflow, wherever they are."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key in ("run", "script"):
                yield from [value] if isinstance(value, str) else value
            else:
                yield from commands(value)
    elif isinstance(data, list):
        for value in data:
            yield from commands(value)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_command_is_one_that_there_is(path: Path) -> None:
    """With options that it has, on a suite that can be read, and extras that are offered."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = list(commands(yaml.safe_load(path.read_text(encoding="utf-8"))))
    checks = [shlex.split(line) for line in lines if " checker " in line]
    assert checks and len(lines) == len(checks) + 1
    for words in checks:
        assert words[:3] == ["python", "-m", "checker"]
        arguments = parser().parse_args(words[3:])
        assert read(ROOT / arguments.file, arguments.store)
        uploaded = path.read_text(encoding="utf-8")
        for written in (arguments.junit, arguments.store):
            assert re.search(rf"^ +{written}$|\[.*\b{written}\b.*\]", uploaded, re.MULTILINE)
    assert any("--editable" in line for line in lines), "else the source hides what was compiled"
    for extra in re.findall(r"\[(\w+)\]'", " ".join(lines)):
        assert extra in setup["options.extras_require"]


def test_there_is_one_for_each_service() -> None:
    """GitHub is told of annotations; GitLab reads JUnit."""
    data = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in EXAMPLES}
    assert list(data) == ["github", "gitlab-ci"]
    assert any("--github" in line for line in commands(data["github"]))
    assert data["gitlab-ci"]["double-eleven"]["artifacts"]["reports"]["junit"] == "junit.xml"
