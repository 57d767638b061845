"""What can be wrong with the shared disk: it is slow, full, or does less than it was asked for.

Per host, and per request by chance: a write fails and nothing is written, or stops in the middle; a
completion never leaves, or comes late and is overtaken.  What fails says so by its status.  For
everybody: each request takes longer, and a full disk refuses blocks that it does not hold yet.
Flags of the test-and-set are not subject to any of it but the slowness.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from vmft.prng import Rng

FAIL, TEAR, LOSE, DELAY = "fail-writes", "tear-writes", "lose-completions", "delay-completions"
AILMENTS = (FAIL, TEAR, LOSE, DELAY)


class Chance(NamedTuple):
    """How many of a host's requests; `late_ns` at most where something comes late."""

    numerator: int
    denominator: int
    late_ns: int = 0


class Ailments:
    """All that is wrong now; `struck` counts the requests that each of them has hit."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.chances: dict[tuple[str, str], Chance] = {}    # (host, ailment)
        self.extra_ns = 0
        self.full = False
        self.struck: Counter[str] = Counter()

    def strikes(self, host: str, ailment: str) -> bool:
        """Whether this request is hit."""
        chance = self.chances.get((host, ailment))
        if chance is None or not self.rng.chance(chance.numerator, chance.denominator):
            return False
        self.struck[ailment] += 1
        return True

    def late_ns(self, host: str) -> int:
        """By how much this completion comes late; 0 if it does not."""
        if not self.strikes(host, DELAY):
            return 0
        return self.rng.below(self.chances[host, DELAY].late_ns + 1)

    def refuses(self, held: bool) -> bool:
        """Whether there is no room for a write, to blocks that the disk holds already or not."""
        if not self.full or held:
            return False
        self.struck["fill-disk"] += 1
        return True

    def cure(self) -> dict[str, int]:
        """Nothing is wrong any more; answers what has been struck, by kind."""
        struck = dict(self.struck)
        self.chances.clear()
        self.struck.clear()
        self.extra_ns, self.full = 0, False
        return struck
