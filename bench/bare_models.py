"""What it costs a model to say nothing of its operations: `python bench/bare_models.py [CALLS]`.

A model of the checker against one with the same `step` and nothing else, as a user's first one is:
processor time of the best of three, from a loaded History to a verdict, in turns.  The monitors of
the first are left out, so that both are searched.  The ratio is that of their speeds.
"""

from __future__ import annotations

import gc
import sys
import time
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Callable

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.synthetic import CELLS, Client, Kind, Shape, make  # noqa: E402
from bench.table import line  # noqa: E402
from checker import Inconsistent, Model, linearizable, models  # noqa: E402

CALLS = (10_000, 100_000)
REPEATS = 3
WIDTHS = (-52, 12, 12, 7)
SHAPES = [
    Shape("register", 0, 10), Shape("register", 0, 10, 1), Shape("register", 0, 10, 1, True),
    Shape("cas-register", 0, 10), Shape("cas-register", 0, 10, 1),
    Shape("cas-register", 0, 10, 1, True), Shape("cas-register", 0, 30, 1),
    Shape("mutex", 0, 10), Shape("mutex", 0, 10, 1), Shape("lease", 0, 10, 1),
    Shape("queue", 0, 10),
]


def _of(model: Model, *fs: str, args: int, answer: Callable[[Any, str, Any], Any]) -> Kind:
    """Calls of a model with so many arguments, which take effect as it says."""
    def draw(rng: Random, _shape: Shape, _number: int) -> tuple[str, Any]:
        return rng.choice(fs), rng.randrange(args)

    def apply(client: Client, state: Any) -> Any:
        client.answer = answer(state, client.f, client.arg)
        after = model.step(state, client.f, client.arg, client.answer)
        if not isinstance(after, Inconsistent):
            return after
        client.outcome = "fail"
        return state

    return Kind(lambda _shape: model.init, draw, apply)


def _argument(_state: Any, _f: str, arg: Any) -> Any:
    return arg


KINDS = {
    "mutex": _of(models.mutex, "acquire", "release", args=1, answer=_argument),
    "lease": _of(models.lease, "acquire", "renew", "release", "holder", args=4,
                 answer=lambda state, f, arg: state if f == "holder" else arg),
    "queue": _of(models.queue, "enqueue", "dequeue", "dequeue", args=3,
                 answer=lambda state, f, arg: arg if f == "enqueue" else next(iter(state), None)),
}


def bare(model: Model) -> Model:
    """The same model, which says nothing of its operations but what they do."""
    return Model(name=model.name, init=model.init, step=model.step, fs=model.fs)


def measure(shape: Shape) -> tuple[float, float]:
    """Seconds with all said, and with `step` alone."""
    history = make(shape, KINDS.get(shape.model, CELLS))
    said = replace(models.by_name(shape.model), monitors=())
    pair = (said, bare(said))
    times: list[list[float]] = [[], []]
    for _again in range(REPEATS):
        for model, taken in zip(pair, times):
            gc.collect()
            started_s = time.process_time()
            verdict = linearizable(history, model)
            taken.append(time.process_time() - started_s)
            assert verdict.valid is not shape.violation
    return min(times[0]), min(times[1])


def main(calls_max: int) -> None:
    """Print a row for each history."""
    print(line(["history", "all said", "step alone", "ratio"], WIDTHS))
    for series in SHAPES:
        for calls in (calls for calls in CALLS if calls <= calls_max):
            shape = series._replace(calls=calls)
            said_s, alone_s = measure(shape)
            bad = ", violation" if shape.violation else ""
            name = (f"{shape.model} {calls:,} x{shape.concurrency}, "
                    f"{shape.crashed_percent}% crashed{bad}")
            print(line([name, f"{said_s * 1000:.1f} ms", f"{alone_s * 1000:.1f} ms",
                        f"{said_s / alone_s:.2f}"], WIDTHS), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1].replace(",", "")) if len(sys.argv) > 1 else CALLS[-1])
