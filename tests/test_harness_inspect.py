"""`inspect` beyond the paragraph: one operation, tables, lanes; of runs and of strangers' files."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import harness.commands.inspect
from harness.cli import USAGE, main
from histories import Op
from histories.jsonl import write_history
from histories.store import HISTORY, latest

DOUBLE = ["run", "--time-limit", "2", "--nemesis", "crash,log-loss", "--bug", "no-output-rule",
          "--seed", "1"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one run, which is invalid."""
    root = tmp_path_factory.mktemp("store")
    assert main([*DOUBLE, "--store", str(root)]) == 1
    return root


def printed(store: Path, capsys: pytest.CaptureFixture[str], *options: str, code: int = 1) -> str:
    """What `inspect` prints about the run of the store."""
    capsys.readouterr()
    assert main(["inspect", *options, "--store", str(store)]) == code
    return capsys.readouterr().out


def test_an_operation_is_told_by_any_of_its_ops(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The op that the paragraph names, and the op that completes it."""
    told = re.search(r"^  op (\d+)", printed(store, capsys), re.MULTILINE)
    assert told is not None
    text = printed(store, capsys, "--op", told[1])
    assert re.search(rf"^\* op {told[1]}, process \d+: ", text)
    assert re.search(r"took the request: entry \d+, instruction \d+, in \w+\+0x", text)
    ended = re.search(r"as ok, op (\d+)", text)
    assert ended is not None and printed(store, capsys, "--op", ended[1]) == text


def test_operations_around_one_are_a_table(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of one process if that is asked for."""
    rows = printed(store, capsys, "--around", "40").splitlines()
    assert rows[0].split()[:3] == ["op", "process", "call"] and 12 < len(rows) < 26
    rows = printed(store, capsys, "--process", "1").splitlines()[1:]
    assert {row[2:].split()[1] for row in rows if row[5:].strip() and "told" not in row} == {"1"}


def test_lanes_show_the_failure(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Columns for all, and the sign of what convicts; the same bytes twice."""
    text = printed(store, capsys, "--lanes")
    head = text.splitlines()[2].split()
    assert head[:3] == ["clients", "n1", "n2"]
    assert re.search(r"^\s*\d+\.\d+ s [a-z ]*\* ", text, re.MULTILINE)
    assert printed(store, capsys, "--lanes") == text
    assert printed(store, capsys, "--lanes", "--around", "40") != text


@pytest.mark.parametrize("options, said", [
    (["--op", "100000"], "no op 100000: there are ops 0 to "),
    (["--op", "-1"], "no op -1: there are ops 0 to "),
    (["--around", "100000"], "no op 100000"),
    (["--process", "99"], "no operation of process 99; there are processes 0, "),
    (["--key", "x", "--lanes"], "no operation on key 'x'; there are (none)"),
    (["--op", "x"], "invalid int value"),
    (["--model", "counter"], "--model is for a history file"),
])
def test_a_bad_number_is_one_clear_line(
    store: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    """And no traceback."""
    capsys.readouterr()
    assert main(["inspect", *options, "--store", str(store)]) == USAGE
    captured = capsys.readouterr()
    assert said in captured.err and captured.err.count("\n") == 1 and captured.out == ""


def test_a_strangers_file_is_looked_at_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A history alone: the model is recognised or named, as by `check`."""
    path = tmp_path / "their.jsonl"
    write_history([Op(0, "invoke", "inc", None, 5), Op(0, "ok", "inc", 11, 9)], path)
    assert "INVALID" in printed(tmp_path, capsys, str(path))
    text = printed(tmp_path, capsys, str(path), "--op", "0", "--model", "counter")
    assert text.startswith("* op 0, process 0: inc -> 11\n") and "No machine" not in text
    assert "client 0" in printed(tmp_path, capsys, str(path), "--lanes")
    assert main(["inspect", str(path), "--model", "nonsense"]) == USAGE


def test_a_runs_own_history_is_a_file_like_any_other(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Named by its path, it is judged without its trace."""
    path = latest(store).path / HISTORY
    assert "on the machines" in printed(store, capsys, str(path), "--around", "0")


def test_only_a_terminal_gets_a_pager(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And only where there are more lines than it has."""
    paged: list[str] = []
    monkeypatch.setattr("pydoc.pager", paged.append)
    harness.commands.inspect.show(["line"] * 500)
    assert not paged and capsys.readouterr().out.count("\n") == 500
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    harness.commands.inspect.show(["line"] * 500)
    harness.commands.inspect.show(["line"])
    assert len(paged) == 1 and capsys.readouterr().out == "line\n"
