"""Braintrust: spans whose type stands in the JSON text ``braintrust.span_attributes``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .parsing.content import decoded
from .parsing.facts import Dialect, Facts, text
from .parsing.span_facts import call_facts, step_facts
from .parsing.usage import InputUsage, input_usage

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_ATTRIBUTES = "braintrust.span_attributes"
_TYPE = f"{_ATTRIBUTES}.type"
_CACHES = (("prompt_cached_tokens",), ("prompt_cache_creation_tokens",))
_METRICS = "braintrust.metrics"


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts of a tool or a model request; Braintrust has no type for runs."""
    attributes = span.attributes
    data = decoded(attributes.get(_ATTRIBUTES))
    details = data if isinstance(data, Mapping) else {}
    kind = text(details, "type") or text(attributes, _TYPE)
    if not kind:
        return None
    given, output = _content(attributes, "input"), _content(attributes, "output")
    if kind == "tool":
        tool = text(details, "name") or text(attributes, "gen_ai.tool.name") or span.name
        return call_facts(tool, given, output, call_id=text(attributes, "gen_ai.tool.call.id"))
    if kind == "llm":
        return step_facts(given, output, _input_usage(attributes))
    return Facts()


def _content(attributes: Mapping[str, object], what: str) -> object:
    value = attributes.get(f"braintrust.{what}_json")
    return attributes.get(f"braintrust.{what}") if value is None else value


def _input_usage(attributes: Mapping[str, object]) -> InputUsage:
    metrics = decoded(attributes.get(_METRICS))
    if isinstance(metrics, Mapping):
        return input_usage(metrics, ("prompt_tokens", "input_tokens"), *_CACHES)
    return input_usage(attributes, (f"{_METRICS}.prompt_tokens", "gen_ai.usage.input_tokens"))


DIALECT = Dialect(describe=_describe, rank=130, keys=frozenset({_ATTRIBUTES, _TYPE}))
