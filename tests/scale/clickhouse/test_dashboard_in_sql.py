"""Each query of the dashboard on ClickHouse runs there, and the numbers that it shows are those of the core."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from otel_parallelism import analyze_spans
from otel_parallelism.readers.otlp_json import read_otlp_json
from otel_parallelism.scale.clickhouse.hourly import hourly_query, tools_query
from otel_parallelism.settings import Settings
from tests.scale.clickhouse.collector_table import ALWAYS, TABLE, CollectorTable
from tests.scale.clickhouse.drawn_traces import drawn_traces
from tests.scale.clickhouse.grafana_macros import filled

if TYPE_CHECKING:
    from otel_parallelism.model import Report

ROOT = Path(__file__).parents[3]
BOARD = json.loads((ROOT / "dashboards" / "agent-parallelism-clickhouse.json").read_text(encoding="utf-8"))
PANELS = {panel["title"]: panel for row in BOARD["panels"] for panel in (row, *row.get("panels", ()))}
RECORDED = sorted((ROOT / "tests" / "fixtures" / "spans").glob("*.jsonl"))
TIMES_S = (946_684_800, 2_000_000_000)
ALL: dict[str, list[str]] = {"database": ["otel"], "agent": []}


@pytest.fixture(scope="module")
def shown(table: CollectorTable, tmp_path_factory: pytest.TempPathFactory) -> CollectorTable:
    """Return ClickHouse with the sums of hours of recorded spans, of drawn ones, and of the demo's."""
    table.make_views()
    demo = tmp_path_factory.mktemp("demo") / "turns.jsonl"
    command = (sys.executable, "-m", "otel_parallelism", "demo", "--fleet", "--turns", "1", "--seed", "1", "-o", demo)
    subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 - our own program
    table.replace(span for path in (*RECORDED, demo) for span in read_otlp_json(path))
    table.insert(span for trace in drawn_traces(7, 200) for span in trace)
    for name, query in (("parallelism_hours", hourly_query), ("parallelism_tool_hours", tools_query)):
        table.run(f"INSERT INTO otel.{name} {query(TABLE, *ALWAYS, Settings())}")
    return table


class Decided(NamedTuple):
    """The core's report of a turn that has numbers in SQL, and whether its span carries its result."""

    report: Report
    recorded: bool


@pytest.fixture(scope="module")
def turns(shown: CollectorTable) -> list[dict[str, Any]]:
    """Return what SQL says of each turn."""
    columns = "TraceId, SpanId, agent, undecided, verdict IS NOT NULL AS recorded, avoidable_at_most, makespan"
    return shown.rows(f"SELECT {columns} FROM otel.parallelism_turns(since = {TIMES_S[0]}, until = {TIMES_S[1]})")


@pytest.fixture(scope="module")
def decided(shown: CollectorTable, turns: list[dict[str, Any]]) -> list[Decided]:
    reports = {(each.turn.trace_id, each.turn.span_id): each for each in analyze_spans(shown.spans()).reports}
    keys = [(row["TraceId"], row["SpanId"], bool(row["recorded"])) for row in turns if not row["undecided"]]
    return [Decided(reports[trace_id, span_id], recorded) for trace_id, span_id, recorded in keys]


def agent_of(report: Report) -> str:
    return report.turn.agent or report.turn.name or "(no name)"


def answered(table: CollectorTable, title: str, **chosen: list[str]) -> list[dict[str, Any]]:
    """Return the rows that the panel *title* shows."""
    (target,) = PANELS[title]["targets"]
    return table.rows(filled(target["rawSql"], *TIMES_S, ALL | chosen))


@pytest.mark.parametrize("title", [title for title, panel in PANELS.items() if panel.get("targets")])
def test_each_panel_shows_something(shown: CollectorTable, title: str) -> None:
    rows = answered(shown, title)
    assert rows
    if PANELS[title]["type"] == "timeseries":
        assert PANELS[title]["targets"][0]["format"] == 0
        assert all(row["time"] for row in rows)
    else:
        assert PANELS[title]["targets"][0]["format"] == 1
    agents = {row["Agent"] for row in answered(shown, "Agents by time lost")}
    some = sorted(agents)[:2]
    fewer = answered(shown, title, agent=some)
    assert {row.get("Agent", row.get("agent", some[0])) for row in fewer} <= set(some)
    assert fewer != rows


def test_overrides_name_columns(shown: CollectorTable) -> None:
    """An override of a column that no query returns would do nothing."""
    checked = 0
    for title, panel in PANELS.items():
        overrides = panel.get("fieldConfig", {}).get("overrides", ())
        columns = answered(shown, title)[0] if overrides else {}
        for override in overrides:
            assert override["matcher"]["id"] == "byName"
            assert override["matcher"]["options"] in columns, title
            checked += 1
    assert checked > 15


def test_variables_list_databases_and_agents(shown: CollectorTable) -> None:
    asked = {each["name"]: each["query"] for each in BOARD["templating"]["list"]}
    assert shown.rows(filled(asked["database"]["rawSql"], *TIMES_S, ALL)) == [{"database": "otel"}]
    agents = [row["agent"] for row in shown.rows(filled(asked["agent"]["rawSql"], *TIMES_S, ALL))]
    assert set(agents) == {row["Agent"] for row in answered(shown, "Agents by time lost")}


def test_agents_have_the_numbers_of_the_core(shown: CollectorTable, decided: list[Decided]) -> None:
    by_agent: dict[str, list[Decided]] = defaultdict(list)
    for each in decided:
        by_agent[agent_of(each.report)].append(each)
    rows = {row["Agent"]: row for row in answered(shown, "Agents by time lost")}
    assert len(by_agent) > 20
    for agent, of_agent in by_agent.items():
        row, reports = rows[agent], [each.report for each in of_agent]
        makespan = sum(report.makespan for report in reports)
        duration = sum(max(0, report.turn.end_ns - report.turn.start_ns) / 1e9 for report in reports)
        assert row["Turns"] * (1 - row["Without numbers"]) == pytest.approx(len(reports))
        assert row["Calls"] == sum(report.calls for report in reports)
        assert row["Ratio"] == (pytest.approx(sum(report.work for report in reports) / makespan) if makespan else None)
        busy = sum(report.busy for report in reports)
        assert row["Calls' share of the turns"] == (pytest.approx(busy / duration) if duration else None)
        recorded = [each.report for each in of_agent if each.recorded]
        lost = (sum(each.avoidable for each in recorded), sum(each.avoidable_potential for each in recorded))
        shown_lost = (row["Time lost"], row["Perhaps more"])
        assert shown_lost == (pytest.approx(lost) if recorded else (None, None))
        others = [each.report for each in of_agent if not each.recorded]
        bound = sum(report.avoidable + report.avoidable_potential for report in others)
        assert row["Others, at most"] is None or row["Others, at most"] >= bound - 1e-9
    assert {row["Time lost"] is None for row in rows.values()} == {True, False}


def test_time_lost_at_most_counts_turns_without_a_bound(shown: CollectorTable, turns: list[dict[str, Any]]) -> None:
    """Such turns, with calls inside calls, may have lost all the time of their calls."""
    expected: dict[str, float] = defaultdict(float)
    without = 0
    for turn in turns:
        if not turn["undecided"] and not turn["recorded"]:
            bound = turn["avoidable_at_most"]
            without += bound is None and turn["makespan"] > 0
            expected[turn["agent"]] += turn["makespan"] if bound is None else bound
    assert without > 3
    found = {row["Agent"]: row["Others, at most"] for row in answered(shown, "Agents by time lost")}
    assert {agent: value for agent, value in found.items() if value is not None} == pytest.approx(expected)


def test_ends_of_efficiencies(shown: CollectorTable, decided: list[Decided]) -> None:
    """The upper end is that of recorded results; a bound of the others is not above the core's floor."""
    known = [each for each in decided if each.report.efficiency is not None]
    recorded = [each.report.efficiency or 0 for each in known if each.recorded]
    (row,) = answered(shown, "Recorded efficiency, median")
    assert row["at most"] == pytest.approx(statistics.median(recorded), abs=0.15)
    floors = [each.report.efficiency_floor or 0 for each in known if not each.recorded]
    (row,) = answered(shown, "Other turns' efficiency, at least")
    assert 0 < row["at least"] <= statistics.median(floors) + 0.05


def test_only_sure_values_are_green_or_red() -> None:
    """A lower end is never red, and an upper end never green."""
    colours: dict[str, set[str]] = defaultdict(set)
    for panel in PANELS.values():
        if panel.get("targets"):
            config = panel["fieldConfig"]
            usual = config["defaults"].get("thresholds", {"steps": []})["steps"]
            colours[panel["title"]] |= {step["color"] for step in usual}
            for override in config["overrides"]:
                for each in override["properties"]:
                    if each["id"] == "thresholds":
                        colours[override["matcher"]["options"]] |= {step["color"] for step in each["value"]["steps"]}
    assert colours["at least"] == colours["Efficiency, at least"] == colours["Others' efficiency, at least"]
    assert colours["at least"] == {"text", "green"}
    assert colours["at most"] == colours["Efficiency, at most"] == {"red", "orange", "text"}
    lower_ends = {name for name, used in colours.items() if "green" in used}
    assert lower_ends == {name for name in colours if name.lower().endswith("at least")}
    assert {name for name, used in colours.items() if "red" in used} == {"at most", "Efficiency, at most"}


def test_reasons_add_up_to_the_turns_without_numbers(shown: CollectorTable, turns: list[dict[str, Any]]) -> None:
    expected = Counter(row["undecided"] for row in turns if row["undecided"])
    assert len(expected) > 4
    found: Counter[str] = Counter()
    for row in answered(shown, "Turns without numbers, by reason"):
        found[row["reason"]] += row["turns"]
    assert found == expected
    hours = answered(shown, "Hours with turns without numbers")
    assert sum(row["Without numbers"] for row in hours) == expected.total()
    assert all(row["Reasons"].partition(":")[0] in expected for row in hours)
    known = [sum(row.values()) for row in _counts(answered(shown, "Turns by what is known"))]
    (every,) = answered(shown, "Turns")
    assert sum(known) == every["turns"] == len(turns)


def _counts(rows: list[dict[str, Any]]) -> list[dict[str, int]]:
    return [{name: number for name, number in row.items() if name != "time"} for row in rows]


def test_tools_have_the_calls_of_the_core(shown: CollectorTable, decided: list[Decided]) -> None:
    calls = Counter(call.tool or "(no name)" for report, _ in decided for call in report.turn.calls if not call.scope)
    found = {row["Tool"]: row["Calls"] for row in answered(shown, "Tools by time taken")}
    assert len(found) > 10
    assert found == {tool: calls[tool] for tool in found}


def test_nothing_is_shown_as_unknown(shown: CollectorTable) -> None:
    """In hours without turns, the head has no values; zero would look like a good result."""
    for title, panel in PANELS.items():
        if panel["type"] == "stat":
            (target,) = panel["targets"]
            rows = shown.rows(filled(target["rawSql"], 0, 3_600, ALL))
            assert {value for row in rows for value in row.values()} <= {None}, title
