"""Fewer of some things that fail together: delta debugging (Zeller & Hildebrandt, TSE 2002)."""

from __future__ import annotations

from typing import Callable, TypeVar

T = TypeVar("T")


def fewer(
    kept: list[T], fails: Callable[[list[T]], bool], tired: Callable[[], bool] = lambda: False
) -> list[T]:
    """A part of what fails that fails too, and does not without any one of its members.

    The last is so if what contains something that fails does, and nobody grew tired.
    """
    size = len(kept)
    while True:
        size = max(1, size // 2)
        before = len(kept)
        kept = _without_chunks(kept, size, fails, tired)
        if tired() or size == 1 and len(kept) == before:
            return kept


def _without_chunks(
    kept: list[T], size: int, fails: Callable[[list[T]], bool], tired: Callable[[], bool]
) -> list[T]:
    """What is left without every chunk of this size that can be spared."""
    at = 0
    while at < len(kept) and not tired():
        rest = kept[:at] + kept[at + size:]
        if fails(rest):
            kept = rest
        else:
            at += size
    return kept
