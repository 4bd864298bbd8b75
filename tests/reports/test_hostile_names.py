"""Names of tools, agents, models, turns and files say nothing but themselves, in every form of report."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import click
import pytest
from rich.cells import cell_len

from otel_parallelism import analyze_spans
from otel_parallelism.cli import commands
from otel_parallelism.cli.efficiency_gate import Gate
from otel_parallelism.execution.prompt import prompt
from otel_parallelism.model import SpanRecord
from otel_parallelism.reports.html import render_html
from otel_parallelism.reports.json import render_json
from otel_parallelism.reports.notebook import render_fragment
from otel_parallelism.reports.text import render_text
from otel_parallelism.reports.trace_event import render_trace_event
from otel_parallelism.shown_names import shown_name
from tests.amounts import some_of
from tests.readers.hostile_values import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.model import Analysis

pytestmark = pytest.mark.many

S = 1_000_000_000
WIDTH = 100
LONGEST = 1_100
"""The longest text with names in it that a report shows."""
SHARED = "\N{NO-BREAK SPACE}"


def named(name: str, *, requests: bool) -> Analysis:
    """Analyse a turn where each name is *name*: calls of code or of two responses, and one call that outlives it."""
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}
    model = {"gen_ai.operation.name": "chat", "gen_ai.request.model": name}
    place = {"code.file.path": name, "code.line.number": 3, "agent.parallelism.caller.file_path": name}
    spans = [SpanRecord("t" * 32, "a" * 16, "", name, S, 12 * S, agent, source=name, instrumentation=name)]
    for at in range(3):
        tool, call_id, start = f"get_{name}{at or ''}", f"{name}{at}", (1 + 4 * at) * S
        asked = [{"role": "assistant", "parts": [{"type": "tool_call", "id": call_id, "name": tool}]}]
        call = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool,
            "gen_ai.tool.call.id": call_id,
            "gen_ai.tool.call.arguments": f'{{"of": "place {at}"}}',
            "gen_ai.tool.call.result": "some hills",
            **place,
        }
        if requests:
            said = model | {"gen_ai.output.messages": json.dumps(asked)}
            spans.append(SpanRecord("t" * 32, f"{at + 20:016x}", "a" * 16, name, start, start + S, said, source=name))
        end = start + 4 * S
        spans.append(SpanRecord("t" * 32, f"{at + 40:016x}", "a" * 16, name, start + S, end, call, source=name))
    return analyze_spans(spans)


def printable(text: str) -> bool:
    return text.replace(SHARED, " ").isprintable()


def strings(value: Any) -> Iterator[str]:
    """Yield all texts in JSON data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


class Tags(HTMLParser):
    """The tags of a page, with the names of their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


@pytest.fixture(params=[False, True], ids=["code", "model"])
def requests(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(params=some_of(NAMES, 8), ids=lambda name: f"{NAMES.index(name)}")
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def analysis(name: str, requests: bool) -> Analysis:
    found = named(name, requests=requests)
    assert found.reports[0].findings
    return found


def test_text_is_printable_and_short(analysis: Analysis) -> None:
    for options in ({}, {"ascii_only": True}):
        lines = render_text(analysis, width=WIDTH, **options).splitlines()
        assert all(printable(line) and cell_len(line) <= WIDTH for line in lines)
        assert len(lines) < 60
    coloured = render_text(analysis, width=WIDTH, colour=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).replace("\n", "").replace(SHARED, " ").isprintable()


def test_json_is_strict_and_names_are_whole(analysis: Analysis, name: str) -> None:
    text = render_json(analysis)
    assert text.encode()
    whole = name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert json.loads(text)["turns"][0]["agent"] == whole
    assert "\x1b" not in text


def test_page_and_fragment_have_the_tags_of_plain_ones(analysis: Analysis, requests: bool) -> None:
    plain = named("plain", requests=requests)
    page = render_html(analysis, prompt=prompt)
    assert Tags(page).found == Tags(render_html(plain, prompt=prompt)).found
    assert printable(page.replace("\n", ""))
    [document] = re.findall(r'<script type="application/json" id="document">(.*?)</script>', page, re.DOTALL)
    assert all(len(text) <= LONGEST and printable(text) for text in strings(json.loads(document)["turns"]))
    told = [text for text in json.loads(document)["strings"] if not text.lstrip().startswith("# ")]
    assert all(len(text) <= LONGEST for text in told)
    fragment = render_fragment(analysis.reports[0])
    assert {tag for tag, _ in Tags(fragment).found} == {tag for tag, _ in Tags(render_fragment(plain.reports[0])).found}
    assert printable(fragment.replace("\n", ""))


def test_trace_events_have_printable_short_names(analysis: Analysis) -> None:
    told = list(strings(json.loads(render_trace_event(analysis))))
    assert all(printable(text) and len(text) <= LONGEST for text in told)


def test_prompt_quotes_names_and_has_the_lines_of_a_plain_one(analysis: Analysis, requests: bool) -> None:
    def lines_of(analysis: Analysis) -> list[str]:
        return prompt(finding for report in analysis.reports for finding in report.findings).splitlines()

    told, plain = lines_of(analysis), lines_of(named("plain", requests=requests))
    assert all(len(line) < 900 for line in told)
    judged = " They only read, judging by their names."  # a hostile name may say that its tool writes
    unsure = "if they need nothing from one another and may run in any order, "
    plain = [line.replace(unsure, "").replace(judged, "") for line in plain]
    told = [line.replace(unsure, "").replace(judged, "") for line in told]
    quoted = [re.sub(r"`[\w.:/-]{1,64}`", "TOOL", line).rstrip(".") for line in told]
    shown = [re.sub(r"get_[\w:/-]*(?:\.[\w.:/-]+)?", "TOOL", line) for line in quoted]
    assert shown == [re.sub(r"get_\w*", "TOOL", line).rstrip(".") for line in plain]


def test_what_is_recommended_and_its_evidence_are_one_short_line(analysis: Analysis) -> None:
    for report in analysis.reports:
        assert printable(report.recommendation)
        assert all(map(printable, report.findings[0].evidence))
        assert all(
            len(text) <= LONGEST for text in (report.recommendation, *report.findings[0].evidence, *report.notes)
        )


def test_gate_names_a_turn_in_one_line(analysis: Analysis) -> None:
    lines = [line for _, line in Gate(1.0).failures(analysis)]
    assert all(printable(line) and len(line) < 200 for line in lines)


def test_analyze_shows_a_files_name_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises((SystemExit, click.exceptions.Exit)):
        commands.main(["analyze", "no\x1b[2J\n\u202esuch"], standalone_mode=True)
    said = capsys.readouterr().err
    assert "no such file" in said
    assert printable(said.removesuffix("\n"))


def test_shown_name_keeps_what_is_plain() -> None:
    assert shown_name("mcp__server__get_x") == "mcp__server__get_x"
    assert shown_name("\ud800") == "?"
