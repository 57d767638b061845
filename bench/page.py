"""How fast the page of a long run is: made by us, opened and used in headless Chromium.

`python -m bench.page` makes pages of synthetic runs and opens each several times; it takes the
`test` extra and a Chromium.  Times are medians in ms; that of opening has the driver's part in it.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.pictures import chromium
from bench.table import line
from checker import linearizable, models
from checker.check import Recorded, merge
from checker.explain import explain
from checker.report.page import render
from histories import Event, History, Op, Trace

SIZES = (10_000, 100_000)
TIMES = 9
MS = 1_000_000
# What a reader does, and how long it takes, in ms, until what comes of it has been painted.
ACTS = (
    """const flag = document.querySelector("#diagram .flag"), box = flag.getBoundingClientRect();
    for (const kind of ["pointerdown", "pointerup"]) flag.dispatchEvent(new PointerEvent(kind,
      { bubbles: true, clientX: box.x + 2, clientY: box.y + 2 }));""",
    """document.body.dispatchEvent(
      new KeyboardEvent("keydown", { key: "0", bubbles: true }));""",
    """const field = document.getElementById("filter-text"); field.value = "-> 49";
    field.dispatchEvent(new Event("input", { bubbles: true }));""")
PAINTED = """() => new Promise((done) => {
  const began = performance.now(), channel = new MessageChannel();
  channel.port1.onmessage = () => done(performance.now() - began);
  %s
  requestAnimationFrame(() => channel.port2.postMessage(0));
})"""
ENTRY = "performance.getEntriesByType('{}')[0].{}"
COLUMNS = ("operations", "made", "MB", "first paint", "load event", "opened", "click",
           "whole run", "filter")
WIDTHS = tuple(len(column) + 2 for column in COLUMNS)


def long_record(count: int) -> Recorded:
    """So many increments of ten clients, one answer wrong, and six events an operation."""
    ops: list[Op] = []
    events: list[Event] = []
    for number in range(count):
        start, index = number * MS, 2 * number
        process, answer = number % 10, number + 1 - (number == count // 2)
        ops += [Op(process, "invoke", "inc", None, start, index),
                Op(process, "ok", "inc", answer, start + 900_123, index + 1)]
        events += _events(number)
    return Recorded({"name": "long"}, History(ops), Trace(events))


def _events(number: int) -> list[Event]:
    """What the machines did about one operation."""
    start, seq, at = number * MS, 2 * number + 2, 41 * number
    both = {"generation": 1, "device": "nic", "request": 2 * number}
    return [Event(start + late_ns, node, kind, data) for late_ns, node, kind, data in (
        (98_765, "n1", "log", {"entry": "input", "seq": seq - 1, "at": at, **both}),
        (101_234, "n1", "log", {"entry": "output", "seq": seq, "at": at + 31, "pc": 4462,
                                "generation": 1}),
        (101_234, "n1", "output", {"seq": seq, "at": at + 31, "number": number,
                                   "crc": 2_654_435_761 * number % 2**32, **both}),
        (204_321, "n2", "acknowledge", {"received": seq, "generation": 1}),
        (311_987, "n1", "ack", {"received": seq, "lag_ns": 210_753, "generation": 1}),
        (312_345, "n1", "release", {"seq": seq, "number": number, "again": False,
                                    "acknowledged": seq, **both}))]


def main() -> None:
    """A line for each size."""
    print(line(COLUMNS, WIDTHS))
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        for count in SIZES:
            record = long_record(count)
            verdict = merge({"linearizable": linearizable(record.history, models.counter)})
            explanation = explain(record, verdict)
            began_s = time.process_time()
            text = render(record, verdict, explanation)
            made_s = time.process_time() - began_s
            file = Path(folder) / f"{count}.html"
            file.write_text(text, encoding="utf-8")
            figures = [used(browser, f"file://{file}") for _ in range(TIMES)]
            print(line([f"{count:,}", f"{made_s:.1f} s", f"{file.stat().st_size / 1e6:.1f}",
                        *(f"{median(each):.0f}" for each in zip(*figures))], WIDTHS))


def used(browser: Any, address: str) -> list[float]:
    """Open a page and use it once; ms until the first paint, the load event and so on."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    began_s = time.monotonic()
    page.goto(address)
    page.evaluate(PAINTED % "")
    opened_ms = 1000 * (time.monotonic() - began_s)
    times = [page.evaluate(ENTRY.format("paint", "startTime")),
             page.evaluate(ENTRY.format("navigation", "loadEventEnd")), opened_ms,
             *(page.evaluate(PAINTED % act) for act in ACTS)]
    page.close()
    return times


if __name__ == "__main__":
    main()
