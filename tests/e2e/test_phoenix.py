"""The fleet in a real trace UI: a turn shows its numbers, and a filter finds turns by them."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from otel_parallelism import names

from . import browsing
from .conftest import INSTRUMENT
from .phoenix import Phoenix, phoenix
from .servers import TIMEOUT_S, environment, program, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
