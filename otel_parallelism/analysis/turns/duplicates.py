"""
Merges duplicate spans of one call or of one model request.

Client libraries, frameworks and our own decorator may each make a span for the same execution. The outermost span
gives the interval; the data of all is kept.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from otel_parallelism.model import Call, Passage, Step
from otel_parallelism.pace import paced

from .counterparts import (
    TOLERANCE_NS,
    lies_within,
    nested_in_time,
    same_tool,
    simultaneous_matches,
    unambiguous_matches,
)
from .merging import merged_duplicate
from .tree import as_passage, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .tree import Tree

_MAX_LEVELS = 8
"""How many calls around a call are compared with it."""


def merge_steps(tree: Tree) -> None:
    """
    Merge duplicate model requests in *tree*.

    Requests are duplicates if their spans are nested with only passages between, or if they are siblings of different
    instrumentations and one lies within the other in time.
    """
    outer_of: dict[str, str] = {}
    known: dict[str, str] = {}

    def parent_of(span_id: str) -> str:
        return tree.spans[span_id].parent_id

    def past_passages(span_id: str) -> str | None:
        return None if type(tree.spans.get(span_id)) is Passage else span_id

    for span in paced(tree.spans.values()):
        if type(span) is Step:
            parent = tree.spans.get(nearest(span.parent_id, past_passages, parent_of, known, ""))
            if type(parent) is Step and span.start_ns < parent.end_ns + TOLERANCE_NS:
                outer_of[span.span_id] = parent.span_id
    others = [s for s in paced(tree.spans.values()) if type(s) is Step and s.span_id not in outer_of]
    outer_of |= _sibling_steps(tree, others)
    _merge(tree, outer_of)


def _sibling_steps(tree: Tree, steps: Sequence[Step]) -> dict[str, str]:
    """Map each of *steps* to its duplicate around it in time, made by another instrumentation in the same scope."""
    if len({step.instrumentation for step in steps}) < 2:  # noqa: PLR2004 - one instrumentation makes no siblings
        return {}
    outer_of: dict[str, str] = {}
    last: dict[str, Step] = {}
    for step in sorted(steps, key=lambda step: (step.start_ns, -step.end_ns, step.span_id)):
        scope = tree.inside[step.span_id]
        previous = last.get(scope)
        if (
            previous is not None
            and previous.instrumentation != step.instrumentation
            and previous.source == step.source
            and lies_within(previous, step)
        ):
            outer_of[step.span_id] = previous.span_id
        else:
            last[scope] = step
    return outer_of


def merge_calls(tree: Tree) -> None:
    """Merge duplicate calls in *tree*: first nested ones, then siblings of different instrumentations."""
    _merge(tree, _nested_calls(tree))
    if len({span.instrumentation for span in paced(tree.spans.values()) if type(span) is Call}) > 1:
        _merge(tree, _sibling_calls(tree))


def _merge(tree: Tree, outer_of: dict[str, str]) -> None:
    """Merge each span into its outermost duplicate. The merged spans become passages, so that ancestry stays."""
    if not outer_of:
        return
    outermost_of = dict(_outermost(outer_of))
    for inner_id, outer_id in paced(outermost_of.items()):
        tree.spans[outer_id] = merged_duplicate(tree.spans[outer_id], tree.spans[inner_id])
        tree.spans[inner_id] = as_passage(tree.spans[inner_id])
    for span_id, inside in paced(tree.inside.items()):
        tree.inside[span_id] = outermost_of.get(inside, inside)


def _outermost(outer_of: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of an inner span and its outermost duplicate, fewest levels first, so that outer data wins."""
    # By span: the levels to its outermost duplicate, and that one's id; None where the way leads back to the span. Each
    # way is walked once, so that deep nesting takes linear time.
    known: dict[str, tuple[int, str] | None] = {}
    for start_id in paced(outer_of):
        passed: dict[str, None] = {}
        at = start_id
        while at in outer_of and at not in known and at not in passed:
            passed[at] = None
            at = outer_of[at]
        found = None if at in passed else known.get(at, (0, at))
        for span_id in reversed(passed):
            found = None if found is None else (found[0] + 1, found[1])
            known[span_id] = found
    pairs = [(found[0], inner_id, found[1]) for inner_id, found in known.items() if found is not None]
    for _, inner_id, outermost_id in sorted(pairs):
        yield inner_id, outermost_id


def _nested_calls(tree: Tree) -> dict[str, str]:
    """Map each call to the enclosing call that it duplicates."""
    outer_of: dict[str, str] = {}
    same_id: set[str] = set()
    matches: dict[str, int] = {}
    calls = [span for span in paced(tree.spans.values()) if type(span) is Call]
    for call in paced(calls):
        outer = tree.spans.get(tree.inside[call.span_id])
        if type(outer) is Call and _is_duplicate(outer, call):
            outer_of[call.span_id] = outer.span_id
            matches[outer.span_id] = matches.get(outer.span_id, 0) + 1
            if call.call_id and call.call_id == outer.call_id:
                same_id.add(call.span_id)
    # A tool that calls itself more than once is recursive; its inner calls are no duplicates.
    outer_of = {inner: outer for inner, outer in outer_of.items() if inner in same_id or matches[outer] == 1}
    paired = {*outer_of, *outer_of.values()}
    through = {call.span_id: _duplicate_beyond(tree, call) for call in paced(calls) if call.span_id not in paired}
    beyond = Counter(paced(through.values()))
    outer_of |= {
        inner: outer for inner, outer in paced(through.items()) if outer and outer not in paired and beyond[outer] == 1
    }
    return outer_of


def _duplicate_beyond(tree: Tree, call: Call) -> str:
    """Return the id of the call that *call* duplicates, of another instrumentation, with other calls between."""
    outer = tree.spans.get(tree.inside[call.span_id])
    for _ in range(_MAX_LEVELS):
        outer = tree.spans.get(tree.inside[outer.span_id]) if type(outer) is Call else None
        if type(outer) is not Call:
            return ""
        if outer.instrumentation != call.instrumentation and _is_duplicate(outer, call):
            return outer.span_id
    return ""


def _sibling_calls(tree: Tree) -> dict[str, str]:
    """Map each call to its one duplicate in the same scope, made by another instrumentation."""
    scopes: dict[str, list[Call]] = {}
    for span in paced(tree.spans.values()):
        if type(span) is Call:
            scopes.setdefault(tree.inside[span.span_id], []).append(span)
    outer_of: dict[str, str] = {}
    for calls in scopes.values():
        if len({call.instrumentation for call in calls}) > 1:
            calls.sort(key=lambda call: (call.start_ns, -call.end_ns, call.span_id))
            pairs = unambiguous_matches(calls)
            matched = {call.span_id for pair in pairs for call in pair}
            pairs += simultaneous_matches([call for call in calls if call.span_id not in matched])
            for outer, inner in pairs:
                outer_of[inner.span_id] = outer.span_id
    return outer_of


def _is_duplicate(outer: Call, inner: Call) -> bool:
    """Return whether *inner*, a call inside *outer*, records the same execution, by its id or by tool and time."""
    if inner.call_id and inner.call_id == outer.call_id:
        return True
    if not same_tool(outer.tool, inner.tool) or (inner.call_id and outer.call_id):
        return False
    # A server may continue after its client gave up, and may stop a moment after the client's call has ended.
    given_up = outer.error and outer.instrumentation != inner.instrumentation and inner.source == outer.source
    return (
        (inner.remote_parent and inner.source == outer.source)
        or nested_in_time(outer, inner)
        or (given_up and outer.start_ns <= inner.start_ns < outer.end_ns < inner.end_ns)
    )
