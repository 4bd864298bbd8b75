"""Input tokens and those of them that were read from a cache, in the words of each dialect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from otel_parallelism import analyze_spans
from otel_parallelism.dialects import classify
from otel_parallelism.model import SpanRecord, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., SpanRecord]

CHAT = {"gen_ai.operation.name": "chat"}
LANGFUSE = {"langfuse.observation.type": "generation"}
MODEL = {"genkit:type": "action", "genkit:metadata:subtype": "model"}


@pytest.mark.parametrize(
    ("attributes", "tokens", "cached"),
    [
        ({**CHAT, "gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 80}, 100, 80),
        # Anthropic counts cached tokens beside the others.
        (
            {
                **CHAT,
                "gen_ai.usage.input_tokens": 4,
                "gen_ai.usage.cache_read_input_tokens": 80,
                "gen_ai.usage.cache_creation_input_tokens": 16,
            },
            100,
            80,
        ),
        ({**CHAT, "gen_ai.usage.input_tokens": 4, "gen_ai.usage.cache_write.input_tokens": 96}, 100, None),
        ({**CHAT, "gen_ai.usage.input_tokens": 100}, 100, None),
        ({**CHAT, "gen_ai.usage.input_tokens": 100.0}, 100, None),
        ({**CHAT, "gen_ai.usage.input_tokens": 100.5}, None, None),
        ({**CHAT, "gen_ai.usage.input_tokens": float("nan")}, None, None),
        ({**CHAT, "gen_ai.usage.input_tokens": 1e300}, None, None),
        ({**CHAT, "gen_ai.usage.input_tokens": -1.0}, None, None),
        ({**CHAT, "gen_ai.usage.cache_read.input_tokens": 80}, None, 80),
        (
            {
                "openinference.span.kind": "LLM",
                "llm.token_count.prompt": 100,
                "llm.token_count.prompt_details.cache_read": 80,
            },
            100,
            80,
        ),
        ({**LANGFUSE, "langfuse.observation.usage_details": '{"input": 20, "input_cached_tokens": 80}'}, 100, 80),
        ({**LANGFUSE, "langfuse.observation.usage_details": '{"prompt_tokens": 100}'}, 100, None),
        (
            {"ai.operationId": "ai.streamText.doStream", "ai.usage.inputTokens": 100, "ai.usage.cachedInputTokens": 80},
            100,
            80,
        ),
        ({**MODEL, "genkit:output": json.dumps({"usage": {"inputTokens": 100, "cachedContentTokens": 80}})}, 100, 80),
        (
            {
                "mlflow.spanType": "LLM",
                "mlflow.chat.tokenUsage": '{"input_tokens": 100, "cache_read_input_tokens": 80}',
            },
            100,
            80,
        ),
        (
            {
                "braintrust.span_attributes": '{"type": "llm"}',
                "braintrust.metrics": '{"prompt_tokens": 100, "prompt_cached_tokens": 80}',
            },
            100,
            80,
        ),
    ],
)
def test_cached_tokens_are_a_part_of_all(
    span: Make, attributes: dict[str, object], tokens: int | None, cached: int | None
) -> None:
    seen = classify(span("request", attributes))
    assert isinstance(seen, Step)
    assert (seen.input_tokens, seen.cached_tokens) == (tokens, cached)


def test_avoidable_tokens_say_how_many_would_have_been_cached() -> None:
    second = 10**9
    said = [{"role": "user", "parts": [{"type": "text", "content": "The weather in Oslo, Lisbon and Vienna?"}]}]
    run = {"gen_ai.operation.name": "invoke_agent", "gen_ai.input.messages": json.dumps(said)}
    spans = [SpanRecord("7" * 32, "run", "", "invoke_agent", 0, 9 * second, run)]
    for at, city in enumerate(("Oslo", "Lisbon", "Vienna")):
        parts = [{"type": "tool_call", "id": f"c{at}", "name": "get_weather", "arguments": {"city": city}}]
        asked = {
            **CHAT,
            "gen_ai.usage.input_tokens": 100 + 100 * at,
            "gen_ai.usage.cache_read.input_tokens": 80 + 100 * at,
            "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": parts}]),
        }
        ran = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call.id": f"c{at}",
            "gen_ai.tool.call.arguments": json.dumps({"city": city}),
            "gen_ai.tool.call.result": json.dumps({"sky": f"thin clouds over {city}", "city": city}),
        }
        start = 3 * at * second
        spans.append(SpanRecord("7" * 32, f"step {at}", "run", "chat", start, start + second, asked))
        spans.append(SpanRecord("7" * 32, f"call {at}", "run", "tool", start + second, start + 3 * second, ran))
    (report,) = analyze_spans(spans).reports
    assert (report.avoidable_steps, report.avoidable_tokens, report.avoidable_cached_tokens) == (2, 400, 360)
