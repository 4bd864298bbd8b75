"""Local roots: spans without a known parent, with all that is below them, in traces that have no turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from otel_parallelism.model import Call, Observation, Step, TurnSpan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Traces: TypeAlias = dict[str, dict[str, Observation]]
"""The observations of each trace by span id."""


class LooseRoot(msgspec.Struct, eq=False):
    """
    A local root in a trace without a turn.

    Attributes:
        trace_id: The trace.
        root: The span without a known parent.
        spans: It and all spans below it.
        items: Those calls and model requests among them that no other call or request encloses, in order of start.
    """

    trace_id: str
    root: Observation
    spans: list[Observation]
    items: list[Call | Step]

    @property
    def start_ns(self) -> int:
        """The start of the root."""
        return self.root.start_ns


def loose_roots(traces: Traces) -> Iterator[LooseRoot]:
    """
    Yield the local roots that hold calls or model requests, of each of *traces* without a turn.

    There are none if no call or request in them has a conversation or a link.
    """
    loose = {trace_id: spans for trace_id, spans in traces.items() if TurnSpan not in map(type, spans.values())}
    if any(_is_related(span) for spans in loose.values() for span in spans.values()):
        for trace_id, spans in loose.items():
            yield from _roots_of(trace_id, spans)


def _is_related(span: Observation) -> bool:
    """Return whether *span* is a call or a request with a conversation or with links."""
    return isinstance(span, (Call, Step)) and bool(span.conversation or span.links)


def _roots_of(trace_id: str, spans: Mapping[str, Observation]) -> Iterator[LooseRoot]:
    below: dict[str, list[Observation]] = {}
    roots = []
    for span in spans.values():
        if span.parent_id in spans and span.parent_id != span.span_id:
            below.setdefault(span.parent_id, []).append(span)
        else:
            roots.append(span)
    for root in roots:
        inside = [root]
        items: list[Call | Step] = []
        reached: list[tuple[Observation, bool]] = [(root, True)]
        while reached:
            span, outermost = reached.pop()
            if outermost and isinstance(span, (Call, Step)):
                items.append(span)
                outermost = False
            children = below.get(span.span_id, ())
            inside += children
            reached += [(child, outermost) for child in children]
        if items:
            items.sort(key=lambda span: (span.start_ns, span.end_ns, span.span_id))
            yield LooseRoot(trace_id, root, inside, items)


def moved(traces: Traces, loose: LooseRoot, trace_id: str, parent_id: str) -> bool:
    """
    Move the spans of *loose* to the trace *trace_id*, below the span *parent_id*, and return whether that is possible.

    It is not if a span of that trace has one of their ids.
    """
    target = traces[trace_id]
    if trace_id != loose.trace_id and any(span.span_id in target for span in loose.spans):
        return False
    source = traces[loose.trace_id]
    for span in loose.spans:
        source.pop(span.span_id, None)
    if not source and trace_id != loose.trace_id:
        del traces[loose.trace_id]
    for span in loose.spans:
        target[span.span_id] = span
    target[loose.root.span_id] = msgspec.structs.replace(loose.root, parent_id=parent_id)
    return True
