"""Only who lives in a generation speaks to the world in it."""

from __future__ import annotations

import pytest
from small_trace import boot, event, judge, live, release

from checker.backup_io import backup_io
from histories import Event

PAIR = boot("primary", "backup", "spare")


def served(ms: int, source: str, kind: str = "disk_write", *, generation: int = 1) -> Event:
    """The disk did what it was asked for."""
    return event(ms, "disk", kind, source=source, generation=generation, number=1, block=1,
                 blocks=1, status=0)


def decided(ms: int, generation: int, flag: int = 0) -> Event:
    """The disk has answered a test-and-set."""
    return event(ms, "disk", "test_and_set", generation=generation, flag=flag, winner="n2",
                 asked="n2")


def test_a_failover_and_its_new_backup_are_right() -> None:
    """What the primary of each generation does, and late requests that were fenced off."""
    verdict = judge(
        backup_io, *PAIR, release(1, "n1", 1), served(2, "n1"), served(3, "n1", "disk_read"),
        event(4, "n1", "crash"), served(5, "n1"), decided(6, 1), live(7, "n2", 2, outputs=1),
        event(7, "n2", "advertise", generation=2), served(8, "n1", "fenced"),
        release(8, "n2", 2, generation=2), served(9, "n2", generation=2),
        event(9, "n3", "backup", generation=2))
    assert verdict.valid is True and verdict.evidence == {"checked": 7, "fenced": 1}


@pytest.mark.parametrize("node", ["n2", "n3"])
@pytest.mark.parametrize("kind", ["release", "advertise", "disk_write", "disk_read"])
def test_a_backup_or_a_spare_that_speaks_is_found(node: str, kind: str) -> None:
    """Whatever it does."""
    what = served(1, node, kind) if kind.startswith("disk") else \
        event(1, node, kind, generation=1, number=1)
    verdict = judge(backup_io, *PAIR, what)
    assert verdict.valid is False and verdict.evidence["problems"][0]["node"] == node


def test_a_machine_that_halted_is_silent() -> None:
    """What was under way at that very instruction may end."""
    halt = event(5, "n1", "halt", why="lost", generation=1)
    late = release(5, "n1", 1)
    assert judge(backup_io, *PAIR, halt, late._replace(time=late.time + 400)).valid is True
    assert judge(backup_io, *PAIR, halt, release(6, "n1", 1)).valid is False


def test_a_machine_that_comes_back_has_no_part_in_its_old_generation() -> None:
    """It is a spare now."""
    back = [event(2, "n1", "crash"), event(3, "n1", "restart")]
    assert judge(backup_io, *PAIR, *back, release(4, "n1", 1)).valid is False


def test_a_write_of_a_generation_that_is_over_is_found() -> None:
    """The disk should have fenced it off; a flag that is about a move ends nothing."""
    assert judge(backup_io, *PAIR, decided(1, 1, flag=1), served(2, "n1")).valid is True
    verdict = judge(backup_io, *PAIR, decided(1, 1), served(2, "n1"))
    assert verdict.valid is False and "which was over" in verdict.why
