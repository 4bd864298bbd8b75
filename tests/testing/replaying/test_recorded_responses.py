"""The model responses in traces that frameworks and instrumentations have recorded, and in traces without content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from otel_parallelism.errors import UnreadableError
from otel_parallelism.testing.replaying.recorded_responses import recorded_responses

FIXTURES = Path(__file__).parents[2] / "fixtures" / "spans"
ANSWER = "Here is all that you asked for."
SUFFICIENT = (
    *("agent_framework-native_content", "agent_framework-openinference", "agno-openinference", "anthropic-genai"),
    *("anthropic-native_content", "anthropic-openinference", "anthropic-traceloop", "autogen-openinference"),
    *("crewai-openinference", "crewai-traceloop", "decorated-braintrust", "decorated-langwatch", "decorated-mlflow"),
    *("genkit-native", "haystack-native", "langchain_js-openinference", "langgraph-genai", "langgraph-langfuse"),
    *("langgraph-langsmith", "langgraph-openinference", "langgraph-traceloop", "livekit-native"),
    *("llama_index-openinference", "llama_index-traceloop", "mastra-native", "openai_agents-logfire"),
    *("openai_agents-openinference", "openai_agents-traceloop", "openai_manual-laminar", "openai_manual-langfuse"),
    *("openai_manual-openinference", "openai_manual-traceloop", "pydantic_ai-logfire", "pydantic_ai-native"),
    *("pydantic_ai-openinference", "strands-latest", "strands-native", "strands-openinference", "vercel_ai-native"),
    *("vercel_ai-native_stream", "vercel_ai_7-native"),
)
"""Recordings with the contents of all responses."""


@pytest.mark.parametrize("name", SUFFICIENT)
def test_recorded_traces(name: str) -> None:
    responses = recorded_responses(FIXTURES / f"{name}.jsonl")
    together, answered, *alone = responses[:5]
    calls = [(call.call_id, call.tool, call.arguments) for call in together.calls]
    assert calls == [
        ("call_weather", "get_weather", {"city": "Oslo"}),
        ("call_stock", "get_stock", {"symbol": "ACME"}),
        ("call_news", "get_news", {"topic": "robots"}),
    ]
    assert (answered.texts, answered.calls) == ((ANSWER,), ())
    assert [[call.tool for call in one.calls] for one in alone] == [["get_weather"], ["get_stock"], ["get_news"]]
    assert "the weather in Oslo" in " ".join(together.words)
    assert responses[-1].texts == (ANSWER,)


@pytest.mark.parametrize("name", ["agent_framework-native", "google_adk-native", "semantic_kernel-native"])
def test_traces_without_content_say_what_was_expected(name: str) -> None:
    path = FIXTURES / f"{name}.jsonl"
    with pytest.raises(UnreadableError) as raised:
        recorded_responses(path)
    assert str(raised.value).startswith(f"{path}: the responses to 10 of its 10 model requests were not captured")
    assert "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT" in str(raised.value)


def trace(*requests: dict[str, Any]) -> str:
    """Return OTLP JSON with model requests, one a second, from attributes; ``error`` and ``parent`` are no such."""
    spans = []
    for number, attributes in enumerate(requests):
        known = {"gen_ai.operation.name": "chat", **attributes}
        failed, parent = known.pop("error", False), known.pop("parent", "")
        start_ns, end_ns = known.pop("at", (number * 10**9, number * 10**9 + 10**8))
        spans.append(
            {
                "traceId": "0" * 31 + "1",
                "spanId": f"{number + 1:016x}",
                "parentSpanId": parent,
                "name": known["gen_ai.operation.name"],
                "startTimeUnixNano": str(10**18 + start_ns),
                "endTimeUnixNano": str(10**18 + end_ns),
                "status": {"code": 2} if failed else {},
                "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in known.items()],
            }
        )
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})


def said(text: str) -> dict[str, Any]:
    parts = [{"type": "text", "content": text}]
    return {"gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": parts}])}


def read(folder: Path, *requests: dict[str, Any]) -> list[str]:
    """Return the texts of the responses in a trace of these *requests*."""
    path = folder / "turn.json"
    path.write_text(trace(*requests), encoding="utf-8")
    return ["".join(response.texts) for response in recorded_responses(path)]


def test_failed_requests_are_left_out(tmp_path: Path) -> None:
    assert read(tmp_path, {"error": True}, said("one"), {"error": True}, said("two")) == ["one", "two"]


def test_requests_are_in_the_order_of_their_starts(tmp_path: Path) -> None:
    later, earlier = {**said("later"), "at": (5, 9)}, {**said("earlier"), "at": (1, 4)}
    assert read(tmp_path, later, earlier) == ["earlier", "later"]


def test_request_that_was_recorded_twice_counts_once(tmp_path: Path) -> None:
    outer, inner = {"at": (0, 10**9)}, {**said("one"), "parent": f"{1:016x}", "at": (10, 10**9 - 10)}
    assert read(tmp_path, outer, inner) == ["one"]
    beside = {"at": (10, 10**9 - 10)}
    assert read(tmp_path, {**said("one"), "at": (0, 10**9)}, beside) == ["one"]


@pytest.mark.parametrize(
    ("requests", "problem"),
    [
        ((), "it holds no model request"),
        (({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather"},), "it holds no model request"),
        ((said("one"), {}), "the responses to 1 of its 2 model requests were not captured"),
        (
            (said("one"), {"gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "con'}),
            "the response to model request 2 is cut off, or some of its content is hidden",
        ),
        (
            ({"gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "tool_call", "id": "1"}]}]'},),
            "the response to model request 1 asks for a tool whose name was not captured",
        ),
    ],
)
def test_recordings_that_cannot_be_replayed(tmp_path: Path, requests: tuple[dict[str, Any], ...], problem: str) -> None:
    with pytest.raises(UnreadableError, match=problem) as raised:
        read(tmp_path, *requests)
    assert str(raised.value).startswith(str(tmp_path / "turn.json"))


def test_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"turn\.json"):
        recorded_responses(tmp_path / "turn.json")
