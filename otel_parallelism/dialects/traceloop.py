"""
Traceloop (OpenLLMetry): workflows, agents, tasks and tools, from decorators and from its instrumentations.

A ``task`` is a part of a run and never a run, even if another dialect says so. A task of a LangGraph tools node is the
parent of one round's calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.patterns import LazyPattern

from .parsing import envelopes, messages
from .parsing.content import captured
from .parsing.facts import CallMark, Dialect, Facts, text

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_KIND = "traceloop.span.kind"
_NAME = "traceloop.entity.name"
_INPUT = "traceloop.entity.input"
_OUTPUT = "traceloop.entity.output"
_NODE = "traceloop.association.properties.langgraph_node"
_PATH = "traceloop.association.properties.langgraph_path"
_SUFFIX = LazyPattern(r"\.(?:workflow|agent|task|tool|team)$")


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts in ``traceloop.span.kind`` and in the entity's name, input and output."""
    attributes = span.attributes
    match text(attributes, _KIND):
        case "":
            return None
        case "workflow" | "agent":
            return Facts(
                kind="turn",
                agent=_SUFFIX.sub("", text(attributes, "gen_ai.agent.name", _NAME, "traceloop.workflow.name")),
                words=captured(attributes.get(_INPUT), messages.run_input),
            )
        case "tool":
            return _call(span)
        case "task":
            # LlamaIndex's agents run their tools in tasks with the tool's name.
            if text(attributes, "tool.name"):
                return _call(span)
            return Facts(kind="cycle" if _is_tools_node(span) else "passage")
    return Facts()


def _call(span: SpanRecord) -> Facts:
    attributes = span.attributes
    given = attributes.get("tool.arguments", attributes.get(_INPUT))
    output = attributes.get(_OUTPUT)
    return Facts(
        kind="call",
        tool=text(attributes, "tool.name", "gen_ai.tool.name", _NAME) or _SUFFIX.sub("", span.name),
        call_id=envelopes.tool_call_id(output) or envelopes.tool_call_id(given),
        arguments=captured(given, envelopes.arguments),
        result=captured(output, envelopes.result),
        failed=envelopes.tool_failed(output),
    )


def _is_tools_node(span: SpanRecord) -> bool:
    path = span.attributes.get(_PATH)
    if isinstance(path, str | list | tuple) and "__pregel_push" in path:
        return False  # a node that LangGraph makes for one call does not hold the whole round
    node = text(span.attributes, _NAME, "gen_ai.task.name") or _SUFFIX.sub("", span.name)
    return node == "tools" or ("tool" in node.lower() and text(span.attributes, _NODE) == node)


DIALECT = Dialect(describe=_describe, rank=90, keys=frozenset({_KIND}), call_mark=CallMark(_KIND, frozenset({"tool"})))
