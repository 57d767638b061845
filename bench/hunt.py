"""Seeds per second of wall time: how many runs a hunt gets through, by workload and workers.

    python -m bench.hunt [WORKLOAD ...]

Each run is judged and not stored, as in `hunt`; swarms of faults, the other options as usual.
Processes are started before the clock is.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

from bench.table import line
from harness.failure import find
from harness.test import Test
from harness.workers import answers, workers
from workloads import WORKLOADS

SEEDS = 10
JOBS = (1, 2)
TEST = Test(nemesis=("swarm",))
WIDTHS = (10, *(12 for _ in JOBS))


def seeds_per_s(workload: str, jobs: int) -> float:
    """Wall time of SEEDS runs on so many workers."""
    tests = [replace(TEST, workload=workload, seed=seed) for seed in range(1, SEEDS + 1)]
    with workers(jobs) as executor:
        warm = [replace(TEST, workload=workload, time_limit_s=1, seed=job) for job in range(jobs)]
        for _ in answers(executor, find, warm):
            pass
        start_s = time.perf_counter()
        for _ in answers(executor, find, tests):
            pass
        return SEEDS / (time.perf_counter() - start_s)


def main(workloads: list[str]) -> None:
    """Print the table."""
    print(line(("workload", *(f"{jobs} worker{'s' * (jobs > 1)}" for jobs in JOBS)), WIDTHS))
    for workload in workloads:
        print(line((workload, *(f"{seeds_per_s(workload, jobs):.2f}" for jobs in JOBS)), WIDTHS))


if __name__ == "__main__":
    main(sys.argv[1:] or sorted(WORKLOADS))
