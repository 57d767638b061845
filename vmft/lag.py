"""Keeping the backup close: a slow feedback on the primary's share of the processor.

Separate from the buffers' flow control: those stop a side that cannot go on, this slows the
primary a little while the backup's execution lags behind, and lets it go again when the lag has
become slight [paper 3.2].  Time to go live is detection plus lag, so the lag is what to bound.
"""

from __future__ import annotations

from vmft.control import SHARE_PERCENT
from vmft.settings import Settings


class Throttle:
    """The primary's share of the processor, in percent."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.percent = SHARE_PERCENT[1]
        self._adjusted_ns = 0

    def observe(self, now_ns: int, lag_ns: int) -> bool:
        """Adjust the share to a lag, at most once a period; answers whether it changed."""
        if now_ns - self._adjusted_ns < self.settings.lag_period_ns:
            return False
        before = self.percent
        if lag_ns > self.settings.lag_high_ns:
            self.percent -= self.settings.lag_step_percent
        elif lag_ns < self.settings.lag_low_ns:
            self.percent += self.settings.lag_step_percent
        low, high = SHARE_PERCENT
        self.percent = min(high, max(low, self.percent))
        self._adjusted_ns = now_ns
        return self.percent != before
