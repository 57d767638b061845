"""Answers that never go back, against the model of a number that only grows, and brute force."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from objects import random_history
from random_histories import brute_force

from checker import Inconsistent, Model
from checker.model import UNKNOWN
from checker.monotonic import monotonic
from histories import History, Op


def _step(state: Any, _f: str, _arg: Any, ret: Any) -> Any:
    if ret is UNKNOWN or ret >= state:
        return state if ret is UNKNOWN else ret
    return Inconsistent(f"{ret} after {state}")


GROWING = Model(name="growing", init=0, step=_step, fs={"now": "no argument", "tsc": "the same"})


@settings(max_examples=400, deadline=None)
@given(seed=st.integers(0, 2**32), calls=st.integers(1, 8))
def test_is_linearizability_of_what_only_grows(seed: int, calls: int) -> None:
    """The same answer as trying all orders."""
    rng = Random(seed)
    time = 0

    def tick(f: str, arg: Any) -> int:
        nonlocal time
        time += rng.randrange(2)
        return time

    for spoilt in (False, True):
        made = random_history(rng, lambda rng: (rng.choice(["now", "tsc"]), None), tick,
                              calls=calls, spoilt=spoilt)
        expected = brute_force(made.calls(), GROWING)
        assert expected or spoilt
        assert monotonic(made, "now", "tsc").valid is expected


def test_it_names_the_two_answers() -> None:
    """The one that went back, and the one before; overlapping calls may answer in any order."""
    history = History([
        Op(0, "invoke", "now"), Op(1, "invoke", "now"), Op(0, "ok", "now", 9),
        Op(1, "ok", "now", 7), Op(1, "invoke", "now"), Op(1, "ok", "now", 8),
        Op(0, "invoke", "other"), Op(0, "ok", "other", 1)])
    verdict = monotonic(history, "now")
    assert verdict.valid is False
    assert verdict.why == ("op 5 answered 8, less than 9, which op 2 had answered before it was "
                           "asked")
    assert verdict.evidence["ops"] == [2, 5] and verdict.evidence["checked"] == 3
