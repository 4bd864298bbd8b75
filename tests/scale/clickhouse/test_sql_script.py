"""The statements run in ClickHouse as they are printed; views take a time range, and nothing outside it counts."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from otel_parallelism import SettingError, analyze_spans
from otel_parallelism.model import SpanRecord
from otel_parallelism.scale.clickhouse.hourly import HOURS, hourly_query, tools_query
from otel_parallelism.scale.clickhouse.sql_script import all_statements
from otel_parallelism.scale.clickhouse.trace_query import MARGIN_S
from otel_parallelism.scale.clickhouse.turn_query import turns_query
from otel_parallelism.settings import Settings
from tests.scale.clickhouse.collector_table import ALWAYS, TABLE, CollectorTable
from tests.scale.clickhouse.drawn_responses import drawn_responses
from tests.scale.clickhouse.drawn_traces import drawn_traces
from tests.scale.clickhouse.grafana_macros import filled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOUR_NS = 3_600 * 10**9
START_NS = 1_790_000_000 * 10**9 // HOUR_NS * HOUR_NS
AGENTS = ("planner", "writer", "seller")
TOOLS = ("get_rows", "search", "send_mail")


def turn(number: int, start_ns: int, choose: random.Random) -> Iterator[SpanRecord]:
    """Yield the spans of one turn that starts at *start_ns*; a part of it runs after the next hour has begun."""
    trace_id = f"{number + 1:032x}"

    def span(at: int, parent: int, name: str, start_s: float, end_s: float, **attributes: str) -> SpanRecord:
        times = [start_ns + round(second * 1e9) for second in (start_s, end_s)]
        told = {f"gen_ai.{key.replace('__', '.')}": value for key, value in attributes.items()}
        parent_id = f"{number * 100 + parent:016x}" if parent else ""
        return SpanRecord(
            trace_id, f"{number * 100 + at:016x}", parent_id, name, *times, told, instrumentation="agents"
        )

    agent = choose.choice(AGENTS)
    yield span(1, 0, f"invoke_agent {agent}", 0, 900, operation__name="invoke_agent", agent__name=agent)
    for at in range(2, choose.randint(3, 7)):
        tool, begin = choose.choice(TOOLS), choose.uniform(1, 500)
        end = begin + choose.uniform(0.001, 300)
        yield span(at, 1, f"execute_tool {tool}", begin, end, operation__name="execute_tool", tool__name=tool)


def turns(number: int) -> list[SpanRecord]:
    """Return the spans of turns in four hours, also just before and at their ends."""
    choose = random.Random(number)
    starts = [
        START_NS + choose.choice((0, 1, HOUR_NS - 1, HOUR_NS, choose.randrange(4 * HOUR_NS))) for _ in range(number)
    ]
    return [span for at, start_ns in enumerate(starts) for span in turn(at, start_ns, choose)]


@pytest.fixture(scope="module")
def views(table: CollectorTable) -> CollectorTable:
    table.make_views()
    return table


def test_view_of_a_time_range(views: CollectorTable) -> None:
    views.replace(turns(200))
    reports = analyze_spans(views.spans()).reports
    for since, until in ((1, 2), (0, 9)):
        first, last = (START_NS // 10**9 + hour * 3_600 for hour in (since, until))
        rows = views.rows(
            f"SELECT TraceId, calls, work, undecided FROM otel.parallelism_turns(since = {first}, until = {last})"
        )
        expected = {
            report.turn.trace_id: (report.calls, report.work, "")
            for report in reports
            if first * 10**9 <= report.turn.start_ns < last * 10**9
        }
        assert {row["TraceId"]: (row["calls"], row["work"], row["undecided"]) for row in rows} == expected
    calls = views.rows(f"SELECT TraceId FROM otel.parallelism_calls(since = {first}, until = {last})")
    assert len(calls) == sum(calls for calls, _, _ in expected.values()) > 0


def test_turn_that_reaches_beyond_what_is_read(views: CollectorTable) -> None:
    first, *calls = turn(1, START_NS, random.Random(1))
    for end_s, undecided in ((3_600 + MARGIN_S, ""), (3_600 + MARGIN_S + 1, "window")):
        views.replace([msgspec.structs.replace(first, end_ns=START_NS + end_s * 10**9), *calls])
        since = START_NS // 10**9
        times = [f"toDateTime64({at}, 9)" for at in (since, since + 3_600)]
        query = f"SELECT undecided FROM ({turns_query(TABLE, times[0], times[1], Settings())})"
        assert views.rows(query) == [{"undecided": undecided}]


def test_turn_with_calls_beyond_what_is_read(views: CollectorTable) -> None:
    """A turn that seems to wrap another one, because its own calls start later, is not left out."""
    first, *calls = turn(1, START_NS, random.Random(1))
    inner = msgspec.structs.replace(first, span_id="a" * 16, parent_id=first.span_id, end_ns=START_NS + HOUR_NS)
    outer = msgspec.structs.replace(first, end_ns=START_NS + 30 * HOUR_NS)
    later_ns = 20 * HOUR_NS
    later = [
        msgspec.structs.replace(
            calls[0], span_id="b" * 16, start_ns=calls[0].start_ns + later_ns, end_ns=calls[0].end_ns + later_ns
        ),
        *(msgspec.structs.replace(call, parent_id=inner.span_id) for call in calls),
    ]
    views.replace([outer, inner, *later])
    since = START_NS // 10**9
    times = [f"toDateTime64({at}, 9)" for at in (since, since + 3_600)]
    query = turns_query(TABLE, times[0], times[1], Settings())
    found = {row["SpanId"]: row["undecided"] for row in views.rows(f"SELECT SpanId, undecided FROM ({query})")}
    assert set(found) == {outer.span_id, inner.span_id}
    assert found[outer.span_id] != ""


def test_wrong_ids_and_times(views: CollectorTable) -> None:
    first, *calls = turn(1, START_NS, random.Random(1))
    query = f"SELECT undecided, calls FROM ({turns_query(TABLE, *ALWAYS, Settings())})"
    for wrong in ({"span_id": "12"}, {"parent_id": "x"}, {"span_id": "0" * 16}, {"end_ns": calls[0].start_ns + 2**62}):
        views.replace([first, msgspec.structs.replace(calls[0], **wrong), *calls[1:]])
        assert views.rows(query) == [{"undecided": "id or time", "calls": None}], wrong


def test_bounds_of_the_settings(views: CollectorTable) -> None:
    views.replace(turns(50))
    few = Settings(max_calls_per_turn=4, bookkeeping=("SEARCH",))
    reports = {report.turn.trace_id: report.calls for report in analyze_spans(views.spans(), settings=few).reports}
    rows = views.rows(turns_query(TABLE, *ALWAYS, few))
    decided = {row["TraceId"]: row["calls"] for row in rows if not row["undecided"]}
    assert {row["undecided"] for row in rows} == {"", "many"}
    assert decided == {trace_id: reports[trace_id] for trace_id in decided}


def test_spans_of_own_patterns_are_left_to_the_core(views: CollectorTable) -> None:
    views.replace(turns(6))
    for pattern in ("execute_TOOL get_*", "gen_ai.tool.name=GET_rows"):
        rows = views.rows(turns_query(TABLE, *ALWAYS, Settings(call_spans=(pattern,))))
        named = {span.trace_id for span in views.spans() if span.attributes.get("gen_ai.tool.name") == "get_rows"}
        assert {row["TraceId"] for row in rows if row["undecided"] == "dialect"} == named
        assert {row["undecided"] for row in rows} == {"", "dialect"}


def sums(views: CollectorTable, view: str, *keys: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    columns = f"turns, calls, duration, {', '.join(keys)}"
    rows = views.rows(f"SELECT {columns}, toUnixTimestamp(hour) AS at FROM otel.{view}")
    return {
        (row["at"], *(row[key] for key in keys)): (row["turns"], row["calls"], round(row["duration"], 6))
        for row in rows
    }


def expected_sums(spans: Sequence[SpanRecord]) -> tuple[dict[tuple[Any, ...], Any], dict[tuple[Any, ...], Any]]:
    """Return the turns, calls and seconds by hour and agent, and by hour, agent and tool."""
    by_agent: dict[tuple[Any, ...], list[float]] = {}
    by_tool: dict[tuple[Any, ...], tuple[set[str], list[float]]] = {}
    for report in analyze_spans(spans).reports:
        hour = report.turn.start_ns // HOUR_NS * 3_600
        of_agent = by_agent.setdefault((hour, report.turn.agent), [0, 0, 0.0])
        of_agent[0] += 1
        of_agent[1] += report.calls
        of_agent[2] += (report.turn.end_ns - report.turn.start_ns) / 1e9
        for call in report.turn.calls:
            of_tool = by_tool.setdefault((hour, report.turn.agent, call.tool), (set(), []))
            of_tool[0].add(report.turn.span_id)
            of_tool[1].append(call.duration_ns / 1e9)
    agents = {key: (turns, calls, round(seconds, 6)) for key, (turns, calls, seconds) in by_agent.items()}
    tools = {key: (len(ids), len(each), round(sum(each), 6)) for key, (ids, each) in by_tool.items()}
    return agents, tools


def test_refresh_counts_late_and_doubled_spans_once(views: CollectorTable) -> None:
    """Spans arrive in pieces, the turn's own span last and some of them twice, and each refresh corrects its hours."""
    spans = turns(120)
    early = [span for span in spans if span.parent_id][::2]
    views.replace(early)

    def refresh() -> None:
        for name, query in (("parallelism_hours", hourly_query), ("parallelism_tool_hours", tools_query)):
            views.run(f"INSERT INTO otel.{name} {query(TABLE, *ALWAYS, Settings())}")

    refresh()
    assert sums(views, "parallelism_by_hour", "agent") == {}
    views.insert([span for span in spans if not span.parent_id][::2])
    refresh()
    some = sums(views, "parallelism_by_hour", "agent")
    views.insert([*spans, *early])
    refresh()
    refresh()
    agents, tools = expected_sums(spans)
    assert sums(views, "parallelism_by_hour", "agent") == agents != some
    assert sums(views, "parallelism_tools_by_hour", "agent", "tool") == tools
    median = "quantilesTDigestMerge(0.1, 0.5, 0.9)(ratios)[2] AS median"
    (row,) = views.rows(f"SELECT {median}, sum(undecided) AS undecided FROM otel.parallelism_by_hour")
    ratios = sorted(report.ratio or 0 for report in analyze_spans(spans).reports)
    assert ratios[len(ratios) * 2 // 5] < row["median"] < ratios[len(ratios) * 3 // 5]
    assert row["undecided"] == 0


def test_materialized_views_refresh_the_last_hours(views: CollectorTable) -> None:
    (now,) = views.rows("SELECT toUnixTimestamp(toStartOfHour(now())) AS hour")
    hours = [now["hour"] - back * 3_600 for back in (0, 1, HOURS, HOURS + 1)]
    choose = random.Random(1)
    views.replace(span for at, hour in enumerate(hours) for span in turn(at, hour * 10**9, choose))
    for name in ("parallelism_hours", "parallelism_tool_hours"):
        views.run(f"TRUNCATE TABLE otel.{name}")
        views.run(f"SYSTEM REFRESH VIEW otel.{name}_refresh")
        views.run(f"SYSTEM WAIT VIEW otel.{name}_refresh")
        found = views.rows(f"SELECT DISTINCT toUnixTimestamp(hour) AS hour FROM otel.{name} ORDER BY hour")
        assert [row["hour"] for row in found] == [hours[2], hours[1]]


def test_drawn_traces_in_the_sums(views: CollectorTable) -> None:
    """Turns without numbers are counted apart."""
    views.replace(span for trace in drawn_traces(5, 120) for span in trace)
    (row,) = views.rows(
        "SELECT sum(turns) AS turns, sum(undecided) AS undecided, sum(calls) AS calls,"
        f" sum(avoidable_at_most) > 0 AS some FROM ({hourly_query(TABLE, *ALWAYS, Settings())})"
    )
    (expected,) = views.rows(
        "SELECT count() AS turns, countIf(undecided != '') AS undecided, sum(calls) AS calls, 1 AS some"
        f" FROM ({turns_query(TABLE, *ALWAYS, Settings())})"
    )
    assert row == expected
    assert 0 < row["undecided"] < row["turns"]


def test_queries_in_the_documentation(views: CollectorTable) -> None:
    """They run with the values that Grafana's data source puts in for its macros, and each finds something."""
    page = (Path(__file__).parents[3] / "docs" / "clickhouse.md").read_text(encoding="utf-8")
    queries = re.findall(r"```(?:sql|text)\n(SELECT .*?)```", page, re.DOTALL)
    assert len(queries) == 7
    views.replace(turns(40))
    for name, query in (("parallelism_hours", hourly_query), ("parallelism_tool_hours", tools_query)):
        views.run(f"TRUNCATE TABLE otel.{name}")
        views.run(f"INSERT INTO otel.{name} {query(TABLE, *ALWAYS, Settings())}")
    since, until = (START_NS // 10**9 + hours * 3_600 for hours in (-1, 9))
    for query in queries:
        if "parallelism_chains" in query:
            views.replace(span for trace in drawn_responses(2, 35) for span in trace)
        past = query.replace("now() - INTERVAL 1 DAY", str(since)).replace("now()", str(until))
        assert views.rows(filled(past, since, until, {})), query


def test_name_of_the_table_is_checked() -> None:
    for name in ("a;b", "a.b.c", "", "a b", "`a`"):
        with pytest.raises(
            SettingError, match=r"expected the name of a table, such as otel_traces or otel\.otel_traces"
        ):
            all_statements(name, Settings(), hourly=False)
    assert "CREATE OR REPLACE VIEW parallelism_turns AS" in all_statements("otel_traces", Settings(), hourly=False)
