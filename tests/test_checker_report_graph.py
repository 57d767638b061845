"""Who must come before whom, as a graph: what is drawn says as much as what is known."""

from __future__ import annotations

import re
import sys
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_trace import Record

from checker import linearizable, models
from checker.check import merge
from checker.explain import explain
from checker.report.graph import LETTERS_MAX, MISSING, graph, picture
from checker.report.page import render
from histories import History, Op, Trace

pytest.importorskip("networkx", reason="networkx is not installed")

Pair = tuple[int, int]

# A write, another one, and a read of the first that came after both: the read's source would have
# to come after what came between.
STALE = History([
    Op(0, "invoke", "write", 1, 1), Op(0, "ok", "write", 1, 2),
    Op(1, "invoke", "write", 2, 3), Op(1, "ok", "write", 2, 4),
    Op(2, "invoke", "read", None, 5), Op(2, "ok", "read", 1, 6)])


def page() -> str:
    """The page about a stale read, on one line."""
    record = Record({"name": "stale"}, STALE, Trace())
    verdict = merge({"linearizable": linearizable(STALE, models.register)})
    return re.sub(r"\s+", " ", render(record, verdict, explain(record, verdict)))


def test_a_stale_read_is_this_graph() -> None:
    """Calls from top to bottom, what follows from others left out, the circle as it is told."""
    evidence = linearizable(STALE, models.register).evidence
    pairs = [(before, after) for before, after, _ in evidence["precedence"]]
    assert sorted(pairs) == [(0, 2), (0, 4), (2, 0), (2, 4), (4, 2)]
    drawn = graph(pairs, [(0, 2), (2, 0)])
    assert drawn.places == {0: (0, 0), 2: (1, 0), 4: (2, 1)}
    assert drawn.needed == [(2, 4)]
    assert drawn.circle == [(0, 2), (2, 0)]


pairs_of_calls = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1).map(
    lambda pairs: [(2 * one, 2 * other) for one, other in pairs if one != other]).filter(bool)


def after(pairs: list[Pair]) -> set[Pair]:
    """Every pair that follows."""
    found = set(pairs)
    while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= more
    return found


@given(pairs=pairs_of_calls, data=st.data())
def test_what_is_drawn_says_as_much_as_what_is_known(
    pairs: list[Pair], data: st.DataObject
) -> None:
    """Whatever the graph: nothing is added or lost, nothing is drawn twice, nothing overlaps."""
    circle = data.draw(st.lists(st.sampled_from(pairs), max_size=4, unique=True))
    drawn = graph(pairs, circle)
    down = [pair for pair in pairs if pair[0] < pair[1]]
    shown = drawn.needed + [pair for pair in drawn.circle if pair[0] < pair[1]]
    assert after(shown) == after(down)
    assert not set(drawn.needed) & set(drawn.circle)
    assert set(drawn.places) == {op for pair in pairs for op in pair}
    assert len(set(drawn.places.values())) == len(drawn.places)
    assert all(drawn.places[one][0] < drawn.places[other][0] for one, other in shown)
    looped = {op for pair in circle for op in pair}
    assert all(op in looped for op, (_, column) in drawn.places.items() if column == 0)
    assert graph(pairs[::-1], circle) == drawn


def test_the_circle_differs_by_more_than_colour() -> None:
    """Frame, weight and numbers; every call is a link; values are no markup."""
    texts = {0: "write $x_1$", 2: "write <b>", 4: "read " + "9" * 100}
    drawn = picture([(0, 2), (2, 0), (2, 4)], [(0, 2), (2, 0)], texts)
    assert drawn.note == "" and drawn.arrows == [(0, 2), (2, 0), (2, 4)]
    assert drawn.svg.count("stroke-width: 2.2") >= 2 and "font-weight: 700" in drawn.svg
    assert {re.sub(r"<[^>]*>", "", text) for text in
            re.findall(r"<text.*?</text>", drawn.svg, flags=re.DOTALL)} == {
        "0: write $x_1$", "2: write &lt;b&gt;", f"4: read {'9' * (LETTERS_MAX - 9)}…", "1", "2"}
    assert [f'href="#op-{op}"' in drawn.svg for op in (0, 2, 4)] == [True] * 3
    assert "var(--bad)" in drawn.svg and "var(--paper)" in drawn.svg and "#01" not in drawn.svg
    assert picture([(0, 2), (2, 0), (2, 4)], [(0, 2), (2, 0)], texts) == drawn


def test_a_page_shows_the_graph_and_its_reasons() -> None:
    """The circle's numbers are those of the list beside it, and of the table."""
    text = page()
    assert '<div class="scroll graph"><svg' in text
    assert "4 reasons; 1 more follow from them" in text
    assert '<tr class="bad"><td>1</td> <td><a href="#op-0">0</a>: write 1</td>' in text
    assert '<tr><td></td> <td><a href="#op-4">4</a>: read -&gt; 1</td>' in text


@pytest.mark.parametrize("missing", ["networkx", "matplotlib"])
def test_without_a_library_there_are_a_line_and_the_list(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """All reasons are told, the circle first as before."""
    monkeypatch.setitem(sys.modules, missing, None)
    text = page()
    assert MISSING.split(":")[0] in text and '<div class="scroll graph">' not in text
    assert "5 reasons</summary>" in text and "before the first" in text


def test_a_letter_that_no_font_has_is_drawn_in_silence() -> None:
    """The reader's browser has fonts of its own; a warning here is for nobody."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "漢" in picture([(0, 2), (2, 0)], [(0, 2), (2, 0)], {0: "write 漢"}).svg


def test_no_graph_where_nothing_is_known() -> None:
    """And networkx is not asked for."""
    calls = History([Op(0, "invoke", "inc", None, 1), Op(0, "ok", "inc", 2, 2)])
    record = Record({"name": "one"}, calls, Trace())
    verdict = merge({"linearizable": linearizable(calls, models.counter)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "networkx", None)
        text = render(record, verdict, explain(record, verdict))
    assert "who comes before" not in text and "networkx" not in text
