"""`check`: many files at once, patterns, limits, and one exit code."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from pebble import ProcessPool

from harness import judge
from harness.case import exit_code, of_file
from harness.cli import main
from harness.commands.check import report
from histories.read import Limits

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
    assert "invalid  counter  2 calls, fetch-and-add" in told[-3] and "valid" in told[-2]
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
    (["--max-bytes", "10"], "more than the limit of 10 bytes"),
    (["--max-ops", "3"], "more than the limit of 3 ops"),
    (["--model", "register"], "op 0: register knows no 'inc'"),
])
def test_limits_and_strangers(
    folder: Path, more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(folder / "good.jsonl")
    assert main(["check", path, "--model", "counter", *more]) == 254
    assert path in (told := capsys.readouterr().err) and message in told


def write(path: Path, *ops: tuple[object, ...]) -> str:
    """A file of ops: process, type, f and perhaps a value."""
    keys = ("process", "type", "f", "value")
    path.write_text("".join(json.dumps(dict(zip(keys, op))) + "\n" for op in ops))
    return str(path)


@pytest.mark.parametrize("ops, message", [
    ([(0, "ok", "inc", 1)], ":1: op 0: process 0 completes a call it has not invoked"),
    ([(0, "invoke", "inc"), (0, "invoke", "inc")],
     ":2: op 1: process 0 already has an open call"),
    ([(0, "invoke", "inc"), (0, "info", "inc"), (0, "ok", "inc", 1)],
     ":3: op 2: process 0 completes a call after an info completion"),
    ([(0, "invoke", "inc"), (0, "info", "inc"), (0, "invoke", "inc")],
     ":3: op 2: process 0 went on after an info completion"),
    ([(0, "invoke", "inc"), (0, "ok", "inc", 1), (0, "fail", "inc")],
     ":3: op 2: process 0 completes a call it has not invoked"),
    ([(0, "invoke", "inc"), (0, "ok", "read", 1)], ":2: op 1: 'read' completes a call of 'inc'"),
    ([("a", "invoke", "inc")], ":1: op 0: process 'a' is no whole number and not \"nemesis\""),
    ([(0, "start", "inc")], ":1: op 0: type 'start' is none of invoke, ok, fail, info"),
    ([(0, "invoke", "jump")], ": op 0: counter knows no 'jump'"),
])
def test_misuse_is_told_with_its_line(
    ops: list[tuple[object, ...]], message: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "f", *ops)
    assert main(["check", path, "--model", "counter"]) == 254
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {path}{message}")


def test_one_file_that_is_refused_spoils_no_other(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Invalid outranks it; it outranks valid and unknown."""
    odd = write(folder / "odd", (0, "ok", "inc", 1))
    good, bad = str(folder / "good.jsonl"), str(folder / "bad.jsonl")
    assert main(["check", odd, good]) == 254
    told = capsys.readouterr()
    assert "1 valid, 0 invalid, 0 unknown, 1 refused" in told.out
    assert told.err == f"error: {odd}:1: op 0: process 0 completes a call it has not invoked\n"
    assert main(["check", odd, bad, "--json"]) == 1
    files = json.loads(capsys.readouterr().out)["files"]
    assert "completes a call" in files[odd]["why"]
    assert files[bad]["valid"] is False and files[bad]["model"] == "counter"


def test_a_file_without_a_model_says_which_it_was_taken_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(folder / "good.jsonl")]) == 0
    assert "Taken for a counter: its calls are inc" in capsys.readouterr().out
    odd = write(folder / "odd", (0, "invoke", "enqueue", 1), (0, "ok", "enqueue", 1))
    assert main(["check", odd]) == 254
    assert capsys.readouterr().err == (
        f"error: {odd}: its calls are enqueue, which may be a queue or "
        "unordered-queue; name one with --model\n")


@pytest.mark.parametrize("ops, why", [
    ([], "none of 0 operations succeeded"),
    ([(0, "invoke", "inc"), (0, "info", "inc")], "none of 1 operation succeeded"),
    ([(0, "invoke", "inc"), (0, "fail", "inc"), ("nemesis", "ok", "kill")],
     "none of 1 operation succeeded")])
def test_a_history_in_which_nothing_succeeded_proves_nothing(
    ops: list[tuple[object, ...]], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As with a run: it is unknown, and says so."""
    path = write(tmp_path / "idle.jsonl", *ops)
    assert main(["check", path, "--model", "counter"]) == 2
    told = capsys.readouterr().out
    assert told.startswith("UNKNOWN") and "(vacuity)" in told and why in told.lower()


def pending_increments(path: Path) -> str:
    """What no search finishes: many distinct pending amounts, then a sum that they cannot make."""
    ops: list[tuple[object, ...]] = [(n, "invoke", "inc", 2**n) for n in range(40)]
    return write(path, *ops, (99, "invoke", "read"), (99, "ok", "read", 2**60))


def test_a_file_that_takes_too_long_is_unknown_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = pending_increments(folder / "slow")
    code = main(["check", slow, str(folder / "good.jsonl"), "--timeout", "1", "--json"])
    files = json.loads(capsys.readouterr().out)["files"]
    assert [each["valid"] for each in files.values()] == ["unknown", True]
    assert code == 2


def _die(_task: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _exhaust(_task: object) -> None:
    raise MemoryError


def _sleep(_task: object) -> None:
    time.sleep(60)


def _err(_task: object) -> None:
    raise ZeroDivisionError("of our own")


def ended(end: Callable[[object], None]) -> judge.Judged:
    """What becomes of a file whose process ends like this."""
    task = judge.Task("f", None, None, 1, 4000, Limits(), "linearizable")
    pool: Any
    with ProcessPool(1, context=multiprocessing.get_context("forkserver")) as pool:
        judged = judge._outcome(task, pool.schedule(end, args=[task], timeout=1))
        pool.stop()
    return judged


@pytest.mark.parametrize("end, why", [
    (_die, "its process died (-9)"), (_exhaust, "it took more than 4000 MB"),
    (_sleep, "it took more than 1 s"),
])
def test_whatever_ends_a_process_its_file_is_unknown(
    end: Callable[[object], None], why: str
) -> None:
    judged = ended(end)
    assert judged.verdict.valid is None
    assert judged.explanation == [f"UNKNOWN  f: gave up on the file: {why}"]
    assert report([judged, judged])[-1] == "0 valid, 0 invalid, 2 unknown"


def test_a_fault_of_our_own_is_told_apart() -> None:
    """With a traceback, since somebody has to repair it."""
    judged = ended(_err)
    assert judged.outcome == "crashed" and exit_code([of_file(judged)]) == 255
    assert judged.verdict.why == "the check itself failed: ZeroDivisionError: of our own"
    assert any("Traceback" in line for line in judged.explanation)
    assert report([judged, judged])[-1] == "0 valid, 0 invalid, 0 unknown, 2 crashed"


def test_memory_has_a_limit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that does not fit is unknown, the one after it is judged."""
    big = folder / "big.edn"
    big.write_text("[" + '"' + "x" * 300_000_000 + '"]')
    code = main(["check", str(big), str(folder / "good.jsonl"), "--model", "counter",
                 "--memory", "400", "--jobs", "1"])
    told = capsys.readouterr().out
    assert "it took more than 400 MB" in told and "1 valid, 0 invalid, 1 unknown" in told
    assert code == 2


@pytest.mark.parametrize("option", ["--timeout", "--memory", "--jobs", "--max-ops", "--max-bytes"])
def test_a_limit_is_a_number_from_1(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "f", option, "0"]) == 254
    assert "invalid number from 1 value: '0'" in capsys.readouterr().err


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
