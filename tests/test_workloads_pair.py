"""Every workload on the replicated pair: hosts crash, links break, log entries get lost."""

from __future__ import annotations

from pathlib import Path

import pytest

import harness.test
from harness.run import run
from workloads import WORKLOADS

FAULTS = ("crash", "partition", "log-loss")


def judge(name: str, seed: int, root: Path, time_limit_s: int) -> None:
    """One run must be valid."""
    test = harness.test.Test(workload=name, nemesis=FAULTS, seed=seed, time_limit_s=time_limit_s)
    outcome = run(test, root)
    assert outcome.verdict.valid is True, "\n".join(outcome.explanation)


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_a_workload_survives_faults(name: str, tmp_path: Path) -> None:
    """A short run."""
    judge(name, 1, tmp_path, time_limit_s=6)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_a_workload_survives_faults_under_many_seeds(name: str, tmp_path: Path) -> None:
    """Longer runs."""
    for seed in range(2, 12):
        judge(name, seed, tmp_path, time_limit_s=30)
