"""Moments that may not come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vmft.moments import earliest


@given(st.lists(st.none() | st.integers()))
def test_the_earliest_is_the_least_that_comes(moments: list[int | None]) -> None:
    """And None where none does; 0 is a moment."""
    assert earliest(*moments) == min((each for each in moments if each is not None), default=None)
