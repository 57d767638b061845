"""How a pair is tuned: timeouts, buffers and limits, each with its unit.

The paper gives "a few seconds" to failure detection and some 100 microseconds to a round trip of
the logging channel; detection is shorter here, so that a run of some virtual seconds sees whole
failovers.
"""

from __future__ import annotations

from dataclasses import dataclass

MILLISECOND_NS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One pair's tuning."""

    heartbeat_ns: int = 50 * MILLISECOND_NS
    heartbeat_silence_ns: int = 300 * MILLISECOND_NS    # without a heartbeat: suspected
    log_silence_ns: int = 600 * MILLISECOND_NS          # without log traffic: suspected
    resend_ns: int = 20 * MILLISECOND_NS                # unacknowledged entries are sent again
    test_and_set_retry_ns: int = 100 * MILLISECOND_NS
    primary_buffer_entries: int = 4096                  # logged and not acknowledged
    backup_buffer_entries: int = 4096                   # received and not executed
    batch_entries: int = 512                            # in one message
    digest_every_entries: int = 128


DEFAULT = Settings()
