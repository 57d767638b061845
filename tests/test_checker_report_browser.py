"""The page in Chromium: what is wrong is seen at once, and click, filter and keys work.

Skipped, with the reason, where there is no Chromium or no Playwright.  Nothing here is timed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from harness.page import write_run_page
from harness.run import run
from harness.test import Test
from histories.store import PAGE

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
FAILING = Test(nemesis=("crash", "log-loss"), bugs=("no-output-rule",), time_limit_s=5)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One headless Chromium for all tests."""
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of the first run in which clients saw a double eleven."""
    runs = (run(replace(FAILING, seed=seed), tmp_path_factory.mktemp("store"))
            for seed in range(1, 50))
    outcome = next(each for each in runs if each.verdict.parts["linearizable"].valid is False)
    line = write_run_page(outcome.path, outcome.record, outcome.verdict, outcome.explanation)
    assert line == f"page: {outcome.path / PAGE}"
    return f"file://{outcome.path / PAGE}"


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page, opened; whatever it says on the console or asks for is an error."""
    opened = browser.new_page(viewport={"width": 1400, "height": 1000}, color_scheme="light")
    said: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda each: asked.append(each.url.split("#")[0]))
    opened.goto(address)
    yield opened
    opened.close()
    assert said == []
    assert set(asked) == {address}


def test_what_may_still_happen_has_a_tail(page: Any) -> None:
    """Calls that timed out do not end there."""
    page.keyboard.press("0")
    page.wait_for_selector("#diagram .tail")


def selected(page: Any) -> str:
    """The heading of what is told in detail."""
    return str(page.locator("#detail h3").inner_text())


def test_the_offending_operations_are_seen_without_hovering(page: Any) -> None:
    """The two elevens have flags with their words, in the view that the page opens with."""
    flags = page.locator("#diagram .flag.bad .flag-words").all_text_contents()
    assert len(flags) == 2 and all(flag.startswith("✗ op ") for flag in flags)
    assert len({flag.split(": ")[1] for flag in flags}) == 1, "both got the same answer"
    for flag in page.locator("#diagram .flag.bad").all():
        assert flag.is_visible()
    assert page.locator("#diagram .fault-name").count() >= 2
    assert page.locator("#diagram .arrow.stub").count() > 0
    assert "went live" in page.locator(".steps").inner_text()


def test_a_click_tells_the_life_of_an_operation(page: Any) -> None:
    """Log entry, instruction and guest function; the entry never acknowledged."""
    ops = [int(flag.get_attribute("data-op")) for flag in page.locator("#diagram .flag.bad").all()]
    page.locator(f"#diagram .flag[data-op='{min(ops)}']").click()
    told = page.locator("#detail").inner_text()
    assert "no other machine acknowledged the answer's entry" in told
    assert "instruction" in told and "guest+0x" in told and "entry" in told
    page.locator(".steps li.mark").last.click()
    assert selected(page) != told.splitlines()[0]


def status_begins(page: Any, words: str) -> None:
    """Wait until the line above the diagram begins like this."""
    page.wait_for_function(
        "words => document.getElementById('status').textContent.startsWith(words)", arg=words)


def at_error(page: Any, number: int) -> str:
    """Wait until this error is shown; its heading."""
    page.wait_for_function(
        "words => document.getElementById('status').textContent.includes(words)",
        arg=f"error {number} of ")
    return selected(page)


def test_keys_step_from_error_to_error(page: Any) -> None:
    """Forward, and back to where one was; 0 shows the whole run, f the failure."""
    opened = page.locator("#status").inner_text().split(" · ")[0]
    page.keyboard.press("n")
    first = at_error(page, 1)
    page.keyboard.press("n")
    second = at_error(page, 2)
    page.keyboard.press("p")
    assert at_error(page, 1) == first != second
    page.keyboard.press("0")
    status_begins(page, "0.000000 s to ")
    page.keyboard.press("f")
    status_begins(page, opened)


def test_the_filter_lists_what_matches_and_dims_the_rest(page: Any) -> None:
    """By kind, process, outcome and text; keys typed there are text."""
    page.select_option("#filter-kind", "read")
    listed = page.locator("#matches li")
    assert listed.count() > 0
    assert all(": read" in line for line in listed.all_inner_texts())
    page.keyboard.press("0")
    page.wait_for_selector("#diagram .call.dim")
    page.locator("#matches li a").first.click()
    assert selected(page).split(": ")[1].startswith("read")
    page.select_option("#filter-kind", "")
    page.fill("#filter-process", "3")
    assert all("process 3:" in line for line in listed.all_inner_texts())
    page.fill("#filter-process", "")
    page.select_option("#filter-outcome", "errors")
    assert listed.count() >= 2
    page.keyboard.press("/")
    page.fill("#filter-text", "nothing says n")
    assert listed.count() == 0 and "0 of" in page.locator("#matches").inner_text()


@pytest.mark.slow
def test_an_address_names_an_operation(page: Any, address: str) -> None:
    """A link to an op shows it, also from the paragraph."""
    page.locator("pre.said a").nth(1).click()
    words = page.locator("pre.said a").nth(1).inner_text()
    page.wait_for_function(
        f"() => document.querySelector('#detail h3').textContent.startsWith('{words}')")
    assert page.url == f"{address}#{words.replace(' ', '-')}"


@pytest.mark.slow
def test_the_plots_share_the_diagrams_time(page: Any) -> None:
    """Their frame is what the diagram shows; a click on them moves it there."""
    frame = page.locator("#window")
    before = frame.bounding_box()
    box = page.locator(".plots").bounding_box()
    page.locator(".plots").click(position={"x": box["width"] * 0.9, "y": 30})
    page.wait_for_function("() => document.getElementById('window').getBoundingClientRect().x > "
                           f"{before['x'] + 100}")


@pytest.mark.slow
def test_it_reads_in_the_dark(page: Any) -> None:
    """The same page with other colours, the plots' among them."""
    def colours() -> list[str]:
        return [str(page.evaluate(f"getComputedStyle(document.querySelector('{what}')).{how}"))
                for what, how in (("body", "backgroundColor"), (".lane-name", "fill"),
                                  (".plots text", "fill"), (".flag.bad rect", "stroke"))]
    light = colours()
    page.emulate_media(color_scheme="dark")
    assert all(one != other for one, other in zip(light, colours()))


@pytest.mark.slow
def test_it_reads_on_paper(page: Any) -> None:
    """What can only be used on a screen is not printed; what is wrong is."""
    page.emulate_media(media="print")
    assert not page.locator(".tools").first.is_visible()
    assert page.locator("#diagram .flag.bad").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
