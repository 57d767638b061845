"""Moments of virtual time, in nanoseconds; None is one that will not come by itself."""

from __future__ import annotations


def earliest(*moments: int | None) -> int | None:
    """The first of these moments, or None where there is none."""
    first = None
    for moment in moments:
        if moment is not None and (first is None or moment < first):
            first = moment
    return first
