"""From a crash to a live backup: detection plus lag, over a sweep of induced lags.

    python -m bench.failover [LAG_MS ...]

The guest computes all the time.  The backup's host is slow until it is so much behind, then as
fast as the primary's; the primary crashes, and the backup goes live when it has noticed, has won
the test-and-set and has executed all that it had received.  It goes on executing meanwhile, so
detection and lag overlap: the time to go live is at least the longer one, and at most their sum,
which is the bound of Scales et al. 2010, 3.2.  Milliseconds of virtual time; the feedback that
would keep the lag short is off.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

from bench.service import Service
from bench.table import line
from vmft.primary import Primary
from vmft.settings import MILLISECOND_NS, Settings

LAGS_MS = (0, 50, 100, 200, 400, 800, 1600)
SLOWER = 2
SETTINGS = Settings(lag_high_ns=1 << 60, primary_buffer_entries=4096, backup_buffer_entries=8192)
STEPS = 1 << 31             # of the guest's generator: minutes
STEP_NS = MILLISECOND_NS
HEADINGS = ("lag wanted", "lag", "detected", "decided", "live", "longer", "sum")
WIDTHS = (10, 8, 9, 9, 8, 8, 8)


class Failover(NamedTuple):
    """Moments after a crash, and the lag at it; nanoseconds."""

    lag_ns: int
    detected_ns: int        # the backup suspects
    decided_ns: int         # the disk has answered
    live_ns: int


def measure(lag_ns: int) -> Failover:
    """A crash of a busy primary whose backup is so much behind."""
    service = Service("load", hosts=2, settings=SETTINGS)
    sim = service.sim
    service.send("compute", STEPS)
    primary = sim.replicas["n1"].role
    assert isinstance(primary, Primary) and primary.sender is not None
    sim.slow("n2", SLOWER if lag_ns else 1)
    service.until(sim.now_ns + 100 * MILLISECOND_NS)
    while primary.sender.lag_ns(sim.now_ns) < lag_ns:
        service.until(sim.now_ns + STEP_NS)
    sim.slow("n2", 1)
    crash_ns, lag_at_crash_ns = sim.now_ns, primary.sender.lag_ns(sim.now_ns)
    sim.crash("n1")
    while "live" not in service.events:
        service.until(sim.now_ns + STEP_NS)
    moments = (service.events[kind][0][0] for kind in ("suspect", "test-and-set", "live"))
    detected_ns, decided_ns, live_ns = (moment - crash_ns for moment in moments)
    return Failover(lag_at_crash_ns, detected_ns, decided_ns, live_ns)


def main() -> None:
    """Print the table."""
    lags_ms = [int(text) for text in sys.argv[1:]] or LAGS_MS
    print("all in ms of virtual time, after the crash")
    print(line(HEADINGS, WIDTHS))
    for lag_ms in lags_ms:
        found = measure(lag_ms * MILLISECOND_NS)
        times = (*found, max(found.decided_ns, found.lag_ns), found.decided_ns + found.lag_ns)
        print(line([str(lag_ms), *(f"{each / MILLISECOND_NS:.1f}" for each in times)], WIDTHS),
              flush=True)


if __name__ == "__main__":
    main()
