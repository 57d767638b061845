"""Swarm: a random composition of fault families.

A run that leaves families out reaches what one with all of them hardly ever does: a crash in the
middle of every partition hides what a partition alone would show.  (Groce, Zhang, Eide, Chen,
Regehr, "Swarm testing", ISSTA 2012.)
"""

from __future__ import annotations

from typing import Mapping

from nemesis.nemesis import Nemesis, Rng

SWARM = "swarm"


FOR_GOOD = ("power-off",)       # what leaves nothing to look at afterwards


def compose(rng: Rng, families: Mapping[str, Nemesis]) -> list[Nemesis]:
    """Each family with a chance of one half, and at least one; none that ends the run for good."""
    able = [family for name, family in families.items() if name not in FOR_GOOD]
    return [family for family in able if rng.chance(1, 2)] or [rng.choice(able)]
