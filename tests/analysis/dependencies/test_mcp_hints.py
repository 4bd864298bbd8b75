from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies
from otel_parallelism.analysis.dependencies.effects import call_effect
from otel_parallelism.analysis.dependencies.effects.mcp_hints import mcp_effects
from otel_parallelism.model import Call
from otel_parallelism.settings import Settings

TOOLS: list[dict[str, Any]] = [
    {"name": "page_lookup", "annotations": {"readOnlyHint": True}},
    {"name": "page_touchup", "annotations": {"readOnlyHint": False}},
    {"name": "get_and_forget", "annotations": {"destructiveHint": True}},
    {"name": "both", "annotations": {"readOnlyHint": True, "destructiveHint": True}},
    {"name": "repeatable", "annotations": {"idempotentHint": True}},
    {"name": "additive", "annotations": {"destructiveHint": False}},
    {"name": "titled", "annotations": {"title": "Titled"}},
    {"name": "silent"},
    {"name": "empty", "annotations": None},
]
READS = ("page_lookup",)
WRITES = ("page_touchup", "get_and_forget", "both")


def objects(style: str) -> list[SimpleNamespace]:
    """Return the tools as objects of an MCP library; missing hints are None."""
    spelled = {"readOnlyHint": "read_only_hint", "destructiveHint": "destructive_hint"}
    found = []
    for tool in TOOLS:
        hints = tool.get("annotations")
        fields = {"readOnlyHint": None, "destructiveHint": None, "idempotentHint": None, **(hints or {})}
        if style == "snake":
            fields = {spelled.get(key, key): value for key, value in fields.items()}
        found.append(
            SimpleNamespace(name=tool["name"], annotations=None if hints is None else SimpleNamespace(**fields))
        )
    return found


@pytest.mark.parametrize(
    "tools",
    [
        TOOLS,
        tuple(TOOLS),
        {"tools": TOOLS},
        {"tools": TOOLS, "nextCursor": None},
        objects("camel"),
        objects("snake"),
        SimpleNamespace(tools=objects("camel"), nextCursor=None),
    ],
    ids=["list", "tuple", "result", "page", "objects", "snake case", "result object"],
)
def test_annotations_separate_reading_from_writing_tools(tools: object) -> None:
    assert mcp_effects(tools) == (READS, WRITES)


@pytest.mark.parametrize("tools", [[], {"tools": []}, None, 3, "page", [None, {}, {"name": 7, "annotations": {}}]])
def test_input_without_tools_gives_no_patterns(tools: object) -> None:
    assert mcp_effects(tools) == ((), ())


def test_patterns_are_valid_settings() -> None:
    reads, writes = mcp_effects(TOOLS)
    settings = Settings(read_only=reads, writes=writes)
    told = {tool["name"]: call_effect(Call("1", "a", "t", tool["name"], 0, 1), settings) for tool in TOOLS}
    assert told["page_lookup"] == ("read", "settings")
    assert told["page_touchup"] == ("write", "settings")
    assert told["get_and_forget"] == ("write", "settings")
    assert told["repeatable"] == ("unknown", "")
    calls = [Call("1", f"{i}", "t", name, 2 * i, 2 * i + 1) for i, name in enumerate(("page_lookup", "get_and_forget"))]
    assert Dependencies(calls, [], settings).pair(0, 1).edge == "unknown"


def test_special_characters_in_names_are_escaped() -> None:
    reads, _ = mcp_effects([{"name": "odd[1]*?", "annotations": {"readOnlyHint": True}}])
    settings = Settings(read_only=reads)
    assert call_effect(Call("1", "a", "t", "odd[1]*?", 0, 1), settings) == ("read", "settings")
    assert call_effect(Call("1", "a", "t", "odd1xx", 0, 1), settings) == ("unknown", "")
