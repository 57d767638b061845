"""Whoever went live alone soon has a backup again, if there is a host for it."""

from __future__ import annotations

import pytest
from small_trace import boot, event, judge, live

from checker.redundancy import RESTORED_NS_MAX, redundancy
from histories import Event

BOUND = RESTORED_NS_MAX // 1_000_000
HOSTS = boot("primary", "backup", "spare")
ALONE = [*HOSTS, event(100, "n1", "crash"), live(500, "n2", 2)]


def protected(ms: int, generation: int = 2) -> Event:
    """The new backup has acknowledged something."""
    return event(ms, "n2", "protected", generation=generation, peer="n3")


def later(ms: int) -> Event:
    """Something happens that has nothing to do with it."""
    return event(ms, "n2", "output", number=1)


def test_a_backup_in_time_is_right() -> None:
    """Up to the bound; and the end of the trace may come before it."""
    assert judge(redundancy, *ALONE, protected(500 + BOUND), later(99_000)).valid is True
    assert judge(redundancy, *ALONE, later(500 + BOUND)).valid is True


def test_a_machine_that_stays_alone_is_found() -> None:
    """As soon as something happens after the bound, once."""
    verdict = judge(redundancy, *ALONE, later(501 + BOUND), later(99_000))
    assert verdict.valid is False and len(verdict.evidence["problems"]) == 1
    assert "n2 was alone in generation 2" in verdict.why and "although n3 was free" in verdict.why


@pytest.mark.parametrize("why", [
    event(600, "n3", "crash"),
    event(600, "n3", "refuse"),
    event(600, "network", "cut", links=[["n2", "n3"]]),
    event(600, "network", "cut", links=[["n3", "cluster"]]),
    event(600, "network", "cut", links=[["cluster", "n2"]]),
    event(600, "network", "stall", link=["n2", "n3"]),
    event(600, "n2", "crash"),
    event(600, "n2", "off", generation=2),
    event(600, "cluster", "down"),
    event(600, "cluster", "pause"),
    event(600, "n3", "pause"),
    event(600, "n2", "pause"),
])
def test_nothing_is_owed_without_a_fit_host(why: Event) -> None:
    """It is down, would replay otherwise, is not reached; or nobody is left to be protected."""
    assert judge(redundancy, *ALONE, why, later(99_000)).valid is True


def test_what_is_cut_elsewhere_is_no_excuse() -> None:
    """Clients and disk have no part in a clone."""
    cut = event(600, "network", "cut", links=[["n2", "clients"], ["disk", "n3"], ["n1", "n2"]])
    assert judge(redundancy, *ALONE, cut, later(601 + BOUND)).valid is False


@pytest.mark.parametrize("back", [
    [event(600, "network", "cut", links=[["n2", "n3"]]),
     event(9000, "network", "join", links=[["n2", "n3"]])],
    [event(600, "n3", "crash"), event(9000, "n1", "restart")],
    [event(600, "cluster", "down"), event(9000, "cluster", "up")],
    [event(600, "n3", "pause"), event(9000, "n3", "resume")],
])
def test_it_is_owed_from_when_a_host_is_fit_again(back: list[Event]) -> None:
    """The clock starts with the change."""
    assert judge(redundancy, *ALONE, *back, later(9000 + BOUND)).valid is True
    assert judge(redundancy, *ALONE, *back, later(9001 + BOUND)).valid is False


def test_going_live_again_unprotected_gives_no_new_time() -> None:
    """A clone that never answers must not look like progress."""
    again = [live(500 + 1000 * n, "n2", 2 + n, executed=None) for n in range(1, 9)]
    assert judge(redundancy, *ALONE, *again).valid is False
