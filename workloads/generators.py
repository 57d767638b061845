"""Generators: what Jepsen's users compose operations from, as Python generators over clients.

A client yields invocations and is sent their completions; a combinator takes clients, or functions
that make an invocation, and is a client itself.  So plain Python says what takes a function in
Jepsen: `for`, `if`, `yield from`, `itertools`.

    Jepsen                      here
    a map, a function           once(invocation), repeat(function)
    gen/mix                     mix(rng, client, ...)
    gen/limit                   limit(count, client)
    gen/stagger                 stagger(rng, mean_ns, client)
    gen/delay, a rate           rate(hz, client)
    gen/time-limit              time_limit(limit_ns, client)
    gen/phases, gen/synchronize phases(client, ...), which meet in between
    gen/then, gen/concat        yield from one; yield from other
    gen/reserve                 reserve((count, client), ..., default=client)
    gen/each-thread             every process has its own client: nothing to write
    gen/until-ok                until_ok(function)
    gen/flip-flop, gen/cycle    alternate(client, ...)
    gen/sleep                   yield wait(after_ns)
    gen/filter, gen/map         map_invocations(function, client); None leaves one out
    gen/nemesis, gen/clients    a nemesis has its own schedule
    final generators            Workload.final

A process that ends in info starts its client anew, under a new id.  Counts such as a limit's are
therefore of one process; phases go on where all others are.
"""

from __future__ import annotations

from typing import Callable, Iterable

from histories import Op
from workloads.workload import Client, Invocation, Rng, sync, wait

SECOND_NS = 1_000_000_000

Make = Callable[[], Invocation]


def once(invocation: Invocation) -> Client:
    """One operation."""
    yield invocation


def repeat(make: Make) -> Client:
    """Operations without end, each freshly made."""
    while True:
        yield make()


def mix(rng: Rng, *clients: Client) -> Client:
    """One of the clients by chance each time; those that have ended are out."""
    lines = [_Line(client) for client in clients]
    while lines := [line for line in lines if line.wanted is not None]:
        line = rng.choice(lines)
        assert line.wanted is not None
        line.tell((yield line.wanted))


def alternate(*clients: Client) -> Client:
    """One operation of each in turn, until one of them ends."""
    lines = [_Line(client) for client in clients]
    while lines:
        for line in lines:
            if line.wanted is None:
                return
            line.tell((yield line.wanted))


def limit(count: int, client: Client) -> Client:
    """No more than so many operations."""
    line = _Line(client)
    while line.wanted is not None and (count > 0 or line.wanted.type != "invoke"):
        count -= line.wanted.type == "invoke"
        line.tell((yield line.wanted))


def stagger(rng: Rng, mean_ns: int, client: Client) -> Client:
    """Pauses between nothing and twice the mean, by chance, instead of the test's rate."""
    return _paced(lambda: rng.below(2 * mean_ns + 1), client)


def rate(hz: int, client: Client) -> Client:
    """A fixed pause of 1/hz seconds, instead of the test's rate."""
    return _paced(lambda: SECOND_NS // hz, client)


def time_limit(limit_ns: int, client: Client) -> Client:
    """Nothing more is asked for when so long has passed since the first question."""
    line = _Line(client)
    now_ns = (yield wait()).time
    end_ns = now_ns + limit_ns
    while line.wanted is not None and now_ns < end_ns:
        done = yield line.wanted
        now_ns = done.time
        line.tell(done)


def phases(*clients: Client) -> Client:
    """One client after the other; each begins when all processes have ended the one before."""
    phase: int = (yield wait()).value.phase
    while phase < len(clients):
        yield from clients[phase]
        phase = (yield sync()).value.phase


def reserve(*shares: tuple[int, Client], default: Client) -> Client:
    """The first so many clients do this, the next so many that, all others the default."""
    number: int = (yield wait()).value.client
    for count, client in shares:
        if number < count:
            yield from client
            return
        number -= count
    yield from default


def until_ok(make: Make) -> Client:
    """An operation again and again, until it succeeds."""
    done: Op | None = None
    while done is None or done.type != "ok":
        done = yield make()


def map_invocations(function: Callable[[Invocation], Invocation | None],
                    client: Client) -> Client:
    """Every operation changed by a function; None leaves it out, as if it had failed."""
    line = _Line(client)
    while line.wanted is not None:
        changed = line.wanted if line.wanted.type != "invoke" else function(line.wanted)
        if changed is None:
            line.tell(Op(-1, "fail", line.wanted.f, line.wanted.value))
        else:
            line.tell((yield changed))


def sequence(invocations: Iterable[Invocation]) -> Client:
    """These operations, in order."""
    for invocation in invocations:
        yield invocation


def _paced(pause_ns: Callable[[], int], client: Client) -> Client:
    line = _Line(client)
    while line.wanted is not None:
        pace = pause_ns() if line.wanted.type == "invoke" else line.wanted.after_ns
        line.tell((yield line.wanted._replace(after_ns=pace)))


class _Line:
    """A client that somebody else asks: what it wants next, None when it has ended."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.wanted: Invocation | None = next(client, None)

    def tell(self, done: Op) -> None:
        """Answer what it wanted."""
        try:
            self.wanted = self.client.send(done)
        except StopIteration:
            self.wanted = None
