from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, Passage, SpanRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_parallelism.model import Content

    Make = Callable[..., SpanRecord]
    Read = Callable[[Content | None], object]

CALL = {"mcp.method.name": "tools/call"}


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        (
            "tools/call get_weather",
            {**CALL, "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather"},
        ),
        ("tools/call get_weather", {**CALL, "gen_ai.tool.name": "get_weather", "fastmcp.component.type": "tool"}),
        ("tools/call get_weather", CALL),
        ("MCP send tools/call get_weather", CALL),
        ("MCP send tools/call get_weather", {}),
        ("tools/call get_weather", {"rpc.system": "jsonrpc"}),
    ],
)
def test_tool_spans_of_client_server_and_fastmcp_are_calls(
    span: Make, name: str, attributes: Mapping[str, object]
) -> None:
    seen = classify(span(name, attributes))
    assert isinstance(seen, Call)
    assert seen.tool == "get_weather"


@pytest.mark.parametrize("method", ["tools/list", "server/discover", "initialize", "prompts/get", "resources/read"])
def test_other_methods_are_passages(span: Make, method: str) -> None:
    for name in (method, f"MCP send {method}"):
        seen = classify(span(name, {"mcp.method.name": method, "gen_ai.tool.name": ""}))
        assert isinstance(seen, Passage)
        assert not seen.cycle


def test_tool_error_marks_the_call_as_failed(span: Make) -> None:
    seen = classify(span("tools/call get_weather", {**CALL, "error.type": "tool_error"}))
    assert isinstance(seen, Call)
    assert seen.error


def test_server_span_describes_a_remote_call(span: Make) -> None:
    told = span("tools/call get_weather", CALL)
    server, client = (classify(msgspec.structs.replace(told, kind=kind)) for kind in (2, 3))
    assert isinstance(server, Call)
    assert isinstance(client, Call)
    assert (server.remote_parent, client.remote_parent) == (True, False)


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
        ("mcp.request.argument", "mcp.response.value"),
    ],
)
def test_contents_are_read_without_an_operation_name(span: Make, plain: Read, arguments: str, result: str) -> None:
    attributes = {
        "mcp.method.name": "tools/call",
        "gen_ai.tool.name": "get_weather",
        arguments: '{"city": "Oslo"}',
        result: '{"content": [{"type": "text", "text": "rain"}], "isError": false}',
    }
    seen = classify(span("tools/call get_weather", attributes))
    assert isinstance(seen, Call)
    assert (plain(seen.arguments), plain(seen.result), seen.error) == ({"city": "Oslo"}, "rain", False)


def test_arguments_in_a_requests_parameters(span: Make, plain: Read) -> None:
    given = '{"name": "get_weather", "arguments": {"city": "Oslo"}}'
    seen = classify(span("tools/call get_weather", {"mcp.method.name": "tools/call", "mcp.request.argument": given}))
    assert isinstance(seen, Call)
    assert plain(seen.arguments) == {"city": "Oslo"}


def test_result_with_an_error_failed(span: Make) -> None:
    result = '{"content": [{"type": "text", "text": "no such city"}], "isError": true}'
    seen = classify(span("tools/call get", {"mcp.method.name": "tools/call", "gen_ai.tool.call.result": result}))
    assert isinstance(seen, Call)
    assert seen.error
