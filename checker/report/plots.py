"""Latency, rate and lag of a whole run over time, with the fault bands behind, as one SVG.

Drawn by matplotlib, where it is installed.  Colours are CSS variables of the page, so that light,
dark and print need no second picture; points that fall on the same spot are drawn once.
"""

from __future__ import annotations

import io
import logging
import math
import re
import warnings
from typing import Any, Iterable, Mapping, NamedTuple, Sequence

from checker.check import Record
from checker.report.faults import Band
from checker.report.marks import Mark
from histories import Call

WIDTH_IN, HEIGHT_IN = 14.0, 6.6
LEFT, RIGHT = 0.06, 0.985               # where the axes begin and end, as shares of the width
BUCKETS = 100
ACROSS = 900                            # cells on which equal points are drawn once
QUANTILES = (("p50", 50), ("p95", 95), ("p99", 99))
INK, SOFT, RULE = "#010101", "#020202", "#030303"
WRONG, PAPER = "#010304", "#010205"
DOT = "."
OUTCOMES = {"ok": ("#010201", DOT), "fail": ("#010202", "x"), "info": ("#010203", "^")}
COLOURS = {
    INK: "--ink", SOFT: "--soft", RULE: "--rule", "#010201": "--link", "#010202": "--soft",
    "#010203": "--info", "#010301": "--p50", "#010302": "--p95", "#010303": "--p99",
    WRONG: "--bad", PAPER: "--paper", **{f"#01040{number}": f"--f{number}" for number in range(5)},
}
STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "report", "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"], "font.size": 9, "text.color": INK,
    "axes.edgecolor": RULE, "axes.labelcolor": INK, "xtick.color": SOFT, "ytick.color": SOFT,
    "axes.grid": True, "grid.color": RULE, "grid.linewidth": 0.5, "legend.frameon": False,
    "path.simplify": False, "axes.spines.top": False, "axes.spines.right": False,
}
MISSING = ("There are no plots: they take matplotlib, which is not installed here "
           "(pip install 'double-eleven[report]').")
SECOND = 1e9


class Plots(NamedTuple):
    """The picture, or "" and why there is none; where on its width the time axis lies."""

    svg: str
    note: str
    left: float = LEFT
    right: float = RIGHT


UNTIMED = Plots("", "There are no plots: this history has no times.")


def plots(record: Record, faults: Sequence[Band], marked: Sequence[Mark]) -> Plots:
    """The plots of a record; without calls or without matplotlib, a line that says so."""
    calls = record.history.calls()
    if not calls:
        return Plots("", "There are no plots: this history has no calls.")
    logging.getLogger("matplotlib").setLevel(logging.ERROR)     # it tells when it caches fonts
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        return Plots("", MISSING)
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        style: Any = matplotlib.rcParams
        style.update(STYLE)
        return Plots(_draw(Figure, record, calls, faults, marked), "")


def _draw(
    figure: Any, record: Record, calls: Sequence[Call], faults: Sequence[Band],
    marked: Sequence[Mark]
) -> str:
    lags = [(event.time, event.data["lag_ns"]) for event in record.trace.of("ack")
            if "lag_ns" in event.data]
    end_ns = max([op.time for op in record.history] + [event.time for event in record.trace] + [1])
    rows = 3 if lags else 2
    drawn = figure(figsize=(WIDTH_IN, HEIGHT_IN * rows / 3))
    axes = drawn.subplots(rows, 1, sharex=True,
                          gridspec_kw={"height_ratios": [2, 1, 1][:rows], "hspace": 0.12})
    drawn.subplots_adjust(left=LEFT, right=RIGHT, top=0.97, bottom=0.24 / rows)
    _latency(axes[0], calls, end_ns)
    _rate(axes[1], calls, end_ns)
    if lags:
        _lag(axes[2], lags, end_ns)
    _bands(axes, faults, marked, end_ns)
    axes[-1].set_xlabel("time in the run (s)")
    axes[-1].set_xlim(0, end_ns / SECOND)
    return themed(drawn)


def themed(drawn: Any) -> str:
    """The figure as an SVG element whose colours are the page's."""
    buffer = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")     # a letter unknown here is measured wrong, no more
        drawn.savefig(buffer, format="svg", transparent=True,
                      metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = buffer.getvalue()
    svg = re.sub(r"<[^>]+>", lambda tag: re.sub(r"(\d+\.\d)\d+", r"\1", tag[0]),
                 svg[svg.index("<svg"):])
    svg = re.sub(r'(<use [^>]*y="[\d.]+") style="[^"]*"', r"\1", svg)
    return re.sub(r"#0[1][0-9a-f]{4}|#020202|#030303",
                  lambda match: f"var({COLOURS.get(match[0], '--ink')})", svg)


def _bands(axes: Any, faults: Sequence[Band], marked: Sequence[Mark], end_ns: int) -> None:
    families = list(dict.fromkeys(band.family for band in faults))
    for each in axes:
        for band in faults:
            colour = f"#01040{families.index(band.family) % 5}"
            if band.end_ns == band.start_ns:
                each.axvline(band.start_ns / SECOND, color=colour, linewidth=1)
            else:
                each.axvspan(band.start_ns / SECOND, (band.end_ns or end_ns) / SECOND,
                             color=colour, alpha=0.16, linewidth=0)
        times = sorted({mark.time_ns / SECOND for mark in marked if mark.op is not None})
        each.plot([at for time_s in times for at in (time_s, time_s, math.nan)],
                  [0, 1, math.nan] * len(times), transform=each.get_xaxis_transform(),
                  color=WRONG, linewidth=0.8, linestyle=(0, (4, 2)))


def _bucket(time_ns: int, end_ns: int) -> int:
    return min(BUCKETS - 1, time_ns * BUCKETS // end_ns)


def _middle(bucket: int, end_ns: int) -> float:
    return (2 * bucket + 1) * end_ns / (2 * BUCKETS) / SECOND


def quantile(ordered: Sequence[int], percent: int) -> int:
    """The smallest of the ordered values that so many percent do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _latency(axis: Any, calls: Iterable[Call], end_ns: int) -> None:
    ended = [call for call in calls if call.end_ns >= call.start_ns]
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter("{x:g}")
    axis.minorticks_off()
    axis.set_ylabel("latency (ms)")
    for outcome, (colour, marker) in OUTCOMES.items():
        spots = {_spot(call, end_ns): call for call in ended if call.outcome == outcome}
        points = [(call.start_ns / SECOND, max(1, call.end_ns - call.start_ns) / 1e6)
                  for call in spots.values()]
        if marker == DOT:
            _dots(axis, points, color=colour)
            points = []
        axis.plot([x for x, _ in points], [y for _, y in points], marker, color=colour,
                  markersize=3, linestyle="", label=outcome)
    buckets: dict[int, list[int]] = {}
    for call in ended:
        buckets.setdefault(_bucket(call.start_ns, end_ns), []).append(call.end_ns - call.start_ns)
    for number, (name, percent) in enumerate(QUANTILES, 1):
        _line(axis, buckets, percent, end_ns, color=f"#01030{number}", label=name,
              linestyle=("-", "--", ":")[number - 1])
    axis.legend(loc="upper right", ncols=6, fontsize=8)


def _dots(axis: Any, points: Sequence[tuple[float, float]], *, color: str) -> None:
    """Points as the round ends of lines without a length: one element of the picture, not many.

    Thousands of elements take a browser longer than all the rest of the page.
    """
    gap = math.nan
    axis.plot([each for x, _ in points for each in (x, x, gap)],
              [each for _, y in points for each in (y, y, gap)],
              color=color, linewidth=1.9, solid_capstyle="round")


def _spot(call: Call, end_ns: int) -> tuple[int, int, int]:
    """The cell of the picture that a call's point falls on, an eighth of a doubling high."""
    took = max(1, call.end_ns - call.start_ns)
    octave = took.bit_length() - 1
    return call.start_ns * ACROSS // end_ns, octave, took * 8 >> octave


def _line(
    axis: Any, buckets: Mapping[int, Sequence[int]], percent: int, end_ns: int, **style: str
) -> None:
    """A quantile of each bucket in ms; the line has a gap where there was nothing."""
    axis.plot([_middle(bucket, end_ns) for bucket in range(BUCKETS)],
              [max(1, quantile(sorted(buckets[bucket]), percent)) / 1e6 if bucket in buckets
               else math.nan for bucket in range(BUCKETS)],
              linewidth=1.2, marker=".", markersize=2.5, **style)


def _rate(axis: Any, calls: Iterable[Call], end_ns: int) -> None:
    axis.set_ylabel("operations a second")
    width_s = end_ns / BUCKETS / SECOND
    for outcome, style in zip(OUTCOMES, ("-", "--", ":")):
        counts = [0] * BUCKETS
        for call in calls:
            if call.outcome == outcome:
                counts[_bucket(call.start_ns, end_ns)] += 1
        axis.plot([_middle(bucket, end_ns) for bucket in range(BUCKETS)],
                  [count / width_s for count in counts], color=OUTCOMES[outcome][0],
                  linewidth=1.2, linestyle=style, label=outcome)
    axis.set_ylim(0, 1.3 * axis.get_ylim()[1])      # room for the legend
    axis.legend(loc="upper right", ncols=3, fontsize=8)


def _lag(axis: Any, lags: Iterable[tuple[int, int]], end_ns: int) -> None:
    """The backup's lag, as the primary learns it: the worst and the median of each bucket."""
    axis.set_ylabel("lag (ms)")
    buckets: dict[int, list[int]] = {}
    for time_ns, lag_ns in lags:
        buckets.setdefault(_bucket(time_ns, end_ns), []).append(lag_ns)
    for name, percent, colour, style in (("median", 50, "#010301", "-"),
                                         ("worst", 100, "#010303", ":")):
        _line(axis, buckets, percent, end_ns, color=colour, linestyle=style, label=name)
    axis.set_ylim(0, 1.3 * axis.get_ylim()[1])
    axis.legend(loc="upper right", ncols=2, fontsize=8)
