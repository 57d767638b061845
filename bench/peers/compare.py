"""This judge against others, on the same inputs in one run: `python bench/peers/compare.py`.

Porcupine, by the small Go program beside it, which takes Go and, the first time, the published
module; and detangle, where `pip install detangle` was done.  The inputs are seeded synthetic
histories, and the real etcd logs where they are present.

In process: the best of REPEATS, each in a row, from a loaded history; ours is the search alone,
the calls being numbered, then all that leads to a verdict, by a monitor where there is one.  Whole
processes: from the file to the verdict, with the start of the process: processor time, and the peak
of memory; ours is `python -m checker check`.  A ratio above one says that ours is better.
"""

from __future__ import annotations

import importlib.util
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
from checker import Budget, Model, models, monitors  # noqa: E402
from checker.learn import decide_and_learn  # noqa: E402
from checker.native import numbered  # noqa: E402
from checker.problem import Table  # noqa: E402
from checker.refute import decide  # noqa: E402
from histories import UNKNOWN, Call, History  # noqa: E402
from histories.jsonl import write_history  # noqa: E402
from histories.read import read_history  # noqa: E402

LOGS = ROOT.parent / "shared" / "data" / "porcupine-etcd"
LIMIT_S = 10
REPEATS = 5
NONE = -1
BUDGET = Budget()
FS = {"read": 0, "write": 1, "cas": 2, "inc": 3}
GO = shutil.which("go")
SHAPES = [
    Shape("register", 1_000, 5), Shape("register", 1_000, 10), Shape("register", 10_000, 5),
    Shape("cas-register", 1_000, 10), Shape("cas-register", 1_000, 10, 1),
    Shape("cas-register", 1_000, 10, 0, True), Shape("counter", 10_000, 10),
    Shape("counter", 10_000, 10, 1),
]
Times = dict[str, "int | None"]


class Row(NamedTuple):
    """One input: verdicts, in Porcupine's words, times in nanoseconds and peaks in KiB by judge.

    None: it was not there, or did not say within the limit.
    """

    name: str
    verdicts: dict[str, str]
    times: Times
    whole: Times
    peaks: Times


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


def judged(history: History, model: Model) -> bool | None:
    """The verdict without its evidence, as `linearizable` finds it."""
    table = Table(model)
    found = monitors.judge(history, model)
    if found is None:
        problem = numbered(history, table)
        found = monitors.judge_numbered(problem, table)
        if found is None:
            return decide_and_learn(problem, table, BUDGET).valid
    return found.op is None


def ours(history: History, model: Model) -> tuple[str, int, int]:
    """Our verdict, and the best times of the search alone and of all that leads to a verdict."""
    alone, both, valid = [], [], None
    table = Table(model)
    problem = numbered(history, table)
    for _again in range(REPEATS):
        started = time.perf_counter_ns()
        decide(problem, table)
        searched = time.perf_counter_ns()
        valid = judged(history, model)
        both.append(time.perf_counter_ns() - searched)
        alone.append(searched - started)
    words = {True: "Ok", False: "Illegal", None: "Unknown"}
    return words[valid], min(alone), min(both)


class Inputs:
    """A history in the files that the judges read, and the commands that judge them."""

    def __init__(self, folder: Path, history: History, model: str) -> None:
        self.text, self.jsonl = folder / "history.txt", folder / "history.jsonl"
        self.text.write_text("\n".join(lines(history)) + "\n")
        write_history(history, self.jsonl)
        init = "0" if model == "counter" else str(NONE)
        self.commands = {
            "ours": [sys.executable, "-m", "checker", "check", str(self.jsonl), "--model", model]}
        if GO:
            self.commands["Porcupine"] = [
                str(folder / "porcupine"), init, f"{LIMIT_S}s", str(self.text)]
        if importlib.util.find_spec("detangle") and model != "counter":
            self.commands["detangle"] = [
                sys.executable, str(HERE / "other.py"), str(self.jsonl)]


def run(command: list[str]) -> tuple[list[str], int, int]:
    """What a command prints, its processor time in nanoseconds, and its peak of memory in KiB."""
    *told, took_ns, peak = subprocess.run(
        [sys.executable, "-S", str(HERE / "cost.py"), str(3 * LIMIT_S), *command],
        check=True, text=True, capture_output=True, cwd=ROOT).stdout.split()
    return told, int(took_ns), int(peak)


def compare(name: str, history: History, model: str, folder: Path, whole: bool) -> Row:
    """All judges on one history; whole: as whole processes too."""
    verdict, alone_ns, both_ns = ours(history, models.by_name(model))
    row = Row(name, {"ours": verdict}, {"search alone": alone_ns, "ours": both_ns}, {}, {})
    for judge, command in Inputs(folder, history, model).commands.items():
        if judge == "ours" and not whole:
            continue
        again = [] if judge == "ours" else ["1"] if whole else [str(REPEATS)]
        told, row.whole[judge], row.peaks[judge] = run(command + again * (judge == "Porcupine"))
        if judge != "ours" and len(told) > 1:
            row.verdicts[judge] = told[-2]
            row.times[judge] = int(told[-1])
    return row


def ratios(rows: list[Row], column: str, judge: str, mine: str = "ours") -> str:
    """How many times better ours is than a judge: the geometric mean, and the worst."""
    found = []
    for row in rows:
        times: Times = getattr(row, column)
        theirs, own = times.get(judge), times.get(mine)
        if theirs and own:
            found.append(theirs / own)
    if not found:
        return "not measured"
    mean = math.exp(sum(map(math.log, found)) / len(found))
    return f"geometric mean {mean:.1f}, worst {min(found):.2f}, of {len(found)}"


def show(title: str, rows: list[Row], each: bool) -> None:
    """The rows, and their ratios."""
    print(title)
    for row in rows if each else ():
        print(f"  {row.name}: " + ", ".join(
            f"{who} {(took or 0) / 1e6:.3f} ms" for who, took in row.times.items()))
        print("    whole processes: " + ", ".join(
            f"{who} {(took or 0) / 1e6:.0f} ms {(row.peaks[who] or 0) / 1024:.0f} MiB"
            for who, took in row.whole.items()))
    for judge in ("Porcupine", "detangle"):
        if not any(judge in row.verdicts for row in rows):
            print(f"  {judge}: skipped, it is not here or cannot judge these")
            continue
        print(f"  {judge}, search alone: {ratios(rows, 'times', judge, 'search alone')}")
        print(f"  {judge}, to the verdict: {ratios(rows, 'times', judge)}")
        if each:
            print(f"  {judge}, whole process: {ratios(rows, 'whole', judge)}")
            print(f"  {judge}, peak memory: {ratios(rows, 'peaks', judge)}")
        gave_up = [row.name for row in rows if judge in row.whole and judge not in row.verdicts]
        print(f"  {judge} gave up on: {', '.join(gave_up) or 'none'}")
    differ = [row.name for row in rows if len(set(row.verdicts.values()) - {"Unknown"}) > 1]
    print(f"  verdicts differ: {', '.join(differ) or 'none'}")


def main() -> None:
    """Build, compare, print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if GO:
            subprocess.run([GO, "build", "-o", folder / "porcupine", "."], cwd=HERE, check=True)
        rows = [compare(path.name, read_history(path), "cas-register", folder, False)
                for path in sorted(LOGS.glob("*.log"))]
        if rows:
            show(f"{len(rows)} etcd logs", rows, each=False)
        rows = [compare(
            f"{shape.model} {shape.calls:,} x{shape.concurrency} {shape.crashed_percent}%"
            + (" bad" if shape.violation else ""), make(shape), shape.model, folder, True)
            for shape in SHAPES]
        show("synthetic histories", rows, each=True)


if __name__ == "__main__":
    main()
