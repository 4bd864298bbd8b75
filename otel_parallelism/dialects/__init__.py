"""
Understands spans: which of them are calls, steps and turns, in the vocabulary of whoever made them.

A span often carries two vocabularies, Traceloop's beside GenAI's, say. So each dialect says what it knows, and
:func:`classify` puts that together: the kind from the first dialect of the list that has one, everything else from
whoever knows it.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final

from otel_parallelism import names
from otel_parallelism.model import Call, Content, Observation, Passage, SpanRecord, Step, TurnSpan

from . import (
    genai,
    laminar,
    langfuse,
    langsmith,
    logfire,
    native,
    openinference,
    openlit,
    traceloop,
)
from . import (
    haystack_tracing as haystack,
)
from . import (
    mcp_spans as mcp,
)
from .parsing.facts import Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .parsing.facts import Kind

DIALECTS: Final[tuple[Callable[[SpanRecord], Facts | None], ...]] = (
    openlit.read,
    langsmith.read,
    genai.read,
    mcp.read,
    haystack.read,
    langfuse.read,
    logfire.read,
    laminar.read,
    traceloop.read,
    openinference.read,
    native.read,
)
"""In the order in which they are believed."""

_KEYS = (
    genai.KEYS
    | mcp.KEYS
    | langfuse.KEYS
    | langsmith.KEYS
    | logfire.KEYS
    | laminar.KEYS
    | traceloop.KEYS
    | openinference.KEYS
)
_SERVER = 2
_NAMES = genai.NAMES + mcp.NAMES + haystack.NAMES


def classify(span: SpanRecord) -> Observation:
    """
    Say what *span* is: a call, a step, a turn, or a passage that only hands ancestry on.

    Content is handed over unread; only the ids that a model's output asks for are looked up. A span without any
    agent vocabulary costs one comparison of keys.
    """
    if _KEYS.isdisjoint(span.attributes) and not span.name.startswith(_NAMES):
        return _passage(span)
    if span.attributes.get(logfire.SPAN_TYPE) == logfire.PENDING:
        return _passage(span)  # told again, and whole, when it ends
    known = [facts for read in DIALECTS if (facts := read(span)) is not None]
    if not known:
        return _passage(span)
    facts = known[0] if len(known) == 1 else reduce(_merged, known, Facts(kind=_kind(known)))
    if facts.kind == "call" and span.name.startswith("chat "):
        return _step(span, facts)  # a model request, whatever was written on it later
    make = _MAKERS.get(facts.kind)
    return make(span, facts) if make is not None else _passage(span, cycle=facts.kind == "cycle")


def _kind(known: list[Facts]) -> Kind | None:
    kinds: list[Kind] = [facts.kind for facts in known if facts.kind is not None]
    if not kinds or kinds[0] != "turn":
        return kinds[0] if kinds else None
    # Whoever knows that a span is a part of a run overrules those who take it for the run itself.
    if "cycle" in kinds:
        return "cycle"
    return "passage" if "passage" in kinds else "turn"


def _merged(one: Facts, other: Facts) -> Facts:
    """Fill what *one* does not know from *other*; the kind is *one*'s."""
    return Facts(
        kind=one.kind,
        tool=one.tool or other.tool,
        call_id=one.call_id or other.call_id,
        agent=one.agent or other.agent,
        title=one.title or other.title,
        arguments=_better(one.arguments, other.arguments),
        result=_better(one.result, other.result),
        failed=one.failed or other.failed,
        requested=other.requested if one.requested is None else one.requested,
        input_tokens=other.input_tokens if one.input_tokens is None else one.input_tokens,
        words=_better(one.words, other.words),
        effect=other.effect if one.effect == "unknown" else one.effect,
        resource=one.resource or other.resource,
        depends_on=other.depends_on if one.depends_on is None else one.depends_on,
        queue_ns=one.queue_ns or other.queue_ns,
    )


def _better(one: Content | None, other: Content | None) -> Content | None:
    """Return *one* unless only *other* was captured, or only *other* was captured whole."""
    if one is None or (other is not None and other.whole and not one.whole):
        return other
    return one


def _passage(span: SpanRecord, *, cycle: bool = False) -> Passage:
    return Passage(
        span.trace_id,
        span.span_id,
        span.parent_id,
        span.name,
        span.start_ns,
        span.end_ns,
        cycle,
        span.remote_parent,
        span.source,
        span.instrumentation,
    )


def _call(span: SpanRecord, facts: Facts) -> Call:
    return Call(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        tool=facts.tool or span.name,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        call_id=facts.call_id,
        error=span.error or facts.failed or bool(span.attributes.get(names.ERROR_TYPE)),
        arguments=facts.arguments,
        result=facts.result,
        effect=facts.effect,
        effect_source="" if facts.effect == "unknown" else "declared",
        resource=facts.resource,
        depends_on=facts.depends_on,
        links=span.links,
        queue_ns=facts.queue_ns,
        source=span.source,
        instrumentation=span.instrumentation,
        # A server may run in the process of whoever asks it: its account of a call is that all the same.
        remote_parent=span.remote_parent or (span.kind == _SERVER and mcp.METHOD in span.attributes),
    )


def _step(span: SpanRecord, facts: Facts) -> Step:
    return Step(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        requested=facts.requested,
        input_tokens=facts.input_tokens,
        messages=facts.words,
        source=span.source,
        instrumentation=span.instrumentation,
    )


def _turn(span: SpanRecord, facts: Facts) -> TurnSpan:
    return TurnSpan(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        name=facts.title or span.name,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        agent=facts.agent,
        input=facts.words,
        source=span.source,
        instrumentation=span.instrumentation,
    )


_MAKERS: Final[Mapping[Kind | None, Callable[[SpanRecord, Facts], Observation]]] = {
    "call": _call,
    "step": _step,
    "turn": _turn,
}
