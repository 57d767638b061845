"""What judging keys at the same time saves: `python bench/parts.py`.

Histories of many keys, wall time from a loaded History to a verdict, best of three, by one thread
and by as many as there are processors, in turns.  The verdicts are compared, with all they say.
The first row is what the machine gives at that moment: zlib, which needs nothing of Python, by one
thread and by several.  Others that are at work on the machine, and processors that are two names
for one, make every ratio smaller.
"""

from __future__ import annotations

import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any, Callable, Hashable, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.synthetic import CELLS, VALUES, Client, Kind, Shape, make  # noqa: E402
from bench.table import line  # noqa: E402
from checker import UNKNOWN, Budget, Inconsistent, Model, OneOf, linearizable, models  # noqa: E402
from checker.model import first_of_argument  # noqa: E402
from checker.parts import processors  # noqa: E402
from histories import History, Op  # noqa: E402

REPEATS = 3
STEPS_MAX = 20_000
PACKED_BYTES = 1_000_000
WIDTHS = (-62, 10, 10, 7)
NAMES = {"read": "get", "write": "put", "inc": "increment"}


class Row(NamedTuple):
    """A history of so many keys, all together of a shape; ``of`` says what takes longest."""

    keys: int
    shape: Shape
    of: str


ROWS = [
    Row(1_000, Shape("cas-register", 100_000, 10, 1), "numbering"),
    Row(20, Shape("cas-register", 100_000, 30, 5), "numbering"),
    Row(100, Shape("set", 100_000, 10, 1), "searching"),
    Row(40, Shape("set", 20_000, 20, 5), "searching"),
    Row(100, Shape("counter", 20_000, 20, 5), "the model"),
]


def _draw(rng: Random, _shape: Shape, _number: int) -> tuple[str, Any]:
    return rng.choice(["add", "remove", "contains"]), rng.randrange(VALUES)


def _apply(client: Client, state: Any) -> Any:
    """The next state of a set; the client learns its answer."""
    if client.f == "contains":
        client.answer = client.arg in state
        return state
    return state | {client.arg} if client.f == "add" else state - {client.arg}


def _step(state: Hashable, f: str, arg: Any, ret: Any) -> Hashable | Inconsistent | OneOf:
    return models.set_model.step(state, f, arg[1], ret if ret is UNKNOWN else ret[1])


KINDS = {"set": Kind(lambda _shape: frozenset(), _draw, _apply)}
SETS = Model(name="sets", init=frozenset(), step=_step, fs=models.set_model.fs,
             kind=models.set_model.kind, partition=first_of_argument)


def keyed(row: Row) -> tuple[History, Model]:
    """The histories of all keys, woven into one, and the model that it is of."""
    rng = Random(row.shape.seed)
    kind = KINDS.get(row.shape.model, CELLS)
    lanes = [make(row.shape._replace(calls=row.shape.calls // row.keys, seed=key), kind).ops
             for key in range(row.keys)]
    order = [key for key, lane in enumerate(lanes) for _op in lane]
    rng.shuffle(order)
    processes: dict[tuple[int, object], int] = {}
    turns = [iter(lane) for lane in lanes]
    ops = []
    for key in order:
        op = next(turns[key])
        process = processes.setdefault((key, op.process), len(processes))
        nothing = "" if op.type == "ok" else None       # what a map that is empty answers
        ops.append(Op(process, op.type, NAMES.get(op.f, op.f),
                      [key, nothing if op.value is None else op.value]))
    return History(ops), SETS if row.shape.model == "set" else models.kv


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """How many seconds it took, and what it answered."""
    started_s = time.perf_counter()
    answer = function()
    return time.perf_counter() - started_s, answer


def measure(row: Row, threads: int) -> tuple[float, float]:
    """Seconds by one thread, and by several."""
    history, model = keyed(row)
    times: dict[int, list[float]] = {1: [], threads: []}
    verdicts = []
    for _again in range(REPEATS):
        for many, taken in times.items():
            took_s, verdict = timed(lambda: linearizable(
                history, model, budget=Budget(steps_max=STEPS_MAX), threads=many))
            taken.append(took_s)
            verdicts.append(verdict)
    assert all(verdict == verdicts[0] for verdict in verdicts)
    return min(times[1]), min(times[threads])


def packing(threads: int) -> tuple[float, float]:
    """The same of compressing once for each thread."""
    jobs = [bytes(Random(1).choices(b"01234567 ", k=PACKED_BYTES))] * threads
    with ThreadPoolExecutor(threads) as pool:
        pairs = [(timed(lambda: list(map(zlib.compress, jobs)))[0],
                  timed(lambda: list(pool.map(zlib.compress, jobs)))[0]) for _each in range(3)]
    return min(alone_s for alone_s, _ in pairs), min(together_s for _, together_s in pairs)


def main() -> None:
    """Print a row for each history."""
    threads = processors()
    print(line(["", "1 thread", f"{threads} threads", "ratio"], WIDTHS))
    print(line(_cells("zlib", packing(threads)), WIDTHS), flush=True)
    for row in ROWS:
        shape = row.shape
        name = (f"{row.keys:,} keys, {shape.model} {shape.calls:,} x{shape.concurrency}, "
                f"{shape.crashed_percent}% crashed ({row.of})")
        print(line(_cells(name, measure(row, threads)), WIDTHS), flush=True)


def _cells(name: str, took_s: tuple[float, float]) -> list[str]:
    alone_s, together_s = took_s
    return [name, f"{alone_s * 1000:.0f} ms", f"{together_s * 1000:.0f} ms",
            f"{alone_s / together_s:.2f}"]


if __name__ == "__main__":
    main()
