"""What replication costs: a pair against the same machine without a backup, in virtual time.

    python -m bench.ft_overhead [SCALE]

One kind of work at a time on the guest `load`, as fast as the guest can; SCALE shortens (below 1)
or lengthens it.  `pair/alone` divides the rate of a pair by that of one host; `at 1 Gbit/s` does
so where the clients' line carries 940 Mbit/s of payload, as in the paper: a machine that is slower
and still faster than the line loses nothing.  What is logged is set against the payload.  The
paper's figures are those of Scales et al. 2010: table 1 for applications, table 2 for the network,
with a logging channel of 10 Gbit/s.

The costs of an exit, of a log entry and of its bytes are a model (EXIT_NS in vmft/recorder.py,
LOG_ENTRY_NS and LOG_BYTE_NS in vmft/primary.py); the table measures how often each kind of work
pays them, and how much it waits.  The guest does next to nothing with a packet, where a real one
spends microseconds: unlimited rates show the worst.  Eight disk operations at once, with a disk
that answers in 0.2 ms, are bound by latency: a write waits for its acknowledgement first.
"""

from __future__ import annotations

from typing import Callable, NamedTuple

from bench.service import Service
from bench.table import scaled
from vmft.settings import DEFAULT, Settings

PACKET_BYTES = 1400
WINDOW = 200                # frames on their way to the guest at once
BLOCKS, BLOCK_BYTES = 8, 512
TICK_US = 100
LINE_PACKETS_S = 940e6 / 8 / PACKET_BYTES

LARGE = Settings(primary_buffer_entries=4096, backup_buffer_entries=8192)


class Work(NamedTuple):
    """So many units of work, done in so much virtual time; the bytes of payload, if any."""

    units: int
    time_ns: int
    payload_bytes: int


class Row(NamedTuple):
    """A kind of work: what a unit of it is, and what the paper found."""

    name: str
    unit: str
    do: Callable[[Service, int], Work]
    amount: int
    paper_ratio: str = ""
    paper_log: str = ""
    settings: Settings = LARGE


class Result(NamedTuple):
    """What one kind of work came to."""

    alone: float            # units a second
    pair: float
    log_mbit: float         # a second
    log_ratio: float | None  # log to payload


def compute(service: Service, amount: int) -> Work:
    """Steps of a generator, with the timer at its usual period."""
    return Work(amount, service.call("compute", amount), 0)


def tick(service: Service, amount: int) -> Work:
    """The same with a hundred times as many timer interrupts."""
    service.call("tick", TICK_US)
    return compute(service, amount)


def receive(service: Service, amount: int) -> Work:
    """Packets as fast as the guest takes them: a window full is always on its way."""
    started_ns, sent = service.sim.now_ns, 0
    answered = -len(service.answered)
    while answered + len(service.answered) < amount:
        while sent < amount and sent - answered - len(service.answered) < WINDOW:
            service.send("receive", PACKET_BYTES)
            sent += 1
        service.advance(service.sim.now_ns + 1_000_000_000)
    return Work(amount, service.sim.now_ns - started_ns, amount * PACKET_BYTES)


def transmit(service: Service, amount: int) -> Work:
    """Packets as fast as the guest sends them."""
    time_ns = service.call("transmit", [amount, PACKET_BYTES])
    return Work(amount, time_ns, amount * PACKET_BYTES)


def write(service: Service, amount: int) -> Work:
    """Eight writes at once."""
    time_ns = service.call("write", [amount, BLOCKS])
    return Work(amount, time_ns, amount * BLOCKS * BLOCK_BYTES)


def read(service: Service, amount: int) -> Work:
    """Eight reads at once."""
    time_ns = service.call("read", [amount, BLOCKS])
    return Work(amount, time_ns, amount * BLOCKS * BLOCK_BYTES)


ROWS = (
    Row("compute", "steps", compute, 3_000_000, "0.98"),
    Row("timer at 10 kHz", "steps", tick, 1_000_000),
    Row("network receive", "packets", receive, 2000, "0.91", "1.15"),
    Row("network transmit", "packets", transmit, 2000, "0.99", "0.06"),
    Row("  log of 64 entries", "packets", transmit, 2000, settings=DEFAULT),
    Row("disk write", "operations", write, 1000, "0.94-0.99"),
    Row("disk read", "operations", read, 1000, "0.94-0.99"),
)
HEADINGS = ("", "alone", "pair", "unit", "pair/alone", "at 1 Gbit/s", "paper", "log Mbit/s",
            "log/payload", "paper")
WIDTHS = (-20, 11, 11, -13, 11, 12, 10, 11, 12, 6)


def measure(row: Row, scale: float) -> Result:
    """The same work on one host and on two."""
    amount = max(1, int(row.amount * scale))
    alone = row.do(Service("load", hosts=1), amount)
    pair = Service("load", hosts=2, settings=row.settings)
    before = pair.logged_bytes
    done = row.do(pair, amount)
    logged = pair.logged_bytes - before
    return Result(rate(alone), rate(done), 8e3 * logged / done.time_ns,
                  logged / done.payload_bytes if done.payload_bytes else None)


def rate(work: Work) -> float:
    """Units a second of virtual time."""
    return 1e9 * work.units / work.time_ns


def cells(row: Row, result: Result) -> tuple[str, ...]:
    """A line of the table."""
    limited = min(result.pair, LINE_PACKETS_S) / min(result.alone, LINE_PACKETS_S)
    return (row.name, f"{result.alone:,.0f}", f"{result.pair:,.0f}", f"{row.unit}/s",
            f"{result.pair / result.alone:.3f}", f"{limited:.3f}" * (row.unit == "packets"),
            row.paper_ratio, f"{result.log_mbit:.2f}",
            "" if result.log_ratio is None else f"{result.log_ratio:.3f}", row.paper_log)


def main() -> None:
    """Print the table."""
    scaled(HEADINGS, WIDTHS, ROWS, lambda row, scale: cells(row, measure(row, scale)))


if __name__ == "__main__":
    main()
