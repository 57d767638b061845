"""What a fault's value must hold: its parameters, each with what is expected of it.

A plan may be written by hand, so each family declares the parameters of its faults, and a plan is
held against that before anything runs.  Numbers have their unit in their name.
"""

from __future__ import annotations

from typing import Any, Callable, Mapping, NamedTuple, Sequence

SERVICES = ("disk", "cluster", "clients")       # nodes beside the hosts
DURATION_NS_MAX = 1_000_000_000_000


class Parameter(NamedTuple):
    """One part of a value: what is expected, in words, and whether something fits.

    `fits(value, hosts)` is told the names of the system's hosts.
    """

    expected: str
    fits: Callable[[Any, Sequence[str]], bool]
    optional: bool = False


Parameters = Mapping[str, Parameter]


def whole(low: int, high: int) -> Parameter:
    """A whole number in [low, high]."""
    return Parameter(f"a whole number from {low} to {high}",
                     lambda value, hosts: type(value) is int and low <= value <= high)


def duration_ns() -> Parameter:
    """A time in ns that is not endless."""
    return whole(0, DURATION_NS_MAX)


def one_of(*words: str) -> Parameter:
    """One of these words."""
    return Parameter(f"one of {', '.join(words)}",
                     lambda value, hosts: type(value) is str and value in words)


def some_hosts() -> Parameter:
    """A list of hosts, with one at least."""
    return Parameter("a list of hosts", lambda value, hosts: _is_list(value)
                     and all(each in hosts for each in value))


def some_links() -> Parameter:
    """A list of links, each a pair of nodes one of which is a host."""
    return Parameter("a list of [node, node], one of each a host",
                     lambda value, hosts: _is_list(value)
                     and all(_is_link(each, hosts) for each in value))


def pair_of(*words: str) -> Parameter:
    """Two different ones of these words."""
    return Parameter(f"two different ones of {', '.join(words)}",
                     lambda value, hosts: _is_list(value) and len(value) == 2
                     and value[0] != value[1] and all(each in words for each in value))


def optional(parameter: Parameter) -> Parameter:
    """The same, or nothing."""
    return parameter._replace(optional=True)


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) > 0


def _is_link(link: Any, hosts: Sequence[str]) -> bool:
    if not isinstance(link, (list, tuple)) or len(link) != 2 or link[0] == link[1]:
        return False
    return any(end in hosts for end in link) and all(end in (*hosts, *SERVICES) for end in link)


def problem(value: Any, parameters: Parameters, hosts: Sequence[str]) -> str | None:
    """What is wrong with a fault's value, in a few words; None if nothing is.

    ``value`` is a map from names in ``parameters`` to what fits there, or None where all may be
    missing; ``hosts`` are the system's.  It never raises: who asks knows which line to name.
    """
    if value is None:
        value = {}
    if not isinstance(value, dict):
        return f"its value is {value!r}, expected an object"
    for name in value:
        if name not in parameters:
            return f"{name!r} is unknown; there is {', '.join(parameters) or 'no parameter'}"
    for name, parameter in parameters.items():
        if name not in value:
            if not parameter.optional:
                return f"{name} is missing, expected {parameter.expected}"
        elif not parameter.fits(value[name], hosts):
            return f"{name} is {value[name]!r}, expected {parameter.expected}"
    return None
