"""Spinning on the disk's data: what a client is told of a pair's races."""

from __future__ import annotations

from pathlib import Path

import harness.test
from harness.run import run


def test_a_read_does_not_pass_a_write_that_is_held(tmp_path: Path) -> None:
    """The log stalls, so the write back of a count is held; the slot's next draw reads its block.
    """
    test = harness.test.Test(workload="spin", seed=3, time_limit_s=15,
                             nemesis=("crash", "partition", "log-loss"))
    outcome = run(test, tmp_path)
    assert outcome.verdict.valid is True, "\n".join(outcome.explanation)
