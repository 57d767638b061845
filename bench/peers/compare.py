"""This judge against Porcupine, on the same inputs in one run: `python bench/peers/compare.py`.

Builds the small Go program beside it, which takes Go and, the first time, the published module.
The inputs are seeded synthetic histories, and the real etcd logs where they are present.  Times
are in process, the best of three; ours is the search alone, then with conversion.  A ratio above
one says that ours is faster.
"""

from __future__ import annotations

import gc
import math
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from bench.synthetic import Shape, make  # noqa: E402
from checker import models  # noqa: E402
from checker.native import numbered, search  # noqa: E402
from checker.problem import Table  # noqa: E402
from histories import UNKNOWN, Call, History  # noqa: E402
from histories.read import read_history  # noqa: E402

LOGS = ROOT.parent / "shared" / "data" / "porcupine-etcd"
LIMIT = "10s"
NONE = -1
FS = {"read": 0, "write": 1, "cas": 2, "inc": 3}
SHAPES = [
    Shape("register", 1_000, 5), Shape("register", 1_000, 10), Shape("register", 10_000, 5),
    Shape("cas-register", 1_000, 10), Shape("cas-register", 1_000, 10, 0, True),
    Shape("counter", 10_000, 10), Shape("counter", 10_000, 10, 1),
]


class Row(NamedTuple):
    """One input, and how long each took, in nanoseconds; verdicts in Porcupine's words."""

    name: str
    verdicts: tuple[str, str]
    porcupine_ns: int
    search_ns: int
    all_ns: int


def lines(history: History) -> list[str]:
    """The history as the Go program reads it; what never returned returns, unheard, at the end."""
    moments: list[tuple[int, str]] = []
    unheard: list[str] = []
    for number, call in enumerate(history.calls()):
        if call.outcome == "fail":
            continue
        pair: Any = call.arg if call.f == "cas" else (call.arg, None)
        a, b = pair
        moments.append((call.start, f"+ {number} {FS[call.f]} {_whole(a)} {_whole(b)}"))
        if call.end is None:
            unheard.append(f"- {number} 0 {NONE}")
        else:
            moments.append((call.end, f"- {number} 1 {_value(call)}"))
    return [line for _at, line in sorted(moments)] + unheard


def _value(call: Call) -> int:
    return NONE if call.f in ("write", "cas") or call.ret is UNKNOWN else _whole(call.ret)


def _whole(value: Any) -> int:
    return value if type(value) is int else NONE


def ours(history: History, model: str) -> tuple[str, int, int]:
    """Our verdict, and the best times of the search alone and with conversion."""
    alone, both, valid = [], [], None
    for _again in range(3):
        gc.collect()
        table = Table(models.by_name(model))
        started = time.perf_counter_ns()
        problem = numbered(history, table)
        converted = time.perf_counter_ns()
        valid = search(problem, table).valid
        ended = time.perf_counter_ns()
        alone.append(ended - converted)
        both.append(ended - started)
    words = {True: "Ok", False: "Illegal", None: "Unknown"}
    return words[valid], min(alone), min(both)


def compare(program: Path, folder: Path, histories: dict[str, tuple[str, History]]) -> list[Row]:
    """A row for each named (model, history)."""
    rows = []
    for name, (model, history) in histories.items():
        path = folder / "history"
        path.write_text("\n".join(lines(history)) + "\n")
        init = "0" if model == "counter" else str(NONE)
        told = subprocess.run([program, init, LIMIT, path], check=True, text=True,
                              capture_output=True).stdout.split()
        verdict, alone_ns, both_ns = ours(history, model)
        rows.append(Row(name, (told[1], verdict), int(told[2]), alone_ns, both_ns))
    return rows


def show(title: str, rows: list[Row], each: bool) -> None:
    """The rows, and the geometric mean and the worst of their ratios."""
    print(title)
    for row in rows if each else ():
        print(f"  {row.name:<40} {row.verdicts[0]:<8}{row.verdicts[1]:<8}"
              f"{row.porcupine_ns / 1e6:>10.3f} ms {row.search_ns / 1e6:>9.3f} ms "
              f"{row.all_ns / 1e6:>9.3f} ms")
    differ = [row.name for row in rows if len(set(row.verdicts)) > 1]
    for what, ratios in (
        ("search alone", [row.porcupine_ns / row.search_ns for row in rows]),
        ("with conversion", [row.porcupine_ns / row.all_ns for row in rows]),
    ):
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        print(f"  {what}: geometric mean {mean:.1f} times as fast, worst {min(ratios):.2f}")
    print(f"  verdicts differ: {', '.join(differ) or 'none'}")


def main() -> None:
    """Build, compare, print."""
    if shutil.which("go") is None:
        print("skipped: Porcupine needs Go, which is not here")
        return
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "peers"
        subprocess.run(["go", "build", "-o", program, "."], cwd=HERE, check=True)
        logs = {path.name: ("cas-register", read_history(path))
                for path in sorted(LOGS.glob("*.log"))}
        made = {f"{shape.model} {shape.calls:,} x{shape.concurrency} {shape.crashed_percent}%"
                + (" bad" if shape.violation else ""): (shape.model, make(shape))
                for shape in SHAPES}
        if logs:
            show(f"{len(logs)} etcd logs", compare(program, Path(folder), logs), each=False)
        show("synthetic: Porcupine, search alone, with conversion",
             compare(program, Path(folder), made), each=True)


if __name__ == "__main__":
    main()
