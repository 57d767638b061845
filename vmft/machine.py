"""One virtual machine: a processor and its devices, driven by an executor.

The machine itself knows nothing of replication.  Whatever it cannot compute it asks its executor
(`result`), and whatever it sends it hands to its executor (`output`); the executor is a Recorder
on a live machine and a Replayer on a backup.  Everything that reaches the machine from outside
comes through `accept` and `deliver`, between two instructions, never while the guest runs [paper
3.4, 3.5].
"""

from __future__ import annotations

import pickle
import struct
from typing import Callable, NamedTuple, Protocol

from vmft import control
from vmft import devices as dev
from vmft.blocks import Blocks
from vmft.cpu import Breakpoint, Cpu
from vmft.guests.build import Image
from vmft.ports import LAYOUT, PORTS, VECTORS

U32 = 0xFFFFFFFF
HEADER = LAYOUT["RING_HEADER"]
BLOCK_SIZE = LAYOUT["BLOCK_SIZE"]
ENTRY = struct.Struct("<II")        # of the completion ring: tag, status
TIMER, NIC, DISK = VECTORS["TIMER"], VECTORS["NIC"], VECTORS["DISK"]

# What an executor may be asked for, and the code of each in a log entry.
RESULTS = {"clock": 1, "entropy": 2, "rdtsc": 3, "rdtscp": 4, "rdrand": 5, "rdseed": 6}


class GuestError(Exception):
    """The guest misused a device: a port that does not exist, a packet that is too long."""


class Executor(Protocol):
    """Who runs the machine: live, or along a log."""

    def result(self, kind: str) -> int:
        """The value of a nondeterministic source, asked for by the current instruction."""

    def output(self, device: int, data: bytes) -> None:
        """Something leaves the machine at the current instruction, copied at this moment."""

    def request(self, operation: dev.DiskOperation) -> None:
        """The machine asks its disk to read: nothing that the world could see."""


class State(NamedTuple):
    """A machine's whole state as data, fit to be shipped and resumed."""

    cpu: object
    devices: bytes


class Digest(NamedTuple):
    """32-bit sums: processor with memory, devices, and the disk if that is the machine's own."""

    cpu: int
    devices: int
    disk: int = 0


class Machine:
    """A processor, its memory and its devices; `executor` must be set before it runs.

    `blocks` is the disk where that is part of the machine's state; a shared disk is not.
    Whoever sets a `breakpoint` may look at the machine there, and must change nothing.
    """

    executor: Executor

    def __init__(self, image: Image, blocks: Blocks | None = None,
                 breakpoint: Breakpoint | None = None) -> None:
        self.image = image
        self.blocks = blocks
        self.devices = dev.Devices()
        self.cpu = Cpu(image, on_in=self._in, on_out=self._out, on_result=self._result,
                       breakpoint=breakpoint)
        self._outs = self._out_table()

    @property
    def position(self) -> int:
        """Instructions retired since boot."""
        return self.cpu.position

    def wanted(self) -> int | None:
        """The vector of the device interrupt that should be delivered next, if any."""
        if self.devices.disk.wants_interrupt:
            return DISK
        if self.devices.nic.wants_interrupt:
            return NIC
        return None

    def accept(self, device: int, data: bytes) -> None:
        """Take data from outside into a device's bounce buffer."""
        if device == dev.NIC:
            self.devices.nic.queue.append(data)
        else:
            assert device == dev.DISK
            number, tag, status = dev.COMPLETION.unpack_from(data)
            self._complete(number, tag, status, data[dev.COMPLETION.size:])

    def obey(self, order: str) -> None:
        """Take an administrator's order, as far as it changes the machine."""
        if order == control.POWER_OFF:
            self.devices.powered = False

    def deliver(self, vector: int) -> None:
        """Copy what waits for this interrupt into guest memory, then interrupt."""
        if vector == NIC:
            self._fill_receive_ring()
        elif vector == DISK:
            self._fill_completion_ring()
        self.cpu.interrupt(vector)

    def digest(self) -> Digest:
        """The machine's state, summed up."""
        disk = self.blocks.digest(self.devices.disk.pending) if self.blocks is not None else 0
        return Digest(self.cpu.digest() & U32, self.devices.digest(), disk)

    def state(self) -> State:
        """Everything needed to go on elsewhere."""
        return State(self.cpu.snapshot(), pickle.dumps(self.devices))

    def resume(self, state: State) -> None:
        """Become the machine that `state` was taken from."""
        self.cpu.restore(state.cpu)     # type: ignore[arg-type]
        self.devices = pickle.loads(state.devices)

    # Guest instructions

    def _result(self, kind: str) -> int:
        return self.executor.result(kind)

    def _in(self, port: int, size: int) -> int:
        if port == PORTS["CLOCK_LOW"].number:
            now = self.executor.result("clock")
            self.devices.clock_latched = self.devices.clock_last = now
            return now & U32
        if port == PORTS["CLOCK_HIGH"].number:
            return self.devices.clock_latched >> 32
        if port == PORTS["ENTROPY"].number:
            return self.executor.result("entropy") & U32
        raise GuestError(f"in from port {port:#x}, which no device has")

    def _out(self, port: int, size: int, value: int) -> None:
        handler = self._outs.get(port)
        if handler is None:
            raise GuestError(f"out to port {port:#x}, which no device has")
        handler(value)

    def _out_table(self) -> dict[int, Callable[[int], None]]:
        """The handler of each port that the guest writes."""
        handlers: dict[str, Callable[[int], None]] = {
            "NIC_TX_SEND": self._transmit,
            "NIC_RX_RING": lambda value: setattr(self.devices.nic, "ring", value),
            "NIC_RX_DONE": lambda value: setattr(self.devices.nic, "done", value),
            "NIC_TX_ADDRESS": lambda value: setattr(self.devices.nic, "tx_address", value),
            "TIMER_PERIOD_US": self._set_timer,
            "CONSOLE": self._print,
            "DISK_RING": lambda value: setattr(self.devices.disk, "ring", value),
            "DISK_TAG": lambda value: setattr(self.devices.disk, "tag", value),
            "DISK_BLOCK": lambda value: setattr(self.devices.disk, "block", value),
            "DISK_COUNT": lambda value: setattr(self.devices.disk, "count", value),
            "DISK_ADDRESS": lambda value: setattr(self.devices.disk, "address", value),
            "DISK_COMMAND": self._issue,
            "POWER": self._switch_off,
        }
        return {PORTS[name].number: handler for name, handler in handlers.items()}

    def _send(self, device: int, data: bytes) -> None:
        self.devices.outputs += 1
        self.executor.output(device, data)

    def _transmit(self, length: int) -> None:
        if length > dev.PACKET_BYTES_MAX:
            raise GuestError(f"packet of {length} bytes, at most {dev.PACKET_BYTES_MAX}")
        self._send(dev.NIC, self.cpu.read(self.devices.nic.tx_address, length))

    def _set_timer(self, period_us: int) -> None:
        self.devices.timer_period_ns = period_us * 1000

    def _print(self, character: int) -> None:
        if character == ord("\n"):
            line, self.devices.console = self.devices.console, b""
            self._send(dev.CONSOLE, line)
        else:
            self.devices.console += bytes([character & 0xFF])

    def _issue(self, command: int) -> None:
        disk = self.devices.disk
        if disk.count > dev.TRANSFER_BLOCKS_MAX:
            raise GuestError(f"disk operation of {disk.count} blocks, "
                             f"at most {dev.TRANSFER_BLOCKS_MAX}")
        data = b""
        if command == dev.WRITE:
            data = self.cpu.read(disk.address, disk.count * BLOCK_SIZE)
        disk.issued += 1
        disk.pending.append(dev.DiskOperation(
            disk.issued, disk.tag, command, disk.block, disk.count, disk.address, data))
        if command == dev.WRITE:
            self._send(dev.DISK, data)
        else:
            self.executor.request(disk.pending[-1])

    def _switch_off(self, value: int) -> None:
        self.devices.powered = False
        self._send(dev.POWER, b"")
        self.cpu.stop()

    # Interrupts

    def _fill_receive_ring(self) -> None:
        nic = self.devices.nic
        while nic.wants_interrupt:
            packet = nic.queue.pop(0)
            slot = nic.ring + HEADER + nic.head % LAYOUT["NIC_SLOTS"] * LAYOUT["NIC_SLOT_SIZE"]
            self.cpu.write(slot, len(packet).to_bytes(4, "little") + packet)
            nic.head += 1
        self.cpu.write(nic.ring, (nic.head & U32).to_bytes(4, "little"))

    def _complete(self, number: int, tag: int, status: int, data: bytes) -> None:
        """An operation ended: it is no longer pending, and its data waits for the interrupt."""
        disk = self.devices.disk
        address = next((each.address for each in disk.pending if each.number == number), 0)
        disk.pending = [each for each in disk.pending if each.number != number]
        disk.completed.append(dev.Completion(tag, status, address, data if address else b""))

    def _fill_completion_ring(self) -> None:
        disk = self.devices.disk
        for tag, status, address, data in disk.completed:
            if data:
                self.cpu.write(address, data)
            entry = disk.ring + HEADER + disk.head % LAYOUT["DISK_SLOTS"] * 8
            self.cpu.write(entry, ENTRY.pack(tag, status))
            disk.head += 1
        disk.completed.clear()
        self.cpu.write(disk.ring, (disk.head & U32).to_bytes(4, "little"))
