"""A suspicion ends with somebody live, and soon."""

from __future__ import annotations

import pytest
from small_trace import event, judge, live

from checker.failover import FAILOVER_NS_MAX, failover
from histories import Event

BOUND = FAILOVER_NS_MAX // 1_000_000


def suspect(ms: int, node: str = "n2", generation: int = 1) -> Event:
    """A side suspects the other."""
    return event(ms, node, "suspect", generation=generation, peer="n1", why="no heartbeat")


def won(ms: int, winner: str) -> Event:
    """The disk has decided."""
    return event(ms, "disk", "test_and_set", generation=1, flag=0, asked=winner, winner=winner)


def later(ms: int) -> Event:
    """Something happens that has nothing to do with it."""
    return event(ms, "n3", "spare")


def test_a_quick_failover_is_right() -> None:
    """Up to the bound; one that follows is on its own."""
    verdict = judge(failover, suspect(2000), won(2001, "n2"), live(2000 + BOUND, "n2", 2),
                    suspect(9000, "n2", 2), live(9001, "n2", 3), later(99_000))
    assert verdict.valid is True
    assert verdict.evidence == {"failovers": 2, "longest_ns": FAILOVER_NS_MAX}


@pytest.mark.parametrize("between", [
    [], [won(2001, "n2")], [event(2001, "n2", "halt", why="gave up", generation=1)],
    [suspect(2001, "n1"), won(2002, "n1"), event(2003, "n2", "halt", why="lost", generation=1)]])
def test_a_failover_that_does_not_come_is_found(between: list[Event]) -> None:
    """Whether the host waits, has given up, or lost to one that does not go on."""
    verdict = judge(failover, suspect(2000), *between, later(2001 + BOUND), later(99_000))
    assert verdict.valid is False and len(verdict.evidence["problems"]) == 1
    assert "nobody was live in generation 2" in verdict.why


@pytest.mark.parametrize("why", [
    [event(2001, "n2", "crash")],
    [event(2001, "n2", "off", generation=1)],
    [event(2001, "network", "cut", links=[["n2", "disk"]])],
    [event(2001, "network", "cut", links=[["disk", "n2"]])],
    [event(2001, "disk", "down")],
    [event(2001, "disk", "pause")],
    [event(2001, "n2", "pause")],
    [suspect(2001, "n1"), won(2002, "n1"), event(2003, "n1", "crash")],
])
def test_nothing_is_owed_where_nobody_could_go_live(why: list[Event]) -> None:
    """The host is gone, or cannot ask; or the only one with the right to go live has died."""
    assert judge(failover, suspect(2000), *why, later(99_000)).valid is True


def test_a_winner_that_has_not_asked_is_none() -> None:
    """The disk answers with the flag of an earlier generation."""
    stale = event(2001, "disk", "test_and_set", generation=1, flag=0, asked="n2", winner="n1")
    assert judge(failover, suspect(2000), stale, later(99_000)).valid is False


LINKS = [["n2", "disk"], ["disk", "n2"]]


@pytest.mark.parametrize("away, back", [
    (event(1, "network", "cut", links=LINKS), event(9000, "network", "join", links=LINKS)),
    (event(1, "disk", "down"), event(9000, "disk", "up")),
    (event(1, "disk", "pause"), event(9000, "disk", "resume")),
    (event(1, "n2", "pause"), event(9000, "n2", "resume"))])
def test_it_is_owed_from_when_the_disk_is_back(away: Event, back: Event) -> None:
    """Or the host itself: the clock starts with the change."""
    before = [away, suspect(2000), back]
    assert judge(failover, *before, live(9000 + BOUND, "n2", 2)).valid is True
    assert judge(failover, *before, live(9001 + BOUND, "n2", 2)).valid is False
