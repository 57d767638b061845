"""Outputs leave twice only after a failover, and alike."""

from __future__ import annotations

from small_trace import judge, live, release

from checker.duplicates import duplicates


def test_the_same_bytes_again_after_a_failover_are_right() -> None:
    """And after another one, too."""
    verdict = judge(duplicates, release(1, "n1", 1), live(5, "n2", 2, outputs=1),
                    release(5, "n2", 1, generation=2, again=True), live(9, "n3", 3, outputs=1),
                    release(9, "n3", 1, generation=3, again=True))
    assert verdict.valid is True and verdict.evidence["repeated"] == 2


def test_other_bytes_are_found() -> None:
    """A fresh timestamp is enough."""
    verdict = judge(duplicates, release(1, "n1", 1), live(5, "n2", 2, outputs=1),
                    release(5, "n2", 1, generation=2, again=True, crc=5))
    assert verdict.valid is False
    assert verdict.why == "n2 let out output 1 again with other bytes"


def test_a_repetition_without_a_failover_is_found() -> None:
    """The same instruction was executed twice, or two live machines are one generation."""
    verdict = judge(duplicates, release(1, "n1", 1), release(2, "n1", 1))
    assert verdict.valid is False and "nothing had failed" in verdict.why
