"""Spinning on the disk's data: what a client is told of a pair's races."""

from __future__ import annotations

from pathlib import Path

import harness.test
from harness.plan import Plan, PlannedFault
from harness.run import rehearse, run


def test_a_read_does_not_pass_a_write_that_is_held(tmp_path: Path) -> None:
    """The log stalls, so the write back of a count is held; the slot's next draw reads its block.
    """
    test = harness.test.Test(workload="spin", seed=3, time_limit_s=15,
                             nemesis=("crash", "partition", "log-loss"))
    outcome = run(test, tmp_path)
    assert outcome.verdict.valid is True, "\n".join(outcome.explanation)


def test_a_slot_whose_write_was_torn_is_written_and_read_again() -> None:
    """The read that was already asked for finds half of a block."""
    torn = {"hosts": ["n1"], "requests": 1, "of_requests": 3}
    plan = Plan(faults=(PlannedFault(0, "tear-writes", torn),))
    test = harness.test.Test(workload="spin", time_limit_s=4, nemesis=("disk",), plan=plan)
    record, verdict = rehearse(test)
    assert verdict.valid is True, verdict.why
    assert any(event.data["status"] for event in record.trace.of("disk-write"))
