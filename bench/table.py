"""Tables of measurements, printed line by line as they come."""

from __future__ import annotations

from typing import Sequence


def line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """One line: cells as wide as given, to the left where the width is negative."""
    return " ".join(cell.ljust(-width) if width < 0 else cell.rjust(width)
                    for cell, width in zip(cells, widths)).rstrip()
