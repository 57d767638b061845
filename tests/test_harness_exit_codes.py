"""One rule of exit codes for every command, as a table; and one shape of what CI is told."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from harness import sweep
from harness.case import EXIT_CODES
from harness.cli import main
from harness.commands import COMMANDS
from harness.drive import Driver
from histories.store import runs

VALID, INVALID, UNKNOWN, REFUSED, CRASHED = (
    EXIT_CODES[outcome] for outcome in ("valid", "invalid", "unknown", "refused", "crashed"))

FEW = "--time-limit 1 --rate 20 --seed 1"
BUG = "--bug no-output-rule --nemesis crash"
VACUOUS = "--time-limit 1 --rate 5 --clients 1 --nemesis crash --seed 1"
HUNT = "hunt --runs 1 --jobs 1"
SWEEP = "sweep --jobs 1 --fault crash-primary --rate 20 --clients 2"
BUGS = "bugs --jobs 1 --seeds 1 --quick --bug"
JSON_ONLY = ("diff",)
WITHOUT_VERDICT = ("step", "export", "list", "serve")

ONE_OF_MANY = re.compile(r"(?<![\w.])1 (?!(?:ms|ns|is|was|nemesis|vacuous|differs)\b)[a-z]{2,}s\b")

# Words, with @ for the folder of the files below; and the code.
TABLE = [
    (f"run {FEW}", VALID), (f"run {FEW} {BUG}", INVALID), (f"run {VACUOUS}", UNKNOWN),
    ("run --seed x", REFUSED),
    ("check @/good.jsonl", VALID), ("check @/good.jsonl @/bad.jsonl @/odd", INVALID),
    ("check @/slow.jsonl @/good.jsonl --timeout 1 --model counter", UNKNOWN),
    ("check @/good.jsonl @/odd @/slow.jsonl --timeout 1", REFUSED),
    ("inspect good/1", VALID), ("inspect bad/1", INVALID), ("inspect vacuous/1", UNKNOWN),
    ("inspect @/good.jsonl", VALID), ("inspect @/bad.jsonl --lanes", INVALID),
    ("inspect @/odd", REFUSED), ("inspect nothing", REFUSED),
    ("replay good/1", VALID), ("replay bad/1", INVALID), ("replay vacuous/1", UNKNOWN),
    ("replay half/1", CRASHED),
    ("replay changed/1", CRASHED), ("replay nothing", REFUSED),
    ("diff good/1 good/1", VALID), ("diff good/1 bad/1", INVALID), ("diff good/1 x", REFUSED),
    ("step good/1 --at 1000", VALID), ("step good/1 --at 0", REFUSED),
    ("step changed/1 --event 50", CRASHED),
    ("shrink bad/1 --runs 2 --jobs 1", INVALID), ("shrink good/1", REFUSED),
    ("shrink bad/1 --runs 0 --jobs 1", REFUSED), ("hunt --runs 0 --budget 1s", REFUSED),
    ("suite @/good.toml --jobs 1", VALID), ("suite @/all.toml --jobs 1", INVALID),
    ("suite @/vacuous.toml --jobs 1", UNKNOWN), ("suite @/odd", REFUSED),
    (f"{HUNT} {FEW} --nemesis none", VALID), (f"{HUNT} {FEW} {BUG}", INVALID),
    (f"{HUNT} {VACUOUS}", UNKNOWN), (f"{HUNT} --budget x", REFUSED),
    (SWEEP, VALID), (f"{SWEEP} --bug no-output-rule", INVALID), (f"{SWEEP} x", REFUSED),
    (f"{BUGS} no-output-rule --time-limit 3", VALID),
    (f"{BUGS} no-output-rule --time-limit 1", UNKNOWN),
    (f"{BUGS} lost-buffer --time-limit 1", INVALID), (f"{BUGS} x", REFUSED),
    ("export good/1", VALID), ("export nothing", REFUSED),
    ("list", VALID), ("list x", REFUSED), ("serve --port x", REFUSED),
]

# The same when every run breaks off by a fault of ours.
BROKEN = [
    f"run {FEW}", "replay good/1", "shrink bad/1 --jobs 1", "step good/1 --at 1000",
    "suite @/good.toml --jobs 1", f"{HUNT} {FEW}", SWEEP, f"{BUGS} no-output-rule",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a run of each kind, and files."""
    root = tmp_path_factory.mktemp("made")
    for name, words in (("good", FEW), ("bad", f"{FEW} {BUG}"), ("vacuous", VACUOUS)):
        main(["run", *words.split(), "--store", str(root / "new")])
        run, = runs(root / "new")
        shutil.move(run.path.parent, root / name)
        shutil.rmtree(root / "new")
    for name in ("changed", "half"):
        shutil.copytree(root / "good", root / name, symlinks=True)
    (root / "half" / "1" / "trace.jsonl").unlink()
    for trace in (root / "changed").glob("1/trace.jsonl"):
        lines = trace.read_text().splitlines(keepends=True)
        trace.write_text("".join([*lines[:5], lines[5].replace("1", "2", 1), *lines[6:]]))
    _files(root)
    return root


def _files(root: Path) -> None:
    """Histories, and suites of runs as those above."""
    (root / "odd").write_text("odd")
    for name, answers in (("good", [1, 2]), ("bad", [1, 1])):
        _history(root / f"{name}.jsonl", [
            op for answer in answers for op in ((0, "invoke", "inc", None),
                                                (0, "ok", "inc", answer))])
    _history(root / "slow.jsonl", [*((n, "invoke", "inc", 2**n) for n in range(40)),
                                   (99, "invoke", "read", None), (99, "ok", "read", 2**60)])
    fine = '[[test]]\nname = "a"\ntime_limit_s = 1\nrate_hz = 20\n'
    vacuous = ('[[test]]\nname = "b"\ntime_limit_s = 1\nrate_hz = 5\nclients = 1\n'
               'nemesis = "crash"\n')
    bad = fine.replace('"a"', '"c"') + 'bugs = ["no-output-rule"]\nnemesis = "crash"\n'
    for name, text in (("good", fine), ("vacuous", vacuous), ("all", vacuous + fine + bad)):
        (root / f"{name}.toml").write_text(text)


def _history(path: Path, ops: list[tuple[Any, ...]]) -> None:
    keys = ("process", "type", "f", "value")
    path.write_text("".join(json.dumps(dict(zip(keys, op))) + "\n" for op in ops))


@pytest.fixture
def few_boundaries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that does not take long."""
    everything = sweep.moments
    monkeypatch.setattr("harness.commands.sweep.moments",
                        lambda test: everything(test)[100:300:40])


def words_of(line: str, made: Path, store: Path) -> list[str]:
    """A command's words; what it stores goes elsewhere."""
    words = line.replace("@", str(made)).split()
    reads = words[0] in ("inspect", "replay", "diff", "step", "export", "list", "shrink")
    if words[0] == "shrink":
        shutil.copytree(made, store, symlinks=True, dirs_exist_ok=True)
        reads = False
    return words if words[0] == "check" else [*words, "--store", str(made if reads else store)]


@pytest.mark.usefixtures("few_boundaries")
@pytest.mark.parametrize("line, code", TABLE, ids=[f"{code} {line}" for line, code in TABLE])
def test_every_command_ends_with_the_same_codes(line: str, code: int, made: Path, tmp_path: Path,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    """And says the same in JSON and in JUnit where it judges."""
    words = words_of(line, made, tmp_path / "store")
    name, judges = words[0], words[0] not in (*JSON_ONLY, *WITHOUT_VERDICT)
    outlets = ["--json", "--junit", str(tmp_path / "j.xml")] if judges else \
        ["--json"] * (name in JSON_ONLY)
    assert main([*words, *outlets]) == code
    printed = capsys.readouterr().out
    assert ONE_OF_MANY.findall(printed) == []
    if code == REFUSED and name != "check":
        assert printed == ""
        return
    if outlets:
        told = json.loads(printed)
        assert told["command"] == name
    if judges:
        assert EXIT_CODES[told["outcome"]] == code
        assert told["valid"] == {VALID: True, INVALID: False}.get(code, "unknown")
        suite, = ElementTree.parse(tmp_path / "j.xml").getroot()
        outcomes = [case["outcome"] for case in told["cases"]]
        assert len(suite) == len(outcomes) == len({(each.get("classname"), each.get("name"))
                                                   for each in suite})
        assert suite.get("failures") == str(outcomes.count("invalid"))


@pytest.mark.parametrize("line", BROKEN)
def test_a_fault_of_ours_is_told_apart_by_every_command(
        line: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is neither a violation nor a doubt."""
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("of our own")

    monkeypatch.setattr("harness.commands.sweep.moments", lambda _: [10_000_000])
    monkeypatch.setattr(Driver, "run", broken)
    assert main(words_of(line, made, tmp_path / "store")) == CRASHED


def test_the_table_is_complete() -> None:
    """Every command has a row, and every one that judges has one for each code."""
    codes: dict[str, set[int]] = {}
    for line, code in [*TABLE, *((line, CRASHED) for line in BROKEN)]:
        codes.setdefault(line.split()[0], set()).add(code)
    assert set(codes) == set(COMMANDS)
    assert codes["run"] == codes["replay"] == codes["hunt"] == codes["suite"] == set(
        EXIT_CODES.values())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
@pytest.mark.parametrize("how", ["", "--json", "--github"])
def test_a_verdict_that_cannot_be_printed_stands(how: str, tmp_path: Path) -> None:
    """One line on stderr, and the exit code of the verdict."""
    words = f"-m checker run {FEW} {BUG} --store {tmp_path} {how}".split()
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([sys.executable, *words], stdout=full, stderr=subprocess.PIPE,
                              text=True, check=False, cwd=Path(__file__).parent.parent)
    assert done.returncode == INVALID
    assert done.stderr == "standard output: not written: No space left on device\n"
