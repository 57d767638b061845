"""The port map and the interrupt vectors: one table for the hypervisor and for the guests.

`c_header` renders it as the C header that guests include, so that the two never disagree.
All ports are 32 bits wide.  Addresses are guest-physical.
"""

from __future__ import annotations

from typing import NamedTuple


class Port(NamedTuple):
    """One port: its number, who reads or writes it, and what that means."""

    number: int
    direction: str      # "in", "out": as the guest sees it
    meaning: str


VECTORS = {"TIMER": 0x20, "NIC": 0x21, "DISK": 0x22}

PORTS = {
    "NIC_RX_RING": Port(0x100, "out", "address of the receive ring"),
    "NIC_RX_DONE": Port(0x104, "out", "packets consumed since boot: their slots are free again"),
    "NIC_TX_ADDRESS": Port(0x108, "out", "address of the packet to send"),
    "NIC_TX_SEND": Port(0x10C, "out", "length: send the packet, copied at this instruction"),
    "TIMER_PERIOD_US": Port(0x200, "out", "period of the timer interrupt in microseconds, 0 stops"),
    "CLOCK_LOW": Port(0x300, "in", "latches the clock (ns), answers its low half"),
    "CLOCK_HIGH": Port(0x304, "in", "the high half of the latched clock"),
    "ENTROPY": Port(0x400, "in", "32 random bits"),
    "CONSOLE": Port(0x500, "out", "one character; a newline sends the line"),
    "DISK_RING": Port(0x600, "out", "address of the completion ring"),
    "DISK_TAG": Port(0x604, "out", "the guest's name for the next operation"),
    "DISK_BLOCK": Port(0x608, "out", "first block of the next operation"),
    "DISK_COUNT": Port(0x60C, "out", "number of blocks of the next operation"),
    "DISK_ADDRESS": Port(0x610, "out", "address of the next operation's buffer"),
    "DISK_COMMAND": Port(0x614, "out", "1 reads, 2 writes: issue the operation"),
    "POWER": Port(0x700, "out", "0 switches the machine off"),
}

# The receive ring: u32 head (packets delivered since boot), padding to RING_HEADER, then slots of
# u32 length and data.  The completion ring: u32 head, padding, then entries of u32 tag, u32 status.
LAYOUT = {
    "RING_HEADER": 64,
    "NIC_SLOTS": 16,
    "NIC_SLOT_SIZE": 2048,
    "DISK_SLOTS": 64,
    "BLOCK_SIZE": 512,
}


def c_header() -> str:
    """The tables above as the text of the C header ``ports.h``."""
    lines = ["#pragma once", ""]
    lines += [f"#define PORT_{name} {port.number:#x}    /* {port.direction}: {port.meaning} */"
              for name, port in PORTS.items()]
    lines += [f"#define VECTOR_{name} {vector:#x}" for name, vector in VECTORS.items()]
    lines += [f"#define {name} {value}" for name, value in LAYOUT.items()]
    return "\n".join(lines) + "\n"
