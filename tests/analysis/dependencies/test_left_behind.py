"""Tests calls that may read what an earlier call with a reading name made, found or chose."""

from __future__ import annotations

import pytest
from strategies import call

from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies
from otel_parallelism.analysis.dependencies.effects import call_effect
from otel_parallelism.analysis.dependencies.effects.argument_effects import argument_effect
from otel_parallelism.analysis.dependencies.effects.left_behind import left_behind
from otel_parallelism.model import Call, Content
from otel_parallelism.settings import Settings

_SECOND_NS = 1_000_000_000


def _asked_together(first: tuple[str, object], second: tuple[str, object], settings: Settings | None = None) -> str:
    """Return the edge between two calls that the model asked for in one response and that ran one by one."""
    calls = [
        Call(
            "1",
            str(at),
            "turn",
            tool,
            2 * at * _SECOND_NS,
            (2 * at + 1) * _SECOND_NS,
            arguments=Content(arguments),
            result=Content({"label": "grey", "width": 12.5}),
            call_id=f"c{at}",
            round=0,
            proved=True,
        )
        for at, (tool, arguments) in enumerate((first, second))
    ]
    return Dependencies(calls, [], settings or Settings()).pair(0, 1).edge


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("transcribe_call", {"call": "C-55"}), ("get_transcript", {"call": "C-55"})),
        (("analyze_churn", {"segment": "Gold"}), ("get_churn_report", {"segment": "Gold"})),
        (("summarize_meeting", {"title": "Retro"}), ("read_summary", {"meeting": "Retro"})),
        (("calculate_shipping", {"cart": "K-77", "city": "Oslo"}), ("get_cart", {"cart": "K-77"})),
        (("crm_rank_leads", {"list": 5512}), ("crm_list_leads", {"list": 5512})),
        (("scrape_site", {"url": "https://a.example"}), ("search_pages", {"query": "limits"})),
        (("transcribe_audio", {"file": "a.mp3"}), ("summarize_audio", {"file": "a.mp3"})),
        (("check_spelling", {"doc": "D-31"}), ("list_suggestions", {"doc": "D-31"})),
        (("estimate_effort", {"project": "Heron"}), ("read_estimate", {"project": "Heron"})),
        (("identify_speakers", {"meeting": "M-12"}), ("get_speaker_timeline", {"meeting": "M-12"})),
        (("calculate_workbook", {"file": "budget.xlsx"}), ("get_cell", {"file": "budget.xlsx", "cell": "B2"})),
        (("extract_tables", {"file": "q3.pdf"}), ("get_table", {"table": 2})),
        (("search", {"entity": "Alnmere"}), ("lookup", {"string": "treaty"})),
        (("search_flights", {"to": "Oslo"}), ("list_flights", {})),
        (("view_camera", {"camera": 3}), ("read_plate", {})),
        (("detect_nearby", {"radius_m": 10}), ("list_devices", {})),
        (
            ("query_assistant", {"thread_id": "T-9", "message": "a"}),
            ("get_answer", {"thread_id": "T-9", "message": "b"}),
        ),
        (("find_element", {"sessionId": "S1", "selector": "#a"}), ("get_text", {"sessionId": "S1", "selector": "#a"})),
        (("lookup_user", {"tx": "TX-4", "name": "Ann"}), ("count_orders", {"tx": "TX-4"})),
        (("parse_invoice", {"file": "inv.pdf"}), ("find_field", {"name": "vendor"})),
        (("scrape_prices", {"site": "a.example", "table": "prices"}), ("get_mean", {"table": "prices"})),
        (("check_mail", {"account": "ann@a.example"}), ("list_messages", {"account": "ann@a.example"})),
    ],
)
def test_what_may_read_what_another_call_made_keeps_its_order(
    first: tuple[str, object], second: tuple[str, object]
) -> None:
    assert _asked_together(first, second) == "unknown"
    assert _asked_together(first, second, Settings(read_only=("*",))) == "none"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("get_transcript", {"call": "C-55"}), ("transcribe_call", {"call": "C-55"})),
        (("transcribe_call", {"call": "C-55"}), ("get_transcript", {"call": "C-56"})),
        (("calculate_flight_time", {"to": "Oslo"}), ("get_sunrise_time", {"city": "Oslo"})),
        (("calculate_area", {"day": "2026-05-01"}), ("get_rate", {"day": "2026-05-01"})),
        (("analyze_code", {"path": "src/a1.py"}), ("read_file", {"path": "src/a1.py"})),
        (("extract_dates", {"file": "d/a.pdf"}), ("extract_names", {"file": "d/a.pdf"})),
        (("check_weather", {"city": "Lima"}), ("get_weather_history", {"city": "Lima"})),
        (("estimate_tax", {"case": "T-31"}), ("get_rate", {"case": "T-31"})),
        (("search", {"query": "tides"}), ("get_weather", {"city": "Oslo"})),
        (("search_flights", {"to": "Oslo"}), ("list_flights", {"to": "Rome"})),
        (("get_weather", {"city": "Oslo"}), ("list_accounts", {})),
        (("get_thread", {"thread_id": "T-9"}), ("list_thread_participants", {"thread_id": "T-9"})),
        (("find_text", {"session_id": "S-1", "text": "a"}), ("find_text", {"session_id": "S-2", "text": "a"})),
    ],
)
def test_other_calls_are_free(first: tuple[str, object], second: tuple[str, object]) -> None:
    assert _asked_together(first, second) == "none"


def test_more_tools_than_are_told_apart_may_have_made_anything() -> None:
    tools = [f"analyze_{'x' * (at + 1)}" for at in range(70)] + ["get_weather"]
    calls = [
        call(f"{at}", 2 * at, 2 * at + 1, tool=tool, arguments=Content({"name": f"n{at}"}), round=at)
        for at, tool in enumerate(tools)
    ]
    found = left_behind(calls, range(len(calls)))
    last = len(calls) - 1
    assert list(found) == list(range(65, last + 1))
    assert [mask for mask, _ in found[last]] == [sum(1 << at for at in range(64, 70))]


@pytest.mark.parametrize(
    ("tool", "arguments", "effect"),
    [
        ("filter_rows", {"column": "region"}, "unknown"),
        ("filter_rows", {"rows": [1, 2], "above": 1}, "read"),
        ("compute_statistics", {}, "unknown"),
        ("compute_statistics", {"values": [1, 2]}, "read"),
        ("find_result", {"index": 2}, "unknown"),
        ("search_file", {"search_term": "parse"}, "unknown"),
        ("search_file", {"search_term": "parse", "path": "a.py"}, "read"),
        ("sum_column", {"column": "total"}, "unknown"),
        ("count_rows", {}, "unknown"),
        ("count_rows", {"table": "users"}, "read"),
        ("get_values", {"values": [1, 2]}, "read"),
        ("find_in_page", {"text": "treaty"}, "unknown"),
        ("get_forecast", {"days": 2}, "read"),
    ],
)
def test_tool_that_is_not_told_what_it_works_on_is_in_doubt(tool: str, arguments: object, effect: str) -> None:
    assert call_effect(call("1", 0, 1, tool=tool, arguments=Content(arguments)), Settings())[0] == effect


@pytest.mark.parametrize(
    ("tool", "arguments", "effect"),
    [
        ("query_database", {"query": "VACUUM"}, "write"),
        ("query_database", {"query": "FETCH NEXT FROM c"}, "unknown"),
        ("query_database", {"query": "REFRESH MATERIALIZED VIEW sales"}, "unknown"),
        ("query_database", {"query": "SELECT @@ROWCOUNT"}, "unknown"),
        ("query_database", {"query": "SELECT \"nextval\"('s')"}, "unknown"),
        ("run_query", {"query": "SELECT s.nextval FROM dual"}, "unknown"),
        ("run_query", {"query": "SELECT NEXT VALUE FOR s"}, "unknown"),
        ("run_query", {"query": "SHOW WARNINGS"}, "unknown"),
        ("run_query", {"query": "SELECT @sum = SUM(x) FROM t"}, "unknown"),
        ("run_query", {"query": "SELECT * FROM t WITH (UPDLOCK)"}, "unknown"),
        ("run_query", {"query": "SELECT s.note FROM t s WHERE tags @> '{a}'"}, "read"),
        ("query_database", {"query": "Show the orders of May"}, None),
        ("bash", {"command": "echo $?"}, "unknown"),
        ("bash", {"command": "curl -s https://ci.example/job/nightly/build"}, "unknown"),
        ("bash", {"command": "curl -s https://ci.example/builds/7"}, "read"),
        ("fetch_url", {"url": "https://ci.example/job/nightly/build?delay=0"}, "unknown"),
        ("fetch_url", {"url": "http://shed.example/relay/0?turn=on"}, "unknown"),
        ("fetch_url", {"url": "https://search.example/hooks/reindex?token=a"}, "unknown"),
        ("fetch_url", {"url": "http://hub.example/lights/3?on=true"}, "unknown"),
        ("fetch_url", {"url": "http://hub.example/setTemperature?value=21"}, "unknown"),
        ("fetch_url", {"url": "http://hub.example/settings"}, None),
        ("calculate", {"expression": "x = 3 * 4"}, "unknown"),
        ("calculator", {"expression": "ans * 2"}, "unknown"),
        ("calculate", {"expression": "3 * 4 == 12"}, None),
        ("query_dataframe", {"code": "df.dropna(inplace=True)"}, "unknown"),
        ("query_dataframe", {"code": "df.price.mean()"}, None),
        ("search_seats", {"row": "F", "hold_seconds": 300}, "unknown"),
        ("list_files", {"drive": "D-1", "sync": True}, "unknown"),
        ("get_page", {"if_missing": "create"}, "unknown"),
        ("get_price", {"mode": "train", "to": "Lyon"}, None),
        ("query_node", {"method": "eth_sendRawTransaction"}, "unknown"),
        ("query_node", {"method": "eth_getBalance"}, None),
        ("fetch_url", {"url": "https://docs.example/cli/build"}, None),
    ],
)
def test_statements_commands_and_addresses_that_act_or_tell_of_the_one_before(
    tool: str, arguments: object, effect: str | None
) -> None:
    assert argument_effect(tool, arguments) == effect


@pytest.mark.parametrize(
    ("field", "effect"), [("downloaded", "unknown"), ("pagesIndexed", "unknown"), ("size", "read")]
)
def test_count_of_what_was_done_is_a_report_of_an_act(field: str, effect: str) -> None:
    told = call("1", 0, 1, tool="fetch_mail", arguments=Content({"of": "ann"}), result=Content({field: 14}))
    assert call_effect(told, Settings())[0] == effect
