"""An event of the trace in a few words, for people who read one after the other.

A kind without a sentence of its own is told as its name and what it says, so that a new kind is
readable before anybody thinks of it here.
"""

from __future__ import annotations

from typing import Any, Callable, Mapping

from histories import Event
from histories.value import show

Data = Mapping[str, Any]
UNTOLD = ("crc", "clock", "pc", "bytes", "generation")


def tell(event: Event) -> str:
    """What happened, without when and where: ``let out the answer to op 12``."""
    words = WORDS.get(event.kind)
    try:
        return _plain(event) if words is None else words(event.data)
    except KeyError:        # of another version, or of another system
        return _plain(event)


def _plain(event: Event) -> str:
    said = [f"{name} {value if isinstance(value, str) else show(value)}"
            for name, value in event.data.items() if name not in UNTOLD]
    return " ".join([event.kind, *said])


def _log(data: Data) -> str:
    entry, of = data["entry"], ""
    if entry == "input":
        of = f" from the {data['device']}{_request(data, ': op ')}"
    elif entry == "output":
        of = f" {data['number']} to the {data['device']}"
    elif entry == "interrupt":
        of = f" {data['vector']:#x}"
    elif entry == "result":
        of = f" of {data['of']}"
    return f"entry {data['seq']}: {entry}{of}, instruction {data['at']}"


def _request(data: Data, before: str) -> str:
    return "" if data.get("request") is None else f"{before}{data['request']}"


def _release(data: Data) -> str:
    again = " again" if data.get("again") else ""
    if data["device"] == "nic" and "request" in data:
        return f"lets out the answer to op {data['request']}{again}"
    return f"lets out output {data['number']} to the {data['device']}{again}"


def _output(data: Data) -> str:
    what = _request(data, "answers op ") or f"output {data['number']} to the {data['device']}"
    return f"{what}: entry {data['seq']}, instruction {data['at']}"


def _live(data: Data) -> str:
    knew = f", has executed entries to {data['executed']}" if "executed" in data else ""
    return f"goes live in generation {data['generation']}{knew}"


def _lost(data: Data) -> str:
    what = f" {data['first']} to {data['last']}" if "first" in data else ""
    return f"{data['message']}{what}{_request(data, ', op ')} for {data['to']}: {data['why']}"


WORDS: dict[str, Callable[[Data], str]] = {
    "log": _log,
    "output": _output,
    "release": _release,
    "live": _live,
    "drop": _lost,
    "stalled": _lost,
    "boot": lambda data: f"starts as {data['role']}",
    "acknowledge": lambda data: f"has entries to {data['received']}, says so",
    "ack": lambda data: f"hears that entries to {data['received']} are safe",
    "replay": lambda data: f"has executed entries to {data['last']}, instruction {data['at']}",
    "suspect": lambda data: f"suspects {data['peer']}: {data['why']}",
    "test-and-set": lambda data: f"tells {data['asked']} that generation {data['generation']} "
                                 f"is {data['winner']}'s",
    "crash": lambda data: "crashes",
    "restart": lambda data: "comes back",
    "halt": lambda data: f"halts: {data['why']}",
    "advertise": lambda data: f"advertises itself, generation {data['generation']}",
    "place": lambda data: f"picks {data['host'] or 'nobody'} for {data['asked']}",
    "clone": lambda data: f"clones itself to {data['to']}",
    "switch": lambda data: f"stands still and switches to {data['to']}",
    "backup": lambda data: f"is the backup of {data['of']}, instruction {data['position']}",
    "protected": lambda data: f"is protected by {data['peer']}",
    "divergence": lambda data: f"diverges at entry {data['seq']}: {data['why']}",
}
