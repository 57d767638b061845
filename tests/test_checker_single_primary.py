"""Nobody goes live where the machine was switched off; the rest is in test_checker_rules.py."""

from __future__ import annotations

from small_trace import event, judge, live

from checker.single_primary import single_primary
from histories import Event


def won(ms: int, generation: int, winner: str, flag: int = 0) -> Event:
    """The disk has decided."""
    return event(ms, "disk", "test_and_set", generation=generation, flag=flag, asked=winner,
                 winner=winner)


def off(ms: int, node: str, generation: int) -> Event:
    """A machine is off."""
    return event(ms, node, "off", generation=generation)


def test_going_live_after_a_power_off_is_found() -> None:
    """The backup took it for a crash."""
    verdict = judge(single_primary, off(1, "n1", 1), won(2, 1, "n2"), live(3, "n2", 2))
    assert verdict.valid is False and "had been switched off" in verdict.why


def test_a_superseded_machine_that_is_switched_off_ends_nothing() -> None:
    """Its generation was over."""
    assert judge(single_primary, won(1, 1, "n2"), live(2, "n2", 2), off(3, "n1", 1),
                 won(4, 2, "n3"), live(5, "n3", 3)).valid is True


def test_the_flag_of_a_move_gives_no_right_to_live() -> None:
    """Only flag 0 does."""
    assert judge(single_primary, won(1, 1, "n2", flag=1), live(2, "n2", 2)).valid is False


def test_a_winner_that_died_before_the_disk_heard_it_owes_nothing() -> None:
    """Its question was on the way; the other side has lost, and both are gone by right."""
    asks = event(1, "n1", "suspect", generation=1, peer="n2", why="no heartbeat")
    crash, late = event(2, "n1", "crash"), event(99_000, "n3", "spare")
    assert judge(single_primary, asks, crash, won(3, 1, "n1"), late).valid is True
    back = [asks._replace(time=4 * 10**6), won(5, 1, "n1")]
    assert judge(single_primary, crash, *back, late).valid is False
    assert judge(single_primary, asks, won(3, 1, "n1"), late).valid is False
