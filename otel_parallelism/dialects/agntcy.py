"""AGNTCY's Observe SDK: workflows, agents, tasks and tools, from decorators; a descendant of Traceloop's SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.patterns import LazyPattern

from .parsing.facts import Dialect, Facts, text
from .parsing.span_facts import call_facts, turn_facts

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_KIND = "ioa_observe.span.kind"
_NAME = "ioa_observe.entity.name"
_SUFFIX = LazyPattern(r"\.(?:workflow|agent|task|tool|graph)$")


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts by the span's kind; a task is a part of a run."""
    attributes = span.attributes
    kind = text(attributes, _KIND).lower()
    named = text(attributes, _NAME) or _SUFFIX.sub("", span.name)
    given = attributes.get("ioa_observe.entity.input")
    match kind:
        case "":
            return None
        case "tool":
            return call_facts(named, given, attributes.get("ioa_observe.entity.output"))
        case "agent" | "workflow" | "graph":
            return turn_facts(named, given)
        case "task":
            return Facts(kind="passage")
    return Facts()


DIALECT = Dialect(describe=_describe, rank=95, keys=frozenset({_KIND}))
