"""Tables of measurements, printed line by line as they come."""

from __future__ import annotations

import sys
from typing import Callable, Iterable, Sequence, TypeVar

R = TypeVar("R")


def line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """One line: cells as wide as given, to the left where the width is negative."""
    return " ".join(cell.ljust(-width) if width < 0 else cell.rjust(width)
                    for cell, width in zip(cells, widths)).rstrip()


def scaled(headings: Sequence[str], widths: Sequence[int], rows: Iterable[R],
           cells: Callable[[R, float], Sequence[str]]) -> None:
    """Print a line for each row, measured at the scale that the command line names, or at 1."""
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    print(line(headings, widths))
    for row in rows:
        print(line(cells(row, scale), widths), flush=True)
