"""Cloning a running machine: how long it stands still, against how fast it changes its memory.

    python -m bench.clone [PAGES_A_SECOND ...]

A machine without a backup writes into one page after the other, at a steady rate, over and over;
its memory is copied to a spare host in rounds, each with what has changed meanwhile, and then it
stands still while the rest is sent (the stun).  Rounds stop when at most FEW_PAGES have changed,
or after ROUNDS_MAX: above one page in PAGE_NS, the wire's rate, they gain nothing.  Scales et al.
2010, 3.1, tell of less than a second, with gigabytes.  Times are virtual.
"""

from __future__ import annotations

import struct
import sys
from typing import Any, NamedTuple

from bench.table import line
from vmft.clone import PAGE_NS
from vmft.cpu import RAM_SIZE
from vmft.engine import PAGE_SIZE
from vmft.guests.build import Image
from vmft.recorder import INSTRUCTION_NS
from vmft.settings import MILLISECOND_NS
from vmft.sim import Sim

RATES = (0, 1_000, 3_000, 10_000, 20_000, 30_000, 50_000, 100_000)
FIRST_PAGE, LAST_PAGE = 8, RAM_SIZE // PAGE_SIZE - 1
AROUND = 6                  # instructions for one page beside those that pass the time
SLOWEST = 5_000_000         # turns of two instructions, when no page shall be written
HEADINGS = ("pages/s written", "MB/s", "rounds", "pages sent", "of", "copied in ms", "stun us",
            "pages then")
WIDTHS = (15, 7, 7, 11, 4, 13, 8, 11)


class Copy(NamedTuple):
    """One clone: how many rounds before the stun, pages in all, and times in nanoseconds."""

    rounds: int
    pages: int
    copied_ns: int
    stun_ns: int


def writer(rate: int) -> Image:
    """A guest that writes into `rate` pages a second, or into none for a long while."""
    turns = 1_000_000_000 // (rate * INSTRUCTION_NS * 2) - AROUND // 2 if rate else SLOWEST
    begin, end = (struct.pack("<I", page * PAGE_SIZE) for page in (FIRST_PAGE, LAST_PAGE))
    step = struct.pack("<I", PAGE_SIZE)
    body = (b"\xb9" + struct.pack("<I", turns)      # pass the time: mov ecx, turns
            + b"\xff\xc9\x75\xfc"                   # again: dec ecx; jnz again
            + b"\x48\xff\x07"                       # inc qword [rdi]
            + b"\x81\xc7" + step                    # add edi, step
            + b"\x81\xff" + end)                    # cmp edi, end
    back = struct.pack("b", -len(body) - 2)         # jb, to passing the time
    start = struct.pack("b", -len(body) - 9)        # jmp, to the start
    return Image("writer", b"\xbf" + begin + body + b"\x72" + back + b"\xeb" + start)


def measure(rate: int) -> Copy:
    """A clone of such a guest, after its backup has crashed."""
    events: dict[str, tuple[int, dict[str, Any]]] = {}

    def observe(time_ns: int, node: str, kind: str, data: dict[str, Any]) -> None:
        events.setdefault(kind, (time_ns, data))

    sim = Sim(writer(rate), seed=1, hosts=3, observe=observe)
    sim.crash("n2")
    while "protected" not in events:
        sim.advance(sim.now_ns + 10 * MILLISECOND_NS)
    switch_ns, switch = events["switch"]
    return Copy(switch["round"], switch["pages"], switch_ns - events["clone"][0],
                switch["stun_ns"])


def main() -> None:
    """Print the table."""
    rates = [int(text) for text in sys.argv[1:]] or RATES
    print(line(HEADINGS, WIDTHS))
    for rate in rates:
        copy = measure(rate)
        print(line([f"{rate:,}", f"{rate * PAGE_SIZE / 1e6:.1f}", str(copy.rounds),
                    str(copy.pages), str(RAM_SIZE // PAGE_SIZE - 1),
                    f"{copy.copied_ns / MILLISECOND_NS:.2f}", f"{copy.stun_ns / 1000:.0f}",
                    str(copy.stun_ns // PAGE_NS)], WIDTHS), flush=True)


if __name__ == "__main__":
    main()
