"""The only source of chance in a simulation: a small integer generator, one stream a component.

SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
A stream is named, and its start depends on the seed and the name alone, so that one more draw in
one component never shifts another.  No floats: chances are ratios of integers.
"""

from __future__ import annotations

import zlib
from typing import Sequence, TypeVar

T = TypeVar("T")

MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15


def mix(value: int) -> int:
    """SplitMix64's finalizer: a bijection of 64-bit integers that looks random."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


class Rng:
    """A stream of random integers, fixed by ``seed`` and ``name``."""

    __slots__ = ("name", "seed", "state")

    def __init__(self, seed: int, name: str = "") -> None:
        self.seed = seed & MASK
        self.name = name
        self.state = mix(mix(self.seed) + zlib.crc32(name.encode()) * GAMMA & MASK)

    def split(self, name: str) -> Rng:
        """An independent stream for a component; the same however much was drawn before."""
        return Rng(self.seed, f"{self.name}/{name}")

    def u64(self) -> int:
        """The next 64 random bits."""
        self.state = (self.state + GAMMA) & MASK
        return mix(self.state)

    def below(self, bound: int) -> int:
        """An integer in [0, bound)."""
        assert bound > 0
        return (self.u64() * bound) >> 64

    def between(self, low: int, high: int) -> int:
        """An integer in [low, high], both ends included."""
        return low + self.below(high - low + 1)

    def chance(self, numerator: int, denominator: int) -> bool:
        """True in ``numerator`` of ``denominator`` cases."""
        return self.below(denominator) < numerator

    def choice(self, items: Sequence[T]) -> T:
        """One of ``items``."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in a random order (Fisher-Yates)."""
        result = list(items)
        for last in range(len(result) - 1, 0, -1):
            other = self.below(last + 1)
            result[last], result[other] = result[other], result[last]
        return result
