"""Code that changes: a machine that forgets to forget what it translated is found out."""

from __future__ import annotations

import pytest
from bare import Bare, call, drive

from vmft.engine import Engine
from workloads import selfmod

BY_STORE, BY_PACKET, BY_DISK = 3, 4, 5      # a value of each way, by its remainder


def write(system: Bare, value: int) -> int | None:
    """Set the register; what it holds then."""
    answer = selfmod.decode("write", value, call(system, selfmod.encode("write", value)))
    assert answer.type == "ok"
    held: int | None = answer.value
    return held


@pytest.mark.parametrize("way", [BY_STORE, BY_PACKET, BY_DISK])
def test_new_code_is_executed(way: int) -> None:
    """In every slot of the receive ring, again and again."""
    system = Bare("selfmod", 1)
    for value in range(way, way + 150, 3):
        assert write(system, value) == value


@pytest.mark.parametrize("way", [BY_PACKET, BY_DISK])
def test_stale_code_is_noticed(way: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a device brings into memory, and the processor does not hear of."""
    monkeypatch.setattr(Engine, "forget", lambda *_: None)
    system = Bare("selfmod", 1)
    assert any(write(system, value) != value for value in range(way, way + 150, 3))


def test_stale_code_is_not_linearizable(monkeypatch: pytest.MonkeyPatch) -> None:
    """As clients see it."""
    monkeypatch.setattr(Engine, "forget", lambda *_: None)
    record = drive(Bare("selfmod", 1), "selfmod", time_limit_s=2)
    assert selfmod.SELFMOD.checks["linearizable"](record).valid is False
