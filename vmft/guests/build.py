"""Guest images: building them with ziglang, loading the committed ones.

An image is a flat binary that is loaded at BASE, with a table of its symbols.  The compiler is a
development dependency only: `load` reads the files under images/.  A build depends on the sources,
vmft/ports.py and the version of ziglang, on nothing else: it gives the same bytes anywhere.
`python -m vmft.guests.build [NAME...]` builds images anew.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vmft.ports import c_header

FOLDER = Path(__file__).parent
IMAGES = FOLDER / "images"
BASE = 0x1000
FLAGS = (
    "-target", "x86_64-freestanding-none", "-mcpu=x86_64", "-std=c17", "-O2", "-g0",
    "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib", "-static",
    "-mgeneral-regs-only", "-mno-red-zone", "-fno-pic", "-fno-pie", "-fomit-frame-pointer",
    "-fno-stack-protector", "-fno-sanitize=all", "-fno-unroll-loops",
    "-fno-asynchronous-unwind-tables", "-Wl,--build-id=none", f"-Wl,-T,{FOLDER / 'guest.ld'}",
)
LOADABLE, SYMBOL_TABLE = 1, 2
SYMBOL_KINDS = (0, 1, 2)        # untyped, object, function


@dataclass(frozen=True)
class Image:
    """A guest program: ``data`` is loaded at ``base``, execution begins at ``entry``."""

    name: str
    data: bytes
    base: int = BASE
    entry: int = BASE
    symbols: dict[str, int] = field(default_factory=dict, compare=False)

    @property
    def digest(self) -> int:
        """32 bits over what is loaded, and where."""
        return zlib.crc32(self.data, zlib.crc32(f"{self.base} {self.entry}".encode()))


def names() -> list[str]:
    """The guests that there are."""
    return sorted(source.stem for source in FOLDER.glob("*.c"))


def load(name: str) -> Image:
    """The committed image of a guest; KeyError for a name that no guest has."""
    data, facts = IMAGES / f"{name}.bin", IMAGES / f"{name}.json"
    if not data.exists():
        built = sorted(path.stem for path in IMAGES.glob("*.bin"))
        raise KeyError(f"no guest {name!r}: there are {', '.join(built)}")
    described = json.loads(facts.read_text(encoding="utf-8"))
    return Image(name, data.read_bytes(), entry=described["entry"], symbols=described["symbols"])


def build(name: str) -> Image:
    """Compile a guest's source; subprocess.CalledProcessError shows what the compiler said."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "guest.elf"
        (Path(folder) / "ports.h").write_text(c_header(), encoding="utf-8")
        subprocess.run(
            [sys.executable, "-m", "ziglang", "cc", *FLAGS, "-I", folder,
             "-o", str(program), str(FOLDER / f"{name}.c")], check=True)
        elf = program.read_bytes()
    return Image(name, _flat(elf), entry=struct.unpack_from("<Q", elf, 24)[0],
                 symbols=dict(sorted(_symbols(elf), key=lambda item: (item[1], item[0]))))


def save(image: Image) -> None:
    """Write an image where `load` finds it."""
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / f"{image.name}.bin").write_bytes(image.data)
    facts = {"entry": image.entry, "symbols": image.symbols}
    (IMAGES / f"{image.name}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _flat(elf: bytes) -> bytes:
    """What an ELF-64 file loads, as one run of bytes from BASE; zeros at its end are left out."""
    start, size, count = struct.unpack_from("<Q", elf, 32) + struct.unpack_from("<HH", elf, 54)
    data = bytearray()
    for at in range(start, start + size * count, size):
        kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", elf, at)
        if kind == LOADABLE and length:
            data[address - BASE:] = bytes(address - BASE - len(data)) + elf[offset:offset + length]
    return bytes(data)


def _symbols(elf: bytes) -> Iterator[tuple[str, int]]:
    """Names and addresses in an ELF-64 file's symbol table."""
    start, size, count = struct.unpack_from("<Q", elf, 40) + struct.unpack_from("<HH", elf, 58)
    sections = [struct.unpack_from("<IIQQQQII", elf, start + size * i) for i in range(count)]
    for _, kind, _, _, offset, length, link, _ in sections:
        if kind == SYMBOL_TABLE:
            for at in range(offset, offset + length, 24):
                name_at, info, _, section, value, _ = struct.unpack_from("<IBBHQQ", elf, at)
                begin = sections[link][4] + name_at
                name = elf[begin:elf.index(b"\0", begin)].decode()
                if section and name and info & 15 in SYMBOL_KINDS:
                    yield name, value


def main() -> None:
    """Build the guests named on the command line, or all."""
    for name in sys.argv[1:] or names():
        image = build(name)
        save(image)
        print(f"{name}: {len(image.data)} bytes, digest {image.digest:08x}")


if __name__ == "__main__":
    main()
