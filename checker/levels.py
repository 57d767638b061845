"""The levels of consistency by name, and which weaker ones hold where linearizability does not."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from checker.consistency import sequential
from checker.found import Budget
from checker.linearizability import linearizable
from checker.model import Model
from checker.sessions import GUARANTEES, session
from checker.verdict import Verdict
from histories.history import History

SEQUENTIAL_OPS_MAX, SEQUENTIAL_STEPS_MIN, SEQUENTIAL_STEPS_PER_OP = 20_000, 10_000, 4
SESSIONS_OPS_MAX, SESSIONS_STEPS_MAX = 600, 1_000


class Level(Protocol):
    """Judges a history under a model."""

    def __call__(self, history: History, model: Model, *, budget: Budget) -> Verdict:
        """The verdict."""


LEVELS: dict[str, Level] = {
    "linearizable": linearizable, "sequential": sequential,
    **{name: partial(session, name) for name in GUARANTEES},
}


def weaker(history: History, model: Model, budget: Budget = Budget()) -> list[str]:
    """What still holds of a history that is not linearizable, in a line; nothing where that is
    not cheap to say.
    """
    if len(history.ops) > SEQUENTIAL_OPS_MAX:
        return []
    steps_max = SEQUENTIAL_STEPS_MIN + SEQUENTIAL_STEPS_PER_OP * len(history.ops)
    verdict = sequential(history, model, budget=budget._replace(steps_max=steps_max)).valid
    if verdict is True:
        return ["It is sequentially consistent: only time is against it."]
    lines = ["It is not sequentially consistent either."] if verdict is False else []
    return lines + _sessions(history, model, budget)


def _sessions(history: History, model: Model, budget: Budget) -> list[str]:
    """Which session guarantees hold, as far as that is cheap."""
    if len(history.ops) > SESSIONS_OPS_MAX:
        return []
    budget = budget._replace(steps_max=SESSIONS_STEPS_MAX)
    verdicts = {name: session(name, history, model, budget=budget).valid for name in GUARANTEES}
    said = {valid: ", ".join(name for name, each in verdicts.items() if each is valid)
            for valid in (True, False)}
    words = [f"{said[True]} hold" if said[True] else "none is known to hold"]
    words += [f"{said[False]} do not"] if said[False] else []
    return [f"Of the session guarantees {'; '.join(words)}."]
