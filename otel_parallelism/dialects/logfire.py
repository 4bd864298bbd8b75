"""
Logfire's own instrumentation of openai-agents: spans told by the template of their message.

Its model requests bear GenAI's operation name and what came back beside it; runs, calls and rounds bear neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parsing import envelopes, messages
from .parsing.content import captured
from .parsing.facts import Facts, text

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

TEMPLATE = "logfire.msg_template"
KEYS = frozenset({TEMPLATE})
SPAN_TYPE, PENDING = "logfire.span_type", "pending_span"
"""How a span is marked that Logfire writes when another one starts, to show it while it is open."""

_SDK_KIND = "sdk_span_type"
_RESPONSES = ("response", "response_data")
_REQUESTS = ("raw_input", "request_data")


def read(span: SpanRecord) -> Facts | None:
    """Return what the template, and what the SDK called the span, say; None for every other span of Logfire's."""
    attributes = span.attributes
    template = text(attributes, TEMPLATE)
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
            words=captured(text(attributes, *_REQUESTS) or None, messages.user_words),
        )
    return None
