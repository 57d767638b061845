"""The pictures in the documentation: pages of the tutorial's run, and of a stale read, in Chromium.

`python -m bench.pictures` writes docs/pictures/*.png.  It takes the `test` extra and a Chromium.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, Mapping

from checker import linearizable, models
from checker.check import Recorded, merge
from checker.explain import explain
from checker.report.page import render
from harness.page import write_run_page
from harness.run import run
from harness.test import Test
from histories import History, Op, Trace, UsageError
from histories.store import PAGE

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
FAILING = Test(nemesis=("crash", "log-loss"), bugs=("no-output-rule",), seed=65, rate_hz=20,
               time_limit_s=3)
PARTS = {"diagram": "#happened .stage", "operation": "#detail", "orders": "#orders"}
# Process, call, value, and times: somebody reads what another write has replaced.
STALE = ((0, "write", 1, 1, 4), (1, "write", 2, 2, 6), (2, "read", 1, 5, 7), (0, "read", 2, 8, 9),
         (1, "read", 1, 10, 12))
WIDTH, HEIGHT = 1200, 900       # pixels


def main() -> None:
    """Run the test and draw its page."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(FAILING, Path(folder))
        write_run_page(outcome.path, outcome.record, outcome.verdict, outcome.explanation)
        draw(outcome.path / PAGE, PARTS)
        draw(stale(Path(folder)), {"graph": "#orders .beside"})


def stale(folder: Path) -> Path:
    """The page about a history in which a register's reader falls back."""
    ops = [Op(process, "invoke", f, value if f == "write" else None, start)
           for process, f, value, start, _ in STALE]
    ops += [Op(process, "ok", f, value, end) for process, f, value, _, end in STALE]
    history = History(sorted(ops, key=lambda op: op.time))
    record = Recorded({"name": "a stale read"}, history, Trace())
    verdict = merge({"linearizable": linearizable(history, models.register)})
    page = folder / "stale.html"
    page.write_text(render(record, verdict, explain(record, verdict)), encoding="utf-8")
    return page


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium of this machine, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise UsageError("there is no chromium in PATH")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def draw(page: Path, parts: Mapping[str, str]) -> None:
    """A picture for each part of a page, as it stands when it has been opened."""
    PICTURES.mkdir(exist_ok=True)
    with chromium() as browser:
        opened = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT},
                                  color_scheme="light")
        opened.goto(f"file://{page}")
        for name, part in parts.items():
            path = PICTURES / f"{name}.png"
            opened.locator(part).screenshot(path=path)
            print(f"{path}: {path.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
