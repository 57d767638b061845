"""The page in Chromium: what is wrong is seen at once, and click, filter and keys work.

Skipped, with the reason, where there is no Chromium or no Playwright.  Nothing here is timed.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_trace import Record, boot, event

from checker import Verdict, linearizable, models
from checker.check import merge
from checker.explain import explain
from checker.report.page import render
from harness.page import write_run_page
from harness.run import run
from harness.test import Test
from histories import Event, History, Op, Trace
from histories.store import PAGE

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
FAILING = Test(nemesis=("crash", "log-loss"), bugs=("no-output-rule",), rate_hz=20, time_limit_s=3)
TRIED = range(65, 115)      # seeds, until clients see a double eleven
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
CLEAR = """() => {
  document.querySelectorAll("#filters input, #filters select").forEach((field) => {
    field.value = "";
    field.blur();
  });
  document.getElementById("filters").dispatchEvent(new Event("input"));
}"""


class Shown:
    """One page in the browser, with what it said on the console and what it asked for."""

    def __init__(self, browser: Any, address: str) -> None:
        self.address = address
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page = browser.new_page(viewport={"width": 1400, "height": 1000},
                                     color_scheme="light")
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda each: self.asked.append(each.url.split("#")[0]))
        self.page.goto(address)

    def check(self) -> None:
        """Whatever it said or asked for is an error."""
        assert self.said == []
        assert set(self.asked) == {self.address}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One headless Chromium for all tests."""
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a run in which clients saw a double eleven."""
    runs = (run(replace(FAILING, seed=seed), tmp_path_factory.mktemp("store")) for seed in TRIED)
    outcome = next(each for each in runs if each.verdict.parts["linearizable"].valid is False)
    line = write_run_page(outcome.path, outcome.record, outcome.verdict, outcome.explanation)
    assert line == f"page: {outcome.path / PAGE}"
    return f"file://{outcome.path / PAGE}"


@pytest.fixture(scope="module")
def shown(browser: Any, address: str) -> Iterator[Shown]:
    """That page, opened once for all tests: opening it takes longer than a test."""
    shown = Shown(browser, address)
    yield shown
    shown.page.close()


@pytest.fixture
def page(shown: Shown) -> Iterator[Any]:
    """That page as it was opened: nothing filtered, the failure in view, its last op selected."""
    yield shown.page
    shown.check()
    shown.page.emulate_media(media="screen", color_scheme="light")
    shown.page.evaluate(CLEAR)
    shown.page.evaluate("window.scrollTo(0, 0)")
    shown.page.keyboard.press("Escape")
    shown.page.locator(".steps li.mark").last.click()
    shown.page.keyboard.press("f")
    shown.page.evaluate(DRAWN)


def drawn(browser: Any, tmp_path: Path, ops: list[Op], events: list[Event] | None = None,
          **verdicts: Verdict) -> Shown:
    """The page of a small record, in the same browser."""
    record = Record({"name": "small"}, History(ops), Trace(events or []))
    verdict = merge(verdicts)
    file = tmp_path / "small.html"
    file.write_text(render(record, verdict, explain(record, verdict)), encoding="utf-8")
    return Shown(browser, f"file://{file}")


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


def test_a_click_shows_registers_or_the_command_for_them(page: Any) -> None:
    """Both machines', or those of the one that got there; elsewhere what to paste."""
    lost, answered = sorted(int(flag.get_attribute("data-op"))
                            for flag in page.locator("#diagram .flag.bad").all())
    page.locator(f"#diagram .flag[data-op='{lost}']").click()
    summaries = page.locator("#detail .there summary").all_inner_texts()
    assert len(summaries) == 2 and all("only n1 got there" in line for line in summaries)
    page.locator(f"#diagram .flag[data-op='{answered}']").click()
    summaries = page.locator("#detail .there summary").all_inner_texts()
    assert summaries and all("the same on n2 and n3" in line for line in summaries)
    shown = page.locator("#detail .registers").first.inner_text().split()
    assert shown[0].startswith("rax") and any(word.startswith("rip0x") for word in shown)
    button = page.locator("#detail .command button").first
    assert re.fullmatch(r"python -m checker step \S+ --at \d+", button.get_attribute("data-copy"))
    button.click()
    assert button.inner_text().endswith("✓")


def test_an_operation_is_found_where_it_is_drawn(page: Any) -> None:
    """Though all that are alike are one shape."""
    page.select_option("#filter-outcome", "info")
    page.locator("#matches li a").first.click()
    wanted = selected(page)
    box = page.locator("#diagram .call.selected").bounding_box()
    page.keyboard.press("Escape")
    page.wait_for_selector("#diagram .call.selected", state="detached")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert selected(page) == wanted


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


def test_nothing_that_is_named_covers_another(page: Any) -> None:
    """The flags of a lane, and the numbers of the steps."""
    def boxes(what: str) -> list[tuple[float, float, float, float]]:
        return [(each["x"], each["y"], each["right"], each["bottom"]) for each in page.evaluate(
            f"[...document.querySelectorAll('{what}')].map((each) => "
            "each.getBoundingClientRect().toJSON())")]
    for what in ("#diagram .flag-back", "#diagram .moment circle"):
        found = boxes(what)
        assert len(found) > 1
        for one, (x1, y1, right1, bottom1) in enumerate(found):
            for x2, y2, right2, bottom2 in found[:one]:
                assert right1 <= x2 or right2 <= x1 or bottom1 <= y2 or bottom2 <= y1


def listed(page: Any) -> list[str]:
    """The operations that match the filter."""
    return [str(line) for line in page.locator("#matches li").all_inner_texts()]


def test_the_filter_lists_what_matches_and_dims_the_rest(page: Any) -> None:
    """By kind, process, outcome and text; keys typed there are text."""
    page.select_option("#filter-kind", "read")
    found = listed(page)
    assert found and all(": read" in line for line in found)
    page.keyboard.press("0")
    page.wait_for_selector("#diagram .call.dim")
    page.locator("#matches li a").first.click()
    assert selected(page).split(": ")[1].startswith("read")
    page.select_option("#filter-kind", "")
    page.fill("#filter-process", "3")
    assert all("process 3:" in line for line in listed(page))
    page.fill("#filter-process", "")
    page.select_option("#filter-outcome", "errors")
    assert len(listed(page)) >= 2
    page.keyboard.press("/")
    page.fill("#filter-text", "nothing says n")
    assert listed(page) == [] and "0 of" in page.locator("#matches").inner_text()


def inc(process: int, start_ms: int, end_ms: int, value: int) -> list[Op]:
    """An increment that was answered."""
    return [Op(process, "invoke", "inc", None, start_ms * 1_000_000, 0),
            Op(process, "ok", "inc", value, end_ms * 1_000_000, 0)]


def numbered(ops: list[Op]) -> list[Op]:
    """Ops with the positions that they have."""
    return [op._replace(index=index) for index, op in enumerate(ops)]


@pytest.mark.slow
def test_two_checks_that_object_to_one_operation_are_one_error(
    browser: Any, tmp_path: Path
) -> None:
    """And what they object to on a machine is marked there, and told when it is clicked."""
    ops = numbered([*inc(0, 1, 2, 1), *inc(0, 3, 4, 3)])
    shown = drawn(browser, tmp_path, ops, boot("primary", "backup"),
                  linearizable=linearizable(History(ops), models.counter),
                  other=Verdict(valid=False, why="no", evidence={"op": 2}),
                  third=Verdict(valid=False, why="n2 spoke", evidence={"spoke": [
                      {"time": 3_500_000, "node": "n2", "problem": "it spoke"}]}))
    assert "2 errors" in shown.page.locator("#status").inner_text()
    shown.page.locator("#diagram .objection").click()
    assert "third: n2 spoke" in shown.page.locator("#detail").inner_text()
    shown.check()
    shown.page.close()


@pytest.mark.slow
def test_hundreds_of_clients_have_lanes_that_can_be_read(browser: Any, tmp_path: Path) -> None:
    """The diagram stays as tall as a page, and the names of lanes do not overlap."""
    ops = numbered([*(inc(client, 1, 2, 1)[0] for client in range(300)),
                    *(inc(client, 1, 2, 1)[1] for client in range(300))])
    shown = drawn(browser, tmp_path, ops, check=Verdict(valid=True, why=""))
    assert shown.page.locator("#diagram").bounding_box()["height"] < 2500
    tops = sorted(each["y"] for each in (
        name.bounding_box() for name in shown.page.locator("#diagram .lane-name").all()))
    assert len(tops) > 50 and all(two - one > 9 for one, two in zip(tops, tops[1:]))
    shown.check()
    shown.page.close()


@pytest.mark.slow
def test_a_vacuous_run_shows_where_nothing_met(browser: Any, tmp_path: Path) -> None:
    """The whole run is in view, with the moments at which a fault met nothing."""
    ops = numbered([*inc(0, 1, 2, 1), *inc(0, 900, 901, 2)])
    shown = drawn(browser, tmp_path, ops, [*boot("primary", "backup"), event(500, "n1", "crash")],
                  vacuity=Verdict(valid=None, why="1 fault met nothing", evidence={"missed": [
                      {"time": 500_000_000, "problem": "crash met no open operation"}]}))
    assert shown.page.locator("#status").inner_text().startswith("0.000000 s to 0.9")
    assert "vacuity: crash met no" in shown.page.locator(".steps li.mark").inner_text()
    assert "? vacuity" in shown.page.locator("#detail").inner_text()
    shown.check()
    shown.page.close()


@pytest.mark.parametrize("began_ns", [0, 1_700_000_000_000_000_000])
def test_whatever_a_clock_counts_the_failure_is_in_view(
    began_ns: int, browser: Any, tmp_path: Path
) -> None:
    """A history of some ticks, also since 1970, opens at what is wrong and is never left behind."""
    ops = numbered([op._replace(time=began_ns + op.time // 1_000_000) for op in (
        *inc(0, 10, 20, 1), *inc(1, 30, 40, 1))])
    shown = drawn(browser, tmp_path, ops, linearizable=linearizable(
        History(ops), models.counter))
    for key in ("f", "0", *["ArrowRight"] * 9, "-"):
        shown.page.keyboard.press(key)
        shown.page.evaluate(DRAWN)
        assert shown.page.locator("#diagram .flag.bad").count() == 2, key
    lefts = [each.bounding_box()["x"] for each in shown.page.locator("#diagram .flag.bad").all()]
    assert max(lefts) - min(lefts) > 200
    shown.check()
    shown.page.close()


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
