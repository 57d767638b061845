"""`check`: many files at once, patterns, limits, and one exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import main

GOOD = [("invoke", None), ("ok", 1), ("invoke", None), ("ok", 2)]
BAD = [("invoke", None), ("ok", 1), ("invoke", None), ("ok", 1)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good history and a bad one."""
    for name, ops in (("good", GOOD), ("bad", BAD)):
        lines = [json.dumps({"process": 0, "type": kind, "f": "inc", "value": value})
                 for kind, value in ops]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_a_pattern_names_many_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder / "*.jsonl"), "--model", "counter"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == "1 valid, 1 invalid, 0 unknown"
    assert "invalid  2 calls, fetch-and-add" in told[-3] and "valid" in told[-2]
    assert "Two different increments were both answered 1." in "\n".join(told)


def test_times_that_nobody_recorded_are_not_shown(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["check", str(folder / "bad.jsonl"), "--model", "counter"])
    assert "-1.999999" not in capsys.readouterr().out


def test_verdicts_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(folder / f"{name}.jsonl") for name in ("good", "bad", "good")]
    assert main(["check", *files, "--model", "counter", "--json", "--jobs", "1"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["valid"] is False
    assert [each["valid"] for each in told["files"].values()] == [True, False]


@pytest.mark.parametrize("more, message", [
    (["--size-limit", "10"], "more than the limit of 10 bytes"),
    (["--model", "register"], "op 0: register knows no 'inc'"),
])
def test_limits_and_strangers(
    folder: Path, more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(folder / "good.jsonl")
    assert main(["check", path, "--model", "counter", *more]) == 254
    assert path in (told := capsys.readouterr().err) and message in told


def test_a_pattern_that_names_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder / "*.edn"), "--model", "counter"]) == 254
    assert "no file has such a name" in capsys.readouterr().err


def test_a_weaker_level(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A stale read of another process is in order, though late."""
    ops = [(0, "invoke", "write", 1), (0, "ok", "write", 1),
           (1, "invoke", "read", None), (1, "ok", "read", None)]
    path = tmp_path / "stale.jsonl"
    path.write_text("".join(
        json.dumps({"process": process, "type": kind, "f": f, "value": value}) + "\n"
        for process, kind, f, value in ops))
    assert main(["check", str(path), "--model", "register"]) == 1
    assert "It is sequentially consistent: only time is against it." in capsys.readouterr().out
    assert main(["check", str(path), "--model", "register", "--consistency", "sequential"]) == 0


def test_no_weaker_level_holds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", str(folder / "bad.jsonl"), "--model", "counter"])
    assert "It is not sequentially consistent either." in capsys.readouterr().out
