"""The guest's clock never goes back, over failovers too."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from small_trace import event, judge, live

from checker.monotonic_time import monotonic_time
from histories import Event


def reading(ms: int, seq: int, value: int, *, of: str = "clock", generation: int = 1) -> Event:
    """The guest reads a clock, and the log says what it read."""
    return event(ms, "n1", "log", seq=seq, entry="result", at=seq, value=value, of=of,
                 generation=generation)


def output(ms: int, clock: int, generation: int) -> Event:
    """The guest sends something, having read this."""
    return event(ms, "n2", "output", clock=clock, generation=generation, number=1)


def test_readings_that_grow_are_right() -> None:
    """Equal ones too, and random numbers are no time."""
    assert judge(monotonic_time, reading(1, 1, 5), reading(2, 2, 5, of="rdtsc"),
                 reading(3, 3, 1, of="rdrand"), reading(4, 4, 6)).valid is True


def test_a_reading_that_goes_back_is_found() -> None:
    """Within a log."""
    verdict = judge(monotonic_time, reading(1, 1, 5), reading(2, 2, 4))
    assert verdict.valid is False and "went back by 1 ns on n1" in verdict.why


def test_what_the_new_primary_has_executed_binds_it() -> None:
    """And what died with the old primary does not."""
    before = [reading(1, 1, 10), reading(2, 2, 20)]
    assert judge(monotonic_time, *before, live(3, "n2", 2, executed=1, clock=10),
                 output(4, 15, 2)).valid is True
    assert judge(monotonic_time, *before, live(3, "n2", 2, executed=2, clock=20),
                 output(4, 15, 2)).valid is False
    assert judge(monotonic_time, *before, live(3, "n2", 2, executed=2, clock=10)).valid is False


def test_a_survivor_is_bound_by_all_of_its_past() -> None:
    """It executed what it logged."""
    assert judge(monotonic_time, reading(1, 1, 20), live(3, "n1", 2, executed=None, clock=19)
                 ).valid is False


def test_alone_the_outputs_tell() -> None:
    """Nothing is logged then; the next log starts from there."""
    alone = [live(1, "n2", 2, clock=10), output(2, 30, 2)]
    assert judge(monotonic_time, *alone, reading(3, 1, 30, generation=2)).valid is True
    assert judge(monotonic_time, *alone, reading(3, 1, 29, generation=2)).valid is False
    taken = live(4, "n3", 3, executed=0, clock=30)
    assert judge(monotonic_time, *alone, taken).valid is True


@given(st.lists(st.integers(0, 9), min_size=2, max_size=40))
def test_exactly_the_sequences_that_go_back_are_found(values: list[int]) -> None:
    """Against the definition."""
    events = [reading(n, n, value) for n, value in enumerate(values, 1)]
    assert judge(monotonic_time, *events).valid is (sorted(values) == values)
