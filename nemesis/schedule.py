"""When which faults happen: several families woven into one schedule.

Time goes in rounds.  Each round draws which families take part, starts their episodes together,
and ends with a quiet gap in which the system may recover.
"""

from __future__ import annotations

from typing import Any, Iterator, NamedTuple, Sequence

from nemesis.nemesis import MILLISECOND_NS, Cluster, Fault, Nemesis, Rng

FIRST_NS = (500 * MILLISECOND_NS, 2000 * MILLISECOND_NS)
GAP_NS = (1000 * MILLISECOND_NS, 3000 * MILLISECOND_NS)


class Planned(NamedTuple):
    """A fault and its moment, in ns since the start of the run."""

    time_ns: int
    fault: Fault


def schedule(families: Sequence[Nemesis], rng: Rng, hosts: Sequence[str]) -> Iterator[Planned]:
    """An endless plan, in order of time; nothing without families.

    ``hosts`` are the names that a fault may strike.  A function of the state of ``rng`` alone: the
    same stream draws the same plan.
    """
    round_ns = rng.between(*FIRST_NS)
    while families:
        chosen = [family for family in families if rng.chance(4, 5)] or [rng.choice(families)]
        faults = [fault for family in chosen for fault in family.episode(rng, hosts)]
        faults.sort(key=lambda fault: fault.delay_ns)
        for fault in faults:
            yield Planned(round_ns + fault.delay_ns, fault)
        round_ns += faults[-1].delay_ns + rng.between(*GAP_NS)


def apply(families: Sequence[Nemesis], cluster: Cluster, fault: Fault) -> Any:
    """Do it, and answer what happened: a map, or a Later, as `Kind.do` says.

    Nothing is done to the system where the map says {"nothing": why}.  KeyError: none of the
    families knows the fault; a test that was accepted has no such fault.
    """
    for family in families:
        if fault.f in family.faults:
            return family.faults[fault.f].do(cluster, fault.value)
    raise KeyError(fault.f)


def heal(families: Sequence[Nemesis], cluster: Cluster) -> None:
    """Undo everything that can be undone, family by family; what is over already is left alone."""
    for family in families:
        family.heal(cluster)
