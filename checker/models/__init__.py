"""The models that come with the checker, by name."""

from __future__ import annotations

from checker.model import Model
from checker.models.counters import counter
from checker.models.echoes import echo
from checker.models.leases import fenced_lease
from checker.models.locks import mutex
from checker.models.maps import kv
from checker.models.registers import cas_register, register
from checker.models.tokens import token
from histories.errors import UsageError

MODELS: dict[str, Model] = {
    model.name: model for model in (
        register, cas_register, counter, kv, mutex, token, echo, fenced_lease)
}


def by_name(name: str) -> Model:
    """The model of this name; UsageError when there is none."""
    if name not in MODELS:
        raise UsageError(f"no model {name!r}; there are {', '.join(sorted(MODELS))}")
    return MODELS[name]


__all__ = [
    "MODELS", "by_name", "cas_register", "counter", "echo", "fenced_lease", "kv", "mutex",
    "register", "token",
]
