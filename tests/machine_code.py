"""Random guest programs in hand-assembled x86-64, and a world that drives them.

A program is a boot that loads its own descriptor tables, a body of fragments drawn by Hypothesis,
and an interrupt handler that leaves a mark of where it struck.  The world answers `in`, `rdtsc`
and the like from a fixed sequence, or from a record, and delivers interrupts at chosen positions.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import strategies as st

from vmft.cpu import Breakpoint, Cpu
from vmft.guests.build import Image

BASE, HANDLER, TABLES, BODY = 0x1000, 0x1800, 0x1C00, 0x2000
TRAIL, DATA, STACK = 0x8000, 0x9000, 0x10000
VECTOR = 0x21
HLT = b"\xf4"
STI_HLT = b"\xfb\xf4"


def absolute(code: str, address: int, tail: str = "") -> bytes:
    """An instruction with a 32-bit absolute address in the middle."""
    return bytes.fromhex(code) + struct.pack("<I", address) + bytes.fromhex(tail)


def handler() -> bytes:
    """trail = rotate(trail, 7) ^ rip ^ rcx; strikes += 1; every register is kept."""
    return b"".join([
        bytes.fromhex("50 48 8b 44 24 08"),             # push rax; mov rax, [rsp+8]
        absolute("48 c1 04 25", TRAIL, "07"),           # rol qword [TRAIL], 7
        absolute("48 31 04 25", TRAIL),                 # xor [TRAIL], rax
        absolute("48 31 0c 25", TRAIL),                 # xor [TRAIL], rcx
        absolute("48 ff 04 25", TRAIL + 8),             # inc qword [TRAIL+8]
        bytes.fromhex("58 48 cf"),                      # pop rax; iretq
    ])


def tables() -> bytes:
    """At TABLES: limits and bases of both tables, the segments, then at +0x40 the gates."""
    segments, gates = TABLES + 0x20, TABLES + 0x40
    gate = struct.pack("<HHBBHII", HANDLER & 0xFFFF, 8, 0, 0x8E, HANDLER >> 16, 0, 0)
    both = struct.pack("<HQ6xHQ6x", 23, segments, 16 * (VECTOR + 1) - 1, gates)[:32]
    return (both.ljust(32, b"\0") + struct.pack("<QQQ", 0, 0xAF9A000000FFFF, 0xCF92000000FFFF)
            + bytes(8) + bytes(16 * VECTOR) + gate)


def boot() -> bytes:
    """Load the tables and the segments, set the stack and rdi, enable interrupts, jump on."""
    return b"".join([
        absolute("0f 01 14 25", TABLES), absolute("0f 01 1c 25", TABLES + 16),
        absolute("bc", STACK), bytes.fromhex("6a 08 68"), struct.pack("<I", BASE + 0x28),
        bytes.fromhex("48 cb"),                         # lretq to what follows the padding
    ]).ljust(0x28, b"\x90") + bytes.fromhex("b8 10 00 00 00 8e d0 8e d8 8e c0") + absolute(
        "bf", DATA) + b"\xfb" + jump(BASE + 0x28 + 17, BODY)


def jump(start: int, target: int) -> bytes:
    """jmp from ``start`` to ``target``."""
    return b"\xe9" + struct.pack("<i", target - start - 5)


def image(body: bytes) -> Image:
    """A bootable image around ``body``, which starts with rdi at DATA and interrupts on."""
    data = bytearray(BODY - BASE)
    for address, piece in ((BASE, boot()), (HANDLER, handler()), (TABLES, tables())):
        data[address - BASE:address - BASE + len(piece)] = piece
    return Image("test", bytes(data) + body)


# Fragments: straight pieces that keep rdi, rsp and r15.

PLAIN = tuple(bytes.fromhex(code) for code in (
    "48 05 39 30 00 00",            # add rax, 12345
    "48 31 c3", "48 0f af cb",      # xor rbx, rax; imul rcx, rbx
    "48 89 47 10", "48 8b 57 10",   # mov [rdi+16], rax; mov rdx, [rdi+16]
    "48 01 5f 18", "48 d3 c0",      # add [rdi+24], rbx; rol rax, cl
    "49 01 c0", "4d 11 c8",         # add r8, rax; adc r8, r9
    "9c 58", "0f 93 c2",            # pushf; pop rax; setae dl
    "48 0f bc d0", "f0 48 0f c1 47 20",     # bsf rdx, rax; lock xadd [rdi+32], rax
    "90", "fa", "fb", "0f a2",      # nop; cli; sti; cpuid
    "74 03 48 ff c3",               # jz over; inc rbx
    "73 02 eb 00",                  # jae over; jmp next
    "e8 00 00 00 00 59",            # call next; pop rcx
    "66 48 0f 6e c0", "f2 48 0f 2a c8",     # movq xmm0, rax; cvtsi2sd xmm1, rax
    "f2 0f 58 c1", "f2 0f 59 c8", "66 0f d4 d0",    # addsd; mulsd; paddq xmm2, xmm0
    "d9 eb d8 c8 dd 5f 28",         # fldpi; fmul st0; fstp qword [rdi+40]
    "b9 03 00 00 00 48 ff c0 e2 fb",        # mov ecx, 3; again: inc rax; loop again
))
TRAPS = tuple(bytes.fromhex(code) for code in (
    "e5 20", "66 e5 22", "e4 21",   # in eax; in ax; in al
    "e7 30", "66 e7 30", "e6 30",   # out eax; out ax; out al
    "0f 31", "0f 01 f9",            # rdtsc; rdtscp
    "48 0f c7 f2", "0f c7 f8", "66 41 0f c7 f1",    # rdrand rdx; rdseed eax; rdrand r9w
    "fb f4",                        # sti; hlt
))
STRINGS = tuple(bytes.fromhex(f"57 b9 {count:02x} 00 00 00 {code} 5f") for count, code in (
    (0, "f3 aa"), (1, "f3 aa"), (9, "f3 48 ab"),    # rep stosb, rep stosq
    (7, "48 8d 77 08 f3 a4"),       # lea rsi, [rdi+8]; rep movsb
    (6, "48 89 fe f3 ac"),          # mov rsi, rdi; rep lodsb
    (5, "f2 ae"),                   # repne scasb
    (4, "66 ba 20 00 f3 6d"),       # mov dx, 32; rep insd
    (3, "66 ba 30 00 48 89 fe f3 6e"),      # mov dx, 48; mov rsi, rdi; rep outsb
))


def patch(skip: int, value: int) -> bytes:
    """Store ``value`` into an `add r10, imm8` that lies ``skip`` instructions further on."""
    return absolute("c6 05", 3 * skip + 3, f"{value:02x}") + b"\x49\xff\xc3" * skip + bytes(
        (0x49, 0x83, 0xC2, 0))


def looped(body: bytes, count: int) -> bytes:
    """``body``, ``count`` times over, counted in r15."""
    whole = absolute("41 bf", count) + body
    back = b"\x41\xff\xcf\x0f\x85"
    return whole + back + struct.pack("<i", -(len(body) + len(back) + 4))


def fragments() -> st.SearchStrategy[bytes]:
    """One fragment of any kind; traps and strings are a fair share."""
    return st.one_of(st.sampled_from(PLAIN), st.sampled_from(TRAPS), st.sampled_from(STRINGS),
                     st.builds(patch, st.integers(0, 3), st.integers(0, 127)))


def odd_instructions() -> st.SearchStrategy[bytes]:
    """Any opcode with any form of operands, most of them nothing a compiler emits.

    Without `lock`, for which Unicorn ends the process when it does not fit the instruction.
    """
    pieces = (
        ("", "66", "48", "67", "f3", "f2", "66 41"), ("", "0f", "0f 38", "0f 3a"),
        [f"{opcode:02x}" for opcode in range(256)],
        ("c1", "07", "47 10", "04 25 00 90 00 00", "44 27 08", "87 10 00 00 00", "f9", "3f", "d1"),
        ["08 c0 08 c9 08 d2 08 db"])    # what follows, as operands or as instructions
    return st.tuples(*map(st.sampled_from, pieces)).map(lambda drawn: bytes.fromhex("".join(drawn)))


def programs() -> st.SearchStrategy[Image]:
    """Two loops of fragments, then a halt for good."""
    loops = st.builds(lambda pieces, count: looped(b"".join(pieces), count),
                      st.lists(fragments(), min_size=1, max_size=12), st.integers(1, 4))
    return st.lists(loops, min_size=1, max_size=2).map(
        lambda pieces: image(b"".join(pieces) + b"\xfa" + HLT))


class Entry(NamedTuple):
    """What a recorded run could not repeat: an answer, or an interrupt; with a digest."""

    at: int
    kind: str
    value: int
    digest: int = 0


class Mismatch(Exception):
    """A replay met something else than its record says."""


@dataclass
class World:
    """The outside of one processor: answers, a record of everything, interrupts, slicing.

    With ``script`` the answers come from there, and anything that does not fit it is a Mismatch.
    """

    image: Image
    native: bool = False
    script: Sequence[Entry] | None = None
    stop_at_traps: bool = False
    breakpoint: Breakpoint | None = None
    record: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cpu = Cpu(self.image, on_in=lambda port, size: self.answer(f"in {port:#x} {size}"),
                       on_out=self.note_out,
                       on_result=self.answer, native=self.native,
                       breakpoint=self.breakpoint)

    def answer(self, kind: str) -> int:
        """The next answer, the same on every first run."""
        value = (len(self.record) + 1) * 0x9E3779B97F4A7C15 & (1 << 64) - 1
        if self.script is not None:
            entry = self.expected(kind)
            value = entry.value
        return self.note(kind, value & 0xFFFFFFFF if kind.startswith("in") else value)

    def note_out(self, port: int, size: int, value: int) -> None:
        """The guest writes to a port."""
        self.note(f"out {port:#x}", value)

    def note(self, kind: str, value: int) -> int:
        """Write down what happens at the current instruction."""
        if self.script is not None and self.expected(kind).value != value:
            raise Mismatch(kind)
        self.record.append(Entry(self.cpu.position, kind, value))
        if self.stop_at_traps:
            self.cpu.stop()
        return value

    def expected(self, kind: str) -> Entry:
        """The record's next entry, if it is of this kind and at this position."""
        assert self.script is not None
        if len(self.record) >= len(self.script):
            raise Mismatch(f"{kind} after the end of the record")
        entry = self.script[len(self.record)]
        if (entry.at, entry.kind) != (self.cpu.position, kind):
            raise Mismatch(f"{kind} at {self.cpu.position}, the record has {entry}")
        return entry

    def interrupt(self) -> None:
        """Deliver one, and write it down with a digest of what it finds."""
        self.record.append(Entry(self.cpu.position, "interrupt", 0, self.cpu.digest()))
        self.cpu.interrupt(VECTOR)

    def go(self, until: int, stops: Iterable[int] = ()) -> None:
        """Run to a position, stopping on the way; a halt with interrupts on is woken."""
        for stop in [*sorted(stop for stop in stops if stop < until), until]:
            while self.cpu.position < stop and self.alive():
                self.cpu.run(stop)

    def alive(self) -> bool:
        """Whether it runs on, or an interrupt can wake it."""
        if self.cpu.halted and self.cpu.interruptible:
            self.interrupt()
        return not self.cpu.halted

    def live(self, interrupts: Iterable[int], stops: Sequence[int], end: int) -> None:
        """Run to ``end``, delivering where it is allowed."""
        for position in sorted(interrupts):
            self.go(position, stops)
            if self.cpu.position == position and self.cpu.interruptible:
                self.interrupt()
        self.go(end, stops)

    def replay(self, end: int) -> None:
        """Run to ``end``, delivering what the script says, where it says."""
        assert self.script is not None
        while len(self.record) < len(self.script):
            entry = self.script[len(self.record)]
            before = self.cpu.position, len(self.record)
            if entry.at < self.cpu.position:
                raise Mismatch(f"already at {self.cpu.position}: {entry}")
            self.cpu.run(entry.at + (entry.kind != "interrupt"))
            if entry.kind == "interrupt":
                if self.cpu.position != entry.at or not self.cpu.interruptible:
                    raise Mismatch(f"no interrupt possible at {self.cpu.position}: {entry}")
                if self.cpu.digest() != entry.digest:
                    raise Mismatch(f"digest at {entry}")
                self.interrupt()
            elif before == (self.cpu.position, len(self.record)):
                raise Mismatch(f"stuck at {self.cpu.position}: {entry}")
        self.cpu.run(end)


def steps(world: World, end: int) -> Iterator[tuple[int, int]]:
    """Position and digest before each instruction."""
    for position in range(end):
        world.go(position)
        yield world.cpu.position, world.cpu.digest()
