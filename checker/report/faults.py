"""Fault bands: from when to when something was broken, as far as the history says.

Nemeses of ours say what a fault did ("effect"), and what an op healed.  A family is the names of
ops that belong together; families that share a name end each other's faults.  Of another system's
nemesis only the names are known, so a name that begins with a word of ENDING ends what is open.
"""

from __future__ import annotations

from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from checker.vacuity import effect_of
from histories import NEMESIS, History, Op
from histories.value import show

ENDING = ("stop", "heal", "restart", "resume", "recover", "start-node", "join", "fast", "reset")
LINK_KEYS = ("cut", "link", "links")
UNTOLD = ("roles", "role", "nothing", "healed")
WORDS_MAX = 60
WHERE_MAX = 3
STRANGERS = "faults"

Families = Mapping[str, Sequence[str]]


class Band(NamedTuple):
    """One fault: when (`end_ns` None: never healed; equal to the start: a moment), and where."""

    start_ns: int
    end_ns: int | None
    family: str
    f: str
    what: str
    places: tuple[str, ...]
    op: int


def bands(history: History, families: Families) -> list[Band]:
    """The faults that had an effect, in the order in which they began."""
    ops = [op for op in history if op.process == NEMESIS]
    ours = any(effect_of(op) for op in ops)
    return _ours(ops, families) if ours else _strangers(ops)


def _ours(ops: Sequence[Op], families: Families) -> list[Band]:
    found: list[Band] = []
    related = _related(families)
    for op in ops:
        effect = effect_of(op)
        mine = related.get(op.f, (op.f,))
        if "healed" in effect:
            for at in _healed(found, mine, effect["healed"]):
                found[at] = found[at]._replace(end_ns=op.time)
        elif effect and "nothing" not in effect:
            moment = op.f in related and len(mine) == 1
            family = next((name for name, fs in families.items() if op.f in fs), op.f)
            places, what = tuple(_places(effect)), _what(op.f, list(_where(effect)))
            found.append(Band(op.time, op.time if moment else None, family, op.f, what, places,
                              op.index))
    return found


def _related(families: Families) -> dict[str, tuple[str, ...]]:
    """For each name of an op, the names that it is connected with through families."""
    related: dict[str, tuple[str, ...]] = {}
    for fs in families.values():
        together = tuple(dict.fromkeys(
            [*fs, *(name for f in fs for name in related.get(f, ()))]))
        related.update(dict.fromkeys(together, together))
    return related


def _healed(found: Sequence[Band], names: Sequence[str], healed: Any) -> list[int]:
    """Which open bands an end closes: those at the places that it names, or all of these names."""
    still = [at for at, band in enumerate(found) if band.end_ns is None]
    if healed == "everything":
        return still
    mine = [at for at in still if found[at].f in names]
    named = set(_places({"links": healed}) if isinstance(healed, (list, tuple)) else [])
    exact = [at for at in mine if named and named.issuperset(found[at].places)]
    return exact or mine


def _strangers(ops: Sequence[Op]) -> list[Band]:
    """Bands by the names of the ops; an invocation and its completion are one fault."""
    found: list[Band] = []
    begun: Op | None = None
    for op in ops:
        if begun is not None and begun.f == op.f:
            begun = None
            continue
        begun = op
        if op.f.startswith(ENDING) or found and op.f == "start" and found[-1].f == "kill":
            found = [band if band.end_ns is not None else band._replace(end_ns=op.time)
                     for band in found]
        else:
            said = "" if op.value is None else f" {show(op.value)}"
            what = f"{op.f}{said}"[:WORDS_MAX]
            found.append(Band(op.time, None, STRANGERS, op.f, what, (), op.index))
    return found


def _what(f: str, where: Sequence[str]) -> str:
    more = f" and {len(where) - WHERE_MAX} more" if len(where) > WHERE_MAX else ""
    return f"{f} {', '.join(where[:WHERE_MAX])}{more}".strip()


def _where(effect: Mapping[str, Any]) -> Iterator[str]:
    """The places of an effect for people: `n1 to n2`, `n1 and n2` when both ways, `n3`."""
    links = [tuple(link) for link in _links(effect)]
    seen: list[tuple[str, ...]] = []
    for link in links:
        if link[::-1] in seen:
            continue
        seen.append(link)
        yield f"{link[0]} {'and' if link[::-1] in links else 'to'} {link[1]}"
    if not links:
        yield from dict.fromkeys(_places(effect))


def _links(effect: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    for key in LINK_KEYS:
        value = effect.get(key, [])
        if isinstance(value, (list, tuple)) and value:
            yield from [value] if isinstance(value[0], str) else value


def _places(value: Any) -> Iterator[str]:
    """Every name in an effect, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, Mapping) and all(type(each) is int for each in item.values()):
                yield from item         # how much, by place
            elif key not in UNTOLD:
                yield from _places(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _places(item)
