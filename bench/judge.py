"""How fast the judge is: `python bench/judge.py [CALLS_MAX]`.

In process, from a loaded History to a verdict with its evidence, conversion included, per history:
processor time, the best of three, or the only one where that takes long; and the peak of memory
beyond what the process held, where Linux tells it.  Last, the growth exponent of each series.
"""

from __future__ import annotations

import gc
import math
import sys
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.synthetic import Shape, make  # noqa: E402
from checker import linearizable, models  # noqa: E402
from checker.verdict import word  # noqa: E402

STATUS = Path("/proc/self/status")
REPEATS, LONG_S = 3, 3.0
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


class Row(NamedTuple):
    """The verdict on a history, the processor time in seconds, the peak of memory in KiB."""

    verdict: str
    took_s: float
    peak_kib: int


def measure(shape: Shape) -> Row:
    """Judge the history of a shape."""
    gc.disable()        # or it looks through all ops again and again while they are made
    history, model = make(shape), models.by_name(shape.model)
    gc.enable()
    times: list[float] = []
    peak_kib, valid = 0, None
    while not times or len(times) < REPEATS and times[0] < LONG_S:
        gc.collect()
        before_kib = _reset_peak()
        started_s = time.process_time()
        valid = linearizable(history, model).valid
        times.append(time.process_time() - started_s)
        peak_kib = max(peak_kib, _status_kib("VmHWM") - before_kib)
    return Row(word(valid), min(times), peak_kib)


def _reset_peak() -> int:
    """Forget the process's peak of memory so far; what it holds now, in KiB."""
    if STATUS.exists():
        STATUS.with_name("clear_refs").write_text("5")
    return _status_kib("VmRSS")


def _status_kib(name: str) -> int:
    """A figure that the system tells of this process; 0 where there is none."""
    lines = STATUS.read_text().splitlines() if STATUS.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith(name + ":")), 0)


def main(calls_max: int) -> None:
    """Print a row for each history, and the exponent of each series."""
    print(f"{'history':<60}{'verdict':<9}{'time':>11}{'peak':>10}")
    for series in SERIES:
        rows = []
        for calls in (calls for calls in CALLS if calls <= calls_max):
            shape = series._replace(calls=calls)
            row = measure(shape)
            rows.append(row)
            bad = ", violation" if shape.violation else ""
            distinct = ", distinct" if shape.distinct else ""
            name = (f"{shape.model} {calls:,} x{shape.concurrency}, "
                    f"{shape.crashed_percent}% crashed{distinct}{bad}")
            print(f"{name:<60}{row.verdict:<9}{row.took_s * 1000:>8.1f} ms"
                  f"{row.peak_kib / 1024:>6.0f} MiB", flush=True)
        if len(rows) > 1:
            exponent = math.log10(rows[-1].took_s / rows[0].took_s) / (len(rows) - 1)
            print(f"{'':<60}growth exponent {exponent:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1].replace(",", "")) if len(sys.argv) > 1 else CALLS[-1])
