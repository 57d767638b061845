"""The command line: exit codes, one line for every mistake, and runs that were cut off."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import harness.run
from checker.check import Record
from checker.verdict import Verdict
from harness.cli import INTERRUPTED, OUR_FAULT, PIPE_CLOSED, USAGE, main
from harness.commands import COMMANDS
from histories import Op
from histories.jsonl import write_history
from histories.read import read_history
from histories.store import HISTORY, RESULTS, TEST, TRACE, latest

ROOT = Path(__file__).resolve().parent.parent
SHORT = ["run", "--time-limit", "4", "--nemesis", "crash,log-loss"]
DOUBLE = [*SHORT, "--bug", "no-output-rule", "--seed", "1"]     # shown to be invalid below
GOOD = [Op(0, "invoke", "inc"), Op(0, "ok", "inc", 1)]
BAD = [Op(0, "invoke", "inc"), Op(0, "ok", "inc", 11)]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one valid run, one invalid run, in this order."""
    root = tmp_path_factory.mktemp("store")
    assert main([*SHORT, "--seed", "1", "--store", str(root)]) == 0
    assert main([*DOUBLE, "--store", str(root)]) == 1
    return root


@pytest.fixture
def store(stored: Path, tmp_path: Path) -> Path:
    """A copy of the store, to be damaged."""
    shutil.copytree(stored, tmp_path / "store", symlinks=True)
    return tmp_path / "store"


def written(path: Path, ops: list[Op]) -> str:
    """A history file."""
    write_history(ops, path)
    return str(path)


def subprocess_of(*arguments: str, cwd: Path, hash_seed: str = "0"
                  ) -> subprocess.CompletedProcess[str]:
    """The command as a shell would run it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed}
    return subprocess.run([sys.executable, "-m", "checker", *arguments], cwd=cwd, text=True,
                          capture_output=True, env=environment, timeout=120)


# Exit codes

def test_run_stores_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder, the report in it, and the verdict at the end."""
    assert main([*DOUBLE, "--store", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    path = latest(tmp_path).path
    assert f"report: {tmp_path}" in printed.out and printed.err == ""
    assert (path / "report.txt").read_text() in printed.out
    assert json.loads((path / RESULTS).read_text())["valid"] is False


@pytest.mark.parametrize("ops, code", [
    ([GOOD], 0), ([BAD], 1), ([GOOD, BAD], 1), ([GOOD, GOOD], 0)])
def test_check_judges_every_file(ops: list[list[Op]], code: int, tmp_path: Path) -> None:
    """Invalid outranks valid."""
    files = [written(tmp_path / f"{number}.jsonl", each) for number, each in enumerate(ops)]
    assert main(["check", *files, "--model", "counter"]) == code


def test_inspect_says_again_what_was_found(stored: Path,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    """The latest run, or the one named."""
    assert main(["inspect", "--store", str(stored)]) == 1
    said = capsys.readouterr().out
    assert (latest(stored).path / "report.txt").read_text() in said
    assert main(["inspect", "counter-crash,log-loss/1", "--store", str(stored)]) == 0
    assert "VALID" in capsys.readouterr().out


def test_replay_gives_the_same_bytes(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the verdict's exit code."""
    assert main(["replay", "--store", str(stored)]) == 1
    assert main(["replay", "counter-crash,log-loss", "--store", str(stored)]) == 0
    assert capsys.readouterr().out.count("the same") == 4


@pytest.mark.parametrize("name", [HISTORY, TRACE])
def test_replay_shows_the_first_line_that_differs(
        name: str, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that is no function of its test is our fault."""
    path = latest(store).path / name
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:5], lines[5].replace("1", "2", 1), *lines[6:]]))
    assert main(["replay", "--store", str(store)]) == OUR_FAULT
    assert f"{name}: line 6 differs" in capsys.readouterr().out


def test_export_is_read_back_as_the_same_history(
        stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Jepsen's EDN and back, a stored run as well as a file."""
    run = latest(stored)
    for source in (str(run.path), str(run.path / "history.jsonl")):
        assert main(["export", source]) == 0
        edn = tmp_path / "history.edn"
        edn.write_text(capsys.readouterr().out)
        assert read_history(edn).calls() == run.history.calls()


def test_list_shows_what_there_is(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names of everything, and each run with its verdict and command."""
    assert main(["list", "--store", str(stored)]) == 0
    out = capsys.readouterr().out
    for word in ("counter", "partition", "no-output-rule", "cas-register", "invalid", "--seed 1"):
        assert word in out


def test_list_of_an_empty_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Is not an error."""
    assert main(["list", "--store", str(tmp_path / "nothing")]) == 0
    assert "none" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its first line says what it is for."""
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0 and "usage:" in capsys.readouterr().out


# Mistakes

FILES = {
    "cut.jsonl": b'{"index":0,"process":0,"type":"invoke","f":"inc","value":nul',
    "list.jsonl": b'{"process":0,"type":"invoke","f":"inc"}\n[1,2]\n',
    "type.jsonl": b'{"process":0,"type":"maybe","f":"inc","value":null}',
    "two.jsonl": b'{"process":0,"type":"invoke","f":"inc"}\n' * 2,
    "alone.jsonl": b'{"process":0,"type":"ok","f":"inc","value":1}',
    "f.jsonl": b'{"process":0,"type":"invoke","f":"fly"}\n{"process":0,"type":"ok","f":"fly"}',
    "deep.jsonl": b'{"process":0,"type":"invoke","f":"inc","value":' + b"[" * 100_000,
    "nested.jsonl": b'{"process":0,"type":"invoke","f":"inc","value":' + b"[" * 500 + b"]" * 500
                    + b"}",
    "utf8.jsonl": b'{"process":0,"type":"invoke","f":"\xff\xfe"}',
    "cut.edn": b"{:process 0, :type :invoke, :f :inc, :value",
    "brace.edn": b"[{:process 0 :type :invoke :f :inc}}",
    "deep.edn": b"[" * 100_000,
    "op.edn": b"[1 2 3]",
    "cut.log": b"INFO  jepsen.util - 0 :invoke",
    "text.txt": b"Dear Sir or Madam,\n",
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_malformed_history_gives_one_line(name: str, tmp_path: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    """That names the file, whatever the format and the mistake."""
    path = tmp_path / name
    path.write_bytes(FILES[name])
    assert main(["check", str(path), "--model", "counter"]) == USAGE
    printed = capsys.readouterr()
    assert one_line(printed.err) and str(path) in printed.err


def one_line(text: str) -> bool:
    """One clear line: not a traceback, not a screenful."""
    return text.startswith("error: ") and text.count("\n") == 1 and "Traceback" not in text


@pytest.mark.parametrize("arguments, says", [
    ([], "COMMAND"),
    (["fly"], "fly"),
    (["run", "--fly"], "--fly"),
    (["run", "--workload", "x"], "unknown workload 'x'"),
    (["run", "--nemesis", "crash,x"], "unknown nemesis 'x'"),
    (["run", "--bug", "x"], "unknown bug 'x'"),
    (["run", "--system", "x"], "unknown system 'x'"),
    (["run", "--runtime", "x"], "unknown runtime 'x'"),
    (["run", "--seed", "one"], "--seed"),
    (["run", "--seed", "-1"], "seed is -1"),
    (["run", "--clients", "0"], "clients is 0"),
    (["run", "--rate", "1.5"], "--rate"),
    (["run", "--time-limit", ""], "--time-limit"),
    (["run", "--seed", "9" * 25], "seed is 999"),
    (["run", "--store", "{file}/store"], "{file}"),
    (["run", "--store", "{file}"], "{file}"),
    (["run", "--store", "/proc/store"], "/proc/store"),
    (["check", "{file}"], "--model"),
    (["check", "--model", "counter"], "FILE"),
    (["check", "{file}", "--model", "x"], "no model 'x'"),
    (["check", "{file}", "--model", "counter", "--format", "x"], "no format 'x'"),
    (["check", "{folder}/absent", "--model", "counter"], "{folder}/absent"),
    (["check", "{folder}", "--model", "counter"], "{folder}"),
    (["inspect", "--store", "{folder}/absent"], "no stored run"),
    (["inspect", "absent", "--store", "{folder}"], "absent: no stored run"),
    (["inspect", "absent", "--model", "register", "--store", "{folder}"], "absent: no stored run"),
    (["replay", "--store", "{folder}"], "no stored run"),
    (["replay", "{file}", "--store", "{folder}"], "no stored run"),
    (["inspect", "\0", "--store", "{folder}"], "no stored run"),
    (["inspect", "x" * 5000, "--store", "{folder}"], ""),
])
def test_a_mistake_gives_one_line(arguments: list[str], says: str, tmp_path: Path,
                                  capsys: pytest.CaptureFixture[str],
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 254, nothing on standard output, no traceback."""
    monkeypatch.chdir(tmp_path)
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.write_text("")
    folder.mkdir()
    names = {"{file}": str(file), "{folder}": str(folder)}
    for name, path in names.items():
        arguments = [word.replace(name, path) for word in arguments]
        says = says.replace(name, path)
    assert main(arguments) == USAGE
    printed = capsys.readouterr()
    assert one_line(printed.err) and says in printed.err
    assert printed.out == ""


@pytest.mark.parametrize("name, content", [
    (TEST, "{"), (TEST, "[]"), (TEST, '{"workload":"x"}'), (TEST, '{"nemesis":5}'),
    (RESULTS, "{"), (RESULTS, "{}"), (RESULTS, '{"valid":5,"why":""}'),
    (RESULTS, '{"valid":true,"why":"","parts":[]}'),
    (HISTORY, "[]\n"), (HISTORY, "{\n{\n"), (TRACE, "{\n{\n"), (TRACE, '{"time":1}\n')])
def test_a_damaged_run_folder_gives_one_line(
        name: str, content: str, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the file's name; and `list` still shows the others."""
    (latest(store).path / name).write_text(content)
    assert main(["inspect", "--store", str(store)]) == USAGE
    printed = capsys.readouterr()
    assert one_line(printed.err) and name in printed.err
    assert main(["list", "--store", str(store)]) == 0
    assert "counter-crash,log-loss/1" in capsys.readouterr().out


def test_our_own_fault_is_told_apart(capsys: pytest.CaptureFixture[str],
                                     monkeypatch: pytest.MonkeyPatch) -> None:
    """With a traceback, since somebody has to repair it."""
    def broken(_arguments: object) -> int:
        raise ZeroDivisionError
    monkeypatch.setattr(COMMANDS["list"](), "execute", broken)
    assert main(["list"]) == OUR_FAULT
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_is_no_verdict(capsys: pytest.CaptureFixture[str],
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    """As a shell tells it."""
    def interrupted(_arguments: object) -> int:
        raise KeyboardInterrupt
    monkeypatch.setattr(COMMANDS["list"](), "execute", interrupted)
    assert main(["list"]) == INTERRUPTED
    assert capsys.readouterr().err == "interrupted\n"


# Isolation

def test_a_check_that_crashes_is_unknown_and_hides_nothing(
        tmp_path: Path, capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone it makes the run unknown; beside an invalid check it changes nothing."""
    def crashes(_record: Record) -> Verdict:
        raise RuntimeError("out of luck")
    monkeypatch.setitem(harness.run.CHECKS, "stats", crashes)
    assert main([*SHORT, "--store", str(tmp_path)]) == 2
    assert "the check itself failed: RuntimeError: out of luck" in capsys.readouterr().out
    assert main([*DOUBLE, "--store", str(tmp_path)]) == 1
    results = json.loads((latest(tmp_path).path / RESULTS).read_text())
    assert results["parts"]["stats"]["valid"] == "unknown"
    assert results["parts"]["output-rule"]["valid"] is False


@pytest.mark.parametrize("arguments, code", [(SHORT, 0), (DOUBLE, 1)])
def test_an_explanation_that_fails_changes_no_verdict(
        arguments: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that it failed."""
    def fails(_record: Record, _verdict: Verdict) -> list[str]:
        raise RuntimeError("lost for words")
    monkeypatch.setattr(harness.run, "explain", fails)
    assert main([*arguments, "--store", str(tmp_path)]) == code
    assert "explaining this failed: RuntimeError: lost for words" in capsys.readouterr().out


# Runs that were cut off

@pytest.mark.parametrize("name", [HISTORY, TRACE])
@pytest.mark.parametrize("part", [0, 1, 13, 400, 999])
def test_a_run_that_was_cut_off_is_still_inspected(
        name: str, part: int, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At any byte: judged as far as it got, which may convict it and cannot acquit it."""
    folder = latest(store).path
    (folder / RESULTS).unlink()
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:len(content) * part // 1000])
    assert main(["inspect", "--store", str(store)]) in (1, 2)
    printed = capsys.readouterr()
    assert "ended" in printed.out
    assert "this run did not end; judged as far as it got" in printed.out
    assert printed.err == ""
    assert main(["list", "--store", str(store)]) == 0
    assert "did not end" in capsys.readouterr().out


def test_a_verdict_by_other_rules_is_told(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is stored is judged again; when that differs, it says so."""
    results = latest(store).path / RESULTS
    results.write_text(json.dumps({"valid": True, "why": "all is well"}))
    assert main(["inspect", "--store", str(store)]) == 1
    assert "results.json says otherwise" in capsys.readouterr().out


# As a process

def test_the_command_from_another_folder(tmp_path: Path) -> None:
    """The report's path is the one that was asked for; the verdict is the exit code."""
    done = subprocess_of(*DOUBLE, "--store", "here", cwd=tmp_path)
    assert done.returncode == 1 and done.stderr == ""
    assert (tmp_path / "here/latest/report.txt").read_text() in done.stdout


def test_a_mistake_as_a_process(tmp_path: Path) -> None:
    """254 is really what the shell sees."""
    done = subprocess_of("run", "--nemesis", "x", cwd=tmp_path)
    assert done.returncode == USAGE and one_line(done.stderr) and done.stdout == ""
    assert list(tmp_path.iterdir()) == [], "nothing half-written"


def test_a_reader_that_goes_away_gets_no_traceback(tmp_path: Path) -> None:
    """As with `list | head -1`; it is no verdict either, and never exit code 0."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-m", "checker", "list"], cwd=tmp_path, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == PIPE_CLOSED
