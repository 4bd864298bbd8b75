from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from strategies import EXACT, read, step, turn, turns

from otel_parallelism import names
from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.execution.prompt import prompt
from otel_parallelism.model import Analysis, Coverage, Report, Turn
from otel_parallelism.reports.html import render_html
from otel_parallelism.reports.parts.page_document import PageDocument
from otel_parallelism.settings import Settings
from otel_parallelism.shown_names import shown_name

HOSTILE = "</script><img src=x onerror=alert(1)><!--\u2028&amp;{{script}}\"'"
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def of(*reports: Report) -> Analysis:
    return Analysis(reports, Coverage(calls=sum(len(report.turn.calls) for report in reports), spans=9))


class Parsed(HTMLParser):
    """Every tag with its attributes, and the text that the elements named in *wanted* hold."""

    def __init__(self, page: str, *wanted: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = dict.fromkeys(wanted, "")
        self._open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in self.texts:
            self.texts[self._open[-1]] += data


def document(page: str) -> PageDocument:
    """Return the document of the page, checked against its structure."""
    [text] = re.findall(r'<script type="application/json" id="document">(.*?)</script>', page)
    return msgspec.json.decode(text, type=PageDocument)


def busy_turn(number: int, calls: int = 20) -> Turn:
    """A turn whose model asks for one call at a time, each of a tool of many."""
    made: list[Any] = []
    for at in range(calls):
        start = 3.0 * at
        made += [
            step(f"s{at}", start, start + 1, requested=(f"id{at}",), input_tokens=900),
            read(f"c{at}", start + 1.013, start + 2.5, tool=f"get_{(number * 7 + at) % 40}_info", call_id=f"id{at}"),
        ]
    return turn(*made, agent=f"agent {number}")


def test_page_loads_nothing(both: Analysis) -> None:
    page = render_html(both)
    tags = Parsed(page).tags
    assert {tag for tag, _ in tags if tag in {"iframe", "object", "embed", "base", "form", "img"}} == set()
    links = [value or "" for _, attributes in tags for key, value in attributes.items() if key in {"src", "href"}]
    assert all(link.startswith(("#", "data:")) for link in links)
    assert set(re.findall(r"https?://[^\s'\"]+", page)) == {"http://www.w3.org/2000/svg"}
    assert re.search(r"@import|url\((?!#)|fetch\(|XMLHttpRequest|sendBeacon|WebSocket|import\(", page) is None
    assert page.endswith("</html>\n")


def test_policy_allows_only_the_script_and_the_style_of_the_page(both: Analysis) -> None:
    page = render_html(both)
    [policy] = [a["content"] or "" for tag, a in Parsed(page).tags if a.get("http-equiv") == "Content-Security-Policy"]
    told = dict(part.split(" ", 1) for part in policy.split("; "))
    assert told["default-src"] == "'none'"
    for directive, element in (("script-src", _SCRIPT), ("style-src", _STYLE)):
        [text] = element.findall(page)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert told[directive] == f"'sha256-{digest}'"


def test_script_never_parses_markup(both: Analysis) -> None:
    [script] = _SCRIPT.findall(render_html(both))
    assert re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(", script) is None
    [style] = _STYLE.findall(render_html(both))
    assert "<" not in style


def test_names_cannot_inject_markup(sequential: Report) -> None:
    calls = tuple(msgspec.structs.replace(call, tool=HOSTILE) for call in sequential.turn.calls)
    hostile_turn = msgspec.structs.replace(sequential.turn, calls=calls, agent=HOSTILE, trace_id=HOSTILE)
    finding = msgspec.structs.replace(
        sequential.findings[0], calls=(HOSTILE,) * 4, cause="model", recommendation=HOSTILE, evidence=(HOSTILE,)
    )
    report = msgspec.structs.replace(
        sequential, turn=hostile_turn, findings=(finding,), notes=(HOSTILE,), recommendation=HOSTILE
    )
    page = render_html(of(report), prompt=prompt)
    plain = render_html(of(sequential), prompt=prompt)
    assert [tag for tag, _ in Parsed(page).tags] == [tag for tag, _ in Parsed(plain).tags]
    assert page.count("<script") == page.count("</script>") == 2
    assert "<img" not in page
    shown = shown_name(HOSTILE)
    assert html.escape(shown[:20]) in page
    told = document(page)
    assert told.strings[told.turns[0].title] == shown
    assert told.strings[told.turns[0].calls[0][0]] == shown


def test_page_has_no_content_of_calls(both: Analysis) -> None:
    assert "an argument" not in render_html(both)
    assert "a result" not in render_html(both)


@pytest.mark.slow
def test_page_of_2000_calls_is_small() -> None:
    analyzed = [analyze(busy_turn(number), Settings()) for number in range(20)]
    reports = [
        msgspec.structs.replace(one, turn=msgspec.structs.replace(one.turn, agent=f"agent {number}"))
        for number in range(5)
        for one in analyzed
    ]
    assert all(report.avoidable and report.schedule for report in reports)
    assert len(render_html(of(*reports), prompt=prompt).encode()) < 300_000


def test_bars_have_the_times_of_the_spans() -> None:
    report = analyze(busy_turn(1, 3), Settings())
    [told] = document(render_html(of(report))).turns
    assert told.length == 8_500_000
    assert told.steps == ([0, 1_000_000], [3_000_000, 1_000_000], [6_000_000, 1_000_000])
    assert [bar[1:] for bar in told.calls] == [[at * 3_000_000 + 1_013_000, 1_487_000, -1] for at in range(3)]
    assert list(told.planned) == [[1_013_000, 1_487_000]] * 3


def test_call_has_its_enclosing_call_and_its_failure(parallel: Report) -> None:
    told = document(render_html(of(parallel)))
    assert [(told.strings[bar[0]], *bar[3:]) for bar in told.turns[0].calls] == [
        ("flights", -1),
        ("hotels", -1, 1),
        ("trains", -1),
        ("seats", 0),
    ]
    assert told.turns[0].planned == ()


def test_finding_has_observation_cost_and_advice(sequential: Report) -> None:
    told = document(render_html(of(sequential), prompt=prompt))
    [finding] = told.turns[0].findings
    assert (finding.cause, finding.advice, finding.avoidable) == ("dispatch", "recommended", 0.9)
    assert told.strings[finding.happened].startswith(
        "flights, hotels ×2, weather ran one after another: the program ran"
    )
    assert told.strings[finding.todo] == "Run the round's calls together with asyncio.gather."
    assert told.strings[finding.place] == "agent.py:31"
    assert [told.strings[at] for at in finding.evidence] == ["one response asked for all four"]
    assert finding.calls == (0, 1, 2, 3)
    assert finding.prompt is None


def test_finding_about_the_model_has_a_prompt() -> None:
    report = analyze(busy_turn(2, 4), Settings())
    told = document(render_html(of(report), prompt=prompt))
    [finding] = told.turns[0].findings
    assert finding.prompt is not None
    assert told.guidance + told.strings[finding.prompt] == prompt(report.findings)
    assert document(render_html(of(report))).turns[0].findings[0].prompt is None


def test_file_names_are_relative_to_the_base(sequential: Report) -> None:
    finding = msgspec.structs.replace(
        sequential.findings[0],
        recommendation="Await them together at /home/me/agent.py:31.",
        location=msgspec.structs.replace(sequential.findings[0].location, file_path="/home/me/agent.py"),
    )
    page = render_html(of(msgspec.structs.replace(sequential, findings=(finding,))), base="/home/me")
    assert "Await them together at agent.py:31." in page
    assert "/home/me" not in page


def test_numbers_have_the_meanings_of_their_attributes(sequential: Report, silent: Report) -> None:
    told = document(render_html(of(sequential, silent)))
    meanings = {each.key: each.meaning for each in names.TURN_ATTRIBUTES}
    for measure in told.measures:
        assert measure.meaning
        assert measure.meaning == meanings.get(measure.attribute, measure.meaning)
    shown = {told.measures[at].label: text for at, text in told.turns[0].numbers}
    assert shown["Efficiency"] == "0.25"
    assert shown["Avoidable"] == "0.90 s"
    assert shown["Achievable ratio"] == "4.00"
    assert shown["Longest chain"] == "4 calls"
    assert {told.measures[at].label: text for at, text in told.turns[1].numbers} == {"Calls": "0"}


def test_uncertainty_is_shown(possible: Report) -> None:
    report = msgspec.structs.replace(possible, silenced=possible.findings, notes=("a bound was reached",))
    told = document(render_html(of(report)))
    shown = {told.measures[at].label: text for at, text in told.turns[0].numbers}
    assert shown["Efficiency"] == "0.60–1.00"
    assert (told.turns[0].efficiency, told.turns[0].floor) == (1.0, 0.6)
    assert shown["Perhaps avoidable"] == "0.40 s"
    assert shown["Coverage"] == "0.50"
    assert [told.strings[at] for at in told.turns[0].remarks] == [
        "1 finding of 0.40 s silenced.",
        "a bound was reached",
    ]


def test_advice_without_a_finding_is_shown(silent: Report) -> None:
    report = msgspec.structs.replace(silent, recommendation="Declare what the tools need.")
    told = document(render_html(of(report)))
    assert [told.strings[at] for at in told.turns[0].remarks] == ["Declare what the tools need."]


def test_page_has_the_summary_as_its_heading(both: Analysis) -> None:
    page = Parsed(render_html(both), "h1", "title")
    assert page.texts["h1"] == page.texts["title"]
    assert page.texts["h1"].startswith("2 turns · 1 sequential: 0.90 s of 1.20 s could be saved")


def test_page_without_turns() -> None:
    page = Parsed(render_html(Analysis((), Coverage(spans=4))), "h1")
    assert page.texts["h1"] == "No turn found: no tool call among 4 spans"
    assert document(render_html(Analysis((), Coverage(spans=4)))).turns == ()


def test_calls_without_turn_are_counted(both: Analysis) -> None:
    some = msgspec.structs.replace(both, coverage=Coverage(calls=9, calls_without_turn=1, spans=12))
    assert "1 of 9 calls is in no turn" in render_html(some)


def test_time_outside_the_calendar_is_omitted(silent: Report) -> None:
    far = msgspec.structs.replace(silent, turn=msgspec.structs.replace(silent.turn, start_ns=10**30, end_ns=10**30))
    assert document(render_html(of(far))).turns[0].started == ""
    assert document(render_html(of(silent))).turns[0].started == "2023-11-14 22:13:20 UTC"


@pytest.mark.parametrize("name", ["\ud800", "a\x1b[2Jb\n", "ツール", "a" * 5_000])
def test_page_with_any_tool_name(sequential: Report, name: str) -> None:
    calls = tuple(msgspec.structs.replace(call, tool=name) for call in sequential.turn.calls)
    report = msgspec.structs.replace(sequential, turn=msgspec.structs.replace(sequential.turn, calls=calls))
    told = document(render_html(of(report)).encode().decode())
    assert told.strings[told.turns[0].calls[0][0]].isprintable()


@given(turns(max_size=9))
def test_page_has_the_times_of_the_report(drawn: Turn) -> None:
    report = analyze(drawn, EXACT)
    [told] = document(render_html(of(report), prompt=prompt)).turns
    assert len(told.calls) == len(drawn.calls)
    began_ns = min((one.start_ns for one in (*drawn.steps, *drawn.calls)), default=drawn.start_ns)
    for bar, call in zip(told.calls, drawn.calls, strict=True):
        assert bar[1:3] == [(call.start_ns - began_ns) // 1000, call.duration_ns // 1000]
        assert 0 <= bar[1] + bar[2] <= told.length
    assert len(told.planned) in {0, len(told.calls)}
    for start, duration in told.planned:
        assert start >= 0
        assert 0 <= start + duration <= told.length
    assert all(0 <= at < len(told.calls) for finding in told.findings for at in finding.calls)
    for finding in told.findings:
        starts = [told.calls[at][1] for at in finding.calls]
        assert all(before <= after for before, after in pairwise(starts))


def test_page_is_deterministic(both: Analysis) -> None:
    assert render_html(both, prompt=prompt) == render_html(both, prompt=prompt)
    assert json.loads(msgspec.json.encode(document(render_html(both))))["turns"]
