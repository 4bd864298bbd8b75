"""Tests that the descriptions of tools are read from the definitions that instrumentations record."""

from __future__ import annotations

import json

import pytest

from otel_parallelism.dialects.parsing.tool_definitions import described_tools

GET = {"name": "get_scope", "description": "Opens a scope", "parameters": {"type": "object"}}
LIST = {"name": "list_evidence", "description": "Lists evidence", "input_schema": {"properties": {"name": {}}}}
BOTH = {"get_scope": "Opens a scope", "list_evidence": "Lists evidence"}


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.tool.definitions": json.dumps([GET, LIST])},
        {"gen_ai.tool.definitions": (json.dumps(GET), json.dumps(LIST))},
        {"gen_ai.tool.definitions": [GET, LIST]},
        {"gen_ai.tool.definitions": json.dumps([{"type": "function", "function": one} for one in (GET, LIST)])},
        {"gen_ai.tool.definitions": json.dumps([{"functionDeclarations": [GET, LIST]}])},
        {"gen_ai.tool.definitions": json.dumps({"tools": [{"toolSpec": GET}, {"toolSpec": LIST}]})},
        {"model_request_parameters": json.dumps({"function_tools": [GET, LIST], "output_tools": []})},
        {"ai.prompt.tools": [json.dumps(GET), json.dumps(LIST)]},
        {"mlflow.chat.tools": json.dumps([{"type": "function", "function": GET}, {"function": LIST}])},
        {
            "llm.tools.0.tool.json_schema": json.dumps({"type": "function", "function": GET}),
            "llm.tools.1.tool.json_schema": json.dumps(LIST),
        },
        {
            "llm.request.functions.0.name": "get_scope",
            "llm.request.functions.0.description": "Opens a scope",
            "llm.request.functions.1.name": "list_evidence",
            "llm.request.functions.1.description": "Lists evidence",
        },
        {"request_data": json.dumps({"model": "m", "messages": [], "tools": [{"function": GET}, {"function": LIST}]})},
        {"langfuse.observation.input": json.dumps({"messages": [], "tools": [{"function": GET}, LIST]})},
        {"mlflow.spanInputs": json.dumps({"messages": [], "tools": [GET, LIST]})},
        {"llm.invocation_parameters": json.dumps({"temperature": 1, "tools": [GET, LIST]})},
    ],
)
def test_forms_of_definitions(attributes: dict[str, object]) -> None:
    assert described_tools(attributes) == BOTH


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.tool.name": "get_scope"},
        {"gen_ai.tool.definitions": json.dumps([GET, LIST])[:-9]},
        {"gen_ai.tool.definitions": '[{"name": "get_scope"}, {"name": 3, "description": "x"}, null, 4, [[[[[]]]]]]'},
        {"gen_ai.tool.definitions": 7},
        {"llm.tools.0.tool.json_schema": None},
        {"llm.request.functions.0.name": 5},
        {"langfuse.observation.input": json.dumps([{"role": "user", "content": "which tools are there?"}])},
        {"mlflow.spanInputs": 5},
    ],
)
def test_other_attributes_define_nothing(attributes: dict[str, object]) -> None:
    assert not described_tools(attributes)


def test_long_definitions() -> None:
    """Only the beginning of a description is kept, and any number of characters is read."""
    tools = [{"name": f"get_{n}", "description": "x" * 3_000} for n in range(100)]
    found = described_tools({"gen_ai.tool.definitions": json.dumps(tools)})
    assert found == {f"get_{n}": "x" * 2_000 for n in range(100)}


def test_same_text_is_read_once() -> None:
    first = described_tools({"gen_ai.tool.definitions": json.dumps([GET, LIST])})
    again = described_tools({"gen_ai.tool.definitions": json.dumps([GET, LIST])})
    assert first is not None
    assert again is not None
    assert first["get_scope"] is again["get_scope"]
