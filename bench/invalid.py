"""What an invalid history costs beside a valid one: `python bench/invalid.py [CALLS...]`.

Both are the same history, but for answers that were changed after 98% of it: "strange", an answer
that nobody could give; "again", the answer of an earlier call like it; "swapped", the answers
of two such calls exchanged.  In process, from a loaded History to a verdict with its evidence:
processor time of the best of three.
"""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.containers import made  # noqa: E402
from bench.synthetic import Shape  # noqa: E402
from checker import Model, Verdict, linearizable, models  # noqa: E402
from checker.verdict import word  # noqa: E402
from histories import History  # noqa: E402

CALLS = (1_000, 10_000)
SHAPES = [
    Shape("register", 0, 10), Shape("register", 0, 10, 1), Shape("cas-register", 0, 10, 1),
    *(Shape(model, 0, 10, crashed, distinct=True) for model in ("register", "cas-register")
      for crashed in (0, 1)),
    *(Shape(model, 0, 10, crashed) for model in (
        "counter", "adds", "set", "queue", "unordered-queue", "priority-queue", "stack")
      for crashed in (0, 1)),
]
APART = 30              # calls between two whose answers are exchanged
TELLS = ("read", "inc", "contains", "dequeue", "pop")


class Row(NamedTuple):
    """A history and its costs, in seconds of processor time."""

    shape: Shape
    how: str
    valid_s: float
    verdict: Verdict
    invalid_s: float

    @property
    def ratio(self) -> float:
        """How many times as much an invalid history costs."""
        return self.invalid_s / self.valid_s


def spoilt(history: History, how: str) -> History:
    """The history with a wrong answer or two."""
    ops = list(history.ops)
    told = [at for at, op in enumerate(ops) if op.type == "ok" and op.f in TELLS]
    later = told[len(told) * 98 // 100]
    earlier = next(at for at in reversed(told[:told.index(later) - APART])
                   if ops[at].f == ops[later].f and ops[at].value != ops[later].value
                   and None not in (ops[at].value, ops[later].value))
    if how == "swapped":
        ops[earlier] = ops[earlier]._replace(value=ops[later].value)
    value: Any = history.ops[earlier].value
    if how == "strange":
        value = not ops[later].value if type(value) is bool else len(ops)
    ops[later] = ops[later]._replace(value=value)
    return History(ops)


def measure(history: History, model: Model) -> tuple[Verdict, float]:
    """The verdict, and the processor time that it took, in seconds."""
    times = []
    for _again in range(3):
        fresh = History(history.ops)        # nothing is paired yet
        gc.collect()
        started_s = time.process_time()
        verdict = linearizable(fresh, model)
        times.append(time.process_time() - started_s)
    return verdict, min(times)


def rows(shape: Shape) -> list[Row]:
    """A history as it is and spoilt in each way."""
    model = models.by_name("counter" if shape.model == "adds" else shape.model)
    history = made(shape)
    valid, valid_s = measure(history, model)
    assert valid.valid is True, valid
    return [Row(shape, how, valid_s, *measure(spoilt(history, how), model))
            for how in ("strange", "again", "swapped")]


def main(sizes: list[int]) -> None:
    """Print a row for each history, and the worst ratio."""
    print(f"{'history':<46}{'spoilt':<9}{'valid':>10}{'spoilt':>11}{'ratio':>7}  "
          f"{'verdict':<8}{'core':>5}")
    ratios = []
    for calls in sizes:
        for shape in SHAPES:
            for row in rows(shape._replace(calls=calls)):
                distinct = ", distinct" if shape.distinct else ""
                name = f"{shape.model} {calls:,}, {shape.crashed_percent}% crashed{distinct}"
                core = row.verdict.evidence.get("core", ())
                smallest = "" if row.verdict.evidence.get("core_smallest") else "?"
                print(f"{name:<46}{row.how:<9}{row.valid_s * 1000:>7.1f} ms"
                      f"{row.invalid_s * 1000:>8.1f} ms{row.ratio:>7.1f}  "
                      f"{word(row.verdict.valid):<8}{len(core):>4}{smallest}", flush=True)
                ratios += [row.ratio] if row.verdict.valid is False else []
    print(f"the worst ratio is {max(ratios):.1f}")


if __name__ == "__main__":
    main([int(each.replace(",", "")) for each in sys.argv[1:]] or list(CALLS))
