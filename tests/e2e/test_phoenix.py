"""A real trace UI: a turn shows its numbers, a filter finds turns by them, and its spans are read through its API."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest

from otel_parallelism import analyze_spans, names
from otel_parallelism.readers import UnreadableError
from otel_parallelism.readers.any_format import read_spans

from . import browsing
from .conftest import INSTRUMENT
from .phoenix import Phoenix, phoenix
from .servers import TIMEOUT_S, environment, program, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.model import SpanRecord

pytestmark = pytest.mark.skipif(
    program("phoenix") is None, reason="Phoenix is not installed (dependency group phoenix)"
)
BELOW = "attributes['agent']['parallelism']['ratio'] < 1.2"
SERIAL = {"model-serial", "dispatch-serial", "code-serial", "serial-by-need"}


class Stored(NamedTuple):
    server: Phoenix
    turns: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    folder = tmp_path_factory.mktemp("phoenix")
    with phoenix(folder) as server:
        yield Stored(server, run_fleet(server, folder))


def run_fleet(server: Phoenix, folder: Path) -> dict[str, dict[str, Any]]:
    """Run one turn of each agent, wait for its spans, and return the report by span."""
    path = folder / "report.json"
    subprocess.run(  # noqa: S603 - our own command
        [
            *(INSTRUMENT, sys.executable, "-m", "otel_parallelism", "demo", "--fleet", "--turns", "1"),
            *("--format", "json", "--output", str(path)),
        ],
        env=environment(
            OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
            OTEL_EXPORTER_OTLP_ENDPOINT=server.endpoint,
            OTEL_METRICS_EXPORTER="none",
            OTEL_LOGS_EXPORTER="none",
        ),
        check=True,
        timeout=TIMEOUT_S,
    )
    turns = {turn["span_id"]: turn for turn in json.loads(path.read_text(encoding="utf-8"))["turns"]}
    until("all turns", lambda: turns.keys() <= {span["spanId"] for span in server.spans()})
    return turns


def test_a_turn_has_its_attributes_and_its_findings(stored: Stored) -> None:
    spans = {span["spanId"]: span for span in stored.server.spans()}
    for span_id, turn in stored.turns.items():
        found = spans[span_id]["attributes"]["agent"]["parallelism"]
        assert {names.PREFIX + key for key in found} <= {attribute.key for attribute in names.TURN_ATTRIBUTES}
        assert found["verdict"] == turn["verdict"]
        for key in ("ratio", "efficiency", "avoidable", "work", "makespan", "calls", "cause", "recommendation"):
            assert found.get(key) == turn[key], key
        assert [event["name"] for event in spans[span_id]["events"]] == [names.FINDING_EVENT] * len(turn["findings"])


@pytest.mark.parametrize(
    ("condition", "agents"),
    [
        (BELOW, SERIAL),
        ("attributes['agent']['parallelism']['verdict'] == 'sequential'", SERIAL - {"serial-by-need"}),
        ("attributes['agent']['parallelism']['cause'] == 'dispatch'", {"dispatch-serial"}),
        ("attributes['agent']['parallelism']['avoidable'] > 0.05", SERIAL - {"serial-by-need"}),
        ("attributes['agent']['parallelism']['efficiency'] >= 0.9", {"parallel-planner", "serial-by-need"}),
    ],
)
def test_turns_are_found_by_their_numbers(stored: Stored, condition: str, agents: set[str]) -> None:
    found = stored.server.spans(condition)
    assert {span["name"] for span in found} == {f"invoke_agent {agent}" for agent in agents}
    assert len(found) == len(agents)


RECORDED = ("langgraph-openinference", "openai_agents-openinference", "pydantic_ai-native", "vercel_ai-native")
SPANS = Path(__file__).parents[1] / "fixtures" / "spans"


def turns_of(spans: Iterator[SpanRecord]) -> list[dict[str, Any]]:
    """Return the turns in the reports on *spans*, with all numbers to three digits."""
    text = json.dumps([json.loads(report.to_json())["turns"] for report in analyze_spans(spans).reports])
    found: list[dict[str, Any]] = json.loads(text, parse_float=lambda number: f"{float(number):.2e}")
    return found


@pytest.mark.parametrize("name", RECORDED)
def test_spans_that_are_read_back_give_the_report_of_those_that_were_exported(stored: Stored, name: str) -> None:
    recording = SPANS / f"{name}.jsonl"
    # Phoenix keeps no scope, and times to the microsecond.
    exported = [
        msgspec.structs.replace(
            span, start_ns=span.start_ns // 1000 * 1000, end_ns=span.end_ns // 1000 * 1000, instrumentation=""
        )
        for span in read_spans(recording)
    ]
    stored.server.add(recording, name)
    began = min(span.start_ns for span in exported)
    address = f"{stored.server.endpoint.replace('http', 'phoenix+http')}?project={name}"
    period = f"&since={began}&until={began + 3_600 * 10**9}"
    until("all spans", lambda: count_of(f"{address}{period}") == len(exported))
    assert turns_of(read_spans(f"{address}{period}")) == turns_of(iter(exported)) != []
    traces = dict.fromkeys(span.trace_id for span in exported)
    for trace in traces:
        of_trace = (span for span in exported if span.trace_id == trace)
        assert turns_of(read_spans(f"{address}&trace={trace}")) == turns_of(of_trace)
    with pytest.raises(UnreadableError, match=f"there is no trace {'f' * 32}"):
        list(read_spans(f"{address}&trace={'f' * 32}"))


def count_of(address: str) -> int:
    try:
        return sum(1 for _ in read_spans(address))
    except UnreadableError:
        return 0  # the project is not there yet


@pytest.mark.skipif(browsing.CHROMIUM is None, reason="no chromium on the path (apt-get install chromium)")
def test_the_page_shows_the_turns_that_a_filter_finds(stored: Stored, tmp_path: Path) -> None:
    with browsing.browser() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(TIMEOUT_S * 1000)
        page.goto(stored.server.project())
        rows = page.get_by_role("link", name="invoke_agent")
        rows.nth(5).wait_for()
        page.locator(".cm-content").click()
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(BELOW)
        page.keyboard.press("Escape")
        page.keyboard.press("Enter")
        page.wait_for_function(
            "[...document.querySelectorAll('a')].filter(a => a.text.startsWith('invoke_')).length == 4"
        )
        assert set(rows.all_text_contents()) == {f"invoke_agent {agent}" for agent in SERIAL}
        page.get_by_role("link", name="invoke_agent dispatch-serial").click()
        page.get_by_text("agent.parallelism.verdict").wait_for()
        path = tmp_path / "phoenix.png"
        page.screenshot(path=path)
    assert struct.unpack(">II", path.read_bytes()[16:24]) == (1440, 900)
