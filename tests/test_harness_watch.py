"""A run that ends at its first violation, and one that only tells of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from checker import Verdict
from harness.cli import main
from harness.run import describe, execute, rehearse, run
from harness.test import Test
from harness.watch import Watch
from histories import Op

BROKEN = Test(bugs=("no-output-rule",), nemesis=("crash", "log-loss"), time_limit_s=5)


def test_it_ends_with_the_first_violation() -> None:
    """What is recorded is what the whole run begins with, and it is invalid for the same reason."""
    whole, verdict = rehearse(BROKEN)
    ended, early = rehearse(replace(BROKEN, fail_fast=True))
    op = verdict.parts["linearizable"].evidence["op"]
    assert ended.history.ops == whole.history.ops[:op + 1] and len(whole.history) > op + 1
    assert ended.trace.events == whole.trace.events[:len(ended.trace.events)]
    assert early.valid is False and early.parts["linearizable"].evidence["op"] == op


def test_it_changes_nothing_where_nothing_is_wrong() -> None:
    healthy = Test(time_limit_s=3, nemesis=("partition",))
    assert rehearse(healthy)[0].history == rehearse(replace(healthy, fail_fast=True))[0].history


def test_replay_gives_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the command that it prints is the one that gave it."""
    words = ["--bug", "no-output-rule", "--nemesis", "crash,log-loss", "--time-limit", "5",
             "--fail-fast", "--store", str(tmp_path)]
    assert main(["run", *words]) == 1
    printed = capsys.readouterr().out
    assert "--time-limit 5 --fail-fast\n" in printed and "already invalid" not in printed
    assert main(["replay", "--store", str(tmp_path)]) == 1
    assert capsys.readouterr().out.count(": the same ") == 2


def test_a_run_tells_once_and_goes_on(tmp_path: Path) -> None:
    told: list[Verdict] = []
    outcome = run(BROKEN, tmp_path, told.append)
    assert [each.valid for each in told] == [False]
    found = outcome.verdict.parts["linearizable"].evidence["op"]
    assert told[0].evidence["op"] == found < len(outcome.record.history) - 1


def test_what_it_cannot_judge_is_left_to_the_checks() -> None:
    """A history that makes no sense ends no run."""
    watch = Watch(replace(BROKEN, fail_fast=True))
    watch.see(Op(0, "ok", "inc", 1, index=0))
    watch.see(Op(0, "ok", "inc", 1, index=1))


@pytest.mark.parametrize("workload", ["idle", "load"])
def test_a_workload_that_is_not_judged_so_runs_to_its_end(workload: str) -> None:
    test = Test(workload=workload, time_limit_s=1, fail_fast=True)
    assert len(execute(test, describe(test)).history) > 0
