"""Which model a history is of, told by the names of its calls and the shape of their values.

A model is possible if it knows every call by name and its values have the shape that it takes.  Of
two possible ones, the one with the smaller vocabulary is meant: reads and writes are a register,
though a cas-register knows them too.  What is still open then is asked, not guessed.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Callable, Iterable

from checker.model import Model
from checker.models import MODELS, SIZED
from histories.errors import UsageError
from histories.history import History
from histories.op import NEMESIS, Op

OPS_LOOKED_AT = 2000        # for the shape of their values


def recognise(history: History) -> tuple[Model, str]:
    """The model of a history, and why; UsageError if there is not exactly one."""
    fs = sorted({op.f for op in history.ops if op.process != NEMESIS})
    where = f"{history.source}: " if history.source else ""
    if not fs:
        raise UsageError(f"{where}a history without calls tells no model")
    clients = (op for op in history.ops if op.process != NEMESIS)
    looked_at = list(islice(clients, OPS_LOOKED_AT))
    possible = [model for name, model in MODELS.items()
                if name.partition(":")[0] not in SIZED and model.fs.keys() >= set(fs)
                and _fits(name, looked_at)]
    meant = [model for model in possible
             if not any(other.fs.keys() < model.fs.keys() for other in possible)]
    calls = f"its calls are {_listed(fs)}"
    if len(meant) == 1:
        return meant[0], f"taken for a {meant[0].name}: {calls}"
    if not meant:
        raise UsageError(f"{where}{calls}, which fits no model that comes with the checker")
    names = _listed(sorted(model.name for model in meant), "or")
    raise UsageError(f"{where}{calls}, which may be a {names}")


def _listed(words: Iterable[str], last: str = "and") -> str:
    *most, end = words
    return f"{', '.join(most)} {last} {end}" if most else end


def _fits(name: str, ops: list[Op]) -> bool:
    """Whether the values of calls and answers have the shape that the model takes."""
    shape = _SHAPES.get(name)
    return shape is None or all(shape(op, op.value) for op in ops if op.type in ("invoke", "ok"))


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _steps_of(*known: str) -> Callable[[Op, Any], bool]:
    def shape(_op: Op, value: Any) -> bool:
        return _is_list(value) and all(
            _is_list(step) and len(step) == 3 and step[0] in known for step in value)

    return shape


def _pair(op: Op, value: Any) -> bool:
    """[key value], and [key [old new]] for cas."""
    return _is_list(value) and len(value) == 2 and (
        op.f != "cas" or _is_list(value[1]) and len(value[1]) == 2)


def _of_nobody(op: Op, value: Any) -> bool:
    return op.type != "invoke" or value is None


def _of_somebody(op: Op, value: Any) -> bool:
    return op.type != "invoke" or value is not None


def _number(op: Op, value: Any) -> bool:
    """An amount; what a read of a counter answers is no collection."""
    if op.type == "invoke":
        return value is None or type(value) in (int, float)
    return op.f != "read" or not _is_list(value)


def _elements(op: Op, value: Any) -> bool:
    """What a read of a set answers is a collection."""
    return op.type == "invoke" or op.f != "read" \
        or _is_list(value) or isinstance(value, (set, frozenset))


_SHAPES: dict[str, Callable[[Op, Any], bool]] = {
    "multi-register": _steps_of("r", "read", "w", "write"),
    "list-append": _steps_of("r", "read", "append"),
    "kv": _pair,
    "cas-register": lambda op, value: op.f != "cas" or _is_list(value) and len(value) == 2,
    "counter": _number,
    "set": _elements,
    "mutex": _of_nobody,
    "owner-mutex": _of_somebody,
    "reentrant-mutex": _of_somebody,
    "fenced-mutex": _of_somebody,
}
