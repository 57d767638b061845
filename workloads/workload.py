"""What a workload is: what clients do, how that looks on the wire, and what it should mean.

A client is a Python generator: it yields invocations and is sent their completions,
`done = yield invoke("inc")`.  One generator lives as long as its process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Generator, Mapping, NamedTuple, Protocol, Sequence, TypeVar

from checker import Model, Verdict, linearizable
from checker.check import Checker, Record
from histories import Op

T = TypeVar("T")


class Rng(Protocol):
    """The stream of chance that a client draws from."""

    def below(self, bound: int) -> int:
        """An integer in [0, bound)."""

    def chance(self, numerator: int, denominator: int) -> bool:
        """True in `numerator` of `denominator` cases."""

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""


class Invocation(NamedTuple):
    """An operation that a client wants to do, `after_ns` after its previous one.

    None is as the test's rate says, by chance.  A `type` other than "invoke" calls nothing: "wait"
    only lets that time pass, "sync" waits for all other clients to do the same.  Both are answered
    by an op that tells the time, and whose value is a Turn.
    """

    f: str
    value: Any = None
    after_ns: int | None = None
    type: str = "invoke"


class Turn(NamedTuple):
    """Which client is asking, from 0, and how often all clients have met by "sync"."""

    client: int
    phase: int


class Completion(NamedTuple):
    """What an answer says: "ok" or "fail", with the value that the op now has."""

    type: str
    value: Any
    error: Any = None


Client = Generator[Invocation, Op, None]


def invoke(f: str, value: Any = None) -> Invocation:
    """An operation, ready to be yielded; the client is sent the Op that completes it.

    ``f`` and ``value`` are what the workload's `encode` knows; an info ends the client.
    """
    return Invocation(f, value)


def wait(after_ns: int = 0) -> Invocation:
    """Nothing for a while; `(yield wait()).time` is the present moment."""
    return Invocation("wait", None, after_ns, "wait")


def sync() -> Invocation:
    """Nothing until every client that has not ended is here."""
    return Invocation("sync", None, 0, "sync")


@dataclass(frozen=True)
class LinearizableAs:
    """The check that clients saw one copy of what the model describes."""

    model: Model

    def __call__(self, record: Record) -> Verdict:
        return linearizable(record.history, self.model)


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One workload.

    `ops(process, rng)` is a client's generator, `final(process)` what each client does after
    everything has healed.  `encode(f, value)` is the request behind the frame's header, as bytes;
    a plan with an operation for which it raises anything is refused.  `decode(f, value, reply)`
    reads the bytes of the answer.  `checks` judge a record, by name; harness adds those that hold
    for every workload.
    """

    name: str
    guest: str
    meaning: str
    ops: Callable[[int, Rng], Client]
    final: Callable[[int], Client]
    encode: Callable[[str, Any], bytes]
    decode: Callable[[str, Any, bytes], Completion]
    checks: Mapping[str, Checker]
