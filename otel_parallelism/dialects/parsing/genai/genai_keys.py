"""
Finds which of a span's attributes hold what, in all names that versions of the GenAI conventions gave them.

Spans of one instrumentation have the same few sets of attributes. So the names are looked up once for each set.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from otel_parallelism import names
from otel_parallelism.patterns import LazyPattern

RUN_MESSAGES: Final = ("pydantic_ai.all_messages", "all_messages_events")
COMPLETION: Final = "gen_ai.completion."
PROMPT_ROLE: Final = LazyPattern(r"(gen_ai\.prompt\.\d+)\.role")

_PROMPT: Final = "gen_ai.prompt."
_AGENTS: Final = ("gen_ai.agent.name", "gen_ai.workflow.name", "agent_name")
_CALL_IDS: Final = (names.TOOL_CALL_ID, "gen_ai.tool.call_id")
_ARGUMENTS: Final = (
    names.TOOL_CALL_ARGUMENTS,
    "tool_arguments",
    "gcp.vertex.agent.tool_call_args",
    "gen_ai.tool.arguments",
    "gen_ai.tool.input",
)
_RESULTS: Final = (
    names.TOOL_CALL_RESULT,
    "anthropic.tool_result.content",
    "tool_response",
    "gcp.vertex.agent.tool_response",
    "gen_ai.tool.result",
    "gen_ai.tool.output",
)
_INPUTS: Final = (names.INPUT_MESSAGES, *RUN_MESSAGES, "gcp.vertex.agent.llm_request")
_OUTPUTS: Final = (names.OUTPUT_MESSAGES, "gcp.vertex.agent.llm_response")
_STOP_REASONS: Final = (
    *("gen_ai.response.finish_reasons", "gen_ai.response.finish_reason", "gen_ai.completion.0.finish_reason"),
)
_TOKENS: Final = (names.INPUT_TOKENS, "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens")
_CACHE_READ: Final = (
    *("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
    *("gen_ai.usage.cache_read_tokens", "gen_ai.usage.details.cache_read_tokens"),
)
_CACHE_WRITTEN: Final = (
    *("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens"),
    *("gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.details.cache_write_tokens"),
)
_KEPT: Final = 512


class GenaiKeys(msgspec.Struct, frozen=True):
    """
    The attributes that a span has of each purpose, highest precedence first.

    ``completion`` is whether it has numbered attributes of an answer, ``prompt`` whether it has those of messages.
    """

    agents: tuple[str, ...]
    call_ids: tuple[str, ...]
    arguments: tuple[str, ...]
    results: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    stop_reasons: tuple[str, ...]
    tokens: tuple[str, ...]
    cache_read: tuple[str, ...]
    cache_written: tuple[str, ...]
    completion: bool
    prompt: bool


@lru_cache(_KEPT)
def genai_keys(keys: tuple[str, ...]) -> GenaiKeys:
    """Return which of the *keys* of a span's attributes hold what."""
    there = frozenset(keys)

    def among(known: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(key for key in known if key in there)

    return GenaiKeys(
        agents=among(_AGENTS),
        call_ids=among(_CALL_IDS),
        arguments=among(_ARGUMENTS),
        results=among(_RESULTS),
        inputs=among(_INPUTS),
        outputs=among(_OUTPUTS),
        stop_reasons=among(_STOP_REASONS),
        tokens=among(_TOKENS),
        cache_read=among(_CACHE_READ),
        cache_written=among(_CACHE_WRITTEN),
        completion=any(key.startswith(COMPLETION) for key in keys),
        prompt=any(key.startswith(_PROMPT) and PROMPT_ROLE.fullmatch(key) for key in keys),
    )
