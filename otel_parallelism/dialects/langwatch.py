"""LangWatch: spans with a type; inputs and outputs are JSON texts of values with their own type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .parsing import envelopes, messages
from .parsing.content import captured, decoded
from .parsing.facts import Dialect, Facts, text, whole_number
from .parsing.span_facts import call_facts

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_TYPE = "langwatch.span.type"
_METRICS = "langwatch.metrics"
_VALUES = frozenset({"text", "json", "raw", "list", "chat_messages", "guardrail_result", "evaluation_result"})


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts by the span's type; other types have no kind."""
    attributes = span.attributes
    kind = text(attributes, _TYPE).lower()
    given, output = attributes.get("langwatch.input"), attributes.get("langwatch.output")
    match kind:
        case "":
            return None
        case "tool" | "rag":
            tool = text(attributes, "gen_ai.tool.name") or span.name
            call_id = text(attributes, "gen_ai.tool.call.id")
            if kind == "rag" and output is None:
                output = attributes.get("langwatch.rag_contexts")
            return call_facts(
                tool, given, output, call_id=call_id, retrieval=kind == "rag", arguments=_arguments, result=_result
            )
        case "llm":
            return Facts(
                kind="step",
                requested=_requested(output),
                answer=captured(output, _asked_calls),
                input_tokens=_tokens(attributes),
                words=captured(given, _words),
            )
        case "agent" | "workflow":
            return Facts(
                kind="turn",
                agent=text(attributes, "gen_ai.agent.name") or span.name,
                words=captured(given, _run_input),
            )
        case "task" | "component" | "module":
            return Facts(kind="passage")
    return Facts()


def _plain(value: object) -> object:
    """Return the value inside ``{"type": "json", "value": …}``, and the values of a list of such."""
    data = decoded(value)
    if not isinstance(data, Mapping) or data.keys() != {"type", "value"}:
        return data
    kind, inner = data["type"], decoded(data["value"])
    if not isinstance(kind, str) or kind not in _VALUES:
        return data
    return [_plain(item) for item in inner] if kind == "list" and isinstance(inner, list) else inner


def _arguments(value: object) -> object:
    return envelopes.arguments(_plain(value))


def _result(value: object) -> object:
    return envelopes.result(_plain(value))


def _words(value: object) -> list[object]:
    return messages.user_words(_plain(value))


def _run_input(value: object) -> list[object]:
    return messages.run_input(_plain(value))


def _asked_calls(value: object) -> object:
    return messages.asked_calls(_plain(value))


def _requested(output: object) -> tuple[str, ...] | None:
    plain = _plain(output)
    return messages.requested_ids(plain) if isinstance(plain, Mapping | list) else None


def _tokens(attributes: Mapping[str, object]) -> int | None:
    tokens = whole_number(attributes, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")
    measured = _plain(attributes.get(_METRICS)) if tokens is None else None
    if isinstance(measured, Mapping):
        return whole_number(measured, "prompt_tokens", "promptTokens")
    return tokens


DIALECT = Dialect(describe=_describe, rank=120, keys=frozenset({_TYPE}))
