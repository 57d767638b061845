"""The pictures in the documentation: the page of the tutorial's run, as Chromium draws it.

`python -m bench.pictures` writes docs/pictures/*.png.  It takes the `test` extra and a Chromium.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

from harness.page import write_run_page
from harness.run import run
from harness.test import Test
from histories import UsageError
from histories.store import PAGE

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
FAILING = Test(nemesis=("crash", "log-loss"), bugs=("no-output-rule",), seed=65, rate_hz=20,
               time_limit_s=3)
PARTS = {"diagram": "#happened .stage", "operation": "#detail", "orders": "#orders"}
WIDTH, HEIGHT = 1200, 900       # pixels


def main() -> None:
    """Run the test and draw its page."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(FAILING, Path(folder))
        write_run_page(outcome.path, outcome.record, outcome.verdict, outcome.explanation)
        draw(outcome.path / PAGE)


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


def draw(page: Path) -> None:
    """A picture for each part of the page, as it stands when it has been opened."""
    PICTURES.mkdir(exist_ok=True)
    with chromium() as browser:
        opened = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT},
                                  color_scheme="light")
        opened.goto(f"file://{page}")
        for name, part in PARTS.items():
            path = PICTURES / f"{name}.png"
            opened.locator(part).screenshot(path=path)
            print(f"{path}: {path.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
