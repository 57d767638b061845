"""Failure detection: heartbeats between the hosts and the traffic of the logging channel.

Either one alone is not enough [paper 2.3]: a hung machine behind a live host still beats, and a
guest that has nothing to log is not dead.  The periodic timer interrupt guarantees log traffic.
"""

from __future__ import annotations

from vmft.settings import Settings


class Detector:
    """When the other host was last heard of, both ways."""

    def __init__(self, settings: Settings, now_ns: int) -> None:
        self.settings = settings
        self.heartbeat_ns = now_ns
        self.log_ns = now_ns

    def heard_heartbeat(self, now_ns: int) -> None:
        """A heartbeat came in."""
        self.heartbeat_ns = now_ns

    def heard_log(self, now_ns: int) -> None:
        """Log traffic came in: entries on the backup, acknowledgements on the primary."""
        self.log_ns = now_ns

    def suspicion(self, now_ns: int) -> str | None:
        """Why the other side is taken for dead, or None."""
        if now_ns - self.heartbeat_ns >= self.settings.heartbeat_silence_ns:
            return "no heartbeat"
        if now_ns - self.log_ns >= self.settings.log_silence_ns:
            return "no log traffic"
        return None

    def due_ns(self) -> int:
        """When silence would turn into suspicion."""
        return min(self.heartbeat_ns + self.settings.heartbeat_silence_ns,
                   self.log_ns + self.settings.log_silence_ns)
