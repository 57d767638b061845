"""What compressing the log would save, which the paper leaves to later work (section 7).

    python -m bench.log_compression [SCALE]

The records of every message on the logging channel, as they leave: plain, each message compressed
by itself, and all of them as one stream that is flushed behind each message, so that the other end
can read it at once.  Payload is what clients and the guest say to each other, or what is moved to
and from the disk.  `plain`, `each` and `stream` are log bytes to payload, in kB a second where
there is no payload; the last columns are the shares that are left.  Packets of zeros and of noise
are the two ends of what a payload can be.  The bytes are the same in every run.
"""

from __future__ import annotations

import zlib
from typing import Callable, NamedTuple

from bench import ft_overhead
from bench.ft_overhead import PACKET_BYTES, Work
from bench.service import Service
from bench.table import scaled
from harness.drive import FRAME_HEADER
from vmft.messages import Log, Message
from vmft.network import Arrival, Network
from vmft.prng import Rng
from vmft.settings import MILLISECOND_NS
from workloads.load import OPS

LEVEL = 1               # of zlib: the fastest, for a line of 1 Gbit/s has to be kept up with
GAP_NS = MILLISECOND_NS
KEYS = 16


class Tap(Network):
    """The network as it is, which weighs what log messages carry; `messages` counts them."""

    def __init__(self, network: Network) -> None:
        vars(self).update(vars(network))
        self.messages = self.plain = self.each = self.stream = 0
        self._compressor = zlib.compressobj(LEVEL)

    def route(self, at_ns: int, source: str, to: str, message: Message) -> list[Arrival] | str:
        if isinstance(message, Log):
            records = message.records
            self.messages += 1
            self.plain += len(records)
            self.each += len(zlib.compress(records, LEVEL))
            self.stream += len(self._compressor.compress(records))
            self.stream += len(self._compressor.flush(zlib.Z_SYNC_FLUSH))
        return super().route(at_ns, source, to, message)


def idle(service: Service, amount: int) -> Work:
    """Ticks of the timer, every 10 ms, and nothing else."""
    service.until(service.sim.now_ns + amount * 10 * MILLISECOND_NS)
    return Work(amount, amount * 10 * MILLISECOND_NS, 0)


def calls(service: Service, requests: list[tuple[str, object]]) -> Work:
    """Requests one after the other, each answered, with a pause behind it."""
    started_ns, received, sent = service.sim.now_ns, service.received_bytes, 0
    for f, value in requests:
        sent += FRAME_HEADER.size + len(service.workload.encode(f, value))
        service.call(f, value)
        service.until(service.sim.now_ns + GAP_NS)
    return Work(len(requests), service.sim.now_ns - started_ns,
                sent + service.received_bytes - received)


def increment(service: Service, amount: int) -> Work:
    """The counter."""
    return calls(service, [("inc", None)] * amount)


def append(service: Service, amount: int) -> Work:
    """Short words to a few keys, journaled to the disk."""
    return calls(service, [("append", [place % KEYS, f"w{place} "]) for place in range(amount)])


def noise(service: Service, amount: int) -> Work:
    """Packets of chance, one after the other."""
    rng, started_ns = Rng(1, "noise"), service.sim.now_ns
    for number in range(1, amount + 1):
        words = [rng.u64().to_bytes(8, "little") for _ in range(PACKET_BYTES // 8)]
        service.sim.send(FRAME_HEADER.pack(number, 0) + OPS["receive"].to_bytes(4, "little")
                         + b"".join(words))
        service.until(service.sim.now_ns + GAP_NS)
    return Work(amount, service.sim.now_ns - started_ns, amount * PACKET_BYTES)


class Row(NamedTuple):
    """A kind of work, on a guest; how much of it."""

    name: str
    workload: str
    do: Callable[[Service, int], Work]
    amount: int


ROWS = (
    Row("idle, 100 ticks/s", "idle", idle, 500),
    Row("counter, increments", "counter", increment, 500),
    Row("kv, appends", "kv", append, 300),
    Row("receive, zeros", "load", ft_overhead.receive, 1000),
    Row("receive, noise", "load", noise, 500),
    Row("transmit", "load", ft_overhead.transmit, 1000),
    Row("disk write", "load", ft_overhead.write, 500),
    Row("disk read, zeros", "load", ft_overhead.read, 500),
)
HEADINGS = ("", "log bytes", "bytes/message", "plain", "each", "stream", "each %", "stream %")
WIDTHS = (-20, 14, 13, 10, 10, 10, 7, 8)


class Result(NamedTuple):
    """What was done, and the bytes of its log, in so many messages."""

    work: Work
    messages: int
    plain: int
    each: int
    stream: int


def measure(row: Row, scale: float) -> Result:
    """One kind of work on a pair."""
    service = Service(row.workload, hosts=2, settings=ft_overhead.LARGE)
    tap = service.sim.network = Tap(service.sim.network)
    work = row.do(service, max(1, int(row.amount * scale)))
    return Result(work, tap.messages, tap.plain, tap.each, tap.stream)


def cells(row: Row, result: Result) -> tuple[str, ...]:
    """A line of the table."""
    sizes = (result.plain, result.each, result.stream)
    payload, time_ns = result.work.payload_bytes, result.work.time_ns
    rates = [f"{size / payload:.3f}" if payload else f"{1e6 * size / time_ns:.2f} kB/s"
             for size in sizes]
    return (row.name, f"{result.plain:,}", f"{result.plain / result.messages:.0f}", *rates,
            f"{100 * result.each / result.plain:.0f}",
            f"{100 * result.stream / result.plain:.0f}")


def main() -> None:
    """Print the table."""
    scaled(HEADINGS, WIDTHS, ROWS, lambda row, scale: cells(row, measure(row, scale)))


if __name__ == "__main__":
    main()
