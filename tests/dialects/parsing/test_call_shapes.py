from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from otel_parallelism.dialects.parsing.call_shapes import CallShape, call_shape, listed_call_shape
from otel_parallelism.dialects.parsing.messages import requested_ids

GIVEN = {"city": "Oslo"}
TYPED: dict[str, tuple[dict[str, Any], CallShape]] = {
    "anthropic": (
        {"type": "tool_use", "id": "a", "name": "rain", "input": GIVEN},
        CallShape("anthropic", "a", "rain", GIVEN),
    ),
    "responses": (
        {"type": "function_call", "id": "fc_1", "call_id": "a", "name": "rain", "arguments": "{}"},
        CallShape("responses", "a", "rain", "{}"),
    ),
    "responses, custom": (
        {"type": "custom_tool_call", "call_id": "a", "name": "shell", "input": "ls"},
        CallShape("responses", "a", "shell", "ls", custom=True),
    ),
    "responses, provider's tool": (
        {"type": "local_shell_call", "id": "lsh_1", "call_id": "a", "action": {}},
        CallShape(None, "a", "local_shell_call"),
    ),
    "chat": (
        {"type": "function", "id": "a", "function": {"name": "rain", "arguments": "{}"}},
        CallShape("chat", "a", "rain", "{}"),
    ),
    "chat, custom": (
        {"type": "custom", "id": "a", "custom": {"name": "shell", "input": "ls"}},
        CallShape("chat", "a", "shell", "ls", custom=True),
    ),
    "plain": ({"type": "tool_call", "id": "a", "name": "rain", "args": GIVEN}, CallShape("plain", "a", "rain", GIVEN)),
}
MAPPINGS: dict[str, tuple[dict[str, Any], CallShape]] = {
    "bedrock": ({"toolUse": {"toolUseId": "a", "name": "rain", "input": GIVEN}}, CallShape(None, "a", "rain", GIVEN)),
    "gemini": ({"functionCall": {"id": "a", "name": "rain", "args": GIVEN}}, CallShape(None, "a", "rain", GIVEN)),
    "pydantic-ai": (
        {"part_kind": "tool-call", "tool_name": "rain", "args": GIVEN, "tool_call_id": "a"},
        CallShape(None, "a", "rain", GIVEN),
    ),
}


def as_object(value: Any) -> Any:
    return (
        SimpleNamespace(**{key: as_object(inner) for key, inner in value.items()}) if isinstance(value, dict) else value
    )


@pytest.mark.parametrize(("item", "expected"), (TYPED | MAPPINGS).values(), ids=TYPED | MAPPINGS)
def test_call_is_recognised_in_every_format(item: dict[str, Any], expected: CallShape) -> None:
    assert call_shape(item) == expected
    assert listed_call_shape(item) == expected
    assert requested_ids([{"role": "assistant", "content": [item]}]) == ("a",)


@pytest.mark.parametrize(("item", "expected"), TYPED.values(), ids=TYPED)
def test_client_object_gives_the_same_call_as_its_json(item: dict[str, Any], expected: CallShape) -> None:
    found = call_shape(as_object(item))
    assert found is not None
    if expected.arguments == GIVEN:
        assert vars(found.arguments) == GIVEN
    else:
        assert found == expected
    assert (found.form, found.call_id, found.name) == (expected.form, expected.call_id, expected.name)


@pytest.mark.parametrize(
    "item",
    [
        {"type": "text", "text": "hi"},
        {"type": "web_search_call", "id": "ws_1"},
        {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}},
        {"role": "assistant", "content": "hi"},
        {"function": {"name": "rain"}},
        {},
    ],
)
def test_other_content_is_no_call(item: dict[str, Any]) -> None:
    assert call_shape(item) is None
    assert call_shape(as_object(item)) is None


@pytest.mark.parametrize("make", [dict, as_object])
def test_items_of_a_call_list_need_no_type(make: Any) -> None:
    assert listed_call_shape(make({"id": "a", "function": {"name": "rain", "arguments": "{}"}})) == CallShape(
        "chat", "a", "rain", "{}"
    )
    assert listed_call_shape(make({"id": "a", "name": "rain", "arguments": "{}"})) == CallShape(
        "plain", "a", "rain", "{}"
    )
    assert listed_call_shape(make({"index": 0, "function": {"arguments": '{"ci'}})) == CallShape(
        "chat", None, None, '{"ci'
    )
    assert listed_call_shape(make({"type": "text", "name": "x"})) is None
