"""The token model, against an object that draws tokens and against brute force."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from objects import random_history
from random_histories import brute_force

from checker import linearizable, models
from histories import History, Op


class Tokens:
    """One slot; tokens are few, so that some are drawn twice."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.token: str | None = None

    def apply(self, f: str, slot: int) -> list[Any]:
        """Draw or tell."""
        before = self.token
        if f == "draw":
            self.token = self.rng.choice("abc")
            return [slot, self.token, before]
        return [slot, before]


def draw(rng: Random) -> tuple[str, Any]:
    """Mostly questions."""
    return rng.choice(["draw", "ask", "ask"]), 0


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 8))
def test_agrees_with_brute_force(seed: int, calls: int) -> None:
    """What happened is always accepted; what was spoilt is judged as trying all orders does."""
    rng = Random(seed)
    true = random_history(rng, draw, Tokens(rng).apply, calls=calls, spoilt=False)
    assert linearizable(true, models.token).valid is True
    made = random_history(rng, draw, Tokens(rng).apply, calls=calls, spoilt=True)
    assert linearizable(made, models.token).valid is brute_force(made.calls(), models.token)


@pytest.mark.parametrize("ops, valid", [
    ("0+draw 0:draw=ab. 0+ask 0:ask=b", False),         # nobody has drawn what it replaced
    ("0+draw 0:draw=a. 0+ask 0:ask=a 0+ask 0:ask=a", True),
    ("0+draw 0:draw=a. 0+ask 0:ask=b", False),
    ("0+draw 0:draw=a. 0+ask 0:ask=.", False),          # forgotten
    ("0+draw 0?draw 1+ask 1:ask=.", True),              # not drawn yet, perhaps never
    ("0+draw 0?draw 1+ask 1:ask=b 1+ask 1:ask=b", True),
    ("0+draw 0?draw 1+ask 1:ask=b 1+ask 1:ask=.", False),
    ("0+draw 0?draw 1+ask 1:ask=b 1+ask 1:ask=c", False),
    ("0+draw 0?draw 1+draw 1:draw=cb 1+ask 1:ask=c", True),
    ("0+draw 0:draw=a. 1+draw 1:draw=b. 0+ask 0:ask=b", False),     # the first one went unnoticed
])
def test_small_history(ops: str, valid: bool) -> None:
    """Process, type, f and the answer's tokens, "." for none."""
    made = []
    for word in ops.split():
        name, _, told = word[2:].partition("=")
        value = [0, *(None if letter == "." else letter for letter in told)] if told else 0
        kind = {"+": "invoke", ":": "ok", "?": "info"}[word[1]]
        made.append(Op(int(word[0]), kind, name, value))
    assert linearizable(History(made), models.token).valid is valid
