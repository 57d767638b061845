"""Guest images: building them with ziglang, loading the committed ones.

An image is a flat binary that is loaded at BASE, with a table of its symbols.  The compiler is a
development dependency only: `load` reads the files under images/.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
BASE = 0x1000


@dataclass(frozen=True)
class Image:
    """A guest program: ``data`` is loaded at ``base``, execution begins at ``entry``."""

    name: str
    data: bytes
    base: int = BASE
    entry: int = BASE
    symbols: tuple[tuple[str, int], ...] = ()

    @property
    def digest(self) -> int:
        """32 bits over what is loaded and where."""
        return zlib.crc32(self.data, zlib.crc32(f"{self.base} {self.entry}".encode()))


def load(name: str) -> Image:
    """The committed image of a guest."""
    facts = json.loads((FOLDER / "images" / f"{name}.json").read_text())
    symbols = tuple(sorted(facts["symbols"].items(), key=lambda item: item[1]))
    return Image(name, (FOLDER / "images" / f"{name}.bin").read_bytes(),
                 entry=facts["entry"], symbols=symbols)
