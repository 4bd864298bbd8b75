"""Joins traces by span links: a call of another trace that links to the model request or the turn that caused it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, Observation, Step, TurnSpan

from .loose_roots import LooseRoot, Traces, moved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CAUSED = "CAUSED_BY_GENERATION"
"""The type of a link from a call to the model request whose answer asked for it."""

INFORMED = "INFORMED_BY"
"""The type of a link from a model request, or a call, to a call whose result it was given."""

RETRIED = "RETRY_OF"
"""The type of a link from a call to an earlier attempt at it."""

_MOST_LINKS = 32


class _Place(msgspec.Struct, frozen=True):
    """The turn that a linked span belongs to: its trace, its id, and the call or turn that a new span lies in."""

    trace_id: str
    turn_id: str
    parent_id: str


class LinkedSpans:
    """
    The spans of all traces by their ids, to follow links, which carry the ids of spans.

    An id that occurs in several traces leads nowhere.
    """

    def __init__(self, traces: Traces) -> None:
        self._traces = traces
        self._found: dict[str, tuple[str, Observation] | None] = {}
        for trace_id, spans in traces.items():
            for span_id, span in spans.items():
                self._found[span_id] = None if span_id in self._found else (trace_id, span)

    def targets(self, item: Call | Step) -> Iterator[tuple[str, Observation, str]]:
        """Yield the trace, the span and the type of each link of *item* that its type and the times allow."""
        types = item.link_types or ("",) * len(item.links)
        for link, kind in list(zip(item.links, types, strict=False))[:_MOST_LINKS]:
            known = self._found.get(link)
            if known is not None and may_join(item, known[1], kind):
                yield known[0], known[1], kind

    def relocate(self, loose: LooseRoot, trace_id: str) -> None:
        """Note that the spans of *loose* are now in the trace *trace_id*."""
        for span in loose.spans:
            if self._found.get(span.span_id) is not None:
                self._found[span.span_id] = trace_id, self._traces[trace_id][span.span_id]

    def place(self, trace_id: str, target: Observation, item: Call | Step) -> _Place | None:
        """Return where *item*, which links to *target*, belongs; None if no turn encloses the target."""
        spans = self._traces.get(trace_id, {})
        parent_id = ""
        passed: set[str] = set()
        at: Observation | None = target
        while at is not None and at.span_id not in passed:
            passed.add(at.span_id)
            if isinstance(at, TurnSpan):
                if not at.start_ns <= item.start_ns < max(at.end_ns, at.start_ns + 1):
                    return None
                return _Place(trace_id, at.span_id, parent_id or at.span_id)
            if isinstance(at, Call) and not parent_id and at.start_ns <= item.start_ns and item.end_ns <= at.end_ns:
                parent_id = at.span_id
            at = spans.get(at.parent_id)
        return None


def may_join(item: Call | Step, target: Observation, kind: str) -> bool:
    """Return whether a link of this *kind* from *item* to *target* can mean that both belong to one turn."""
    if target.start_ns > item.start_ns or target.span_id == item.span_id:
        return False
    if kind == CAUSED:
        return isinstance(item, Call) and isinstance(target, Step)
    if kind in {INFORMED, RETRIED}:
        return isinstance(target, Call) and target.end_ns <= item.start_ns
    if kind:
        return False
    # A request that links to a request, or a run that links to a run, may be the next of a conversation.
    return isinstance(target, TurnSpan | Call) or (isinstance(item, Call) and isinstance(target, Step))


def join_linked(traces: Traces, roots: Sequence[LooseRoot], linked: LinkedSpans) -> list[LooseRoot]:
    """
    Move each of *roots* into the one turn that the links of its calls and requests lead to.

    Nothing is moved where the links lead to several turns or to none.

    Args:
        traces: The observations of all traces, which are changed.
        roots: Local roots outside of turns.
        linked: Finds the spans that links lead to.

    Returns:
        The roots that stay where they are, in order of start.
    """
    left = []
    # A link leads to an earlier span, which may itself have been moved into a turn.
    for loose in sorted(roots, key=lambda one: (one.start_ns, one.root.span_id)):
        places = [
            place
            for item in loose.items
            for trace_id, target, _ in linked.targets(item)
            if (place := linked.place(trace_id, target, item)) is not None
        ]
        one_turn = len({(place.trace_id, place.turn_id) for place in places}) == 1
        if one_turn and moved(traces, loose, places[0].trace_id, places[0].parent_id):
            linked.relocate(loose, places[0].trace_id)
        else:
            left.append(loose)
    return left
