"""Objects in plain Python, each written without a look at the model that judges it.

Each draws calls for clients to make (f and an argument) and applies them: what an ok completion
carries, NIL for nil, None for a failure.
"""

from __future__ import annotations

import heapq
from collections import deque
from random import Random
from typing import Any, Protocol

from objects import NIL


class Thing(Protocol):
    """An object of one part, and the calls that clients make to it."""

    def draw(self, rng: Random) -> tuple[str, Any]:
        """A call: f and its argument."""

    def apply(self, f: str, arg: Any) -> Any:
        """What an ok completion of the call carries; NIL for nil, None when it fails."""


class Counter:
    """Goes up and down, within bounds if there are any."""

    most: int | None = None

    def __init__(self, rng: Random) -> None:
        self.value = 0

    def draw(self, rng: Random) -> tuple[str, Any]:
        f = rng.choice(["inc", "dec", "add", "read"])
        return f, rng.randrange(-2, 3) if f == "add" else rng.choice([None, 2])

    def apply(self, f: str, arg: Any) -> Any:
        change = {"inc": arg or 1, "dec": -(arg or 1), "add": arg, "read": 0}[f]
        if self.most is not None and not 0 <= self.value + change <= self.most:
            return None
        self.value += change
        return self.value


class BoundedCounter(Counter):
    """The same, from 0 to 3."""

    most = 3


class Map:
    """One key of a map of numbers."""

    def __init__(self, rng: Random) -> None:
        self.held: dict[str, Any] = {}

    def draw(self, rng: Random) -> tuple[str, Any]:
        f = rng.choice(["get", "put", "delete", "increment", "cas"])
        value = {"put": rng.randrange(3), "increment": rng.choice([None, 2]),
                 "cas": [rng.randrange(3), rng.randrange(3)]}
        return f, ["k", value.get(f)]

    def apply(self, f: str, arg: Any) -> Any:
        key, value = arg
        if f == "cas" and self.held.get(key) != value[0]:
            return None
        if f == "delete":
            self.held.pop(key, None)
        elif f == "increment":
            self.held[key] = self.held.get(key, 0) + (value or 1)
        elif f != "get":
            self.held[key] = value if f == "put" else value[1]
        return [key, self.held.get(key, "")]


class Elements:
    """A set of few elements."""

    def __init__(self, rng: Random) -> None:
        self.held: set[int] = set()

    def draw(self, rng: Random) -> tuple[str, Any]:
        f = rng.choice(["add", "remove", "contains", "read"])
        return f, rng.randrange(3) if f != "read" else None

    def apply(self, f: str, arg: Any) -> Any:
        if f == "read":
            return sorted(self.held, reverse=True)
        if f == "contains":
            return arg in self.held
        (self.held.add if f == "add" else self.held.discard)(arg)
        return arg


class Queue:
    """First in, first out; an empty one fails or answers nil."""

    words = ("enqueue", "dequeue")

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.items: deque[int] = deque()

    def draw(self, rng: Random) -> tuple[str, Any]:
        f = rng.choice(self.words)
        return f, rng.randrange(3) if f == self.words[0] else None

    def apply(self, f: str, arg: Any) -> Any:
        if f == self.words[0]:
            self.items.append(arg)
            return arg
        return self.take() if self.items else self.rng.choice([NIL, None])

    def take(self) -> int:
        """Take out what is next."""
        return self.items.popleft()


class UnorderedQueue(Queue):
    """Gives anything it has."""

    def take(self) -> int:
        self.items.rotate(self.rng.randrange(3))
        return self.items.popleft()


class Stack(Queue):
    """Last in, first out."""

    words = ("push", "pop")

    def take(self) -> int:
        return self.items.pop()


class PriorityQueue(Queue):
    """The least first."""

    words = ("insert", "pop")

    def take(self) -> int:
        least = heapq.nsmallest(1, self.items)[0]
        self.items.remove(least)
        return least


class Mutex:
    """Two owners and one lock, which fails whoever may not."""

    depth_most = 1

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.owners: list[int] = []
        self.token = 0

    def draw(self, rng: Random) -> tuple[str, Any]:
        return rng.choice(["acquire", "release"]), rng.randrange(2)

    def apply(self, f: str, arg: Any) -> Any:
        if f == "release":
            if arg not in self.owners:
                return None
            self.owners.pop()
        else:
            if len(self.owners) >= self.depth_most or {*self.owners} - {arg}:
                return None
            self.owners.append(arg)
            self.token += self.rng.randrange(1, 3)
        return self.token


class ReentrantMutex(Mutex):
    """Whoever has it may have it again."""

    depth_most = 4


class AnonymousMutex(Mutex):
    """One that does not know who holds it."""

    def draw(self, rng: Random) -> tuple[str, Any]:
        return rng.choice(["acquire", "release"]), 0


class Semaphore:
    """Two permits."""

    def __init__(self, rng: Random) -> None:
        self.taken = 0

    def draw(self, rng: Random) -> tuple[str, Any]:
        return rng.choice(["acquire", "release"]), rng.choice([None, 1, 2])

    def apply(self, f: str, arg: Any) -> Any:
        taken = self.taken + (arg or 1) * (1 if f == "acquire" else -1)
        if not 0 <= taken <= 2:
            return None
        self.taken = taken
        return NIL


class Lease:
    """Ends by chance."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.owner: int | None = None

    def draw(self, rng: Random) -> tuple[str, Any]:
        return rng.choice(["acquire", "renew", "release", "holder"]), rng.randrange(2)

    def apply(self, f: str, arg: Any) -> Any:
        if self.rng.random() < 0.4:
            self.owner = None
        if f == "holder":
            return NIL if self.owner is None else self.owner
        if f == "acquire" and self.owner is None:
            self.owner = arg
            return arg
        if f == "acquire" or self.owner != arg:
            return None
        if f == "release":
            self.owner = None
        return arg


class Registers:
    """Two keys, read and written together."""

    change = "w"

    def __init__(self, rng: Random) -> None:
        self.held: dict[str, Any] = {}

    def draw(self, rng: Random) -> tuple[str, Any]:
        whats = [rng.choice(["r", self.change]) for _ in range(rng.randrange(1, 3))]
        return "txn", [[what, rng.choice("xy"), None if what == "r" else rng.randrange(2)]
                       for what in whats]

    def apply(self, f: str, arg: Any) -> Any:
        return [self.one(*step) for step in arg]

    def one(self, what: str, key: str, value: Any) -> list[Any]:
        """Do one step."""
        if what == "w":
            self.held[key] = value
        elif what == "append":
            self.held.setdefault(key, []).append(value)
        else:
            found = self.held.get(key)
            value = list(found) if isinstance(found, list) else found
        return [what, key, value]


class Lists(Registers):
    """Two lists, read and appended to together."""

    change = "append"


THINGS: dict[str, type[Thing]] = {
    "counter": Counter, "bounded-counter:3": BoundedCounter, "kv": Map, "set": Elements,
    "queue": Queue, "unordered-queue": UnorderedQueue, "stack": Stack,
    "priority-queue": PriorityQueue, "mutex": AnonymousMutex, "owner-mutex": Mutex,
    "reentrant-mutex": ReentrantMutex, "fenced-mutex": Mutex, "semaphore:2": Semaphore,
    "lease": Lease, "multi-register": Registers, "list-append": Lists,
}
