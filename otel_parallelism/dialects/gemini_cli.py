"""Gemini CLI: GenAI attributes with operations of its own, for prompts, sub-agents, rounds, requests and calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from otel_parallelism import names

from .parsing import envelopes
from .parsing.content import decoded
from .parsing.facts import Dialect, Facts, text
from .parsing.span_facts import call_facts, step_facts, turn_facts
from .parsing.usage import input_usage

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_CALL_IDS = ("gen_ai.tool.call_id", names.TOOL_CALL_ID)
_DEEPEST = 3


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts by the operation's name; None for operations of the GenAI conventions."""
    attributes = span.attributes
    given, output = attributes.get(names.INPUT_MESSAGES), attributes.get(names.OUTPUT_MESSAGES)
    match text(attributes, names.OPERATION_NAME):
        case "tool_call":
            tool = text(attributes, names.TOOL_NAME) or span.name
            call_id = text(attributes, *_CALL_IDS)
            return call_facts(tool, given, output, call_id=call_id, arguments=_arguments, result=_result)
        case "llm_call":
            return step_facts(given, output, input_usage(attributes, (names.INPUT_TOKENS,)))
        case "user_prompt" | "agent_call":
            return turn_facts(text(attributes, "gen_ai.agent.name"), given)
        case "schedule_tool_calls":
            return Facts(kind="cycle")
        case "system_prompt":
            return Facts(kind="passage")
    return None


def _arguments(value: object) -> object:
    """Return the arguments in ``{"request": {"callId": …, "name": …, "args": …}}``, or in the request alone."""
    data = decoded(value)
    for _ in range(_DEEPEST):
        if not isinstance(data, Mapping):
            break
        if "args" in data and data.keys() & {"callId", "name"}:
            return data["args"]
        data = data.get("request")
    return envelopes.arguments(value)


def _result(value: object) -> object:
    """Return what the tool answered inside a completed call: ``response.responseParts[].functionResponse.response``."""
    data = decoded(value)
    response = data.get("response") if isinstance(data, Mapping) else None
    parts = response.get("responseParts") if isinstance(response, Mapping) else None
    if not isinstance(parts, list):
        return envelopes.result(value)
    answers = [part.get("functionResponse", part) for part in parts if isinstance(part, Mapping)]
    told = [envelopes.function_response(answer) for answer in answers]
    return told[0] if len(told) == 1 else told


DIALECT = Dialect(
    describe=_describe,
    rank=22,
    keys=frozenset({names.OPERATION_NAME}),
    operations=frozenset(
        {"tool_call", "llm_call", "user_prompt", "agent_call", "schedule_tool_calls", "system_prompt"}
    ),
)
