"""Progress of long work: a line on a terminal, nothing in a pipe."""

from __future__ import annotations

from typing import Any

from tqdm import tqdm

tqdm.monitor_interval = 0       # no thread beside the work


def progress(total: int | None, unit: str) -> tqdm[Any]:
    """A line that counts up to `total` (None: nobody knows); quiet unless stderr is a terminal."""
    return tqdm(total=total, unit=f" {unit}", disable=None, leave=False, dynamic_ncols=True)
