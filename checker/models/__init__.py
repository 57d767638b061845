"""The models that come with the checker, by name."""

from __future__ import annotations

from typing import Callable

from checker.model import Model
from checker.models.counters import bounded_counter, counter
from checker.models.echoes import echo
from checker.models.leases import fenced_lease
from checker.models.locks import (
    fenced_mutex, lease, mutex, owner_mutex, reentrant_mutex, semaphore,
)
from checker.models.maps import kv
from checker.models.queues import priority_queue, queue, stack, unordered_queue
from checker.models.registers import cas_register, register
from checker.models.sets import set_model
from checker.models.tokens import token
from checker.models.transactions import list_append, multi_register
from histories.errors import UsageError

MODELS: dict[str, Model] = {
    model.name: model for model in (
        register, cas_register, multi_register, counter, bounded_counter(10), kv, set_model,
        queue, unordered_queue, priority_queue, stack, mutex, owner_mutex, reentrant_mutex,
        fenced_mutex, semaphore(2), lease, fenced_lease, list_append, token, echo)
}

SIZED: dict[str, Callable[[int], Model]] = {
    "bounded-counter": bounded_counter, "semaphore": semaphore,
}


def by_name(name: str) -> Model:
    """The model of this name, "semaphore:3" for one of that size; UsageError if there is none."""
    kind, _, size = name.partition(":")
    if kind in SIZED and size.isdecimal():
        return SIZED[kind](int(size))
    if name not in MODELS:
        raise UsageError(f"no model {name!r}; there are {', '.join(sorted(MODELS))}")
    return MODELS[name]


__all__ = [
    "MODELS", "SIZED", "bounded_counter", "by_name", "cas_register", "counter", "echo",
    "fenced_lease", "fenced_mutex", "kv", "lease", "list_append", "multi_register", "mutex",
    "owner_mutex", "priority_queue", "queue", "reentrant_mutex", "register", "semaphore",
    "set_model", "stack", "token", "unordered_queue",
]
