"""A host's clock: virtual time, off by a constant, at a rate that may be wrong, with jumps."""

from __future__ import annotations

MILLION = 1_000_000


class HostClock:
    """`skew_ns` is how far it is off when nothing is wrong with it."""

    def __init__(self, skew_ns: int) -> None:
        self.skew_ns = skew_ns
        self._offset_ns = skew_ns
        self._ppm = 0
        self._since_ns = 0      # the rate's beginning

    def __call__(self, now_ns: int) -> int:
        """What it shows at a moment of virtual time."""
        return now_ns + self._offset_ns + (now_ns - self._since_ns) * self._ppm // MILLION

    def jump(self, by_ns: int) -> None:
        """Somebody sets it."""
        self._offset_ns += by_ns

    def drift(self, now_ns: int, ppm: int) -> None:
        """From now on it gains so many parts in a million, or loses them."""
        self._offset_ns = self(now_ns) - now_ns
        self._since_ns, self._ppm = now_ns, ppm

    def correct(self, now_ns: int) -> None:
        """It shows again what it would have shown, at the right rate."""
        self._offset_ns, self._since_ns, self._ppm = self.skew_ns, now_ns, 0
