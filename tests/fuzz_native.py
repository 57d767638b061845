"""Arbitrary numbers and values for the native judge: an answer or one clear error, never a crash.

`python tests/fuzz_native.py [SECONDS] [FIRST]` tries seed after seed and names the one that ends
badly; `.ci/sanitize` runs it against extensions built with sanitizers.  A seed is one case: a
problem of a real history with some of its numbers spoilt, nothing but noise, or a history with
some of its fields replaced.
"""

from __future__ import annotations

import sys
import tempfile
import time
from array import array
from functools import partial
from pathlib import Path
from random import Random
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Callable, Sized

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path += [str(HERE)]

from pytest import MonkeyPatch  # noqa: E402
from random_histories import MAKERS, random_ops  # noqa: E402

from checker import linearizable, models, native  # noqa: E402
from checker.found import Budget  # noqa: E402
from checker.refute import help_search  # noqa: E402
from histories import History, Op, UsageError  # noqa: E402

MODULES = [module for module in (native.NATIVE, native.COLUMNS, native.NARROW, native.MONITORS)
           if module is not None]
STEPS = 503         # no other number is this
LITTLE = Budget(steps_max=STEPS, memory_max=500)
REFUSALS = (ValueError, TypeError, OverflowError, MemoryError, BufferError, LookupError)
EXTREME = [-2**31, -2**31 + 1, -3, -2, -1, 0, 1, 2, 3, 4, 63, 64, 65, 2**31 - 1]
BEYOND = [*EXTREME, 2**31, -2**31 - 1, 2**63, 2**64, -2**63 - 1, 10**30, None, "x", 1.5]
JUNK: list[Any] = [
    None, True, -1, 0, 3, 2**31, 2**63, -2**63 - 1, 10**40, "", "inc", "\ud800", b"x", 1.5, [],
    [1, 2], [[]], (1,), {"a": [1]}, {1: {2: 3}}, frozenset({1}), float("nan"), float("inf"),
]
FIELDS: dict[str, list[Any]] = {
    "process": [-1, 0, 1, 2**63, -2**63 - 1, "nemesis", "other", True],
    "type": ["invoke", "ok", "fail", "info", "", "begin", "\ud800"],
    "f": ["read", "write", "inc", "", "\ud800", "x" * 1000],
    "value": [*JUNK, [[[0]] * 3] * 3], "index": [-5, -1, 0, 1, 7, 2**63, -2**63, 10**30],
    "time": [-1, 0, 2**70], "error": JUNK, "node": [None, "n1"],
}


class Interrupted(Exception):
    """What a callback of a case raises."""


def spoilt(rng: Random, column: Any, values: list[Any]) -> Any:
    """The column with some numbers changed, added or left out, or as an odd buffer."""
    made = array("i")
    made.frombytes(bytes(memoryview(column)))
    for _ in range(rng.choice([0, 0, 1, 1, 2, 5])):
        at, value = rng.randrange(len(made) + 1), rng.choice(EXTREME + list(values))
        way = rng.randrange(3)
        if way == 0:
            made.insert(at, value)
        elif at < len(made):
            made[at:at + 1] = array("i", [value] * (way == 1))
    data = made.tobytes()
    return rng.choice([
        *[made] * 20, data, memoryview(b"x" + data)[1:], data[:-1], memoryview(data)[::2],
        array("q", made), [1, 2], None, b""])


def noise(rng: Random) -> array[int]:
    """A column of anything."""
    return array("i", [rng.choice(EXTREME) for _ in range(rng.randrange(12))])


def a_history(rng: Random) -> tuple[str, list[Op]]:
    """A model's name, and the ops of a history of it."""
    name = rng.choice(sorted(MAKERS))
    model = models.by_name(name)
    made = random_ops(rng, model, calls=rng.randrange(40), clients=rng.randrange(1, 9),
                      wrong=rng.choice([0, 0.05]))
    return name, History(made).ops


Asked = list[tuple[Callable[..., Any], tuple[Any, ...]]]


def real_questions(rng: Random) -> Asked:
    """What the native functions are asked while a real history is judged."""
    name, ops = a_history(rng)
    asked: Asked = []

    def listen(function: Callable[..., Any], *given: Any) -> Any:
        asked.append((function, given))
        return function(*given)

    with MonkeyPatch.context() as patch:
        for module in MODULES:
            for known, function in vars(module).items():
                if isinstance(function, BuiltinFunctionType):
                    patch.setattr(module, known, partial(listen, function))
        linearizable(History(ops), models.by_name(name), budget=LITTLE)
    return asked


def function_case(rng: Random) -> None:
    """A native function, asked what it was asked for a real history, with some of it spoilt."""
    asked = real_questions(rng)
    if asked:
        function, given = rng.choice(asked)
        noisy = rng.random() < 0.2
        first = given[0][0] if isinstance(given[0], tuple) else given[0]
        near = [len(first)] if isinstance(first, Sized) else []
        function(*[_spoil(rng, each, near, noisy) for each in given])


def _spoil(rng: Random, asked: Any, near: list[int], noisy: bool) -> Any:
    """One argument, or something like it."""
    if isinstance(asked, (array, bytes)):
        column = noise(rng) if noisy else asked
        return spoilt(rng, column, near) if rng.random() < 0.15 else column
    if isinstance(asked, tuple) and asked[:1] != (help_search,):
        return tuple(_spoil(rng, each, near, noisy) for each in asked)
    if asked == STEPS:
        return asked
    if isinstance(asked, (int, list, str)):
        return rng.choice([*JUNK, *BEYOND]) if rng.random() < 0.03 else asked
    if not (asked is None or isinstance(asked, (MethodType, FunctionType))):
        return rng.choice(JUNK) if rng.random() < 0.1 else asked
    if asked is None:
        return rng.choice([None, None, callback(rng, [False] * 5 + [True]), 3])
    return callback(rng, [*EXTREME, *BEYOND]) if rng.random() < 0.1 else \
        callback(rng, [-1, -1, 0, 1, 2, 3]) if rng.random() < 0.3 else asked


def callback(rng: Random, answers: list[Any]) -> Callable[..., Any]:
    """A function that answers one of these, and now and then raises."""
    def answer(*_given: Any) -> Any:
        if rng.random() < 0.01:
            raise Interrupted
        return rng.choice(answers)

    return answer


def history_case(rng: Random) -> None:
    """A history with odd fields, for pairing, numbering, monitors and search."""
    name, ops = a_history(rng)
    for _ in range(rng.choice([0, 1, 1, 2, 4])):
        if not ops:
            break
        at, field = rng.randrange(len(ops)), rng.choice(sorted(FIELDS))
        ops[at] = ops[at]._replace(**{field: rng.choice(FIELDS[field])})
        if rng.random() < 0.1:
            del ops[at]
    linearizable(History(ops), models.by_name(name), budget=LITTLE)


def attempt(seed: int) -> str:
    """Try one case: "answered", or the kind of its refusal."""
    rng = Random(seed)
    case = history_case if not MODULES or rng.random() < 0.5 else function_case
    try:
        case(rng)
    except REFUSALS + (UsageError, Interrupted) as refusal:
        return f"{case.__name__} {type(refusal).__name__}"
    return f"{case.__name__} answered"


def main(seconds: float, first: int) -> int:
    """Try seeds until time is up; the last one is in a file should the process not survive it."""
    ends_s = time.monotonic() + seconds
    told: dict[str, int] = {}
    with tempfile.NamedTemporaryFile(prefix="fuzz-native-") as last:
        print(f"fuzzing for {seconds:g} s; the seed at work is in {last.name}", flush=True)
        seed = first
        while time.monotonic() < ends_s:
            last.seek(0)
            last.write(b"%d\n" % seed)
            last.flush()
            try:
                outcome = attempt(seed)
            except BaseException:
                print(f"seed {seed} ended badly")
                raise
            told[outcome] = told.get(outcome, 0) + 1
            seed += 1
    print(f"{seed - first} cases, none ended badly; " + ", ".join(
        f"{outcome}: {told[outcome]}" for outcome in sorted(told)))
    return 0 if any(outcome.endswith("answered") for outcome in told) else 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0,
                  int(sys.argv[2]) if len(sys.argv) > 2 else 0))
