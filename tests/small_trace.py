"""Traces made by hand, to judge a checker by: each line is what one event says."""

from __future__ import annotations

from typing import Any, NamedTuple

from checker import Verdict
from checker.check import Checker, merge
from checker.explain import explain
from harness.run import CHECKS
from histories import Event, History, Op, Trace

MS = 1_000_000


class Record(NamedTuple):
    """What a checker judges."""

    test: dict[str, Any]
    history: History
    trace: Trace


def event(ms: int, node: str, kind: str, **data: Any) -> Event:
    """One event, `ms` milliseconds after the start; `_` in a name stands for `-`."""
    return Event(ms * MS, node, kind.replace("_", "-"), data)


def judge(check: Checker, *events: Event) -> Verdict:
    """What a checker says of these events; it must also be possible to explain it."""
    record = Record({}, History([]), Trace(events))
    verdict = check(record)
    name = next(name for name, known in CHECKS.items() if known is check)
    lines = explain(record, merge({name: verdict}))
    assert verdict.valid is not False or len(lines) > 3, "it has a paragraph of its own"
    return verdict


def release(ms: int, node: str, number: int, *, generation: int = 1, crc: int = 0,
            again: bool = False, device: str = "nic") -> Event:
    """An output leaves; its checksum follows from its number unless another is given."""
    return event(ms, node, "release", number=number, generation=generation, seq=number, at=number,
                 crc=crc or 1000 + number, again=again, device=device, bytes=8, request=number,
                 acknowledged=number)


def live(ms: int, node: str, generation: int, *, outputs: int = 0, clock: int = 0,
         executed: int | None = 0) -> Event:
    """A host goes live: from the log when `executed` is given, else as the survivor."""
    took = {"held": 0} if executed is None else {"executed": executed}
    return event(ms, node, "live", generation=generation, outputs=outputs, clock=clock, **took)


def boot(*roles: str) -> list[Event]:
    """Hosts n1, n2 and so on start in these roles."""
    return [event(0, f"n{place}", "boot", role=role) for place, role in enumerate(roles, 1)]


def history(*ops: tuple[Any, ...]) -> History:
    """Ops as process, type, f, value and milliseconds."""
    return History([Op(process, kind, f, value, ms * MS) for process, kind, f, value, ms in ops])
