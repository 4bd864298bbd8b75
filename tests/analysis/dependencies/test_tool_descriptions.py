"""Tests that a tool's description on its span defeats a reading name where it tells of more than a read."""

from __future__ import annotations

import json

import pytest

from otel_parallelism.analysis.dependencies.effects.tool_descriptions import tells_of_more
from otel_parallelism.model import SpanRecord
from otel_parallelism.stored import analyze_spans

_SECOND_NS = 1_000_000_000


@pytest.mark.parametrize(
    "description",
    [
        "Get the current weather in a given city.",
        "Returns the orders of a customer, newest first. Dates are in ISO format.",
        "Search the product catalogue by name or category; at most 20 hits.",
        "Lists open tickets, their priorities and records of calls.",
        "Look up a user by e-mail. The last name is not needed.",
        "Read the last 100 lines of a log file.",
        "get_weather returns a forecast.",
        "Lists trips. Args: start_date: the first day; search_term: words; run_id: of a run.",
        "Gets a page. Example: ```client = open_session(); client.close()``` prints it.",
        "Send a tools/list request.",
        "",
    ],
)
def test_description_of_a_read_leaves_the_name_as_it_is(description: str) -> None:
    assert not tells_of_more(description, "get_weather")


@pytest.mark.parametrize(
    "description",
    [
        "Lists evidence of the scope opened by the last get_scope call.",
        "Returns the rows that the previous query found.",
        "Fetches a mail and marks it as read.",
        "Shows the active document.",
        "Get a page. Must be called after the login.",
        "Reads a sheet. Call this only after opening a workbook: after calling the opener.",
        "Gets a number from the counter, then increments it.",
        "Use `open_session` first.",
        "Read the next message.",
        "Polls the job.",
        "Opens the\n    scope of a case.",
        "Gets a page of what run_query found.",
        "Send a mail.",
    ],
)
def test_description_of_an_act_or_of_an_order_defeats_a_reading_name(description: str) -> None:
    assert tells_of_more(description, "get_weather")


def test_only_the_beginning_of_a_long_description_is_read() -> None:
    assert tells_of_more("word " * 300 + ". Marks it as read.", "get_mail")
    assert not tells_of_more("word " * 500 + ". Marks it as read.", "get_mail")


@pytest.mark.parametrize("tool", ["search", "mark", ""])
def test_name_of_one_word_is_left_in_its_description(tool: str) -> None:
    assert tells_of_more("Lists what the last search found.", tool)
    assert tells_of_more("Fetches a mail and marks it as read.", tool)


def advice(attribute: str, description: str, *, on: str = "call", nested: bool = False) -> list[str]:
    """
    Return the advice on two reads, one a response, the second of a tool with *description* in *attribute*.

    The attribute is that of the call, or defines both tools on the first ``chat`` or on the ``turn``. If *nested*, a
    span of a step lies between the turn and what is in it.
    """
    trace, root = "1" * 32, "a" * 16
    said = '[{"role": "user", "parts": [{"type": "text", "content": "Evidence E1 and weather in Oslo"}]}]'
    tools = [
        {"name": "get_evidence", "description": description},
        {"name": "get_weather", "description": "Get the weather."},
    ]
    defined = {attribute: json.dumps(tools)}
    turn = {"gen_ai.operation.name": "invoke_agent"} | (defined if on == "turn" else {})
    spans = [SpanRecord(trace, root, "", "invoke_agent x", 0, 9 * _SECOND_NS, turn)]
    parent = "b" * 16 if nested else root
    if nested:
        spans.append(SpanRecord(trace, parent, root, "step", 0, 9 * _SECOND_NS, {}))
    for n, (tool, arguments) in enumerate((("get_weather", '{"city": "Oslo"}'), ("get_evidence", '{"id": "E1"}'))):
        at = n * 4 * _SECOND_NS
        asked = f'[{{"role": "assistant", "parts": [{{"type": "tool_call", "id": "c{n}", "name": "{tool}"}}]}}]'
        chat = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": said, "gen_ai.output.messages": asked}
        if on == "chat" and not n:
            chat |= defined
        call = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool,
            "gen_ai.tool.call.id": f"c{n}",
            "gen_ai.tool.call.arguments": arguments,
            "gen_ai.tool.call.result": '{"text": "some words"}',
        }
        if on == "call":
            call[attribute] = description if n else "Get the weather."
        spans.append(SpanRecord(trace, f"{n + 1:016x}", parent, "chat m", at, at + _SECOND_NS, chat))
        spans.append(SpanRecord(trace, f"{n + 9:016x}", parent, "tool", at + _SECOND_NS, at + 4 * _SECOND_NS, call))
    return [finding.advice for report in analyze_spans(spans).reports for finding in report.findings]


@pytest.mark.parametrize("attribute", ["gen_ai.tool.description", "tool.description"])
def test_described_call_is_not_recommended(attribute: str) -> None:
    assert advice(attribute, "Get a piece of evidence by its id.") == ["recommended"]
    assert advice(attribute, "Get a piece of evidence of the scope opened by the last call.") == ["potential"]


@pytest.mark.parametrize("on", ["chat", "turn"])
@pytest.mark.parametrize("nested", [False, True])
def test_call_of_a_defined_tool_is_not_recommended(on: str, nested: bool) -> None:
    """The same holds where a model request or the turn defines the tool, also in a trace that needs a tree."""
    key = "gen_ai.tool.definitions"
    assert advice(key, "Get a piece of evidence by its id.", on=on, nested=nested) == ["recommended"]
    scope = "Get a piece of evidence of the scope opened by the last call."
    assert advice(key, scope, on=on, nested=nested) == ["potential"]
