"""Suites: what a file may say, what became of each test, and one exit code for all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from harness import suite
from harness.case import Case
from harness.cli import main
from harness.suite import Declared, counted, not_judged, read, settled
from histories import UsageError

ROOT = Path(__file__).resolve().parent.parent
FILE = """
[defaults]
time_limit_s = 2
rate_hz = 20

[[test]]
workload = "counter"
seeds = 2

[[test]]
name = "without the rule"
nemesis = "crash, log-loss"
bugs = ["no-output-rule"]
seeds = [3]
"""


def written(tmp_path: Path, text: str) -> Path:
    """A suite's file."""
    path = tmp_path / "suite.toml"
    path.write_text(text, encoding="utf-8")
    return path


def came_to(monkeypatch: pytest.MonkeyPatch, outcomes: dict[str, str]) -> None:
    """Tests of these names come to this, without a run."""
    def judge(declared: Declared) -> Case:
        if outcomes[declared.name] == "interrupted":
            raise KeyboardInterrupt
        return not_judged(declared, outcomes[declared.name], f"it was {declared.name}")

    monkeypatch.setattr("harness.commands.suite.judge", judge)


def test_a_file_declares_tests_with_defaults_and_seeds(tmp_path: Path) -> None:
    """Names are optional, lists and texts with commas are the same."""
    declared = read(written(tmp_path, FILE), tmp_path)
    assert [(each.name, each.test.seed) for each in declared] == [
        ("counter-no-faults", 1), ("counter-no-faults", 2), ("without the rule", 3)]
    assert {each.test.rate_hz for each in declared} == {20}
    assert declared[2].test.nemesis == ("crash", "log-loss")


@pytest.mark.parametrize("text, problem", [
    ("[[test\n", "not TOML: .*line 1"), ("a = \x00", "not TOML"),
    ("", r"expected one \[\[test\]\]"),
    ("tests = 1", "unknown key 'tests'; there is defaults, and"),
    ("test = 1", r"expected one \[\[test\]\]"), ("defaults = 1\n[[test]]", "expected a table"),
    ("[[test]]\nnemsis = 'crash'", "test 1: unknown key 'nemsis'; there is workload, nemesis"),
    ("[[test]]\n[[test]]\nname = 'x'\nworkload = 'tea'", r"test 2 \(x\): unknown workload 'tea'"),
    ("[[test]]\nworkload = 1", "workload is 1, expected a text"),
    ("[[test]]\nbugs = [1]", r"bugs is \[1\], expected a name, or several"),
    ("[[test]]\nrate_hz = 0", "rate is 0, expected a whole number from 1"),
    ("[[test]]\nseeds = 0", "seeds is 0, expected how many, from 1 to 100000"),
    ("[[test]]\nseeds = true", "seeds is True"), ("[[test]]\nseeds = [1, 1]", "different ones"),
    ("[[test]]\nseeds = ['a']", "seed is 'a', expected a whole number"),
    ("[[test]]\nname = ''", "name is '', expected a text"),
    ("[[test]]\n[[test]]", "two tests are called 'counter-no-faults' and have the seed 1"),
    ("[[test]]\nseeds = 60000\n" * 2, "two tests|more than the limit"),
    ("[[test]]\nplan = 'nowhere.json'", "test 1: nowhere.json: "),
    ("x = " + "[" * 5000, "not TOML")])
def test_what_is_wrong_is_one_line(text: str, problem: str, tmp_path: Path) -> None:
    """It names the file, and the test and the key where there are any."""
    path = written(tmp_path, text)
    with pytest.raises(UsageError, match=problem) as raised:
        read(path, tmp_path)
    assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)


def test_a_file_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not there, a folder, bytes that are no text, too large."""
    (tmp_path / "odd").write_bytes(b"\xff")
    (tmp_path / "big").write_bytes(b"#" * (suite.FILE_BYTES_MAX + 1))
    for name in ("none", ".", "odd", "big"):
        assert main(["suite", str(tmp_path / name)]) == 254
        assert capsys.readouterr().err.count("\n") == 1


def test_a_suite_runs_explains_and_counts(tmp_path: Path,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    """In one table, in JUnit and as JSON; the failure is the report, and has a page."""
    path, store = written(tmp_path, FILE.replace("seeds = 2", "")), tmp_path / "store"
    words = ["suite", str(path), "--jobs", "1", "--store", str(store)]
    assert main([*words, "--junit", str(tmp_path / "junit.xml")]) == 1
    said = capsys.readouterr().out
    report, = store.glob("*-no-output-rule/1/report.txt")
    assert report.read_text(encoding="utf-8") in said and report.with_suffix(".html").exists()
    assert "INVALID without the rule: seed 3\nstored: " in said
    assert "  counter-no-faults  1 valid, " in said and "INVALID  2 runs of " in said
    root = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert [root.get(name) for name in ("tests", "failures", "errors")] == ["2", "1", "0"]
    assert f"{root.findtext('.//failure')}\n" == report.read_text(encoding="utf-8")


@pytest.mark.parametrize("a, b, code", [
    ("unknown", "invalid", 1), ("crashed", "invalid", 1), ("crashed", "unknown", 255),
    ("unknown", "valid", 2), ("vacuous", "valid", 2), ("valid", "valid", 0),
    ("refused", "unknown", 254), ("interrupted", "valid", 2)])
def test_a_violation_beats_unknown(a: str, b: str, code: int, tmp_path: Path,
                                   monkeypatch: pytest.MonkeyPatch) -> None:
    """And whatever else there is; a test whose runs were all vacuous has proved nothing."""
    came_to(monkeypatch, {"a": a, "b": b})
    path = written(tmp_path, "[[test]]\nname = 'a'\n[[test]]\nname = 'b'")
    assert main(["suite", str(path), "--jobs", "1", "--store", str(tmp_path)]) == code


def test_what_was_not_run_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                     capsys: pytest.CaptureFixture[str]) -> None:
    """And what was found before is told."""
    came_to(monkeypatch, {"a": "invalid", "b": "interrupted", "c": "valid"})
    path = written(tmp_path, "".join(f"[[test]]\nname = '{name}'\n" for name in "abc"))
    assert main(["suite", str(path), "--jobs", "1", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [case["outcome"] for case in told["cases"]] == ["invalid", "unknown", "unknown"]
    assert told["valid"] is False and told["cases"][2]["why"] == "not run: interrupted"


def test_many_failures_are_named_and_the_first_explained(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    """One of each test before a second of any."""
    came_to(monkeypatch, dict.fromkeys("ab", "invalid"))
    path = written(tmp_path, "".join(f"[[test]]\nname = '{name}'\nseeds = 3\n" for name in "ab"))
    assert main(["suite", str(path), "--jobs", "1"]) == 1
    said = capsys.readouterr().out
    assert "INVALID a: seed 1\n\nit was a\n" in said and "INVALID b: seed 1\n\nit was b\n" in said
    assert "INVALID a: seed 2: it was a\n  python -m checker run --workload counter" in said


def test_a_run_that_breaks_off_is_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that cannot be stored is refused; neither is an end of the suite."""
    def broken(*_: Any) -> Any:
        raise problem

    one, *_ = read(written(tmp_path, FILE), tmp_path)
    monkeypatch.setattr(suite, "run", broken)
    problem: Exception = ZeroDivisionError("too bad")
    case = suite.judge(one)
    assert case.outcome == "crashed" and "too bad" in case.why and "Traceback" in case.text
    problem = UsageError("no room")
    assert suite.judge(one).outcome == "refused"


def test_vacuous_runs_are_unknown_only_where_nothing_was_proved(tmp_path: Path) -> None:
    """Among runs of the same test that proved something they are skipped."""
    one, two, three = read(written(tmp_path, FILE), tmp_path)
    cases = [not_judged(one, "vacuous", ""), not_judged(two, "valid", ""),
             not_judged(three, "vacuous", "")]
    assert [case.outcome for case in settled(cases)] == ["vacuous", "valid", "unknown"]
    assert counted(cases) == "1 valid, 2 vacuous"
    assert settled([replace(cases[0], group="x")])[0].outcome == "unknown"


def test_the_example_is_valid(tmp_path: Path) -> None:
    """As it stands, with its own seeds."""
    example = ROOT / "examples" / "suite.toml"
    assert main(["suite", str(example), "--jobs", "1", "--store", str(tmp_path)]) == 0
