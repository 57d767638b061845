"""Same test, same bytes: from any folder, in any process, with or without native code."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from histories.store import HISTORY, TRACE

ROOT = Path(__file__).resolve().parent.parent
RUN = ["run", "--nemesis", "crash,partition,log-loss", "--time-limit", "5", "--seed", "3"]
WITHOUT = """
import sys
sys.modules.update(dict.fromkeys({modules}))
from harness.cli import main
raise SystemExit(main())
"""


def recorded(folder: Path, *arguments: str, hash_seed: str = "0",
             without: tuple[str, ...] = ()) -> list[bytes]:
    """History, trace and reports of a run in its own process, some modules made unimportable."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(modules=without), *RUN, *arguments, "--store", "s"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed},
        timeout=300, text=True, capture_output=True)
    assert done.stderr == "" and done.returncode in (0, 1)
    latest = folder / "s" / "latest"
    return [(latest / HISTORY).read_bytes(), (latest / TRACE).read_bytes(),
            (latest / "report.txt").read_bytes(), (latest / "report.html").read_bytes()]


def test_the_same_command_gives_the_same_bytes(tmp_path: Path) -> None:
    """History, trace and report, with another hash seed and from another folder."""
    one = recorded(tmp_path / "one", hash_seed="1")
    other = recorded(tmp_path / "other folder", hash_seed="2")
    assert one == other
    assert all(content.count(b"\n") > 100 for content in one[:2])


def test_a_run_that_fails_fails_in_the_same_words(tmp_path: Path) -> None:
    """The report of an invalid run, byte by byte."""
    bug = ["--bug", "no-output-rule", "--nemesis", "crash,log-loss"]
    one = recorded(tmp_path / "one", *bug, hash_seed="1")
    assert one == recorded(tmp_path / "other", *bug, hash_seed="2")
    assert one[2].startswith(b"INVALID")


def test_another_seed_gives_another_run(tmp_path: Path) -> None:
    """Or the comparisons above would prove nothing."""
    assert recorded(tmp_path / "one")[0] != recorded(tmp_path / "other", "--seed", "4")[0]


@pytest.mark.skipif(importlib.util.find_spec("vmft._counter") is None,
                    reason="the native counter was not built")
def test_counting_in_python_gives_the_same_bytes(tmp_path: Path) -> None:
    """Native code is faster, and nothing else."""
    short = ["--time-limit", "3"]
    native = recorded(tmp_path / "native", *short)
    assert native == recorded(tmp_path / "pure", *short, without=("vmft._counter",))
