"""How fast the judge is: `python bench/judge.py [CALLS_MAX]`.

In process, from a loaded History to a verdict, conversion included: processor time of the best of
three, per history; last, the growth exponent of each series.
"""

from __future__ import annotations

import gc
import math
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.synthetic import Shape, make  # noqa: E402
from checker import linearizable, models  # noqa: E402
from checker.verdict import word  # noqa: E402

CALLS = (10_000, 100_000, 1_000_000)
SERIES = [
    Shape("register", 0, 10), Shape("register", 0, 30), Shape("register", 0, 10, 1),
    Shape("register", 0, 10, 0, True), Shape("register", 0, 10, 1, True),
    Shape("cas-register", 0, 10), Shape("cas-register", 0, 30), Shape("cas-register", 0, 10, 1),
    Shape("cas-register", 0, 10, 5), Shape("cas-register", 0, 10, 0, True),
    Shape("cas-register", 0, 10, 1, True), Shape("cas-register", 0, 30, 1, True),
    Shape("register", 0, 10, 1, distinct=True), Shape("register", 0, 10, 1, True, True),
    Shape("cas-register", 0, 10, 1, distinct=True), Shape("cas-register", 0, 10, 1, True, True),
    Shape("counter", 0, 10, 1), Shape("counter", 0, 10, 1, True),
]


def measure(shape: Shape) -> tuple[str, float]:
    """The verdict on a history, and the processor time that it took, in seconds."""
    history, model = make(shape), models.by_name(shape.model)
    times, valid = [], None
    for _again in range(3):
        gc.collect()
        started_s = time.process_time()
        valid = linearizable(history, model).valid
        times.append(time.process_time() - started_s)
    return word(valid), min(times)


def main(calls_max: int) -> None:
    """Print a row for each history, and the exponent of each series."""
    print(f"{'history':<58}{'verdict':<9}{'time':>10}")
    for series in SERIES:
        rows = []
        for calls in (calls for calls in CALLS if calls <= calls_max):
            shape = series._replace(calls=calls)
            verdict, took_s = measure(shape)
            rows.append(took_s)
            bad = ", violation" if shape.violation else ""
            distinct = ", distinct" if shape.distinct else ""
            name = (f"{shape.model} {calls:,} x{shape.concurrency}, "
                    f"{shape.crashed_percent}% crashed{distinct}{bad}")
            print(f"{name:<58}{verdict:<9}{took_s * 1000:>7.1f} ms", flush=True)
        if len(rows) > 1:
            exponent = math.log10(rows[-1] / rows[0]) / (len(rows) - 1)
            print(f"{'':<58}growth exponent {exponent:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1].replace(",", "")) if len(sys.argv) > 1 else CALLS[-1])
