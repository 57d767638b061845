"""Which of many spans of time are near to a few moments: what is kept when not all can be."""

from __future__ import annotations

from bisect import bisect_left
from typing import Sequence

FAR = 1 << 80       # ns: beyond any moment


def nearest(
    spans: Sequence[tuple[int, int]], moments: Sequence[int], limit: int
) -> list[int]:
    """The places of at most ``limit`` spans of time, in order: those nearest to a moment.

    Spans are a beginning and an end; one that covers a moment is at a distance of 0.  ``moments``
    are sorted; without any, the earliest spans are the nearest.
    """
    if len(spans) <= limit:
        return list(range(len(spans)))
    around = [-FAR, *(moments or [0]), FAR]
    far = []
    for start, end in spans:
        at = bisect_left(around, start)
        far.append(min(start - around[at - 1], max(0, around[at] - end)))
    order = sorted(range(len(spans)), key=far.__getitem__)[:limit]
    return sorted(order)
