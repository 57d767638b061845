"""Who must come before whom, as a graph: the calls of a core, and the circle that they go round in.

What came first is above: an arrow down says what time or what was seen demands, and may leave out
what follows from others (the transitive reduction; Aho, Garey & Ullman, SIAM J. Comput. 1972).  A
call is as far down as the longest way to it.  An arrow up demands that a call comes before one
that was asked earlier: nothing is wrong with that alone, but without one there is no circle.
Laid out by networkx and drawn by matplotlib, where both are installed.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any, Mapping, NamedTuple, Sequence

from checker.report.plots import INK, PAPER, SOFT, STYLE, WRONG, themed

Pair = tuple[int, int]

WIDE_IN, HIGH_IN = 0.3, 0.3         # of a call's box without its words
ROW_IN, GAP_IN = 0.85, 0.85         # from row to row, between columns
BESIDE_IN = 0.3                     # by how much a bent arrow passes a box
LETTER_IN = 0.083
LETTERS_MAX = 30
MISSING = ("There is no picture of it: that takes networkx and matplotlib, which are not all "
           "installed here (pip install 'double-eleven[report]').")


class Graph(NamedTuple):
    """What to draw: each call's row and column, arrows that are needed, and those of the circle.

    Calls are named by the ops that invoke them.
    """

    places: dict[int, tuple[int, int]]
    needed: list[Pair]
    circle: list[Pair]


class Picture(NamedTuple):
    """The graph as an SVG element, or "" and why there is none; which arrows it has."""

    svg: str
    note: str
    arrows: list[Pair]


def graph(pairs: Sequence[Pair], circle: Sequence[Pair]) -> Graph:
    """Where to put some calls, and the fewest arrows that say as much as `pairs` do.

    ImportError without networkx.  A call that is asked after another is a larger number, so the
    arrows from smaller to larger ones go round in no circle.  The calls of the circle have the
    first column to themselves, so that its arrows pass no other call.
    """
    networkx = import_module("networkx")
    down = networkx.DiGraph()
    down.add_nodes_from(sorted({op for pair in pairs for op in pair}))
    down.add_edges_from(sorted(pair for pair in pairs if pair[0] < pair[1]))
    reduced = networkx.transitive_reduction(down)
    looped = {op for pair in circle for op in pair}
    places: dict[int, tuple[int, int]] = {}
    for row, layer in enumerate(networkx.topological_generations(down)):
        first = sorted(looped.intersection(layer))
        others = sorted(set(layer).difference(looped),
                        key=lambda op: (_middle(places, reduced.pred[op]), op))
        places |= {op: (row, column) for column, op in enumerate(first)}
        places |= {op: (row, column) for column, op in enumerate(others, max(1, len(first)))}
    return Graph(places, sorted(set(reduced.edges).difference(circle)), list(circle))


def _middle(places: Mapping[int, tuple[int, int]], before: Any) -> float:
    """The column around which those are that come before a call."""
    return sum(places[op][1] for op in before) / len(before) if before else 0.0


def picture(
    pairs: Sequence[Pair], circle: Sequence[Pair], texts: Mapping[int, str]
) -> Picture:
    """Draw the graph; `texts` are the calls'.  Without a library, a line that says so."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)     # it tells when it caches fonts
    try:
        import matplotlib
        from matplotlib.figure import Figure

        drawn = graph(pairs, circle)
    except ImportError:
        return Picture("", MISSING, [])
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        style: Any = matplotlib.rcParams
        style.update(STYLE)
        return Picture(_draw(Figure, drawn, texts), "", [*drawn.circle, *drawn.needed])


def _draw(figure: Any, drawn: Graph, texts: Mapping[int, str]) -> str:
    """Boxes and arrows; one unit of the axes is an inch."""
    named = {op: _named(op, texts) for op in drawn.places}
    pitch = WIDE_IN + LETTER_IN * max(map(len, named.values())) + GAP_IN
    width = pitch * (1 + max(column for _, column in drawn.places.values()))
    height = ROW_IN * (1 + max(row for row, _ in drawn.places.values()))
    paper = figure(figsize=(width, height))
    axis = paper.add_axes((0, 0, 1, 1))
    axis.set_axis_off()
    axis.set_xlim(0, width)
    axis.set_ylim(height, 0)
    looped = {op for pair in drawn.circle for op in pair}
    boxes = {op: _box(axis, (pitch * (column + 0.5), ROW_IN * (row + 0.5)), named[op], op,
                      wrong=op in looped) for op, (row, column) in drawn.places.items()}
    for pair in drawn.needed:
        _arrow(axis, boxes, pair)
    for number, pair in enumerate(drawn.circle, 1):
        _arrow(axis, boxes, pair, number)
    return themed(paper)


def _named(op: int, texts: Mapping[int, str]) -> str:
    words = f"{op}: {texts.get(op, '')}"
    return words if len(words) <= LETTERS_MAX else words[:LETTERS_MAX - 1] + "…"


def _box(axis: Any, middle: tuple[float, float], words: str, op: int, *, wrong: bool) -> Any:
    """A call; one that is on the circle has a thick frame and bold words."""
    from matplotlib.patches import FancyBboxPatch

    width = WIDE_IN + LETTER_IN * len(words)
    box = FancyBboxPatch(
        (middle[0] - width / 2, middle[1] - HIGH_IN / 2), width, HIGH_IN,
        boxstyle="square,pad=0" if wrong else "round,pad=0,rounding_size=0.12", facecolor=PAPER,
        edgecolor=WRONG if wrong else SOFT, linewidth=2 if wrong else 0.8, zorder=3)
    axis.add_patch(box)
    axis.text(*middle, words, ha="center", va="center", zorder=4, parse_math=False,
              color=WRONG if wrong else INK, weight="bold" if wrong else "normal",
              url=f"#op-{op}")
    return box


def _arrow(axis: Any, boxes: Mapping[int, Any], pair: Pair, number: int | None = None) -> None:
    """From one call to the next; those of the circle are thick, bent and numbered."""
    from matplotlib.patches import FancyArrowPatch

    wrong = number is not None
    ends = [_middle_of(boxes[op]) for op in pair]
    bent = _bent(boxes, ends, wrong=wrong)
    axis.add_patch(FancyArrowPatch(
        *ends, patchA=boxes[pair[0]], patchB=boxes[pair[1]], arrowstyle="-|>",
        connectionstyle=f"arc3,rad={bent}", mutation_scale=14 if wrong else 9, shrinkA=0,
        shrinkB=0, color=WRONG if wrong else SOFT, linewidth=2.2 if wrong else 0.9,
        zorder=2 if wrong else 1))
    if wrong:
        (x1, y1), (x2, y2) = ends
        axis.text((x1 + x2) / 2 - bent * (y2 - y1) / 2, (y1 + y2) / 2 + bent * (x2 - x1) / 2,
                  str(number), ha="center", va="center", color=WRONG, weight="bold", zorder=5,
                  bbox={"boxstyle": "circle,pad=0.25", "facecolor": PAPER, "edgecolor": WRONG})


def _bent(boxes: Mapping[int, Any], ends: Sequence[tuple[float, float]], *, wrong: bool) -> float:
    """How much an arrow bends: beside its like, or past what is between its ends in one column."""
    (x1, y1), (x2, y2) = ends
    if abs(x1 - x2) > BESIDE_IN or abs(y1 - y2) < 1.5 * ROW_IN:
        return 0.35 if wrong else 0.0
    widest: float = max(box.get_width() for box in boxes.values())
    return (widest + 2 * BESIDE_IN) / abs(y1 - y2)


def _middle_of(box: Any) -> tuple[float, float]:
    return box.get_x() + box.get_width() / 2, box.get_y() + box.get_height() / 2
