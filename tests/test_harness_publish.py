"""What CI is told: JUnit XML, GitHub's annotations and summary, JSON; and one exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import permutations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import junitparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import publish
from harness.case import EXIT_CODES, Case, exit_code
from harness.cli import main
from harness.github import ANNOTATIONS_MAX, append_summary, markdown, quoted, workflow_commands
from harness.junit import FORBIDDEN, junit, spelt
from histories.store import latest

ROOT = Path(__file__).resolve().parent.parent
SHORT = ["run", "--time-limit", "3", "--nemesis", "crash,log-loss", "--seed", "1"]
TEXTS = st.text(st.characters() | st.sampled_from("\x00\x0b\x1b\ud800\ufffe\r\n\t<&>]`|:,%\"'"))


def case(outcome: str = "invalid", **fields: Any) -> Case:
    """A case that came to this."""
    return Case(**{"group": "g", "name": "n", "outcome": outcome, "why": "because",
                   "text": "It is.", **fields})


def written(path: Path, *ops: tuple[str, Any]) -> str:
    """A history file of one process that increments."""
    path.write_text("".join(json.dumps({"process": 0, "type": kind, "f": "inc", "value": value})
                            + "\n" for kind, value in ops), encoding="utf-8")
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """One file of each sort."""
    (tmp_path / "odd.jsonl").write_text("odd", encoding="utf-8")
    return {"good": written(tmp_path / "good.jsonl", ("invoke", None), ("ok", 1)),
            "bad": written(tmp_path / "bad.jsonl", ("invoke", None), ("ok", 11)),
            "odd": str(tmp_path / "odd.jsonl")}


# One exit code

@pytest.mark.parametrize("outcomes, code", [
    (["valid"], 0), (["unknown", "valid"], 2), (["invalid", "unknown", "valid"], 1),
    (["invalid", "crashed", "refused"], 1), (["crashed", "unknown", "refused"], 255),
    (["refused", "unknown", "valid"], 254), (["valid", "vacuous"], 0), (["vacuous"], 2), ([], 2)])
def test_a_violation_beats_everything(outcomes: list[str], code: int) -> None:
    """In whatever order they come."""
    for order in permutations(outcomes):
        assert exit_code(map(case, order)) == code


# JUnit

@given(st.lists(st.builds(case, st.sampled_from(list(EXIT_CODES)), text=TEXTS, why=TEXTS,
                          name=TEXTS, group=TEXTS, artifacts=st.tuples(TEXTS))))
def test_junit_holds_any_text(cases: list[Case]) -> None:
    """What it is given comes back from a parser; what XML cannot hold comes back spelt out."""
    root = ElementTree.fromstring(junit("run", cases))
    suite, = root
    assert suite.get("tests") == str(len(cases))
    for element, each in zip(suite, cases, strict=True):
        assert element.get("name") == spelt(each.name)
        told = [child for child in element if child.tag != "system-out"]
        assert len(told) == (each.outcome != "valid")
        for child in told:
            assert (child.text or "") == spelt(each.text or each.why)
            assert child.get("message") == spelt(each.why)


@given(TEXTS)
def test_what_is_spelt_is_xml(text: str) -> None:
    """And text without such characters is left alone."""
    assert not FORBIDDEN.search(spelt(text))
    assert FORBIDDEN.search(text) or spelt(text) == text


@pytest.mark.parametrize("outcome, kind", [
    ("invalid", junitparser.Failure), ("unknown", junitparser.Error),
    ("refused", junitparser.Error), ("crashed", junitparser.Error),
    ("vacuous", junitparser.Skipped)])
def test_another_reader_of_junit_agrees(outcome: str, kind: type, tmp_path: Path) -> None:
    """A failure is a violation, an error is no verdict, and both are counted."""
    path = tmp_path / "junit.xml"
    path.write_bytes(junit("suite", [case(outcome, took_s=1.25, artifacts=("a", "b")),
                                     case("valid")]))
    suite, = junitparser.JUnitXml.fromfile(str(path))
    told, fine = suite
    assert isinstance(told.result[0], kind) and told.result[0].text == "It is."
    assert fine.is_passed and not told.is_passed
    assert (told.time, told.system_out, suite.tests) == (1.25, "a\nb", 2)
    counted = (suite.failures, suite.errors, suite.skipped)
    getattr(suite, "update_statistics")()
    assert counted == (suite.failures, suite.errors, suite.skipped)


def test_the_failure_is_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JUnit, GitHub and JSON tell what report.txt does, and where it is."""
    junit_file = tmp_path / "new" / "junit.xml"
    words = [*SHORT, "--bug", "no-output-rule", "--store", str(tmp_path / "store"),
             "--junit", str(junit_file)]
    assert main([*words, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    folder = latest(tmp_path / "store").path
    report = (folder / "report.txt").read_text(encoding="utf-8")
    assert told["cases"][0]["explanation"] + "\n" == report and told["valid"] is False
    assert told["test"]["bugs"] == ["no-output-rule"] and "linearizable" in told["results"]["parts"]
    failed = ElementTree.parse(junit_file).find(".//failure")
    assert failed is not None and f"{failed.text}\n" == report
    said = ElementTree.parse(junit_file).findtext(".//system-out") or ""
    named = [Path(line).resolve() for line in said.splitlines()]
    assert named == [folder, folder / "report.txt", folder / "report.html"]


# GitHub

def test_github_gets_annotations_and_a_summary(
        files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    """The whole paragraph, at the file that it is about; the summary is added to."""
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert main(["check", files["good"], files["bad"], "--model", "counter", "--github"]) == 1
    lines = capsys.readouterr().out.splitlines()
    errors = [line for line in lines if line.startswith("::error ")]
    assert len(errors) == 1 and f"file={files['bad']},title=INVALID counter%3A " in errors[0]
    assert "::INVALID  " in errors[0] and "%0A" in errors[0]
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("# Before\n\n## checker check\n") and "| ❌ invalid | counter |" in text
    for line in errors[0].split("::")[2].split("%0A"):
        assert line.replace("%25", "%") in text


def test_what_is_printed_is_no_command() -> None:
    """A value may look like one; nobody can know the word that ends the quotation."""
    lines = quoted(["::set-env name=a::b"])
    word = re.fullmatch(r"::stop-commands::(\w{32})", lines[0])
    assert word and lines[1:] == ["::set-env name=a::b", f"::{word[1]}::"]
    assert quoted([])[0] != lines[0]


@given(TEXTS, TEXTS)
def test_an_annotation_is_one_line(name: str, text: str) -> None:
    """Whatever it is about, and it has one level, one title and one text."""
    line, = workflow_commands([case(name=name, text=text)])
    assert "\n" not in line and "\r" not in line
    assert re.match(r"::error title=[^:,\r\n]*::", line)


def test_annotations_are_as_many_as_github_shows() -> None:
    """The last one counts the others; unknown is a warning, valid is nothing."""
    many = [case()] * (ANNOTATIONS_MAX + 1) + [case("unknown"), case("valid"), case("vacuous")]
    lines = workflow_commands(many)
    assert len(lines) == ANNOTATIONS_MAX + 1
    assert lines[ANNOTATIONS_MAX - 1].endswith("::2 more like these are in the summary")
    assert lines[-1].startswith("::warning title=UNKNOWN g%3A n::")


def test_a_summary_has_a_limit_and_says_what_it_left_out(tmp_path: Path) -> None:
    """One that is full already is a line on stderr, and no reason to fail."""
    cases = [case(text="x" * 1000)] * 50
    text = markdown("suite", cases, 20_000)
    assert len(text.encode()) <= 20_000 and "more explanations are left out here" in text
    assert "left out" not in markdown("suite", cases)
    with pytest.raises(ValueError, match="full"):
        markdown("suite", cases, 100)
    append_summary(tmp_path / "new.md", "run", [case("valid", name="a|b<c>\n`")])
    assert r"a\|b&lt;c&gt; \` |" in (tmp_path / "new.md").read_text(encoding="utf-8")


def test_no_text_ends_its_fence() -> None:
    """However many backticks it has."""
    assert "`````text\na ```` b\n`````" in markdown("run", [case(text="a ```` b")])


# Trouble

@pytest.mark.parametrize("kind", ["good", "bad"])
def test_what_cannot_be_written_changes_no_verdict(
        kind: str, files: dict[str, str], tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder in place of a file, a summary that is none, XML that fails: a line each."""
    def broken(*_: Any) -> bytes:
        raise ImportError("no such library")

    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    code = {"good": 0, "bad": 1}[kind]
    words = ["check", files[kind], "--model", "counter", "--github", "--junit"]
    assert main([*words, str(tmp_path)]) == code
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2 and all("not written: IsADirectoryError" in each for each in errors)
    monkeypatch.setattr(publish, "junit", broken)
    assert main([*words, str(tmp_path / "junit.xml")]) == code
    assert "not written: ImportError: no such library" in capsys.readouterr().err


def test_a_refused_file_is_an_error_in_junit_too(files: dict[str, str], tmp_path: Path,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    """Alone and among others; JSON stays one object."""
    path = tmp_path / "junit.xml"
    assert main(["check", files["odd"], "--junit", str(path), "--json"]) == 254
    printed = capsys.readouterr()
    assert json.loads(printed.out)["files"][files["odd"]]["outcome"] == "refused"
    assert printed.err.startswith("error: ") and printed.err.count("\n") == 1
    error = ElementTree.parse(path).find(".//error")
    assert error is not None and error.get("type") == "refused"
    assert main(["check", files["odd"], files["bad"], "--model", "counter"]) == 1


def test_json_and_github_both_want_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    """So there is one of them."""
    assert main([*SHORT, "--json", "--github"]) == 254
    assert "not allowed with argument" in capsys.readouterr().err


def test_a_hunt_tells_of_each_kind_of_failure(tmp_path: Path,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    """A failure a kind with the first one's report; a pass for all others."""
    words = ["hunt", "--runs", "2", "--jobs", "1", "--time-limit", "1", "--nemesis", "crash",
             "--store", str(tmp_path), "--budget", "1h", "--bug", "no-output-rule", "--json"]
    assert main([*words, "--junit", str(tmp_path / "junit.xml")]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["runs"] == told["failures"] == 2 and told["cases"][0]["outcome"] == "invalid"
    failed = ElementTree.parse(tmp_path / "junit.xml").find(".//failure")
    assert failed is not None and (failed.text or "").startswith("INVALID  counter")
    assert (latest(tmp_path).path / "report.html").exists()


def test_what_a_terminal_cannot_show_is_spelt_out(tmp_path: Path) -> None:
    """And is no fault of the checker."""
    path = written(tmp_path / "\u00e9.jsonl", ("invoke", None), ("ok", 11))
    done = subprocess.run(
        [sys.executable, "-m", "checker", "check", path, path, "--model", "counter"], text=True,
        capture_output=True, timeout=120, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1 and r"\xe9.jsonl" in done.stdout and done.stderr == ""
