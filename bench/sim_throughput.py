"""How fast the simulated pair is: completed client operations a second of processor time.

    python -m bench.sim_throughput [SECONDS] [--profile]

A replicated counter under many clients and no faults, for SECONDS of virtual time: driven, stored
and judged as `python -m checker run` does it.  Times are of one processor, the best of three runs;
on an idle machine that is wall time.  `--profile` says where the rest goes: each module's share of
the time while simulating, as cProfile sees it, which makes calls look dearer than they are.
"""

from __future__ import annotations

import cProfile
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Callable, NamedTuple

from harness.run import checks_of, conclude, describe, execute, run
from harness.test import Test
from histories.store import create

GOAL = 2000                 # operations a second, all in all
ROUNDS = 3
MODULES = 16                # in the profile
ROOT = Path(__file__).resolve().parent.parent


class Times(NamedTuple):
    """Seconds of processor time, and what was done in them."""

    operations: int
    simulate: float
    store: float
    judge: float
    whole: float


def busy(seconds: int) -> Test:
    """The test that is measured: an almost saturated counter."""
    return Test(workload="counter", rate_hz=5000, clients=20, time_limit_s=seconds)


def best(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the fastest round, and what the last one answered."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        answer = work()
        times.append(time.process_time() - start)
    return min(times), answer


def measure(test: Test, root: Path) -> Times:
    """A run as a whole, and its parts one by one."""
    def stored() -> None:
        with create(root, test.name, description) as writer:
            execute(test, description, writer)

    description = describe(test)
    simulate, record = best(lambda: execute(test, description))
    both, _ = best(stored)
    judge, _ = best(lambda: conclude(record, checks_of(test)))
    whole, outcome = best(lambda: run(test, root))
    assert outcome.verdict.valid is True, outcome.verdict.why
    operations = sum(op.type == "ok" for op in record.history)
    return Times(operations, simulate, both - simulate, judge, whole)


def shares(test: Test) -> list[tuple[str, float]]:
    """Each module's part of the time that simulating takes, largest first."""
    profile = cProfile.Profile()
    profile.runcall(execute, test, describe(test))
    spent: dict[str, float] = {}
    profile.create_stats()
    for (file, _, _), (_, _, own, _, callers) in profile.stats.items():
        if file == "~":         # built in: it belongs to whoever calls it
            for (caller, _, _), (_, _, part, _) in callers.items():
                spent[caller] = spent.get(caller, 0) + part
        else:
            spent[file] = spent.get(file, 0) + own
    total = sum(spent.values())
    found = [(_short(file), part / total) for file, part in spent.items()]
    return sorted(found, key=lambda each: -each[1])[:MODULES]


def _short(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


def main() -> None:
    """Print the table."""
    words = [word for word in sys.argv[1:] if word != "--profile"]
    test = busy(int(words[0]) if words else 1)
    with TemporaryDirectory() as folder:
        times = measure(test, Path(folder))
    print(f"{times.operations:,} operations; {times.operations / times.whole:,.0f} a second "
          f"(the goal is {GOAL:,})")
    for name in ("simulate", "store", "judge", "whole"):
        part = getattr(times, name)
        print(f"{name:10} {part:7.2f} s  {1e6 * part / times.operations:7.1f} us/operation  "
              f"{100 * part / times.whole:5.1f} %")
    if "--profile" in sys.argv:
        for module, share in shares(test):
            print(f"{module:30} {100 * share:5.1f} %")


if __name__ == "__main__":
    main()
