"""Swarm: a random composition of fault families.

A run that leaves families out reaches what one with all of them hardly ever does: a crash in the
middle of every partition hides what a partition alone would show.  (Groce, Zhang, Eide, Chen,
Regehr, "Swarm testing", ISSTA 2012.)
"""

from __future__ import annotations

from typing import Mapping

from nemesis.nemesis import Nemesis, Rng

SWARM = "swarm"

FOR_GOOD = ("power-off", "crash-both")      # what leaves nothing to look at afterwards


def compose(rng: Rng, families: Mapping[str, Nemesis]) -> list[Nemesis]:
    """Each family with a chance of one half, and at least one; seldom what ends a run for good.

    ``families`` by name; drawn in that order, so the same stream gives the same families.
    """
    drawn = [family for name, family in families.items()
             if rng.chance(1, 32 if name in FOR_GOOD else 2)]
    return drawn or [rng.choice([*families.values()])]
