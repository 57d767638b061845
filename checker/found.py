"""What a search is told and what it finds, whatever it is written in."""

from __future__ import annotations

from enum import IntFlag
from typing import Any, Callable, NamedTuple, Sequence, Union

STEPS_MAX, STEPS_PER_CALL, MEMORY_MAX = 1_000_000, 10, 2_000_000
LEAVES_MAX = 8
CHECK_EVERY_STEPS = 1024
PATIENCE, PATIENCE_GROWTH = 1_000, 4
CAUSES = ("", "{} configurations tried", "{} configurations remembered", "time is up")


class ShortCut(IntFlag):
    """The short cuts; `checker/search.py` says what they are."""

    READS = 1
    FIRST = 2
    COVER = 4
    LATE = 8
    BLAME = 16
    DEAD = 32


ALL = ShortCut(63)


class Budget(NamedTuple):
    """When to give up on a part: configurations tried, configurations remembered, or told so.

    Unless said otherwise, as many are tried as take some 20 seconds and a gigabyte where every
    one of them is a state that the model has not met before: a million, and ten for each call.

    ``expired`` is asked now and then; a caller that wants a limit of wall time passes a clock in
    it, and gives up determinism with it.

    Help is asked for when ``patience`` configurations were tried and no order got any further.
    Before it is asked again of the same call, patience grows PATIENCE_GROWTH times.
    """

    steps_max: int | None = None
    memory_max: int = MEMORY_MAX
    expired: Callable[[], bool] | None = None
    patience: int = PATIENCE

    def steps(self, calls: int) -> int:
        """How many configurations may be tried for so many calls."""
        return STEPS_MAX + STEPS_PER_CALL * calls if self.steps_max is None else self.steps_max


class Leaf(NamedTuple):
    """A longest partial linearization: call numbers in order, and the state it leads to."""

    order: Sequence[int]
    state: int


class Found(NamedTuple):
    """What a search found.

    ``valid`` None means that the budget ended, for the reason in ``cause``.  ``order`` is a
    linearization, if there is one; ``stuck`` the call whose return no order gets past; ``leaves``
    the longest partial orders, which end right there.
    """

    valid: bool | None
    order: Sequence[int]
    stuck: int | None
    leaves: list[Leaf]
    steps: int
    cause: str = ""


# Asked for the call at whose return a search stands still, with a number of steps to spend: is it
# known that no order gets past it?  What else is found instead ends the search.
Helper = Callable[[int, int], Union[bool, Found]]
# Makes one, of a problem, a table and a budget, for a search that has come to need it.
Help = Callable[[Any, Any, Budget], Helper]
