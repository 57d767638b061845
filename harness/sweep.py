"""A sweep: one fault at every log and output boundary of a short run, leaving none out.

The boundaries are the moments at which an entry was made, received or acknowledged, or an output
was issued or released, in the run without faults.  Up to its fault each run is that run again, so
a fault a nanosecond after one boundary strikes before anything else has happened: it stands for
all moments up to the next.  What comes out is a claim about all of them, not about a sample.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Iterator, NamedTuple

from harness.plan import Plan, PlannedFault
from harness.run import rehearse
from harness.test import Test
from histories import Trace

BOUNDARIES = ("log", "acknowledge", "ack", "output", "release")
TRUNCATED_NS = 2_000_000        # how long the log's tail is kept back before it is lost
PRIMARY, BACKUP, DISK = "n1", "n2", "disk"      # at the beginning of every run


class SweptFault(NamedTuple):
    """A fault that can be put anywhere: the families it takes, and its steps from a moment on."""

    meaning: str
    nemesis: tuple[str, ...]
    at: Callable[[int], tuple[PlannedFault, ...]]


def _crash(target: str) -> Callable[[int], tuple[PlannedFault, ...]]:
    return lambda at_ns: (PlannedFault(at_ns, "crash", {"target": target, "pick": 0}),)


def _cut(*links: tuple[str, str]) -> Callable[[int], tuple[PlannedFault, ...]]:
    value = {"links": [list(link) for link in links]}
    return lambda at_ns: (PlannedFault(at_ns, "cut", value),)


def _truncate(at_ns: int) -> tuple[PlannedFault, ...]:
    return (PlannedFault(at_ns, "truncate"), *_crash("primary")(at_ns + TRUNCATED_NS))


FAULTS = {
    "crash-primary": SweptFault("the primary crashes", ("crash",), _crash("primary")),
    "crash-backup": SweptFault("the backup crashes", ("crash",), _crash("backup")),
    "cut": SweptFault("the hosts lose each other", ("partition",),
                      _cut((PRIMARY, BACKUP), (BACKUP, PRIMARY))),
    "cut-log": SweptFault("the log does not get through, acknowledgements would", ("partition",),
                          _cut((PRIMARY, BACKUP))),
    "cut-acks": SweptFault("acknowledgements do not get through, the log does", ("partition",),
                           _cut((BACKUP, PRIMARY))),
    "cut-primary": SweptFault("the primary loses the backup and the disk", ("partition",),
                              _cut((PRIMARY, BACKUP), (BACKUP, PRIMARY), (PRIMARY, DISK),
                                   (DISK, PRIMARY))),
    "truncate": SweptFault("the log is cut off here, and the primary crashes soon after",
                           ("log-loss", "crash"), _truncate),
}


def boundaries(trace: Trace) -> list[int]:
    """The moments of a run, in ns, at which the log or the outputs went on."""
    return sorted({event.time for event in trace.of(*BOUNDARIES)})


def moments(test: Test) -> list[int]:
    """Where the faults of a sweep of this test strike: before the first boundary, after each."""
    record, _ = rehearse(replace(test, nemesis=(), plan=None))
    return [0, *(time_ns + 1 for time_ns in boundaries(record.trace))]


def tests(test: Test, names: tuple[str, ...], moments_ns: list[int]) -> Iterator[Test]:
    """The test once for each fault at each moment."""
    for name in names:
        fault = FAULTS[name]
        for at_ns in moments_ns:
            yield replace(test, nemesis=fault.nemesis, plan=Plan(faults=fault.at(at_ns)))
