"""
Genkit's actions: flows, models, tools and retrievers, with a path of all actions around a span.

A run is a flow, or a ``generate`` outside of any flow. Each later request of a run is a ``generate`` inside the one
before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.patterns import LazyPattern

from .parsing.content import decoded
from .parsing.facts import Dialect, Facts, text
from .parsing.span_facts import call_facts, step_facts, turn_facts
from .parsing.usage import NO_USAGE, InputUsage, input_usage

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_TYPE = "genkit:type"
_SUBTYPE = "genkit:metadata:subtype"
_NAME = "genkit:name"
_PATH = "genkit:path"
_ROOT = "genkit:isRoot"
_SEGMENT = LazyPattern(r"\{([^{},]*)((?:,[^{}]*)?)\}")
_TOOLS = frozenset({"tool", "tool.v2", "tool-request", "dynamic-tool"})
_RETRIEVERS = frozenset({"retriever", "retriever.v2"})
_MODELS = frozenset({"model", "background-model", "model.v2"})


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts by the action's type and subtype; other actions, such as prompts, are passages."""
    attributes = span.attributes
    kind = text(attributes, _TYPE)
    subtype = text(attributes, _SUBTYPE)
    if not kind and not subtype:
        return None
    name = text(attributes, _NAME) or span.name
    given, output = attributes.get("genkit:input"), attributes.get("genkit:output")
    if subtype in _TOOLS or subtype in _RETRIEVERS:
        failed = text(attributes, "genkit:state") == "error"
        return call_facts(name, given, output, failed=failed, retrieval=subtype in _RETRIEVERS)
    if subtype in _MODELS:
        return step_facts(given, output, _input_usage(output))
    if subtype == "flow" or kind == "flow":
        return turn_facts(name, given)
    if kind == "util" and name == "generate" and _is_outermost(span):
        return msgspec.structs.replace(turn_facts("", given), title=name)
    return Facts(kind="passage")


def _is_outermost(span: SpanRecord) -> bool:
    """Return whether no flow and no other ``generate`` is around *span*, except outside of the tool that it is in."""
    path = text(span.attributes, _PATH)
    if not path:
        return not span.parent_id or span.attributes.get(_ROOT) is True
    for match in reversed(_SEGMENT.findall(path)[:-1]):
        name, details = match
        parts = details.split(",")
        if "t:flow" in parts or "s:flow" in parts or (name == "generate" and "t:util" in parts):
            return False
        if any(part.startswith("s:tool") for part in parts):
            return True
    return True


def _input_usage(output: object) -> InputUsage:
    data = decoded(output)
    usage = data.get("usage") if isinstance(data, Mapping) else None
    return input_usage(usage, ("inputTokens",), ("cachedContentTokens",)) if isinstance(usage, Mapping) else NO_USAGE


DIALECT = Dialect(describe=_describe, rank=28, keys=frozenset({_TYPE, _SUBTYPE}))
