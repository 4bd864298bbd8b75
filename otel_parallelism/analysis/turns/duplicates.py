"""
One call where two instrumentations each made a span for it, one model request where two did.

The outermost span gives the interval; what either knows is kept.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, Content, Passage, Step

from .counterparts import TOLERANCE_NS, lies_within, nested_in_time, same_tool, sole_pairs
from .tree import passage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .tree import Tree

_TRUST = {"declared": 3, "framework": 2, "settings": 1, "assumed": 0, "": -1}


def merge_steps(tree: Tree) -> None:
    """
    Merge model requests that are one: client libraries and frameworks each make a span.

    Nested in one another, or side by side where two instrumentations tell of the same stretch of time.
    """
    within: dict[str, str] = {}
    for span in tree.spans.values():
        if type(span) is Step:
            parent = tree.spans.get(span.parent_id)
            seen: set[str] = set()
            while type(parent) is Passage and parent.span_id not in seen:
                seen.add(parent.span_id)
                parent = tree.spans.get(parent.parent_id)
            if type(parent) is Step and span.start_ns < parent.end_ns + TOLERANCE_NS:
                within[span.span_id] = parent.span_id
    within |= _steps_side_by_side(tree, [s for s in tree.spans.values() if type(s) is Step and s.span_id not in within])
    for inner_id, outer_id in _outermost(within):
        outer, inner = tree.spans[outer_id], tree.spans[inner_id]
        if type(outer) is Step and type(inner) is Step:
            tree.spans[outer_id] = both_steps(outer, inner)
            # It stays an ancestor of whatever hangs below it, but is no request of its own.
            tree.spans[inner_id] = passage(inner)


def _steps_side_by_side(tree: Tree, steps: Sequence[Step]) -> dict[str, str]:
    if len({step.instrumentation for step in steps}) < 2:  # noqa: PLR2004 - one tells of a request once
        return {}
    within: dict[str, str] = {}
    last: dict[str, Step] = {}
    for step in sorted(steps, key=lambda step: (step.start_ns, -step.end_ns, step.span_id)):
        around = tree.inside[step.span_id]
        before = last.get(around)
        if (
            before is not None
            and before.instrumentation != step.instrumentation
            and before.source == step.source
            and lies_within(before, step)
        ):
            within[step.span_id] = before.span_id
        else:
            last[around] = step
    return within


def merge_calls(tree: Tree) -> None:
    """Merge spans that tell of one execution of a tool, nested in one another or side by side."""
    _absorb(tree, _nested(tree))
    if len({span.instrumentation for span in tree.spans.values() if type(span) is Call}) > 1:
        _absorb(tree, _side_by_side(tree))


def _absorb(tree: Tree, within: dict[str, str]) -> None:
    if not within:
        return
    outer_of = dict(_outermost(within))
    for inner_id, outer_id in outer_of.items():
        outer, inner = tree.spans[outer_id], tree.spans[inner_id]
        if type(outer) is Call and type(inner) is Call:
            tree.spans[outer_id] = both_calls(outer, inner)
            tree.spans[inner_id] = passage(inner)
    for span_id, inside in tree.inside.items():
        tree.inside[span_id] = outer_of.get(inside, inside)


def _outermost(within: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Pairs of inner and outermost span, the outermost pairs first, so that facts accumulate from outside in."""
    pairs = []
    for inner_id, outer_id in within.items():
        at, passed = outer_id, {inner_id}
        while at in within and at not in passed:
            passed.add(at)
            at = within[at]
        if at not in passed:
            pairs.append((len(passed), inner_id, at))
    for _, inner_id, outermost_id in sorted(pairs):
        yield inner_id, outermost_id


def _nested(tree: Tree) -> dict[str, str]:
    within: dict[str, str] = {}
    certain: set[str] = set()
    counterparts: dict[str, int] = {}
    for span in tree.spans.values():
        if type(span) is not Call:
            continue
        outer = tree.spans.get(tree.inside[span.span_id])
        if type(outer) is not Call:
            continue
        if span.call_id and span.call_id == outer.call_id:
            within[span.span_id] = outer.span_id
            certain.add(span.span_id)
            counterparts[outer.span_id] = counterparts.get(outer.span_id, 0) + 1
        elif same_tool(outer.tool, span.tool) and not _different_ids(outer, span) and _is_account_of(outer, span):
            within[span.span_id] = outer.span_id
            counterparts[outer.span_id] = counterparts.get(outer.span_id, 0) + 1
    return {
        inner: outer
        for inner, outer in within.items()
        # A tool that calls itself more than once is recursion, not two accounts of one call.
        if inner in certain or counterparts[outer] == 1
    }


def _side_by_side(tree: Tree) -> dict[str, str]:
    groups: dict[str, list[Call]] = {}
    for span in tree.spans.values():
        if type(span) is Call:
            groups.setdefault(tree.inside[span.span_id], []).append(span)
    within: dict[str, str] = {}
    for calls in groups.values():
        if len({call.instrumentation for call in calls}) > 1:
            calls.sort(key=lambda call: (call.start_ns, -call.end_ns, call.span_id))
            for outer, inner in sole_pairs(calls):
                within[inner.span_id] = outer.span_id
    return within


def _different_ids(one: Call, two: Call) -> bool:
    return bool(one.call_id and two.call_id and one.call_id != two.call_id)


def _is_account_of(outer: Call, inner: Call) -> bool:
    # A server may still be at it when whoever asked has given up, and takes a moment to stop where it runs beside it.
    given_up = outer.error and outer.instrumentation != inner.instrumentation and inner.source == outer.source
    return (
        (inner.remote_parent and inner.source == outer.source)
        or nested_in_time(outer, inner)
        or (given_up and outer.start_ns <= inner.start_ns < outer.end_ns < inner.end_ns)
    )


def both_steps(outer: Step, inner: Step) -> Step:
    """Return *outer* with what only *inner*, the same model request, knows."""
    known = [step.requested for step in (outer, inner) if step.requested is not None]
    return msgspec.structs.replace(
        outer,
        requested=tuple(dict.fromkeys(itertools.chain(*known))) if known else None,
        input_tokens=inner.input_tokens if outer.input_tokens is None else outer.input_tokens,
        messages=outer.messages or inner.messages,
    )


def both_calls(outer: Call, inner: Call) -> Call:
    """Return *outer* with what only *inner*, the same call, knows."""
    trusted = outer if _TRUST[outer.effect_source] >= _TRUST[inner.effect_source] else inner
    waited = inner if inner.queue_ns > outer.queue_ns else outer
    waited_from_ns = waited.called_ns or (waited.start_ns - waited.queue_ns if waited.queue_ns else 0)
    return msgspec.structs.replace(
        outer,
        tool=outer.tool or inner.tool,
        call_id=outer.call_id or inner.call_id,
        error=outer.error or inner.error,
        arguments=_fuller(outer.arguments, inner.arguments),
        result=_fuller(outer.result, inner.result),
        effect=trusted.effect,
        effect_source=trusted.effect_source,
        resource=outer.resource or inner.resource,
        depends_on=inner.depends_on if outer.depends_on is None else outer.depends_on,
        links=outer.links or inner.links,
        called_ns=waited_from_ns or outer.called_ns or inner.called_ns,
        task=outer.task or inner.task,
        thread=outer.thread or inner.thread,
        in_loop=outer.in_loop or inner.in_loop,
        queue_ns=waited.queue_ns,
        caller=outer.caller or inner.caller,
        silenced=outer.silenced or inner.silenced,
        blocking=outer.blocking or inner.blocking,
    )


def _fuller(outer: Content | None, inner: Content | None) -> Content | None:
    # Objects that one account was handed and could not see into are just missing in another's text.
    if outer is None or (inner is not None and inner.whole and not outer.whole and not outer.identities):
        return inner
    return outer
