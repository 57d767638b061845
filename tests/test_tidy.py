"""Applies the rules of tidy.py to the tree, and shows on small bad texts that each can fail."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
import tidy
from tidy import Rule, Source

ROOT = Path(__file__).resolve().parent.parent
OTHER_FOLDERS = ("tests", "bench", "examples")


def sources(folders: Iterable[str], *suffixes: str) -> list[Source]:
    """The files below ``folders``, each a path from the root, that end in one of ``suffixes``."""
    paths = (path for folder in folders for path in sorted((ROOT / folder).rglob("*")))
    return [Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
            for path in paths if path.suffix in suffixes and path.is_file()]


def root_sources(*names: str) -> list[Source]:
    """The files of the top folder that match one of the patterns ``names``."""
    paths = sorted(path for name in names for path in ROOT.glob(name))
    return [Source(path.name, path.read_text(encoding="utf-8")) for path in paths]


PYTHON = sources(tidy.PACKAGES + OTHER_FOLDERS, ".py") + root_sources("setup.py")
NATIVE = sources(tidy.PACKAGES + OTHER_FOLDERS, ".c", ".cpp", ".h")
PAGE = sources(tidy.PACKAGES, ".js", ".css", ".html")
MARKDOWN = sources(["docs", *OTHER_FOLDERS], ".md") + root_sources("*.md")
CONFIGURATION = root_sources("setup.cfg", "pyproject.toml", "Makefile", ".gitignore")

RULES: dict[Rule, list[Source]] = {
    tidy.check_imports: PYTHON,
    tidy.check_bans: PYTHON,
    tidy.check_floats: PYTHON,
    tidy.check_sets: PYTHON,
    tidy.check_functions: PYTHON,
    tidy.check_docstring: PYTHON,
    tidy.check_raises: PYTHON,
    tidy.check_name: PYTHON + NATIVE + PAGE,
    tidy.check_text_size: PYTHON + NATIVE + PAGE + CONFIGURATION,
    tidy.check_leftovers: PYTHON + NATIVE + PAGE + CONFIGURATION + MARKDOWN,
    tidy.check_title: MARKDOWN,
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_is_tidy(rule: Rule) -> None:
    """Every source obeys every rule that is about its kind."""
    assert RULES[rule], "no source to look at"
    problems = [problem for source in RULES[rule] for problem in rule(source)]
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize("package", tidy.PACKAGES)
def test_the_median_function_is_short(package: str) -> None:
    """Long functions are the exception in every package."""
    problems = list(tidy.check_median(package, [s for s in PYTHON if s.package == package]))
    assert not problems, problems


def test_the_map_names_every_module() -> None:
    """docs/whats-here.md and the tree agree; tests mirror the packages and need no lines."""
    modules = {source.path for source in PYTHON + NATIVE
               if source.package in tidy.PACKAGES + ("bench", "examples")
               and not source.path.endswith("__init__.py")}
    text = (ROOT / "docs/whats-here.md").read_text(encoding="utf-8")
    problems = list(tidy.check_map(text, modules))
    assert not problems, "\n" + "\n".join(problems)


def test_the_exceptions_are_needed() -> None:
    """A table names no file that is gone and grants nothing that is not used."""
    texts = {source.path: source for source in PYTHON}
    for path in [*tidy.MAY_IMPORT_TOO, *tidy.MAY_USE, *tidy.FLOATS_ALLOWED]:
        assert path in texts, f"{path} is excepted from a rule and does not exist"
    for path, names in {**tidy.MAY_IMPORT_TOO, **tidy.MAY_USE}.items():
        for name in sorted(names):
            assert name in texts[path].text, f"{path} is allowed {name} and does not use it"


LONG_BODY = "\n".join(f"    x = {n}" for n in range(tidy.FUNCTION_LINES_MAX))

BAD = [
    (tidy.check_imports, "histories/op.py", "import checker.search"),
    (tidy.check_imports, "checker/search.py", "from harness import cli"),
    (tidy.check_imports, "nemesis/crash.py", "def f():\n    from vmft.cluster import Cluster"),
    (tidy.check_imports, "vmft/replica.py", "import numpy"),
    (tidy.check_imports, "vmft/guests/build.py", "from histories.errors import UsageError"),
    (tidy.check_imports, "vmft/replica.py", "importlib.import_module('harness.cli')"),
    (tidy.check_imports, "vmft/replica.py", "def f(name):\n    __import__(name)"),
    (tidy.check_bans, "vmft/replica.py", "import time"),
    (tidy.check_bans, "vmft/replica.py", "__import__('time')"),
    (tidy.check_bans, "vmft/sim.py", "from os import environ"),
    (tidy.check_bans, "vmft/sim.py", "import os\nos.environ['HOME']"),
    (tidy.check_bans, "vmft/cpu.py", "import os\nos.urandom(8)"),
    (tidy.check_bans, "workloads/counter.py", "def ops():\n    import random"),
    (tidy.check_bans, "checker/search.py", "from concurrent.futures import Executor"),
    (tidy.check_bans, "checker/search.py", "key = hash(state)"),
    (tidy.check_floats, "vmft/sim.py", "delay_ns = 1.5"),
    (tidy.check_floats, "vmft/sim.py", "half = total / 2"),
    (tidy.check_floats, "vmft/sim.py", "total /= 2"),
    (tidy.check_floats, "vmft/sim.py", "float(total)"),
    (tidy.check_sets, "harness/run.py", "for x in {1, 2}: pass"),
    (tidy.check_sets, "harness/run.py", "names = set(a)\nfirst = list(names)"),
    (tidy.check_sets, "harness/run.py", "def f(a: set[int]):\n    return [x for x in a]"),
    (tidy.check_sets, "harness/run.py", "def f(a: set[int]):\n    yield from a | other"),
    (tidy.check_sets, "harness/run.py", "def f(a: set[int]):\n    return a.pop()"),
    (tidy.check_sets, "harness/run.py", "', '.join(set(names))"),
    (tidy.check_sets, "harness/run.py",
     "class A:\n    held: set[int]\n    def f(self):\n        return tuple(self.held)"),
    (tidy.check_functions, "vmft/a.py", f"def f():\n{LONG_BODY}"),
    (tidy.check_functions, "vmft/a.py", "def f(a, b, c, d, e, g): pass"),
    (tidy.check_text_size, "vmft/a.py", "x\n" * (tidy.FILE_LINES_MAX + 1)),
    (tidy.check_text_size, "vmft/a.c", "x" * (tidy.COLUMNS_MAX + 1)),
    (tidy.check_docstring, "vmft/a.py", "x = 1"),
    (tidy.check_docstring, "vmft/a.py", '"""Things"""'),
    (tidy.check_raises, "vmft/a.py", "def f():\n    raise ValueError"),
    (tidy.check_raises, "vmft/a.py", "class A:\n    def f(self):\n        raise x.Bad('no')"),
    (tidy.check_name, "vmft/util.py", ""),
    (tidy.check_name, "checker/common/search.py", ""),
    (tidy.check_leftovers, "docs/a.md", "TO" "DO: say why"),
    (tidy.check_title, "docs/a.md", "# One\n\n# Two"),
    (tidy.check_title, "docs/a.md", "## None"),
]

GOOD = [
    (tidy.check_imports, "checker/__main__.py", "from harness.cli import main"),
    (tidy.check_imports, "checker/search.py", "import sys\nfrom . import model"),
    (tidy.check_imports, "checker/search.py", "import histories.op"),
    (tidy.check_bans, "vmft/procs/replica.py", "import socket"),
    (tidy.check_bans, "vmft/sim.py", "import os\nos.path.join(op.time, self.time)"),
    (tidy.check_floats, "vmft/guests/build.py", "here = Path(__file__).parent / 'images'"),
    (tidy.check_floats, "vmft/sim.py", "half = total // 2"),
    (tidy.check_sets, "harness/run.py", "for x in sorted({1, 2}): pass"),
    (tidy.check_sets, "harness/run.py", "known = set(a)\nmore = {*known, 1}"),
    (tidy.check_sets, "harness/run.py", "known = set(a)\nb = max(x.at for x in known)"),
    (tidy.check_sets, "harness/run.py",
     "def f(seen: set[int]): ...\ndef g(seen: list[int]):\n    return [x for x in seen]"),
    (tidy.check_functions, "vmft/a.py", "def f(self, a, b, c, d, e, *, g): pass"),
    (tidy.check_raises, "vmft/a.py", "def f():\n    'ValueError if so.'\n    raise ValueError(1)"),
    (tidy.check_raises, "vmft/a.py", "def f():\n    raise _Stop"),
    (tidy.check_raises, "vmft/a.py", "def _f():\n    raise ValueError"),
    (tidy.check_functions, "vmft/a.py", f'def f():\n    """Says\n{LONG_BODY}\n    """'),
    (tidy.check_docstring, "vmft/a.py", '"""Says what it is for."""'),
    (tidy.check_title, "docs/a.md", "# One\n\n```sh\n# a comment\n```\n"),
]


@pytest.mark.parametrize("rule, path, text", BAD)
def test_a_rule_can_fail(rule: Rule, path: str, text: str) -> None:
    """Each rule rejects what it is there to reject, once."""
    assert len(list(rule(Source(path, text)))) == 1


@pytest.mark.parametrize("rule, path, text", GOOD)
def test_a_rule_lets_good_text_pass(rule: Rule, path: str, text: str) -> None:
    """What looks like a problem and is none passes."""
    assert not list(rule(Source(path, text)))


def test_an_exception_is_for_one_file_and_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line in the table of exceptions lets its file use that name, and nothing more."""
    monkeypatch.setitem(tidy.MAY_USE, "vmft/cpu.py", {"os.environ"})
    text = "import os\nos.environ['DOUBLE_ELEVEN_PURE']"
    assert not list(tidy.check_bans(Source("vmft/cpu.py", text)))
    assert list(tidy.check_bans(Source("vmft/cpu.py", "import os\nos.urandom(8)")))
    assert list(tidy.check_bans(Source("vmft/machine.py", text)))


def test_every_rule_is_shown_to_fail() -> None:
    """No rule is without its bad text."""
    assert {rule for rule, _, _ in BAD} == set(RULES)


def test_a_long_median_is_found() -> None:
    """One function that is too long is the median of one."""
    source = Source("vmft/a.py", f"def f():\n{LONG_BODY}")
    assert list(tidy.check_median("vmft", [source]))


@pytest.mark.parametrize("text, problem", [
    ("## `vmft/`\n- `sim.py`: x", "no line for vmft/cpu.py"),
    ("## `vmft/`\n- `sim.py`: x\n- `cpu.py`: x\n- `gone.py`: x", "vmft/gone.py does not exist"),
    ("## `vmft/`\n- `sim.py`: x\n- `cpu.py`: x\n- `cpu.py`: y", "two lines for vmft/cpu.py"),
])
def test_a_wrong_map_is_found(text: str, problem: str) -> None:
    """A module without a line, a line without a module, and a module named twice."""
    problems = list(tidy.check_map(text, {"vmft/sim.py", "vmft/cpu.py"}))
    assert problems == [f"docs/whats-here.md: {problem}"]
