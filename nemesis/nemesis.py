"""What goes wrong, as data: fault families, and what they need of a system.

A family draws *episodes*: a few faults with their moments, each to be applied to the system.
Families that run together share their episodes' start, because faults that never overlap prove
little.  What is recorded is what a fault did, as the system tells, not what was meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, NamedTuple, Protocol, Sequence, TypeVar

from nemesis.parameters import Parameters

T = TypeVar("T")

MILLISECOND_NS = 1_000_000
Link = tuple[str, str]


class Rng(Protocol):
    """The stream of chance that a schedule draws from."""

    def below(self, bound: int) -> int:
        """An integer in [0, bound)."""

    def between(self, low: int, high: int) -> int:
        """An integer in [low, high]."""

    def chance(self, numerator: int, denominator: int) -> bool:
        """True in `numerator` of `denominator` cases."""

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""


class Cluster(Protocol):
    """What a nemesis needs of a system; any system that has it can be broken.

    "So many" are `numerator` of `denominator` of them, by chance.  A link is a pair of nodes, from
    and to.  The names are those of `roles` and `services`; others are a mistake of the caller.
    """

    def roles(self) -> dict[str, str]:
        """What each host is now: primary, backup, contending (it suspects the other), winner
        (it may go live), alone, spare, halted, off, crashed, lost, or superseded: it believes to
        be one of a pair, but another host has gone live.
        """

    def services(self) -> dict[str, str]:
        """What the nodes "disk" and "cluster" are now: up, crashed or lost."""

    def links(self) -> list[Link]:
        """Every ordered pair of nodes that talk to each other."""

    def crash(self, node: str) -> None:
        """A host or a service stops, and what it had not put on the wire is lost."""

    def restart(self, node: str) -> None:
        """A crashed host or service comes back, with nothing in its memory."""

    def lose_host(self, node: str) -> None:
        """A host or a service stops for good."""

    def pause(self, node: str) -> None:
        """A host or a service stands still; what reaches it waits."""

    def resume(self, node: str) -> None:
        """It goes on where it stood."""

    def standing(self) -> list[str]:
        """The hosts and services that are paused."""

    def cut(self, links: list[Link]) -> None:
        """Nothing passes these links any more."""

    def join(self, links: list[Link]) -> None:
        """These links pass again."""

    def lose(self, link: Link, numerator: int, denominator: int) -> None:
        """So many of the logging channel's messages on this link vanish."""

    def duplicate(self, link: Link, numerator: int, denominator: int) -> None:
        """So many of the channel's messages on this link arrive twice."""

    def corrupt(self, link: Link, numerator: int, denominator: int) -> None:
        """So many of the channel's messages on this link arrive with a wrong bit."""

    def reorder(self, link: Link, numerator: int, denominator: int, late_ns: int) -> None:
        """So many of the channel's messages on this link are overtaken, for so long at most."""

    def throttle(self, link: Link, bytes_per_s: int) -> None:
        """The channel's messages on this link share so little room."""

    def stall(self, link: Link) -> None:
        """The channel's messages on this link wait in the sender, and die with it."""

    def delay(self, link: Link, delay_ns: int) -> None:
        """Everything on this link takes so much longer; 0 ends it."""

    def slow(self, node: str, times: int) -> None:
        """A host's processor is so many times slower; 1 is full speed."""

    def fail_reads(self, node: str, numerator: int, denominator: int) -> None:
        """So many of a host's disk reads break off in the middle; 0 ends it."""

    def at_moment(self, moment: str, nth: int, after_ns: int,
                  strike: Callable[[str], None]) -> None:
        """Strike when a moment comes for the n-th time from now on, or so long after it."""

    def disarm(self) -> None:
        """What has not been struck yet is spared."""

    def ail(self, node: str, ailment: str, numerator: int, denominator: int,
            late_ns: int = 0) -> None:
        """So many of a host's requests to the shared disk fail in this way: fail-writes,
        tear-writes, lose-completions or delay-completions."""

    def slow_disk(self, extra_ns: int) -> None:
        """Everything that the shared disk does takes so much longer."""

    def fill_disk(self) -> None:
        """The shared disk has no room for blocks that it does not hold."""

    def cure(self) -> dict[str, int]:
        """Nothing is wrong with the disk any more; answers what has been struck, by ailment."""

    def jump_clock(self, node: str, by_ns: int) -> None:
        """A host's clock is set forward, or back."""

    def drift_clock(self, node: str, by_ppm: int) -> None:
        """A host's clock gains so many parts in a million, or loses them."""

    def correct_clock(self, node: str) -> None:
        """A host's clock is right again."""

    def administer(self, order: str, value: int = 0) -> None:
        """Give an administrator's order to whoever is live."""

    def keep(self, link: Link) -> dict[str, int]:
        """The link does nothing to the channel any more; answers what it did, by kind."""


class Fault(NamedTuple):
    """One thing to do to a system, `delay_ns` after its episode began."""

    delay_ns: int
    f: str
    value: Any = None


class Later(NamedTuple):
    """What a fault does when a moment comes for the `nth` time, or `after_ns` later.

    `strike(cluster, host)` is told whose moment it is, and answers what happened.
    """

    moment: str
    nth: int
    after_ns: int
    strike: Callable[[Cluster, str], Any]


class Kind(NamedTuple):
    """One kind of fault: how it is done, and what its value holds.

    `do(cluster, value)` answers what happened, a map; {"nothing": why} says that nothing did,
    {"healed": what} that a fault ended.  Or it answers when it will happen, as a Later.
    """

    do: Callable[[Cluster, Any], Any]
    parameters: Parameters = {}


@dataclass(frozen=True, kw_only=True)
class Nemesis:
    """One family of faults.

    `faults` names the kinds of fault that it does (the `f` of its ops).  `episode(rng, hosts)`
    draws the faults of one episode, `heal(cluster)` undoes what can be undone.
    """

    name: str
    meaning: str
    faults: dict[str, Kind]
    episode: Callable[[Rng, Sequence[str]], list[Fault]]
    heal: Callable[[Cluster], None]
