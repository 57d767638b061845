"""Keeping the backup close: a slow feedback on the primary's share of the processor.

Separate from the buffers' flow control: those stop a side that cannot go on, this slows the
primary a little while the backup's execution lags behind, and lets it go again when the lag has
become slight [paper 3.2].  Time to go live is detection plus lag, so the lag is what to bound.

The lag adds up what the share is too much, and shows it only when the backup gets there: a feedback
on the lag alone would swing for ever.  So this one also looks at the work that is logged and not
executed, which tells at once who is faster: the share goes down while that does not shrink in due
time, and up while it does not grow.
"""

from __future__ import annotations

from vmft.control import SHARE_PERCENT
from vmft.settings import Settings


SHRINKING_PERIODS = 50      # in which the work of a lag that is too long should be done


class Throttle:
    """The primary's share of the processor, in percent."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.percent = SHARE_PERCENT[1]
        self._adjusted_ns = 0
        self._least = (0, 0)        # work and lag, in this period: the least is not about one entry
        self._before = 0            # the work in the period before
        self._fresh = True

    def observe(self, now_ns: int, lag_ns: int, behind: int) -> bool:
        """Adjust the share to a lag and to the instructions that the backup has to execute.

        At most once a period; answers whether it changed.
        """
        now = (behind, lag_ns)
        self._least = now if self._fresh else min(self._least, now)
        self._fresh = False
        if now_ns - self._adjusted_ns < self.settings.lag_period_ns:
            return False
        before = self.percent
        low, high = SHARE_PERCENT
        self.percent = min(high, max(low, self.percent + self._step_percent(*self._least)))
        self._adjusted_ns, self._before, self._fresh = now_ns, self._least[0], True
        return self.percent != before

    def _step_percent(self, behind: int, lag_ns: int) -> int:
        grown, step = behind - self._before, self.settings.lag_step_percent
        if lag_ns > self.settings.lag_high_ns and grown * SHRINKING_PERIODS > -behind:
            return -step
        return step if lag_ns < self.settings.lag_low_ns and grown <= 0 else 0
