"""Leases: which ones certainly ended too early."""

from __future__ import annotations

from typing import Any

import pytest

from checker.check import Recorded
from histories import History, Op, Trace
from workloads import lease

MS = 1_000_000


def op(at_ms: int, process: int, kind: str, f: str, value: Any) -> Op:
    """An op at a moment."""
    return Op(process, kind, f, value, at_ms * MS)


# Ten ticks of 2 ms, asked for at 100 ms: it lasts until 118 ms at least.
GRANTED = [op(100, 0, "invoke", "acquire", [1, 0, 10]),
           op(103, 0, "ok", "acquire", [1, "granted", 7])]


def taken(start_ms: int, end_ms: int, token: int = 9) -> list[Op]:
    """Somebody else is granted the lock."""
    return [op(start_ms, 1, "invoke", "acquire", [1, 1, 10]),
            op(end_ms, 1, "ok", "acquire", [1, "granted", token])]


def free(start_ms: int, end_ms: int, owner: int | None = None) -> list[Op]:
    """Somebody is told that nobody holds it."""
    return [op(start_ms, 2, "invoke", "holder", [1]),
            op(end_ms, 2, "ok", "holder", [1, owner, owner])]


def released(kind: str, token: int = 7) -> list[Op]:
    """Its holder gives it up, at 104 ms."""
    return [op(104, 0, "invoke", "release", [1, 0, token]),
            op(105, 0, kind, "release", [1, 0, token])]


@pytest.mark.parametrize("later, valid", [
    (taken(110, 117), False),
    (taken(110, 118), True),                            # it may have ended just then
    (taken(110, 117, token=6), True),                   # that grant came before
    (free(110, 117), False),
    (free(110, 117, owner=3), True),
    (free(110, 118), True),
    (released("ok") + taken(110, 117), True),
    (released("info") + free(110, 117), True),
    ([taken(104, 110)[0], *released("ok"), taken(104, 110)[1]], True),      # at the same time
    ([*taken(103, 104), *released("ok")], False),
    (released("fail") + taken(110, 117), False),
    (released("ok", token=6) + taken(110, 117), False),
    ([op(110, 1, "invoke", "acquire", [1, 1, 10])], True),
    ([each._replace(value=[2, *each.value[1:]]) for each in taken(110, 117)], True),
])
def test_a_lease_lasts(later: list[Op], valid: bool) -> None:
    """Unless it was released, for all ticks but one after it was asked for."""
    verdict = lease.unexpired(Recorded({}, History(GRANTED + later), Trace()))
    assert verdict.valid is valid
    if not valid:
        assert "while acquire [1 0 10] -> [1 \"granted\" 7] (op 0) lasted" in verdict.why


def test_what_overlaps_the_grant_may_come_before_it() -> None:
    """A holder asked before the grant was answered."""
    ops = [GRANTED[0], *free(101, 104)]
    record = Recorded({}, History([*ops[:2], GRANTED[1], ops[2]]), Trace())
    assert lease.unexpired(record).valid is True
