"""
Logfire's instrumentation of openai-agents: spans recognised by the template of their message.

Its model requests have GenAI's operation name and the response as an attribute. Runs, calls and rounds have neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parsing import envelopes, messages
from .parsing.content import captured
from .parsing.facts import Dialect, Facts, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_parallelism.model import SpanRecord

_TEMPLATE = "logfire.msg_template"
_SPAN_TYPE, _PENDING = "logfire.span_type", "pending_span"
"""The mark of a copy that Logfire exports when a span starts, to show the span while it is open."""

_SDK_KIND = "sdk_span_type"
_RESPONSES = ("response", "response_data")
_REQUESTS = ("raw_input", "request_data")


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts in the template and in the SDK's span type; None for other spans of Logfire."""
    attributes = span.attributes
    if attributes.get(_SPAN_TYPE) == _PENDING:
        return Facts(kind="ignored")  # the span itself follows at its end
    return _by_template(attributes)


def _by_template(attributes: Mapping[str, object]) -> Facts | None:
    template = text(attributes, _TEMPLATE)
    if template == "Function: {name}":
        return Facts(
            kind="call",
            tool=text(attributes, "name"),
            arguments=captured(attributes.get("input"), envelopes.arguments),
            result=captured(attributes.get("output"), envelopes.result),
        )
    if template.startswith("Agent run: "):
        return Facts(kind="turn", agent=text(attributes, "name"), title=text(attributes, "logfire.msg"))
    if text(attributes, _SDK_KIND) == "turn":
        return Facts(kind="cycle")
    if not template:
        return None
    response = text(attributes, *_RESPONSES)
    if response:
        return Facts(
            requested=messages.requested_ids(response),
            answer=captured(response, messages.asked_calls),
            words=captured(text(attributes, *_REQUESTS) or None, messages.user_words),
        )
    return None


DIALECT = Dialect(
    describe=_describe,
    rank=70,
    keys=frozenset({_TEMPLATE}),
    beside_others=True,
    beside_keys=frozenset({_TEMPLATE, _SPAN_TYPE, _SDK_KIND}),
)
