"""What exact positions cost: one compute-bound loop, with and without counting, in one run.

`python bench/guest_speed.py [MILLIONS]` prints times and their ratio to plain Unicorn, which
counts nothing; the Python counter runs a hundredth of the work.  The last lines are the costs of
single calls that a runtime makes all the time.
"""

from __future__ import annotations

import mmap
import sys
import time
from typing import Callable

from vmft import counting
from vmft.cpu import RAM_SIZE, Cpu
from vmft.engine import Engine
from vmft.guests.build import BASE, Image

INSTRUCTIONS_A_ROUND = 12
BODY = bytes.fromhex(
    "be00300000 31d2"               # mov esi, 0x3000; xor edx, edx
    "480306 4869c0fd430300"         # again: add rax, [rsi]; imul rax, rax, 0x343fd
    "488906 a801 7403 48ffc3"       # mov [rsi], rax; test al, 1; jz over; inc rbx
    "89d6 81c600300000"             # over: mov esi, edx; add esi, 0x3000
    "83c208 81e2ff0f0000"           # add edx, 8; and edx, 0xfff
    "49ffc8 75d6 f4")               # dec r8; jnz again; hlt


def image(rounds: int) -> Image:
    """The loop, ``rounds`` times over."""
    return Image("bench", b"\x41\xb8" + rounds.to_bytes(4, "little") + BODY)


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def plain(rounds: int) -> float:
    """Seconds without a counter."""
    ram = mmap.mmap(-1, RAM_SIZE)
    program = image(rounds)
    ram[BASE:BASE + len(program.data)] = program.data
    engine = Engine(ram)
    return timed(lambda: engine.start(BASE))


def processor(rounds: int, *, native: bool) -> Cpu:
    """A processor at the start of the loop."""
    return Cpu(image(rounds), on_in=lambda port, size: 0, on_out=lambda port, size, value: None,
               on_result=lambda kind: 0, native=native)


def counted(rounds: int, *, native: bool, slice_length: int = 1 << 62) -> tuple[float, int]:
    """Seconds and instructions with a counter, stopping every ``slice_length`` instructions."""
    cpu = processor(rounds, native=native)

    def run() -> None:
        while not cpu.halted:
            cpu.run(cpu.position + slice_length)

    return timed(run), cpu.position


def main() -> None:
    """Print the table."""
    rounds = int(float(sys.argv[1] if len(sys.argv) > 1 else "50") * 1e6 / INSTRUCTIONS_A_ROUND)
    base = min(plain(rounds) for _ in range(3))
    small = min(plain(rounds // 100) for _ in range(3))
    rows = [("plain Unicorn", base, base)]
    instructions = 0
    if counting.NATIVE is not None:
        seconds, instructions = counted(rounds, native=True)
        rows.append(("native counter", seconds, base))
        for length in (100_000, 10_000, 1_000):
            seconds, _ = counted(rounds, native=True, slice_length=length)
            rows.append((f"native counter, stops every {length:,}", seconds, base))
    seconds, few = counted(rounds // 100, native=False)
    rows.append(("Python counter, a hundredth", seconds, small))
    print(f"{instructions or 100 * few:,} instructions")
    for name, seconds, reference in rows:
        print(f"{name:40} {1000 * seconds:10.1f} ms  {seconds / reference:8.2f} x plain")
    cpu = processor(1000, native=counting.NATIVE is not None)
    for name, work in (("digest", cpu.digest), ("snapshot", cpu.snapshot),
                       ("write 64 bytes", lambda: cpu.write(0x20000, bytes(64)))):
        print(f"{name:40} {1e6 * min(timed(work) for _ in range(50)):10.1f} us")


if __name__ == "__main__":
    main()
