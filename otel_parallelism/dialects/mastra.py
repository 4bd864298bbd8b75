"""
Mastra's own spans, which follow the GenAI conventions but for its steps and their parts.

A step holds one model request and the calls of its response. The span of the request ends after them, like the step.
Only the step says which calls were asked for; the request inside it has the tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism import names

from .parsing import messages
from .parsing.content import captured
from .parsing.facts import Dialect, Facts, text, whole_number

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_TYPE = "mastra.span.type"
_OUTPUT = "mastra.model_step.output"


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts of a step; None for all that the conventions describe."""
    attributes = span.attributes
    if text(attributes, _TYPE) != "model_step":
        return None
    output = attributes.get(_OUTPUT)
    return Facts(
        kind="step",
        requested=None if output is None else messages.requested_ids(output),
        answer=captured(output, messages.asked_calls),
        input_tokens=whole_number(attributes, names.INPUT_TOKENS),
        words=captured(attributes.get("mastra.model_step.input"), messages.user_words),
    )


DIALECT = Dialect(describe=_describe, rank=24, keys=frozenset({_TYPE}))
