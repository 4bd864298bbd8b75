"""
Corrects model requests whose spans enclose calls.

Some instrumentations make a tool's span a child of the model request that requested it. The request then ends long
after its answer. A span around several model requests and their calls is no request, even if it is classified as one.
If there is a pause between the calls inside a span, the model may have answered in it. The span then does not show
which response asked for which call.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, Observation, Passage, Step, TurnSpan

from .tree import as_passage

if TYPE_CHECKING:
    from .tree import Tree


_LEAST_ANSWER_NS = 50_000_000
"""The shortest pause between two calls in which a model may have answered."""


def settle_requests(tree: Tree) -> None:
    """
    End each model request that encloses calls at the start of the first call, or make it a passage.

    If there is a pause between the calls, in which the model may have seen a result, what the request asked for is
    unknown.

    It stays a request if its output lists a call inside it, or if the same scope has another request and it encloses
    no turn. It becomes a passage if another request inside it starts before its first call, unless that is the only one
    and the output lists a call: then both are the same request.
    """
    directly, holding = _contents(tree)
    if not holding:
        return
    wrapping = {span_id for span_id in holding if _only_wraps(tree.spans[span_id], directly.get(span_id, ()))}
    requests = [span for span in tree.spans.values() if type(span) is Step and span.span_id not in wrapping]
    per_scope: Counter[str] = Counter(tree.inside[request.span_id] for request in requests)
    for span_id in holding:
        span = tree.spans[span_id]
        inside = directly.get(span_id, ())
        if (
            type(span) is Step
            and span_id not in wrapping
            and (_lists_one(span, inside) or (per_scope[tree.inside[span_id]] > 1 and not _holds_a_turn(inside)))
        ):
            answered_ns = min(span_inside.start_ns for span_inside in inside)
            end_ns = min(span.end_ns, max(span.start_ns, answered_ns))
            apart = _are_apart(inside)
            requested, answer = (None, None) if apart else (span.requested, span.answer)
            tree.replace(msgspec.structs.replace(span, end_ns=end_ns, requested=requested, answer=answer))
        else:
            tree.replace(as_passage(span))


def _contents(tree: Tree) -> tuple[dict[str, list[Observation]], list[str]]:
    """Return the contents of each request with only passages between, and the ids of those that enclose a call."""
    directly: dict[str, list[Observation]] = {}
    holding: dict[str, None] = {}
    above: dict[str, str] = {}
    for span in tree.spans.values():
        if type(span) in (Call, TurnSpan, Step):
            nearest = _nearest_request(tree, span.span_id, above)
            if nearest:
                directly.setdefault(nearest, []).append(span)
            while nearest and type(span) is not Step and nearest not in holding:
                holding[nearest] = None
                nearest = _nearest_request(tree, nearest, above)
    return directly, list(holding)


def _nearest_request(tree: Tree, span_id: str, above: dict[str, str]) -> str:
    """Return the id of the request around *span_id* with only passages between, or ``""``; *above* caches it."""
    passed = {span_id: None}
    at = span_id
    while True:
        known = above.get(at)
        if known is not None:
            break
        parent = tree.spans.get(tree.spans[at].parent_id)
        if type(parent) is Step and parent.span_id not in passed:
            known = parent.span_id
            break
        if type(parent) is not Passage or parent.span_id in passed:
            known = ""
            break
        at = parent.span_id
        passed[at] = None
    above.update(dict.fromkeys(passed, known))
    return known


def _only_wraps(span: Observation, inside: list[Observation] | tuple[()]) -> bool:
    """Return whether another request precedes the first call in *inside*, or *inside* has no call."""
    if type(span) is Step and sum(type(each) is Step for each in inside) == 1 and _lists_one(span, inside):
        return False
    calls = [span.start_ns for span in inside if type(span) in (Call, TurnSpan)]
    return not calls or any(type(span) is Step and span.start_ns <= min(calls) for span in inside)


def _are_apart(inside: list[Observation] | tuple[()]) -> bool:
    """Return whether there is a pause between calls *inside* a request."""
    reached_ns: int | None = None
    for call in sorted((span for span in inside if type(span) is Call), key=lambda call: call.start_ns):
        if reached_ns is not None and call.start_ns - reached_ns >= _LEAST_ANSWER_NS:
            return True
        reached_ns = call.end_ns if reached_ns is None else max(reached_ns, call.end_ns)
    return False


def _lists_one(request: Step, inside: list[Observation] | tuple[()]) -> bool:
    return any(type(span) is Call and span.call_id and span.call_id in (request.requested or ()) for span in inside)


def _holds_a_turn(inside: list[Observation] | tuple[()]) -> bool:
    return any(type(span) is TurnSpan for span in inside)
