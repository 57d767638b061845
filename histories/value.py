"""Values as judges need them: hashable, comparable, printable the same way everywhere.

Operations carry whatever a file or a client put into them.  Models compare and number values, so
lists become tuples, maps and sets their immutable kin.  NaN, which is unequal even to itself,
cannot be judged and is refused.
"""

from __future__ import annotations

from typing import Any, Hashable, NoReturn

from histories.errors import UsageError

NESTING_MAX = 100
_ATOMS = frozenset({int, str, bool, type(None), bytes})


class FrozenMap(dict[Any, Any]):
    """A map that does not change and can be hashed: what a dict value becomes."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def _refuse(self, *_args: Any, **_named: Any) -> NoReturn:
        raise TypeError("a frozen map does not change")

    __setitem__ = __delitem__ = update = pop = _refuse
    popitem = clear = setdefault = __ior__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenMap, (dict(self),)


def freeze(value: Any, depth: int = 0) -> Hashable:
    """The same value, hashable; UsageError when it is NaN, nested too deep or not hashable."""
    kind = type(value)
    if kind in _ATOMS:
        return value  # type: ignore[no-any-return]
    if depth > NESTING_MAX:
        raise UsageError(f"a value is nested deeper than {NESTING_MAX} levels")
    if kind is list or kind is tuple:
        return tuple([freeze(item, depth + 1) for item in value])
    if kind is dict:
        return FrozenMap((freeze(k, depth + 1), freeze(v, depth + 1)) for k, v in value.items())
    if kind is set or kind is frozenset:
        return frozenset(freeze(item, depth + 1) for item in value)
    if kind is float and value != value:
        raise UsageError("a value is NaN, which equals nothing, itself included")
    try:
        hash(value)
    except TypeError:
        raise UsageError(f"a value of type {kind.__name__} cannot be hashed") from None
    return value  # type: ignore[no-any-return]


def show(value: Any) -> str:
    """A value in one line of plain text; equal values print equally in every process."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value + '"'
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(show(item) for item in value) + "]"
    if isinstance(value, dict):
        pairs = sorted(show(k) + " " + show(v) for k, v in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, (set, frozenset)):
        return "#{" + " ".join(sorted(show(item) for item in value)) + "}"
    if isinstance(value, int):
        return _digits(value)
    return repr(value)


def quantity(count: int, what: str, many: str = "") -> str:
    """So many things in words: "1 run", "2 runs"; `many` where an s is not enough."""
    return f"{count} {what if count == 1 else many or what + 's'}"


def _digits(number: int) -> str:
    """A whole number; in base 16 where Python finds it too long for base 10."""
    try:
        return repr(number)
    except ValueError:
        return hex(number)
