"""AgentOps: spans of its decorators, with a kind; a span's name ends with its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parsing.facts import Dialect, Facts, text
from .parsing.span_facts import call_facts, step_facts, turn_facts
from .parsing.usage import input_usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_parallelism.model import SpanRecord

_TOKENS = (
    ("gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens"),
    ("gen_ai.usage.cache_read_input_tokens",),
    ("gen_ai.usage.cache_creation_input_tokens",),
)
_KIND = "agentops.span.kind"
_NAMES = ("tool.name", "gen_ai.tool.name", "operation.name", "agentops.entity.name")
_AGENTS = ("agent.name", "gen_ai.agent.name", "operation.name", "agentops.entity.name")


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts by the span's kind; sessions and tasks are no runs, other kinds have no kind here."""
    attributes = span.attributes
    kind = text(attributes, _KIND).lower()
    named = span.name.removesuffix(f".{kind}")
    given, output = _content(attributes, kind, "input"), _content(attributes, kind, "output")
    match kind:
        case "":
            return None
        case "tool":
            call_id = text(attributes, "tool.id", "gen_ai.tool.call.id")
            failed = text(attributes, "tool.status") in {"error", "failed"}
            given = attributes.get("tool.parameters") if given is None else given
            output = attributes.get("tool.result") if output is None else output
            return call_facts(text(attributes, *_NAMES) or named, given, output, call_id=call_id, failed=failed)
        case "agent" | "workflow":
            return turn_facts(text(attributes, *_AGENTS) or named, given)
        case "llm":
            return step_facts(given, output, input_usage(attributes, *_TOKENS))
        case "task" | "session" | "operation":
            return Facts(kind="passage")
    return Facts()


def _content(attributes: Mapping[str, object], kind: str, what: str) -> object:
    """Return the input or the output: its key has the span's kind in it, or ``entity`` in other versions."""
    for entity in (kind, "entity"):
        value = attributes.get(f"agentops.{entity}.{what}")
        if value is not None:
            return value
    return None


DIALECT = Dialect(describe=_describe, rank=86, keys=frozenset({_KIND}))
