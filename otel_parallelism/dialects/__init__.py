"""
Understands spans: which of them are calls, steps and turns, in the vocabulary of whoever made them.

A span often carries two vocabularies, Traceloop's beside GenAI's, say. So each dialect says what it knows, and
:func:`classify` puts that together: the kind from the first dialect of the list that has one, everything else from
whoever knows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_parallelism import names
from otel_parallelism.model import Call, Content, Observation, Passage, SpanRecord, Step, TurnSpan

from . import genai, haystack, langfuse, mcp, native, openinference, traceloop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from otel_parallelism.model import Effect

    from .facts import Facts, Kind

DIALECTS: Final[tuple[Callable[[SpanRecord], Facts | None], ...]] = (
    genai.read,
    mcp.read,
    haystack.read,
    langfuse.read,
    traceloop.read,
    openinference.read,
    native.read,
)
"""In the order in which they are believed."""

_KEYS = genai.KEYS | mcp.KEYS | langfuse.KEYS | traceloop.KEYS | openinference.KEYS
_NAMES = genai.NAMES + mcp.NAMES + haystack.NAMES


def classify(span: SpanRecord) -> Observation:
    """
    Say what *span* is: a call, a step, a turn, or a passage that only hands ancestry on.

    Content is handed over unread; only the ids that a model's output asks for are looked up. A span without any
    agent vocabulary costs one comparison of keys.
    """
    if _KEYS.isdisjoint(span.attributes) and not span.name.startswith(_NAMES):
        return _passage(span)
    known = [facts for read in DIALECTS if (facts := read(span)) is not None]
    match _kind(known):
        case "call":
            return _call(span, known)
        case "step":
            return _step(span, known)
        case "turn":
            return _turn(span, known)
        case "cycle":
            return _passage(span, cycle=True)
    return _passage(span)


def _kind(known: list[Facts]) -> Kind | None:
    kinds = [facts.kind for facts in known if facts.kind is not None]
    kind = kinds[0] if kinds else None
    if kind == "turn":
        # Whoever knows that a span is a part of a run overrules those who take it for the run itself.
        return next((other for other in kinds if other in {"passage", "cycle"}), kind)
    return kind


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


def _call(span: SpanRecord, known: list[Facts]) -> Call:
    effect: Effect = next((facts.effect for facts in known if facts.effect != "unknown"), "unknown")
    return Call(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        tool=next((facts.tool for facts in known if facts.tool), "") or span.name,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        call_id=next((facts.call_id for facts in known if facts.call_id), ""),
        error=span.error or bool(span.attributes.get(names.ERROR_TYPE)) or any(facts.failed for facts in known),
        arguments=_best(facts.arguments for facts in known),
        result=_best(facts.result for facts in known),
        effect=effect,
        effect_source="" if effect == "unknown" else "declared",
        resource=next((facts.resource for facts in known if facts.resource), ""),
        depends_on=next((facts.depends_on for facts in known if facts.depends_on is not None), None),
        links=span.links,
        queue_ns=max(facts.queue_ns for facts in known),
        source=span.source,
        instrumentation=span.instrumentation,
    )


def _step(span: SpanRecord, known: list[Facts]) -> Step:
    return Step(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        requested=next((facts.requested for facts in known if facts.requested is not None), None),
        input_tokens=next((facts.input_tokens for facts in known if facts.input_tokens is not None), None),
        messages=_best(facts.words for facts in known),
        source=span.source,
        instrumentation=span.instrumentation,
    )


def _turn(span: SpanRecord, known: list[Facts]) -> TurnSpan:
    return TurnSpan(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        name=span.name,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        agent=next((facts.agent for facts in known if facts.agent), ""),
        input=_best(facts.words for facts in known),
        source=span.source,
        instrumentation=span.instrumentation,
    )


def _best(contents: Iterable[Content | None]) -> Content | None:
    """Return the first content that was captured whole, else the first there is."""
    found = [content for content in contents if content is not None]
    return next((content for content in found if content.whole), found[0] if found else None)
