"""Rules that can be switched off by name, to prove that each checker can fail.

All off by default, one line each.  `row` is the mechanism's or mutant's name in docs/vmft.md;
`convicted_by` the checks of which one at least must notice; `workload` and `nemesis` where it
shows, with the options `disk_reads` and `disk` if not as usual.
"""

from __future__ import annotations

from typing import NamedTuple


class Bug(NamedTuple):
    """A deliberate defect."""

    row: str
    meaning: str
    convicted_by: tuple[str, ...]
    workload: str = "counter"
    nemesis: tuple[str, ...] = ("crash",)
    disk_reads: str = "log"
    disk: str = "shared"


LINEAR, RULE, REQUIRED = "linearizable", "output-rule", "output-requirement"
SINGLE, DIVERGED, IO = "single-primary", "divergence", "no-backup-io"
DISK, JOURNAL = "disk-operations", "disk-auditor"
FAILOVER, QUIET = "failover", "quiet"
CRASH, LOSS, CUT, DELAY, SLOW = "crash", "log-loss", "partition", "delay", "slow"
ERRORS = "disk-errors"

BUGS = {
    "no-output-rule": Bug(
        "P1", "an output leaves at once, before the backup has acknowledged its log entry",
        (RULE, LINEAR), nemesis=(CRASH, LOSS)),
    "ack-at-send": Bug(
        "P2", "an entry counts as acknowledged as soon as it was sent",
        (RULE, LINEAR), nemesis=(CRASH, LOSS)),
    "lost-buffer": Bug(
        "P3", "what was acknowledged and not executed is dropped at go-live",
        (REQUIRED, LINEAR), nemesis=(CRASH, SLOW)),
    "previous-ack": Bug(
        "P4", "the acknowledgement of the entry before an output's own lets it leave",
        (RULE,), nemesis=(LOSS, SLOW)),
    "ungated-disk": Bug(
        "P5", "disk writes do not wait for acknowledgements", (RULE, JOURNAL), "kv", (CRASH, LOSS)),
    "late-copy": Bug(
        "P7", "a held output is copied from the guest's buffer when it leaves, not when issued",
        (REQUIRED, LINEAR), "echo", (LOSS,)),
    "drop-held": Bug(
        "P8", "held outputs are dropped when the primary lost its backup and goes on",
        (REQUIRED,), nemesis=(CUT,)),
    "release-after-defeat": Bug(
        "P9", "the loser of the test-and-set lets its held outputs out before it halts",
        (REQUIRED, LINEAR), nemesis=(CUT,)),
    "ack-after-live": Bug(
        "P11", "a backup that went live goes on acknowledging its old primary",
        (REQUIRED, LINEAR), nemesis=(CUT, DELAY)),
    "fresh-duplicates": Bug(
        "P10", "an output that leaves again after a failover is made anew, with other bytes",
        ("duplicates",), nemesis=(CRASH,)),
    "backup-speaks": Bug(
        "A3", "what the backup's guest sends goes out into the world, too", (IO,), nemesis=()),
    "untrapped-rdtsc": Bug(
        "R1", "rdtsc is not logged; each side reads its own", (DIVERGED,), "token"),
    "untrapped-rdrand": Bug(
        "R2", "rdrand and rdseed are not logged; each side draws its own", (DIVERGED,), "token"),
    "off-by-one": Bug(
        "R3", "the backup delivers interrupts one instruction late", (DIVERGED,), "lease"),
    "arrival-logged": Bug(
        "R4", "an interrupt is logged where it arrived, not where it was delivered",
        (DIVERGED,), "lease"),
    "run-ahead": Bug(
        "R5", "a backup without entries runs on", (DIVERGED,), nemesis=(LOSS,)),
    "unchecked-sequence": Bug(
        "R6", "gaps and repetitions in the log are not noticed", (DIVERGED,), nemesis=(LOSS,)),
    "merged-inputs": Bug(
        "R8", "a packet that finds another one waiting for the interrupt is not logged",
        (DIVERGED,)),
    "unlogged-wake": Bug(
        "R9", "an interrupt that wakes a halted guest is not logged", (DIVERGED,), "idle"),
    "clock-jumps-back": Bug(
        "R10", "whoever goes live reads its own host's clock", ("monotonic-time",), "clock"),
    "no-bounce-buffer": Bug(
        "D1x", "a read's data go into guest memory when they arrive", (DIVERGED,), "spin"),
    "early-copy": Bug(
        "D2x", "the backup puts a read's data into memory with its log entry, not its interrupt",
        (DIVERGED,), "spin"),
    "unserialised": Bug(
        "D3x", "operations on the same blocks do not wait for each other", (LINEAR,), "spin",
        (LOSS, DELAY)),
    "pending-forgotten": Bug(
        "D4x", "pending disk operations are not issued again at go-live", (DISK, QUIET), "kv",
        (CRASH, DELAY)),
    "everything-again": Bug(
        "D5x", "all disk writes are issued again at go-live, also completed ones",
        (DISK, JOURNAL), "kv"),
    "pending-fails": Bug(
        "D6x", "disk operations that were pending at go-live end with an error", (DISK,), "kv",
        (CRASH, DELAY)),
    "double-completion": Bug(
        "D7x", "the second answer to one disk operation completes it again", (DISK,), "kv",
        (CRASH, DELAY)),
    "unread-overwritten": Bug(
        "D9x", "a write does not wait until the backup has read the same blocks", (DIVERGED,),
        "spin", (SLOW,), "backup"),
    "backup-read-taken": Bug(
        "D10x", "a backup goes on with what its failed read has brought", (DIVERGED,),
        "spin", (ERRORS,), "backup"),
    "failed-read-unshipped": Bug(
        "D10x", "the log leaves out what the primary's failed read has brought", (DIVERGED,),
        "spin", (ERRORS,), "backup"),
    "no-resync": Bug(
        "D11x", "a new backup's own disk stays as it was left", (DIVERGED, JOURNAL), "kv",
        disk="local"),
    "no-test-and-set": Bug(
        "S1 S2", "whoever suspects the other goes live without asking the shared disk",
        (SINGLE,), nemesis=(CUT,)),
    "backup-takes-over": Bug(
        "S1", "a backup goes live without asking the shared disk", (SINGLE,), nemesis=(CUT,)),
    "primary-goes-on": Bug(
        "S2", "a primary that lost its backup goes on without asking the shared disk",
        (SINGLE,), nemesis=(CUT,)),
    "torn-test-and-set": Bug(
        "S3", "the test and the set are two steps", (SINGLE,), nemesis=(CUT,)),
    "timeout-is-success": Bug(
        "S4", "a disk that does not answer the test-and-set counts as won", (SINGLE,),
        nemesis=(CUT,)),
    "timeout-is-defeat": Bug(
        "S5", "a disk that does not answer the test-and-set counts as lost", (SINGLE, FAILOVER),
        nemesis=(CUT,)),
    "success-is-defeat": Bug(
        "S6", "the winner that asks again after a lost reply is told that it lost",
        (SINGLE, FAILOVER), nemesis=(CUT,)),
    "never-rearmed": Bug(
        "S7", "the flag is one for all generations", (SINGLE, FAILOVER)),
    "rearmed-blindly": Bug(
        "S8", "the flag is cleared after a while, whoever may still want the old one",
        (SINGLE,), nemesis=(CUT,)),
    "live-too-soon": Bug(
        "S11", "a backup goes live before it has consumed its log", (REQUIRED, LINEAR),
        nemesis=(CRASH, SLOW)),
    "waits-for-more": Bug(
        "S12", "a backup that won waits for more of the log before it goes live",
        (SINGLE, FAILOVER)),
    "silent-takeover": Bug(
        "S13", "whoever goes live does not tell the network where the address is now",
        (QUIET,)),
    "drop-when-full": Bug(
        "X1", "an entry that finds the primary's buffer full is dropped", (DIVERGED,),
        nemesis=(LOSS, SLOW)),
    "no-throttle": Bug(
        "X2", "the primary is not slowed while the backup lags", ("lag-bound",), "load",
        ("crowded",)),
    "no-fencing": Bug(
        "X3", "the disk serves writes of an older generation", (IO,), "kv",
        (CRASH, DELAY)),
    "silent-power-off": Bug(
        "X4", "switching off is no control entry: the backup takes it for a crash", (SINGLE,),
        nemesis=("power-off",)),
    "same-host": Bug(
        "X6", "the cluster service places a backup on its own primary's host",
        ("redundancy",)),
    "stays-alone": Bug(
        "X7", "whoever goes live seeks no new backup", ("redundancy",)),
    "missed-page": Bug(
        "C1x", "the clone misses one of the pages that changed last", (DIVERGED,), "kv"),
    "device-forgotten": Bug(
        "C2x", "the clone misses where the network card stands in its ring", (DIVERGED,)),
    "log-starts-late": Bug(
        "C3x", "the log begins a little after the state that was cloned", (DIVERGED,)),
    "stale-clone": Bug(
        "C4x", "a host keeps the pages of an earlier clone", (DIVERGED,), nemesis=(CUT, CRASH)),
    "unquiesced-move": Bug(
        "C6x", "a primary moves though disk operations and outputs are on their way",
        (DIVERGED,), "spin", ("move",)),
    "ungated-window": Bug(
        "C5x", "outputs do not wait until a new backup has acknowledged something",
        (RULE,), nemesis=(CRASH, DELAY)),
}
