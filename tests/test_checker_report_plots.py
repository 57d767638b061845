"""The plots: in few elements, honest about gaps, and missed without harm."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_trace import MS, Record, history

from checker import Verdict
from checker.report.marks import Mark
from checker.report.page import render
from checker.report.plots import plots, quantile
from histories import History, Op, Trace

DOUBLE = history((0, "invoke", "inc", None, 1), (0, "ok", "inc", 11, 2),
                 (1, "invoke", "inc", None, 3), (1, "ok", "inc", 11, 4))


def test_without_matplotlib_the_page_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the page is there."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = render(Record({}, DOUBLE, Trace()), Verdict(valid=False, why="no"), ["INVALID"])
    assert "There are no plots: they take matplotlib" in page and "INVALID" in page


def test_the_plots_number_short_runs_in_full() -> None:
    """Coordinates are cut short, labels are not."""
    svg = plots(Record({}, DOUBLE, Trace()), [], []).svg
    assert re.search(r">0\.00[1-9]\d*</text>", svg) and not re.search(r'd="M \d+\.\d\d', svg)


def test_the_plots_are_few_elements() -> None:
    """A thousand points are one path, and so are a hundred offences: a browser counts elements."""
    ops = [Op(number % 4, kind, "inc", None, number * MS + late_ns) for number in range(1000)
           for late_ns, kind in ((0, "invoke"), (number * 977, "ok"))]
    marked = [Mark(number * MS, 2 * number, None, "check", "why") for number in range(100)]
    few, many = (plots(Record({}, History(ops), Trace()), [], found).svg
                 for found in (marked[:1], marked))
    assert many.count("<path") == few.count("<path") < 100
    points = max(re.findall(r' d="([^"]*)"', many), key=len)
    assert points.count("M") > 800


def test_nothing_is_drawn_where_nothing_was_measured() -> None:
    """A line through a pause would tell of latencies that nobody had."""
    calls = history(*[each for ms in (*range(0, 100, 5), *range(900, 1000, 5)) for each in (
        (0, "invoke", "inc", None, ms), (0, "ok", "inc", 1, ms + 1))])
    svg = plots(Record({}, calls, Trace()), [], []).svg
    lines = [re.findall(r"([ML]) (\S+)", path) for path in re.findall(r' d="([^"]*)"', svg)]
    (quantiles, *_) = [path for path in lines if len(path) == 20]
    assert [place for place, (step, _) in enumerate(quantiles) if step == "M"] == [0, 10]


@given(st.lists(st.integers(0, 100), min_size=1), st.integers(1, 100))
def test_quantiles(values: list[int], percent: int) -> None:
    """At least so many percent of the values are no larger, and no smaller value does that."""
    found = quantile(sorted(values), percent)
    below = sum(value <= found for value in values)
    assert below * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)
