from __future__ import annotations

import json

import pytest

from otel_parallelism.dialects.parsing import envelopes

TOOL_MESSAGE = {"content": "rain", "type": "tool", "name": "get_weather", "tool_call_id": "call_0", "status": "success"}
LANGCHAIN_INPUT = json.dumps(
    {
        "input_str": "{'arg': 'x'}",
        "tags": ["seq:step:1"],
        "metadata": {"langgraph_checkpoint_ns": "tools:158d6cb2-a2ba"},
        "inputs": {"arg": "x"},
        "kwargs": {"color": "green", "name": None, "tool_call_id": "call_0"},
    }
)
LANGCHAIN_OUTPUT = json.dumps(
    {
        "output": {"lc": 1, "type": "constructor", "id": ["langchain", "ToolMessage"], "kwargs": TOOL_MESSAGE},
        "kwargs": {"tags": ["seq:step:1"], "color": "green"},
    }
)


SHOWN_MESSAGE = r"""content='{"id": "it\'s"}' name='t' id='m' tool_call_id='call_3'"""
SHOWN_RESULT = (
    """meta=None content=[TextContent(type='text', text='{"id": 1}', annotations=None), """
    """TextContent(type='text', text="rain")] structuredContent=None isError=False"""
)


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ('{"city": "Oslo"}', {"city": "Oslo"}),
        ("{'city': 'Oslo'}", {"city": "Oslo"}),
        ("Oslo", "Oslo"),
        ('{"args": [], "kwargs": {"arg": "x"}}', {"arg": "x"}),
        ('{"args": ["x", 1], "kwargs": {}}', ["x", 1]),
        ('{"args": ["x"], "kwargs": {"n": 1}}', {"args": ["x"], "keywords": {"n": 1}}),
        ('{"args": [], "sanitize_inputs_outputs": true, "kwargs": {"arg": "x"}}', {"arg": "x"}),
        ('{"kwargs": {"city": "Oslo"}}', {"city": "Oslo"}),
        (LANGCHAIN_INPUT, {"arg": "x"}),
        ('{"input_str": "{\'arg\': \'x\'}", "tags": [], "inputs": null}', {"arg": "x"}),
        ('[{"role": "tool", "parts": [{"type": "tool_call", "id": "1", "arguments": {"a": 1}}]}]', {"a": 1}),
        ('{"tool_name": "get_weather", "arguments": {"city": "Oslo"}}', {"city": "Oslo"}),
        ('{"kwargs": {"a": 1}, "other": 2}', {"kwargs": {"a": 1}, "other": 2}),
        ({"city": "Oslo"}, {"city": "Oslo"}),
    ],
)
def test_only_the_arguments_remain(written: object, given: object) -> None:
    assert envelopes.arguments(written) == given


@pytest.mark.parametrize(
    ("written", "returned"),
    [
        ("rain", "rain"),
        ('"rain"', "rain"),
        ('{"id": "usr_1"}', {"id": "usr_1"}),
        (LANGCHAIN_OUTPUT, "rain"),
        (json.dumps({"type": "tool", "data": TOOL_MESSAGE}), "rain"),
        (json.dumps(TOOL_MESSAGE), "rain"),
        (json.dumps({"output": TOOL_MESSAGE}), "rain"),
        (json.dumps({"output": {**TOOL_MESSAGE, "content": '{"id": "usr_1"}'}}), {"id": "usr_1"}),
        ('[{"type":"text","text":"rain"}]', "rain"),
        ('[{"text": "{\\"id\\": 1}"}, {"text": "rain"}]', [{"id": 1}, "rain"]),
        ('[{"json": {"id": "usr_1"}}]', {"id": "usr_1"}),
        ('[{"id": "usr_1", "city": "Oslo"}]', [{"id": "usr_1", "city": "Oslo"}]),
        ('{"content": [{"type": "text", "text": "rain"}], "isError": false}', "rain"),
        ('{"content": [], "structuredContent": {"id": 1}, "isError": false}', {"id": 1}),
        (
            '{"content": [{"type": "text", "text": "seat 4C"}], "structuredContent": {"booked": 1}, "isError": false}',
            [{"booked": 1}, "seat 4C"],
        ),
        (
            '{"content": [{"type": "text", "text": "7"}], "structuredContent": {"result": 7}, "isError": false}',
            {"result": 7},
        ),
        (
            '{"content": "rain", "is_error": false, "next": "p2", "meta": null}',
            {"content": "rain", "next": "p2"},
        ),
        ('{"content": [], "isError": true, "_meta": {}}', {"content": [], "isError": True, "_meta": {}}),
        (
            '[{"type": "resource", "resource": {"uri": "x://1", "text": "{\\"id\\": 1}"}}]',
            {"uri": "x://1", "text": {"id": 1}},
        ),
        (SHOWN_MESSAGE, {"id": "it's"}),
        ("content='oops' name='t' tool_call_id='call_3' status='error'", "oops"),
        ("content='is the key' and more", "content='is the key' and more"),
        (SHOWN_RESULT, [{"id": 1}, "rain"]),
        (
            SHOWN_RESULT.replace("None isError", "{'id': 1, 'sky': 'grey'} isError"),
            [{"id": 1, "sky": "grey"}, [{"id": 1}, "rain"]],
        ),
        (SHOWN_RESULT.replace("TextContent(", "ImageContent("), SHOWN_RESULT.replace("TextContent(", "ImageContent(")),
        ('{"blocks": [], "tool_name": "t", "raw_input": {"kwargs": {}}, "raw_output": "rain"}', "rain"),
        ('{"tool_name": "t", "tool_id": "c", "tool_output": {"raw_output": 1, "tool_name": "t"}}', 1),
        ('[{"role": "tool", "parts": [{"type": "tool_call_response", "response": [{"text": "rain"}]}]}]', "rain"),
        ("status='success' result={'id': 'usr_1'} error=None updated_session_state=None", {"id": "usr_1"}),
        ([], []),
    ],
)
def test_only_the_result_remains(written: object, returned: object) -> None:
    assert envelopes.result(written) == returned


def test_googles_function_response_is_opened_only_where_it_is_one() -> None:
    written = '{"id": "call_0", "name": "get_weather", "response": {"result": "rain"}}'
    assert envelopes.function_response(written) == {"result": "rain"}
    assert envelopes.result(written) == {"id": "call_0", "name": "get_weather", "response": {"result": "rain"}}


@pytest.mark.parametrize(
    ("written", "call_id"),
    [
        (LANGCHAIN_INPUT, "call_0"),
        (LANGCHAIN_OUTPUT, "call_0"),
        (json.dumps(TOOL_MESSAGE, separators=(",", ":")), "call_0"),
        ('{"tool_name": "t", "tool_kwargs": {}, "tool_id": "call_1", "tool_output": {}}', "call_1"),
        (json.dumps({"content": 'an "tool_call_id": "other" in words', "tool_call_id": "call_2"}), "call_2"),
        (json.dumps({"content": json.dumps({"tool_call_id": "other"})}), ""),
        (SHOWN_MESSAGE, "call_3"),
        ("rain", ""),
        (None, ""),
    ],
)
def test_the_calls_id_is_found_without_reading_the_content(written: object, call_id: str) -> None:
    assert envelopes.tool_call_id(written) == call_id


def test_a_failed_tool_message_is_told() -> None:
    assert envelopes.tool_failed(json.dumps({**TOOL_MESSAGE, "status": "error"}))
    assert not envelopes.tool_failed(LANGCHAIN_OUTPUT)
    assert envelopes.tool_failed('{"content": [{"type": "text", "text": "no such city"}], "isError": true}')
    assert envelopes.tool_failed('{"tool_name": "t", "raw_output": null, "is_error":true}')
    assert envelopes.tool_failed('{"tool_output": {"content": "", "is_error": true}}')
    assert envelopes.tool_failed("content='oops' name='t' tool_call_id='call_3' status='error'")
    assert not envelopes.tool_failed(SHOWN_MESSAGE)
    assert not envelopes.tool_failed('{"status": "error"}')
    assert not envelopes.tool_failed('{"content": "isError", "isError": false}')
    assert not envelopes.tool_failed('it says "isError": true')
    assert not envelopes.tool_failed({"isError": True})


def test_text_that_only_begins_like_a_shown_object_is_read_once() -> None:
    text = "content=[" + "] name=" * 100_000  # to search from each mark anew would take minutes
    assert not envelopes.tool_failed(text)
    assert envelopes.tool_call_id(text) == ""
    assert envelopes.tool_failed(text + "] id='x' tool_call_id='c1' status='error'")
    shown = "CallToolResult(content=[" + "], structured_content=x" * 50_000
    assert envelopes.result(shown) == shown
