"""The judge as a library: its examples as written, and nothing of the rest of the project."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = [(page, example) for page in ("README.md", "docs/judge.md") for example in re.findall(
    r"^```python\n(?!import pytest)(.*?)^```", (ROOT / page).read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL)]
REST = ("harness", "vmft", "workloads", "nemesis", "unicorn", "tqdm", "networkx", "matplotlib",
        "hypothesis", "pytest", "_pytest", "distributed")


@pytest.mark.parametrize("page, example", EXAMPLES)
def test_an_example_needs_nothing_else(page: str, example: str, tmp_path: Path) -> None:
    """In a process of its own, from another folder."""
    names = ", ".join(map(repr, REST))
    code = f"{example}\nimport sys\nprint([name for name in ({names}) if name in sys.modules])\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, timeout=60, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "[]\n")


def test_there_are_examples_of_the_judge_and_of_the_one_that_is_fed() -> None:
    pages = [page for page, example in EXAMPLES if "linearizable, models" in example]
    assert set(pages) == {"README.md", "docs/judge.md"}
    assert any("Online(" in example for _page, example in EXAMPLES)


def test_types_are_shipped(tmp_path: Path) -> None:
    """Every package that is installed says that it has types."""
    subprocess.run([sys.executable, "setup.py", "-q", "build_py", "--build-lib", tmp_path],
                   cwd=ROOT, timeout=120, check=True, capture_output=True)
    packages = {path.parent for path in tmp_path.glob("*/__init__.py")}
    assert {"checker", "histories"} < {path.name for path in packages}
    assert all((path / "py.typed").is_file() for path in packages)
