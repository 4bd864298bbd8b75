"""Merges two observations of one call, model request or turn, and tells which copy of a span says more."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, Passage, Step, TurnSpan

if TYPE_CHECKING:
    from otel_parallelism.model import Content, Observation

_TRUST = {"declared": 5, "framework": 4, "settings": 3, "arguments": 2, "assumed": 1, "": 0}
_PLAIN = frozenset({str, tuple, int, float, bool})


def says_more(observation: Observation, known: Observation) -> bool:
    """
    Return whether *observation* says more of a span than *known*, another copy of the span.

    An export can lack the attributes that show what the span is. Of two calls, or others of one kind, that is the one
    that ends later, then the one with more facts.
    """
    plain, known_plain = type(observation) is Passage, type(known) is Passage
    if plain is not known_plain:
        return known_plain
    if observation.end_ns != known.end_ns:
        return observation.end_ns > known.end_ns
    return _facts(observation) > _facts(known)


def _facts(observation: Observation) -> int:
    """Return how many fields have a value that says something."""
    values = [getattr(observation, name) for name in observation.__struct_fields__]
    return sum(value is not None and (type(value) not in _PLAIN or bool(value)) for value in values)


def merged_duplicate(outer: Observation, inner: Observation) -> Observation:
    """
    Return *outer* completed with the data that only *inner* has.

    The ids and the interval are those of *outer*. Observations of different kinds are not merged: the result is then
    *outer* itself.
    """
    if isinstance(outer, Call) and isinstance(inner, Call):
        return _merged_calls(outer, inner)
    if isinstance(outer, Step) and isinstance(inner, Step):
        return _merged_steps(outer, inner)
    if isinstance(outer, TurnSpan) and isinstance(inner, TurnSpan):
        return msgspec.structs.replace(
            outer,
            agent=outer.agent or inner.agent,
            input=inner.input if outer.input is None else outer.input,
        )
    return outer


def _merged_steps(outer: Step, inner: Step) -> Step:
    known = [step.requested for step in (outer, inner) if step.requested is not None]
    return msgspec.structs.replace(
        outer,
        requested=tuple(dict.fromkeys(itertools.chain(*known))) if known else None,
        input_tokens=inner.input_tokens if outer.input_tokens is None else outer.input_tokens,
        cached_tokens=inner.cached_tokens if outer.cached_tokens is None else outer.cached_tokens,
        messages=outer.messages or inner.messages,
        requested_tools=outer.requested_tools or inner.requested_tools,
        answer=_fuller_content(outer.answer, inner.answer),
        switch=outer.switch or inner.switch,
        conversation=outer.conversation or inner.conversation,
        streams=outer.streams or inner.streams,
        dispatch=outer.dispatch or inner.dispatch,
    )


def _merged_calls(outer: Call, inner: Call) -> Call:
    trusted = outer if _TRUST[outer.effect_source] >= _TRUST[inner.effect_source] else inner
    queued = inner if inner.queue_ns > outer.queue_ns else outer
    queued_from_ns = queued.called_ns or (queued.start_ns - queued.queue_ns if queued.queue_ns else 0)
    return msgspec.structs.replace(
        outer,
        tool=outer.tool or inner.tool,
        call_id=outer.call_id or inner.call_id,
        error=outer.error or inner.error,
        arguments=_fuller_content(outer.arguments, inner.arguments),
        result=_fuller_content(outer.result, inner.result),
        effect=trusted.effect,
        effect_source=trusted.effect_source,
        resource=outer.resource or inner.resource,
        depends_on=inner.depends_on if outer.depends_on is None else outer.depends_on,
        links=outer.links or inner.links,
        link_types=outer.link_types if outer.links else inner.link_types,
        conversation=outer.conversation or inner.conversation,
        called_ns=queued_from_ns or outer.called_ns or inner.called_ns,
        task=outer.task or inner.task,
        thread=outer.thread or inner.thread,
        in_loop=outer.in_loop or inner.in_loop,
        queue_ns=queued.queue_ns,
        caller=outer.caller or inner.caller,
        stack=outer.stack or inner.stack,
        silenced=outer.silenced or inner.silenced,
        blocking=outer.blocking or inner.blocking,
        blocked_ns=max(outer.blocked_ns, inner.blocked_ns),
        stalled_ns=max(outer.stalled_ns, inner.stalled_ns),
        defined=outer.defined or inner.defined,
        changes=outer.changes or inner.changes,
        description=outer.description or inner.description,
        framework=outer.framework or inner.framework,
        switch=outer.switch or inner.switch,
        dispatch=outer.dispatch or inner.dispatch,
        failure=inner.failure if outer.failure in {"", "failed"} and inner.failure else outer.failure,
    )


def _fuller_content(outer: Content | None, inner: Content | None) -> Content | None:
    # If the outer content has identities, it is incomplete because of objects that cannot be read. The inner content,
    # a text, does not contain these objects at all.
    takes_inner = outer is None or (inner is not None and inner.whole and not outer.whole and not outer.identities)
    fuller, other = (inner, outer) if takes_inner else (outer, inner)
    if fuller is not None and other is not None and other.handed and not fuller.handed:
        return msgspec.structs.replace(fuller, handed=other.handed)
    return fuller
