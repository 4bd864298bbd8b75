"""
Model requests whose spans hold calls: which of them are requests all the same, and which only wrap a run.

Where an instrumentation makes a tool's span a child of the request that asked for it, that request is one still, though
its span ends long after its answer. A span around several requests and their calls is none, whatever it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, Observation, Passage, Step, TurnSpan

from .tree import passage

if TYPE_CHECKING:
    from .tree import Tree


def settle_requests(tree: Tree) -> None:
    """
    Let each model request that holds calls end where the first of them begins, or only pass ancestry on.

    It is a request where its output lists a call inside it, or where the same turn has another one: a run that was
    taken for a request has none beside it. A request that comes before the first call is the one that asked for it.
    """
    directly, holding = _held(tree)
    if not holding:
        return
    wrapping = {span_id for span_id in holding if _only_wraps(directly.get(span_id, ()))}
    requests = [span for span in tree.spans.values() if type(span) is Step and span.span_id not in wrapping]
    beside: dict[str, int] = {}
    for request in requests:
        beside[tree.inside[request.span_id]] = beside.get(tree.inside[request.span_id], 0) + 1
    for span_id in holding:
        span = tree.spans[span_id]
        inside = directly.get(span_id, ())
        if (
            type(span) is Step
            and span_id not in wrapping
            and (_lists_one(span, inside) or (beside[tree.inside[span_id]] > 1 and not _holds_a_turn(inside)))
        ):
            answered_ns = min(held.start_ns for held in inside)
            tree.replace(msgspec.structs.replace(span, end_ns=min(span.end_ns, max(span.start_ns, answered_ns))))
        else:
            tree.replace(passage(span))


def _held(tree: Tree) -> tuple[dict[str, list[Observation]], list[str]]:
    """What each model request holds with no call, turn or other request between; and which hold calls or turns."""
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
    """Span id of the model request right around *span_id*, remembered in *above*; empty if there is none."""
    passed = [span_id]
    while True:
        known = above.get(passed[-1])
        if known is not None:
            break
        parent = tree.spans.get(tree.spans[passed[-1]].parent_id)
        if type(parent) is Step and parent.span_id not in passed:
            known = parent.span_id
            break
        if type(parent) is not Passage or parent.span_id in passed:
            known = ""
            break
        passed.append(parent.span_id)
    above.update(dict.fromkeys(passed, known))
    return known


def _only_wraps(inside: list[Observation] | tuple[()]) -> bool:
    """Whether another request inside comes before the first call, or all calls are inside of other requests."""
    calls = [span.start_ns for span in inside if type(span) in (Call, TurnSpan)]
    return not calls or any(type(span) is Step and span.start_ns <= min(calls) for span in inside)


def _lists_one(request: Step, inside: list[Observation] | tuple[()]) -> bool:
    return any(type(span) is Call and span.call_id and span.call_id in (request.requested or ()) for span in inside)


def _holds_a_turn(inside: list[Observation] | tuple[()]) -> bool:
    return any(type(span) is TurnSpan for span in inside)
