"""Reads from a span of a call why the call failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism import names
from otel_parallelism.failures import Failure, failure_of

from .facts import text, whole_number

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_CODES = ("http.response.status_code", "http.status_code")


def failure_of_span(span: SpanRecord, *, failed: bool) -> Failure:
    """
    Return why the call of *span* failed, from its ``error.type``, its status code and its exception events.

    Args:
        span: The span of a call.
        failed: Whether the call failed; if not, the result is an empty string.
    """
    if not failed:
        return ""
    kind = text(span.attributes, names.ERROR_TYPE)
    message = ""
    for event in span.events:
        if event.name == "exception":
            kind = f"{kind} {text(event.attributes, 'exception.type').rpartition('.')[2]}".strip()
            message = text(event.attributes, "exception.message")
    return failure_of(kind, message, whole_number(span.attributes, *_CODES) or 0)
