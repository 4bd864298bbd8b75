"""Makes observations: calls, model requests and turns, of spans and the facts about them, and passages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

import msgspec

from otel_parallelism import names
from otel_parallelism.failures import Failure, failure_of
from otel_parallelism.model import Call, Observation, Passage, SpanRecord, Step, TurnSpan
from otel_parallelism.patterns import LazyPattern

from .answer_texts import with_texts
from .facts import text, whole_number
from .tool_definitions import described_tools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .facts import Facts, Kind

REQUEST: Final = "chat "
"""The beginning of the names of spans of model requests."""

_CODES: Final = ("http.response.status_code", "http.status_code")
_FIRST_ERROR: Final = 400
_SIGNS: Final = frozenset({"error", "tool.status", *_CODES})
_FAILED: Final = frozenset({"error", "failed"})
_EXCEPTION: Final = "exception"
_ON_PURPOSE: Final = LazyPattern(r"Interrupt$|BubbleUp$|Command$|Hand_?[Oo]ff$")
"""Exceptions with which frameworks stop a graph for a person, or go on elsewhere."""

_VOCABULARIES: Final = (
    "openinference.span.kind",
    "traceloop.span.kind",
    "langfuse.observation.type",
    "mlflow.spanType",
    "ai.operationId",
    "mcp.method.name",
    names.OPERATION_NAME,
)
"""Attributes that only one vocabulary has; a span may have a second one beside GenAI's."""

_LONGEST_NAME: Final = 1_000


def observed(span: SpanRecord, facts: Facts, *, declared: bool = False) -> Observation:
    """
    Return what *span* is.

    Args:
        span: The span.
        facts: What dialects say about it.
        declared: Whether the user has declared its kind.
    """
    kind = facts.kind
    if kind == "call":
        # A model request stays one even if a tool's name was written on it later.
        return _step(span, facts) if not declared and span.name.startswith(REQUEST) else _call(span, facts)
    if kind == "step":
        return _step(span, facts)
    return _turn(span, facts) if kind == "turn" else passage(span, kind)


def passage(span: SpanRecord, kind: Kind | None = None) -> Passage:
    """Return *span* as one that only connects its children to its parent; a ``cycle`` or ``waiting`` span is one."""
    return Passage(
        span.trace_id,
        span.span_id,
        span.parent_id,
        span.name,
        span.start_ns,
        span.end_ns,
        kind == "cycle",
        span.remote_parent,
        span.source,
        span.instrumentation,
        kind == "waiting",
    )


# Arguments are given by position where a class has many fields: by name they take several times as long.
_UNPLACED: Final = "", None, False, False  # a call's scope, round, and whether it is proved and bound
_LONGEST_DESCRIPTION: Final = 2_000
_DESCRIPTIONS: Final = ("gen_ai.tool.description", "tool.description")
_NO_WRAPPER: Final = 0, 0  # when a wrapper was called, and in which task
_NO_ENDS: Final = None, None  # by how much it outlived its turn, and its call stack
_NO_AGENT: Final = False, False, False  # whether it is a sub-agent, silenced and blocking


def _call(span: SpanRecord, facts: Facts) -> Call:
    attributes = span.attributes
    failed = span.error or facts.failed or bool(attributes.get(names.ERROR_TYPE)) or _tells_of_a_failure(attributes)
    result = facts.result
    for event in span.events:
        if event.name != _EXCEPTION:
            continue
        if result is None:
            failed = failed or not _ON_PURPOSE.search(text(event.attributes, "exception.type"))
        else:
            # The tool may have handled it; what the call returned may be only a part.
            result = msgspec.structs.replace(result, whole=False)
    return Call(
        span.trace_id,
        span.span_id,
        span.parent_id,
        _cut(facts.tool or span.name),
        span.start_ns,
        span.end_ns,
        facts.call_id,
        *_UNPLACED,
        failed,
        facts.arguments,
        result,
        facts.effect,
        "" if facts.effect == "unknown" else facts.effect_source or "declared",
        facts.resource,
        facts.depends_on,
        span.links,
        *_NO_WRAPPER,
        facts.thread,
        False,  # noqa: FBT003 - whether it ran in an event loop
        facts.queue_ns,
        facts.caller,
        *_NO_AGENT,
        facts.blocked_ns,
        None,  # where its function is defined
        facts.framework,
        facts.switch,
        span.source,
        _made_by(span),
        span.remote_parent or facts.remote,
        (),  # when it waited
        *_NO_ENDS,
        _failure(span) if failed else "",
        text(attributes, names.CONVERSATION_ID),
        span.link_types,
        stalled_ns=facts.stalled_ns,
        description=text(attributes, *_DESCRIPTIONS)[:_LONGEST_DESCRIPTION],
    )


def _made_by(span: SpanRecord) -> str:
    """Return what recorded *span*: its instrumentation, or its vocabulary where the format does not keep that."""
    if span.instrumentation:
        return span.instrumentation
    attributes = span.attributes
    return next((f"({mark})" for mark in _VOCABULARIES if mark in attributes), "")


def _tells_of_a_failure(attributes: Mapping[str, object]) -> bool:
    """Return whether *attributes* have an error code or an older mark of an error."""
    if _SIGNS.isdisjoint(attributes):
        return False
    if attributes.get("error") in (True, "true") or text(attributes, "tool.status") in _FAILED:
        return True
    return (whole_number(attributes, *_CODES) or 0) >= _FIRST_ERROR


def _failure(span: SpanRecord) -> Failure:
    """Return why a call failed, from its span's ``error.type``, its status code and its exception events."""
    kind = text(span.attributes, names.ERROR_TYPE)
    message = ""
    for event in span.events:
        if event.name == _EXCEPTION:
            kind = f"{kind} {text(event.attributes, 'exception.type').rpartition('.')[2]}".strip()
            message = text(event.attributes, "exception.message")
    return failure_of(kind, message, whole_number(span.attributes, *_CODES) or 0)


def _cut(name: str) -> str:
    """Return *name*, which many caches hold, or the first part of a long one; names that differ still do."""
    if len(name) <= _LONGEST_NAME:
        return name
    mark = f"…{crc32(name.encode('utf-8', 'surrogatepass')):08x}"
    return name[: _LONGEST_NAME - len(mark)] + mark


def _step(span: SpanRecord, facts: Facts) -> Step:
    return Step(
        span.trace_id,
        span.span_id,
        span.parent_id,
        span.start_ns,
        span.end_ns,
        facts.requested,
        facts.input_tokens,
        facts.words,
        span.source,
        _made_by(span),
        (),
        facts.cached_tokens,
        with_texts(facts.answer),
        facts.switch,
        text(span.attributes, names.CONVERSATION_ID),
        span.links,
        span.link_types,
        facts.streams,
        tools=described_tools(span.attributes),
    )


def _turn(span: SpanRecord, facts: Facts) -> TurnSpan:
    return TurnSpan(
        span.trace_id,
        span.span_id,
        span.parent_id,
        facts.title or span.name,
        span.start_ns,
        span.end_ns,
        facts.agent,
        facts.words,
        span.source,
        span.instrumentation,
        tools=described_tools(span.attributes),
    )
