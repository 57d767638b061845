"""Who takes over goes on from what the world has seen: both ways, on small traces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_trace import event, judge, live, release

from checker.output_requirement import output_requirement
from histories import Event


def output(number: int, device: str) -> Event:
    """An output is computed."""
    return event(0, "n1", "output", number=number, device=device, crc=1000 + number)


def test_the_numbers_go_on_after_a_takeover() -> None:
    """Also when the last ones leave a second time."""
    verdict = judge(output_requirement, release(1, "n1", 1), release(2, "n1", 2),
                    live(9, "n2", 2, outputs=3), release(9, "n2", 2, generation=2, again=True),
                    release(9, "n2", 3, generation=2, again=True),
                    release(10, "n2", 4, generation=2))
    assert verdict.valid is True and verdict.evidence == {"outputs": 4, "takeovers": 1}


def test_an_output_that_the_new_primary_does_not_know_is_found() -> None:
    """It left before the takeover, and the log of it did not arrive."""
    verdict = judge(output_requirement, release(1, "n1", 1), release(2, "n1", 2),
                    live(9, "n2", 2, outputs=1))
    assert verdict.valid is False
    assert verdict.why == ("output 2 was let out by n1, but generation 2 on n2 knows only 1 "
                           "output")


def test_an_output_of_the_old_primary_after_the_takeover_is_found() -> None:
    """Unless the new one knows it."""
    before = [release(1, "n1", 1), live(9, "n2", 2, outputs=2)]
    assert judge(output_requirement, *before, release(10, "n1", 2)).valid is True
    verdict = judge(output_requirement, *before, release(10, "n1", 2), release(11, "n1", 3))
    assert verdict.valid is False and verdict.evidence["problems"][0]["number"] == 3


def test_another_content_under_a_known_number_is_found() -> None:
    """The double eleven, as the trace sees it."""
    verdict = judge(output_requirement, release(1, "n1", 1), live(9, "n2", 2, outputs=1),
                    release(9, "n2", 1, generation=2, again=True, crc=7))
    assert verdict.valid is False and "other bytes" in verdict.why


@pytest.mark.parametrize("device, valid", [("disk", True), ("nic", False), ("console", False)])
def test_an_output_that_never_left_is_found(device: str, valid: bool) -> None:
    """Writes are issued again as what they are, operations of the disk."""
    verdict = judge(output_requirement, output(1, "nic"), output(2, device), output(3, "nic"),
                    release(1, "n1", 1), live(9, "n2", 2, outputs=3),
                    release(9, "n2", 3, generation=2, again=True))
    assert verdict.valid is valid


def test_an_output_that_is_no_longer_what_was_made_is_found() -> None:
    """The guest used its buffer again while the output was held."""
    verdict = judge(output_requirement, output(1, "nic"), release(1, "n1", 1, crc=5))
    assert verdict.valid is False and "than it was made with" in verdict.why


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(0, 1 << 32))
def test_every_lineage_is_accepted_and_every_lost_tail_is_not(steps: list[int],
                                                              seed: int) -> None:
    """A machine that counts on, and takes over knowing all that left; then one that does not."""
    events, number, generation = [], 0, 1
    for ms, step in enumerate(steps):
        if step == 0:
            generation += 1
            events.append(live(ms, f"n{generation % 2}", generation, outputs=number))
        else:
            number += 1
            events.append(release(ms, f"n{generation % 2}", number, generation=generation))
    assert judge(output_requirement, *events).valid is True
    if number:
        knows = seed % number
        events.append(live(99, "n9", generation + 1, outputs=knows))
        assert judge(output_requirement, *events).valid is False
