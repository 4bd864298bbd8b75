"""Laminar (lmnr): the type of a span says what it is; model requests keep OpenAI's own form in GenAI's attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parsing import envelopes, messages
from .parsing.content import captured
from .parsing.facts import Facts, text, whole_number

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

TYPE = "lmnr.span.type"
KEYS = frozenset({TYPE})


def read(span: SpanRecord) -> Facts | None:
    """Return the call or step that ``lmnr.span.type`` says a span is; runs are of no type of their own."""
    attributes = span.attributes
    kind = text(attributes, TYPE)
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
            input_tokens=whole_number(attributes, "gen_ai.usage.input_tokens"),
            words=captured(given, messages.user_words),
        )
    return Facts() if kind else None
