"""The HTML report in a real browser: bars, filter, keyboard, light and dark, print."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any

import pytest
from strategies import read, step, turn

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.execution.prompt import prompt
from otel_parallelism.model import Analysis, Caller, Coverage, Report
from otel_parallelism.reports.html import render_html
from otel_parallelism.settings import Settings

from .browsing import CHROMIUM, FLAGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (dependency group browser)")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path (apt-get install chromium)")

HOSTILE = "</script><img src=x onerror=alert(1)>"
PIXELS = 1.5
READABLE = 4.5


def one_at_a_time() -> Report:
    """A turn whose model asks for four reads one after another; one of them makes two calls inside."""
    made: list[Any] = []
    for at, tool in enumerate(("get_weather", "find_hotel", "find_train", "find_museum")):
        made += [
            step(f"s{at}", 2.0 * at, 2.0 * at + 0.9, requested=(f"id{at}",), input_tokens=900),
            read(f"c{at}", 2.0 * at + 1, 2.0 * at + 1.8, tool=tool, call_id=f"id{at}", error=at == 2),
        ]
    made += [read(f"i{at}", 1.0 + 0.4 * at, 1.4 + 0.4 * at, tool="ask", parent_id="c0", scope="c0") for at in (0, 1)]
    return analyze(turn(*made, agent="trip planner"), Settings())


def in_code() -> Report:
    """A turn of two reads that code awaits one by one at a known line."""
    where = Caller("agent.py", 31)
    return analyze(turn(*(read(f"c{at}", at, at + 1, caller=where) for at in (0, 1)), agent="coder"), Settings())


def together(agent: str = "market research", calls: int = 5) -> Report:
    ids = tuple(f"id{at}" for at in range(calls))
    asked = step("s", 0, 1, requested=ids)
    made = [read(f"c{at}", 1, 2 + at / calls, tool=f"get_{at % 7}", call_id=ids[at]) for at in range(calls)]
    return analyze(turn(asked, *made, agent=agent), Settings())


def in_need() -> Report:
    tools = [f"stage_{at}" for at in range(4)]
    made = [read(f"c{at}", at, at + 1, tool=tool, depends_on=tuple(tools[:at][-1:])) for at, tool in enumerate(tools)]
    return analyze(turn(*made, agent="checkout"), Settings())


def dispatched(calls: int) -> Report:
    ids = tuple(f"id{at}" for at in range(calls))
    asked = step("s", 0, 1, requested=ids)
    made = [read(f"c{at}", 1 + at, 1.98 + at, tool=f"get_{at % 7}", call_id=ids[at]) for at in range(calls)]
    return analyze(turn(asked, *made, agent="bulk importer"), Settings())


class Browser:
    """Opens pages of reports, and keeps all that a page logs, throws or requests."""

    def __init__(self, context: BrowserContext, folder: Path) -> None:
        self._context = context
        self._folder = folder
        self.complaints: list[str] = []

    def open(self, *reports: Report, width: int = 1440, height: int = 900, **media: Any) -> Page:
        path = self._folder / "report.html"
        calls = sum(len(report.turn.calls) for report in reports)
        path.write_text(render_html(Analysis(reports, Coverage(calls=calls, spans=9)), prompt=prompt), encoding="utf-8")
        page = self._context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(**media)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.on("request", lambda request: self._requested(request.url, path))
        page.goto(path.as_uri())
        page.evaluate("localStorage.clear()")
        return page

    def _requested(self, url: str, path: Path) -> None:
        if not url.startswith((path.as_uri(), "data:")):
            self.complaints.append(url)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    profile = tmp_path_factory.mktemp("profile")
    with (
        playwright.sync_playwright() as started,
        started.chromium.launch_persistent_context(profile, executable_path=CHROMIUM, args=list(FLAGS)) as opened,
    ):
        yield opened


@pytest.fixture
def browser(context: BrowserContext, tmp_path: Path) -> Iterator[Browser]:
    """After every test: the page has logged no error, shown no raw value, and made no request."""
    made = Browser(context, tmp_path)
    yield made
    for page in context.pages[1:]:
        said = page.evaluate(
            "document.body.innerText + [...document.querySelectorAll('[aria-label]')].map(e => e.ariaLabel)"
        )
        assert re.search(r"\b(undefined|null|NaN|Infinity|false|true)\b|\[object", said) is None
        page.close()
    assert made.complaints == []


BOXES = """async () => {
  // What a change of width sets off has been drawn by the frame after the next.
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const view = document.querySelector("svg.timeline");
  const ends = (element) => (({ left, right }) => [left, right])(element.getBoundingClientRect());
  const bars = (kind) => [...view.querySelectorAll(`g.${kind}`)]
    .sort((a, b) => a.dataset.call - b.dataset.call || 0).map((bar) => ends(bar.querySelector(".bar")));
  const [plot, saved] = [view.querySelector(".plot"), view.querySelector(".saved")];
  const boxes = { plot: [ends(plot)], saved: saved ? [ends(saved)] : [] };
  return { ...boxes, step: bars("step"), real: bars("real"), plan: bars("plan") };
}"""
"""Where what is drawn begins and ends, in pixels; calls in their order."""


def scale(drawn: dict[str, list[list[float]]], report: Report) -> Callable[[float], float]:
    """Return the function from seconds after the turn's start to pixels, as the timeline's extent says."""
    [[left, right]] = drawn["plot"]
    spans = (*report.turn.steps, *report.turn.calls)
    first_ns, last_ns = min(span.start_ns for span in spans), max(span.end_ns for span in spans)
    offset_s = (report.turn.start_ns - first_ns) / 1e9
    return lambda at_s: left + (at_s + offset_s) / ((last_ns - first_ns) / 1e9) * (right - left)


def check_bars(page: Page, report: Report) -> None:
    """Every step and call as it ran, and every call as it could have run, lies where its times say."""
    drawn = page.evaluate(BOXES)
    at = scale(drawn, report)
    origin_ns = report.turn.start_ns
    slots = {slot.span_id: (slot.start_s, slot.end_s) for slot in report.schedule}
    spans = {
        "step": [((s.start_ns - origin_ns) / 1e9, (s.end_ns - origin_ns) / 1e9) for s in report.turn.steps],
        "real": [((c.start_ns - origin_ns) / 1e9, (c.end_ns - origin_ns) / 1e9) for c in report.turn.calls],
        "plan": [slots[call.span_id] for call in report.turn.calls if slots],
    }
    for kind, times in spans.items():
        assert len(drawn[kind]) == len(times)
        for (left, right), (start_s, end_s) in zip(drawn[kind], times, strict=True):
            assert left == pytest.approx(at(start_s), abs=PIXELS), kind
            assert right == pytest.approx(at(end_s), abs=PIXELS), kind


@pytest.mark.parametrize("width", [1440, 1920, 700])
def test_bars_are_where_their_times_say(browser: Browser, width: int) -> None:
    report = one_at_a_time()
    assert report.schedule
    check_bars(browser.open(report, together(), width=width), report)


def test_bars_follow_the_windows_width_and_the_way_of_packing(browser: Browser) -> None:
    report = one_at_a_time()
    page = browser.open(report, width=1440)
    [[_, before]] = page.evaluate(BOXES)["plot"]
    page.set_viewport_size({"width": 1000, "height": 800})
    [[_, after]] = page.evaluate(BOXES)["plot"]
    assert after == pytest.approx(before - 440, abs=2 * PIXELS)
    check_bars(page, report)
    page.get_by_role("button", name="Packed by tool").click()
    check_bars(page, report)


def test_what_could_be_saved_lies_between_the_two_ends(browser: Browser) -> None:
    report = one_at_a_time()
    page = browser.open(report)
    drawn = page.evaluate(BOXES)
    at = scale(drawn, report)
    [[left, right]] = drawn["saved"]
    assert left == pytest.approx(at(max(slot.end_s for slot in report.schedule)), abs=PIXELS)
    assert right - left == pytest.approx(at(report.avoidable) - at(0), abs=2 * PIXELS)
    assert page.locator("text.tag").text_content() == f"{report.avoidable:.2f} s saved"


def test_calls_inside_a_call_stand_indented_beneath_it(browser: Browser) -> None:
    page = browser.open(one_at_a_time())
    labels = page.locator("svg.timeline text.label:not(.quiet)")
    assert labels.all_text_contents()[:4] == ["model", "get_weather", "ask", "ask"]
    boxes = [box for label in labels.all()[1:4] if (box := label.bounding_box()) is not None]
    assert boxes[1]["x"] == boxes[2]["x"] > boxes[0]["x"]
    assert boxes[0]["y"] < boxes[1]["y"] < boxes[2]["y"]


def test_the_filter_shows_the_turns_that_match(browser: Browser) -> None:
    page = browser.open(one_at_a_time(), together(), in_need(), together("second research"))
    rows = page.locator("#turns a .name")
    assert page.locator("#shown").text_content() == "4 turns"
    page.get_by_label("Filter turns").fill("research")
    assert rows.all_text_contents() == ["2 market research", "4 second research"]
    assert page.locator("#shown").text_content() == "2 of 4 turns"
    page.get_by_label("Filter turns").fill("stage_2")
    assert rows.all_text_contents() == ["3 checkout"]
    page.get_by_label("Filter turns").fill("cause:model")
    assert rows.all_text_contents() == ["1 trip planner"]
    page.get_by_label("Filter turns").fill("nothing like it")
    assert rows.count() == 0
    page.get_by_role("button", name="Show all turns").click()
    assert rows.count() == 4
    page.get_by_label("Which turns").select_option("parallel")
    assert rows.all_text_contents() == ["2 market research", "4 second research"]
    page.get_by_label("Which turns").select_option("")
    page.get_by_label("Order of turns").select_option("lost")
    assert rows.first.text_content() == "1 trip planner"


def test_a_turn_is_chosen_by_its_row_and_by_its_address(browser: Browser) -> None:
    page = browser.open(together(), one_at_a_time(), in_need())
    assert page.locator("h2").text_content() == "Turn 2 trip planner", "the one that loses most"
    page.locator("#turns a").nth(2).click()
    assert page.locator("h2").text_content() == "Turn 3 checkout"
    assert page.url.endswith("#turn-3")
    assert page.locator('#turns a[aria-current="true"]').count() == 1
    page.evaluate("location.hash = '#turn-1'")
    page.wait_for_function("document.querySelector('h2').textContent.includes('Turn 1')")


def test_everything_is_reached_by_keyboard(browser: Browser) -> None:
    page = browser.open(one_at_a_time(), together(), in_need())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    stops = []
    for _ in range(40):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("(e => e.id || e.className.baseVal || e.tagName)(document.activeElement)"))
    for earlier, later in (("theme", "query"), ("query", "which"), ("which", "order"), ("order", "A"), ("A", "DIV")):
        assert stops.index(earlier) < stops.index(later)
    assert sum(stop.startswith(("step", "call")) for stop in stops[: stops.index("SUMMARY")]) == 1, (
        "one stop for all bars"
    )
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "query"
    page.keyboard.type("r")
    page.keyboard.press("Escape")
    assert page.locator("#query").input_value() == ""
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.locator("h2").text_content() == "Turn 2 market research"
    page.keyboard.press("End")
    assert page.locator("h2").text_content() == "Turn 3 checkout"


def test_arrows_go_from_bar_to_bar_and_say_what_each_is(browser: Browser) -> None:
    page = browser.open(one_at_a_time())
    bars = page.locator("svg.timeline g[role=img]")
    bars.first.focus()
    assert page.locator("#tip").inner_text().splitlines()[0] == "Model step 1"
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    lines = page.locator("#tip").inner_text().splitlines()
    assert lines[:2] == ["get_weather", "0.80 s, from 1.00 s to 1.80 s"]
    assert "finding 1: the model asked for them one at a time" in lines
    assert page.evaluate("document.activeElement.getAttribute('aria-describedby')") == "tip"
    assert bars.nth(4).get_attribute("aria-label") == ", ".join(lines)
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()


def test_a_number_is_explained_on_hover_and_on_focus(browser: Browser) -> None:
    page = browser.open(one_at_a_time())
    number = page.locator(".numbers > div").first
    meaning = "critical path ÷ makespan; 1 = nothing to gain, the number to alert on"
    wanted = ["Efficiency", meaning, "agent.parallelism.efficiency"]
    number.hover()
    assert page.locator("#tip").inner_text().splitlines() == wanted
    page.mouse.move(1, 1)
    assert page.locator("#tip").is_hidden()
    number.focus()
    assert page.locator("#tip").inner_text().splitlines() == wanted


def test_the_prompt_is_copied(browser: Browser) -> None:
    report = one_at_a_time()
    page = browser.open(report)
    page.get_by_text("Text for the system prompt").click()
    area = page.get_by_label("Text for the system prompt")
    [finding] = [finding for finding in report.findings if finding.cause == "model"]
    assert area.input_value() == prompt([finding])
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    area.evaluate("area => { area.readOnly = false; area.value = ''; area.focus(); }")
    page.keyboard.press("Control+V")
    assert area.input_value() == prompt([finding])


def test_a_finding_says_once_where_its_fix_goes(browser: Browser) -> None:
    page = browser.open(in_code())
    [todo] = page.locator(".todo").all_text_contents()
    assert todo.count("agent.py:31") == 1


def test_a_finding_lights_up_its_calls(browser: Browser) -> None:
    page = browser.open(one_at_a_time())
    page.locator(".findings ol > li").first.hover()
    lit = page.locator("g.call:not(.dim)")
    assert {lit.nth(at).get_attribute("data-finding") for at in range(lit.count())} == {"1"}
    page.mouse.move(1, 1)
    assert page.locator("g.call.dim").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_can_both_be_read(browser: Browser, tmp_path: Path, scheme: Any) -> None:
    page = browser.open(one_at_a_time(), together(), in_need(), color_scheme=scheme)
    ground = page.evaluate(COLOUR, ["body", "backgroundColor"])
    assert (sum(ground) > 3 * 128) == (scheme == "light")
    for text in (
        "h1",
        ".lead p",
        ".tile-note",
        ".verdict",
        ".cost",
        "dt",
        "dd",
        ".happened",
        ".todo",
        "footer",
        "summary",
    ):
        card = "body" if text in {"h1", ".lead p", "footer"} else ".tile"
        written = page.evaluate(COLOUR, [text, "color"])
        assert contrast(written, page.evaluate(COLOUR, [card, "backgroundColor"])) >= READABLE, text
    path = tmp_path / f"{scheme}.png"
    page.screenshot(path=path)
    assert struct.unpack(">II", path.read_bytes()[16:24]) == (1440, 900)


def test_the_button_overrides_the_systems_theme(browser: Browser) -> None:
    page = browser.open(one_at_a_time(), color_scheme="light")
    button = page.locator("#theme")
    seen = []
    for _ in range(4):
        seen.append((button.text_content(), sum(page.evaluate(COLOUR, ["body", "backgroundColor"])) > 3 * 128))
        button.click()
    assert seen == [("Theme: system", True), ("Theme: light", True), ("Theme: dark", False), ("Theme: system", True)]


def test_a_name_stays_a_name(browser: Browser) -> None:
    made = [read(f"c{at}", at, at + 1, tool=HOSTILE) for at in range(3)]
    page = browser.open(analyze(turn(*made, agent=HOSTILE), Settings()))
    assert page.locator("img").count() == 0
    assert page.locator("h2").text_content() == f"Turn 1 {HOSTILE}"
    label = page.locator("g.real").first.get_attribute("aria-label")
    assert label is not None
    assert label.startswith(HOSTILE)


def test_many_calls_are_packed_and_a_table_lists_them_all(browser: Browser) -> None:
    report = dispatched(300)
    page = browser.open(report)
    assert page.locator("svg.timeline text.label:not(.quiet)").count() == 1 + 7
    height = page.locator("svg.timeline").bounding_box()
    assert height is not None
    assert height["height"] < 900
    page.get_by_text("All 300 calls as a table").click()
    # The browser reports the unfolded element a moment later.
    page.locator("details.calls tbody tr").first.wait_for()
    assert page.locator("details.calls tbody tr").count() == 300


def test_many_turns_are_shown_as_they_are_asked_for(browser: Browser) -> None:
    page = browser.open(*(in_need() for _ in range(250)))
    assert page.locator("#turns a").count() == 200
    page.get_by_role("button", name="Show 50 more").click()
    assert page.locator("#turns a").count() == 250
    assert page.locator("#more").is_hidden()


@pytest.mark.parametrize("width", [1440, 1024, 600, 400])
def test_nothing_reaches_beyond_the_window(browser: Browser, width: int) -> None:
    page = browser.open(one_at_a_time(), together(), in_need(), width=width)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width


def test_no_turn_and_one_turn_have_a_page_of_their_own(browser: Browser) -> None:
    empty = browser.open()
    assert empty.locator("#none").is_visible()
    assert empty.locator("#main").is_hidden()
    single = browser.open(in_need())
    assert single.locator("#list").is_hidden()
    assert single.locator("#overview").is_hidden()
    assert single.locator("h2").is_visible()
    silent = browser.open(analyze(turn(agent="greeter"), Settings()))
    assert silent.get_by_text("This turn made no call.").is_visible()


def test_paper_gets_what_matters_in_light(browser: Browser, tmp_path: Path) -> None:
    page = browser.open(one_at_a_time(), together(), color_scheme="dark")
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert page.locator("details.calls tbody tr").count() == 6, "printing opens what is folded"
    page.emulate_media(media="print")
    assert page.locator(".filter").is_hidden()
    assert sum(page.evaluate(COLOUR, ["body", "backgroundColor"])) == 3 * 255


COLOUR = """([selector, property]) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  canvas.fillStyle = getComputedStyle(document.querySelector(selector))[property];
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
}"""
"""The colour of an element as red, green and blue, 0 to 255."""


def contrast(one: list[int], other: list[int]) -> float:
    """The contrast ratio of WCAG 2."""

    def luminance(colour: list[int]) -> float:
        parts = [value / 255 for value in colour]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
