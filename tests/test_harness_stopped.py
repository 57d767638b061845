"""Commands that are stopped: killed, interrupted, or out of room; and what they leave behind."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Callable, Iterator

import pytest

from harness.cli import USAGE, main
from harness.corpus import FILE
from histories.store import HISTORY, latest

ROOT = Path(__file__).resolve().parent.parent
WAIT_S = 120
BROKEN = ["--workload", "counter", "--bug", "no-output-rule", "--time-limit", "1"]
COMMANDS = {
    "run": ["run", *BROKEN],
    "hunt": ["hunt", *BROKEN, "--nemesis", "none", "--runs", "1", "--jobs", "1"],
    "shrink": ["shrink", *BROKEN, "--runs", "5", "--jobs", "1"],
    "bugs": ["bugs", "--bug", "no-output-rule", "--seeds", "1", "--time-limit", "1", "--jobs", "1"],
    "sweep": ["sweep", *BROKEN, "--rate", "1", "--clients", "1", "--jobs", "1"],
}


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a shell would start it, in a group of its own; gone in the end.

    A shell starts what is to run in the background with Ctrl-C ignored, and this test with it.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-m", "checker", *arguments], text=True,
                          env=environment, start_new_session=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, preexec_fn=_heed_ctrl_c) as process:
        try:
            yield process
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def _heed_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for(reached: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Until it is so; the process must not have ended before."""
    for _ in range(WAIT_S * 20):
        assert process.poll() is None
        if reached():
            return
        time.sleep(0.05)
    raise AssertionError("this takes too long")


def test_a_run_that_was_killed_is_inspected(tmp_path: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    """By SIGKILL in the middle: judged as far as it got."""
    with started("run", "--nemesis", "crash", "--time-limit", "10000",
                 "--store", str(tmp_path)) as process:
        history = tmp_path / "latest" / HISTORY
        wait_for(lambda: history.exists() and history.stat().st_size > 20_000, process)
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert main(["inspect", "--store", str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert "this run did not end; judged as far as it got" in printed.out and printed.err == ""
    assert len(latest(tmp_path).history) > 100


def failures(root: Path) -> int:
    """How many failing tests are kept."""
    try:
        with closing(sqlite3.connect(f"file:{root / FILE}?mode=ro", uri=True)) as database:
            return int(database.execute("SELECT count(*) FROM failures").fetchone()[0])
    except sqlite3.OperationalError:        # not there yet
        return 0


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_ends_a_hunt_with_what_it_found(jobs: str, tmp_path: Path) -> None:
    """A real one, to the whole group as from a terminal; nothing but the findings is said."""
    with started("hunt", *BROKEN, "--nemesis", "none", "--jobs", jobs, "--budget", "1h",
                 "--store", str(tmp_path)) as process:
        wait_for(lambda: failures(tmp_path) > 0, process)
        os.killpg(process.pid, signal.SIGINT)
        said, complaints = process.communicate(timeout=WAIT_S)
        assert process.returncode == 1 and complaints == ""
    assert "interrupted; this is what was found by then" in said
    assert "seeds per second of wall time" in said and "stored: " in said


@contextmanager
def little_room(size_bytes: int) -> Iterator[None]:
    """No file may get larger, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("command, size_bytes", [
    (command, size_bytes) for command in COMMANDS for size_bytes in (0, 1000, 20_000)
    if (command, size_bytes) != ("bugs", 20_000)])      # what it writes is smaller
def test_a_full_disk_is_one_line(
        command: str, size_bytes: int, tmp_path: Path, capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever does not fit any more, and whoever wants to write it."""
    monkeypatch.setattr("harness.commands.sweep.moments", lambda test: [300_000_000])
    with little_room(size_bytes):
        code = main([*COMMANDS[command], "--store", str(tmp_path)])
    complaint = capsys.readouterr().err
    assert code == USAGE and complaint.startswith("error: ") and complaint.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_a_store_that_cannot_be_written_is_one_line(command: str, tmp_path: Path,
                                                    capsys: pytest.CaptureFixture[str]) -> None:
    """Before the work, not after it."""
    (tmp_path / "file").write_text("")
    assert main([*COMMANDS[command], "--store", str(tmp_path / "file" / "store")]) == USAGE
    complaint = capsys.readouterr().err
    assert "Not a directory" in complaint and complaint.count("\n") == 1
