"""Guest images: they rebuild byte for byte, and the counter counts, wherever interrupts strike."""

from __future__ import annotations

import importlib.util
import struct
from importlib.metadata import PackageNotFoundError, version

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vmft import counting
from vmft.cpu import Cpu
from vmft.guests import build
from vmft.ports import LAYOUT, PORTS, VECTORS, c_header

ZIGLANG = "0.17.1"      # what setup.cfg pins: another compiler emits other bytes
REQUEST, REPLY = struct.Struct("<QII"), struct.Struct("<QIIIq")
INC, READ = 1, 2
FAR = 10 ** 9
COUNTERS = [False, True] if counting.NATIVE is not None else [False]


def compiler() -> str:
    """The version of ziglang that is here."""
    try:
        return version("ziglang")
    except PackageNotFoundError:
        return "none"


@pytest.mark.skipif(compiler() != ZIGLANG, reason=f"images are built by ziglang == {ZIGLANG}")
@pytest.mark.parametrize("name", build.names())
def test_an_image_rebuilds_byte_for_byte(name: str) -> None:
    """The committed image and symbols are what the source says."""
    assert importlib.util.find_spec("ziglang") is not None
    built, committed = build.build(name), build.load(name)
    assert built == committed
    assert built.symbols == committed.symbols


@pytest.mark.parametrize("name", build.names())
def test_an_image_fits(name: str) -> None:
    """Code, data and stack lie in memory, and the entry is the boot."""
    image = build.load(name)
    assert image.entry == image.symbols["_start"] == image.base
    assert image.base + len(image.data) <= image.symbols["end_of_guest"] < 1 << 18


def test_an_unknown_guest_is_named() -> None:
    """The message says which there are."""
    with pytest.raises(KeyError, match="no guest 'teapot': there are .*counter"):
        build.load("teapot")


def test_the_digest_names_the_program() -> None:
    """Other bytes, or another place for them, are another guest."""
    images = [build.Image("a", b"x"), build.Image("a", b"y"), build.Image("a", b"x", entry=0x1001)]
    assert len({image.digest for image in images}) == 3


def test_the_header_has_the_tables() -> None:
    """Guests and hypervisor read the same numbers."""
    header = c_header()
    for name, port in PORTS.items():
        assert f"#define PORT_{name} {port.number:#x} " in header
    for name, number in [*((f"VECTOR_{name}", f"{vector:#x}") for name, vector in VECTORS.items()),
                         *((name, str(value)) for name, value in LAYOUT.items())]:
        assert f"#define {name} {number}\n" in header


class Board:
    """A counter guest with the least of a network card."""

    def __init__(self, *, native: bool) -> None:
        self.cpu = Cpu(build.load("counter"), on_in=lambda port, size: 0, on_out=self.out,
                       on_result=lambda kind: 0, native=native)
        self.written: dict[int, int] = {}
        self.replies: list[tuple[int, ...]] = []
        self.head = 0
        self.cpu.run(FAR)

    def out(self, port: int, size: int, value: int) -> None:
        """The guest writes a port; a packet that it sends is kept."""
        self.written[port] = value
        if port == PORTS["NIC_TX_SEND"].number:
            packet = self.cpu.read(self.written[PORTS["NIC_TX_ADDRESS"].number], value)
            self.replies.append(REPLY.unpack(packet))

    def packet(self, data: bytes) -> None:
        """Put a packet into the ring and interrupt."""
        ring = self.written[PORTS["NIC_RX_RING"].number]
        slot = self.head % LAYOUT["NIC_SLOTS"] * LAYOUT["NIC_SLOT_SIZE"]
        self.cpu.write(ring + LAYOUT["RING_HEADER"] + slot, struct.pack("<I", len(data)) + data)
        self.head += 1
        self.cpu.write(ring, struct.pack("<I", self.head))
        self.cpu.interrupt(VECTORS["NIC"])

    def word(self, symbol: str) -> int:
        """Eight bytes of the guest's memory."""
        return int.from_bytes(self.cpu.read(build.load("counter").symbols[symbol], 8), "little")


@pytest.mark.parametrize("native", COUNTERS)
@settings(max_examples=30, deadline=None)
@given(events=st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["tick", INC, READ])),
                       max_size=60))
def test_the_counter_counts_wherever_interrupts_strike(
        events: list[tuple[int, str | int]], native: bool) -> None:
    """Requests and ticks at any instruction: each request is answered once, in order, rightly."""
    board, ticks, value = Board(native=native), 0, 0
    expected: list[tuple[int, ...]] = []
    for gap, what in events:
        board.cpu.run(board.cpu.position + gap)
        while not board.cpu.interruptible:
            board.cpu.run(board.cpu.position + 1)
        if isinstance(what, str):
            ticks += 1
            board.cpu.interrupt(VECTORS["TIMER"])
            continue
        number, value = len(expected) + 1, value + (what == INC)
        expected.append((number, 7, what, 0, value))
        board.packet(REQUEST.pack(number, 7, what))
        if board.head - len(board.replies) >= LAYOUT["NIC_SLOTS"]:
            board.cpu.run(FAR)
    board.cpu.run(FAR)
    assert board.replies == expected
    assert board.written.get(PORTS["NIC_RX_DONE"].number, 0) == len(expected)
    assert (board.word("ticks"), board.word("counter")) == (ticks, value)


def test_a_tick_leaves_its_place_behind() -> None:
    """Two runs that differ in where a tick struck differ in memory from then on."""
    trails = set()
    for gap in range(20):
        board = Board(native=False)
        board.packet(REQUEST.pack(1, 7, INC))
        board.cpu.run(board.cpu.position + gap)
        if board.cpu.interruptible:
            board.cpu.interrupt(VECTORS["TIMER"])
        board.cpu.run(FAR)
        trails.add((board.word("ticks"), board.word("trail")))
    assert len(trails) > 10


@pytest.mark.parametrize("data, replies", [
    (b"", []), (b"x" * 15, []),
    (REQUEST.pack(5, 9, 77), [(5, 9, 77, 1, 0)]),
    (REQUEST.pack(5, 9, READ) + bytes(2000), [(5, 9, READ, 0, 0)]),
])
def test_odd_packets(data: bytes, replies: list[tuple[int, ...]]) -> None:
    """What is too short is dropped, an unknown op is refused, what is too long is served."""
    board = Board(native=False)
    board.packet(data)
    board.cpu.run(FAR)
    assert board.replies == replies
    board.packet(REQUEST.pack(6, 9, INC))
    board.cpu.run(FAR)
    assert board.replies[-1] == (6, 9, INC, 0, 1)
