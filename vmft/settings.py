"""How a pair is tuned: timeouts, buffers and limits, each with its unit.

The paper gives "a few seconds" to failure detection and some 100 microseconds to a round trip of
the logging channel; detection is shorter here, so that a run of some virtual seconds sees whole
failovers.
"""

from __future__ import annotations

from dataclasses import dataclass

MILLISECOND_NS = 1_000_000
DISKS = ("shared", "local")
DISK_READS = ("log", "backup")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One pair's tuning.

    `disk` is "shared", or "local" when each host has its own.  `disk_reads` says where a backup
    gets what was read: from the "log", or itself, as "backup".
    """

    heartbeat_ns: int = 50 * MILLISECOND_NS
    heartbeat_silence_ns: int = 300 * MILLISECOND_NS    # without a heartbeat: suspected
    log_silence_ns: int = 600 * MILLISECOND_NS          # without log traffic: suspected
    resend_ns: int = 20 * MILLISECOND_NS                # unacknowledged entries are sent again
    test_and_set_retry_ns: int = 100 * MILLISECOND_NS
    primary_buffer_entries: int = 64                  # logged and not acknowledged
    backup_buffer_entries: int = 128                   # received and not executed
    batch_entries: int = 512                            # in one message
    digest_every_entries: int = 128
    lag_high_ns: int = 100 * MILLISECOND_NS             # above: the primary is slowed down
    lag_low_ns: int = 20 * MILLISECOND_NS               # below: it is let go again
    lag_period_ns: int = 20 * MILLISECOND_NS            # between two adjustments of its share
    lag_step_percent: int = 5
    host_up_ns: int = 200 * MILLISECOND_NS              # a host reports to the cluster service
    advertise_ns: int = 500 * MILLISECOND_NS            # the live machine says where it is
    need_backup_ns: int = 500 * MILLISECOND_NS          # a machine alone asks for a backup
    clone_silence_ns: int = 1000 * MILLISECOND_NS       # without an answer: this clone has failed
    disk: str = "shared"
    disk_reads: str = "log"
    reboot_ns: int = 500 * MILLISECOND_NS               # a halted host is a spare again


DEFAULT = Settings()
