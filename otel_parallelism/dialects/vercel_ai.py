"""
Vercel's AI SDK: spans named after its functions, with attributes ``ai.*``.

``ai.generateText`` and its like are runs. Their usage is the sum of all requests. ``ai.generateText.doGenerate`` is one
model request, ``ai.toolCall`` one call. Version 7 follows the GenAI conventions instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.patterns import LazyPattern

from .parsing import messages
from .parsing.content import captured
from .parsing.facts import Dialect, Facts, first_value, text, whole_number
from .parsing.span_facts import call_facts, turn_facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_parallelism.model import SpanRecord

_OPERATION = "ai.operationId"
_TOOL = "ai.toolCall"
_RUN = LazyPattern(r"ai\.(?:generate|stream)(?:Text|Object)")
_REQUEST = LazyPattern(r"ai\.(?:generate|stream)(?:Text|Object)\.do(?:Generate|Stream)")
_AGENT = "ai.telemetry.functionId"
_CALLS = ("ai.response.toolCalls", "ai.result.toolCalls")
_FINISHED = ("ai.response.finishReason", "ai.finishReason")
_FOR_TOOLS = "tool-calls"
_CACHED = ("ai.usage.inputTokenDetails.cacheReadTokens", "ai.usage.cachedInputTokens")
_TOKENS = ("gen_ai.usage.input_tokens", "ai.usage.inputTokens", "ai.usage.promptTokens")


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts by ``ai.operationId``; embeddings and the like are passages."""
    attributes = span.attributes
    operation = text(attributes, _OPERATION) or span.name.partition(" ")[0]
    if operation == _TOOL:
        return call_facts(
            text(attributes, "ai.toolCall.name"),
            attributes.get("ai.toolCall.args", attributes.get("ai.toolCall.input")),
            attributes.get("ai.toolCall.result", attributes.get("ai.toolCall.output")),
            call_id=text(attributes, "ai.toolCall.id"),
        )
    if _REQUEST.fullmatch(operation):
        return Facts(
            kind="step",
            requested=_requested(attributes),
            answer=captured(first_value(attributes, _CALLS), messages.listed_calls),
            input_tokens=whole_number(attributes, *_TOKENS),
            cached_tokens=whole_number(attributes, *_CACHED),
            words=captured(attributes.get("ai.prompt.messages", attributes.get("ai.prompt")), messages.user_words),
        )
    if _RUN.fullmatch(operation):
        facts = turn_facts(text(attributes, _AGENT), attributes.get("ai.prompt"))
        return msgspec.structs.replace(facts, title=facts.agent)
    return Facts(kind="passage") if operation.startswith("ai.") else None


def _requested(attributes: Mapping[str, object]) -> tuple[str, ...] | None:
    """Return the ids of the calls in the response; without a list of calls, the finish reason says if there are any."""
    calls = first_value(attributes, _CALLS)
    if calls is None:
        finished = text(attributes, *_FINISHED)
        return () if finished and finished != _FOR_TOOLS else None
    return messages.listed_ids(calls)


DIALECT = Dialect(
    describe=_describe,
    rank=26,
    keys=frozenset({_OPERATION}),
    names=(_TOOL, "ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject"),
)
