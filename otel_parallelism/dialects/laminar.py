"""Laminar (lmnr): spans with a type; model requests have OpenAI's messages in GenAI attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parsing import envelopes, messages
from .parsing.content import captured
from .parsing.facts import Dialect, Facts, text, whole_number

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_TYPE = "lmnr.span.type"


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts of a call or a step by ``lmnr.span.type``; runs have no type."""
    attributes = span.attributes
    kind = text(attributes, _TYPE)
    if kind == "TOOL":
        return Facts(
            kind="call",
            tool=span.name,
            arguments=captured(attributes.get("lmnr.span.input"), envelopes.arguments),
            result=captured(attributes.get("lmnr.span.output"), envelopes.result),
        )
    if kind == "LLM":
        output = attributes.get("gen_ai.output.messages", attributes.get("lmnr.span.output"))
        given = attributes.get("gen_ai.input.messages", attributes.get("lmnr.span.input"))
        return Facts(
            kind="step",
            requested=None if output is None else messages.requested_ids(output),
            answer=captured(output, messages.asked_calls),
            input_tokens=whole_number(attributes, "gen_ai.usage.input_tokens"),
            words=captured(given, messages.user_words),
        )
    return Facts() if kind else None


DIALECT = Dialect(describe=_describe, rank=80, keys=frozenset({_TYPE}))
