"""
Joins duplicate turns: turn spans that two instrumentations made for one agent run, each with calls below it.

An instrumentation that does not use the current context may put its spans of a run inside the other's turn, or next to
it. Such a turn would look like a sub-agent that calls the same tools at the same times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.model import Call, Step, TurnSpan

from .counterparts import lies_within, same_tool, unambiguous_matches
from .merging import merged_duplicate
from .tree import as_passage, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .tree import Tree


def join_duplicate_turns(tree: Tree, calls: Sequence[Call]) -> bool:
    """
    Move the contents of duplicate turns into the turn that they duplicate.

    Args:
        tree: Changed in place.
        calls: All calls before any were merged. A call that has a duplicate in its own turn needs none in another.

    Returns:
        Whether there were any duplicate turns. Their calls and steps may now be duplicates of their new siblings.
    """
    turns = [span for span in tree.spans.values() if type(span) is TurnSpan]
    if len({turn.instrumentation for turn in turns}) < 2:  # noqa: PLR2004 - one instrumentation makes no duplicates
        return False
    own: dict[str, list[Call]] = {}
    for call in calls:
        own.setdefault(tree.inside[call.span_id], []).append(call)
    holding = {tree.inside[span.span_id] for span in tree.spans.values() if type(span) in (Call, Step, TurnSpan)}
    holding.update(turn.span_id for turn in turns if turn.emptied)
    siblings: dict[str, list[TurnSpan]] = {}
    for turn in turns:
        siblings.setdefault(tree.inside[turn.span_id], []).append(turn)
    original_of: dict[str, str] = {}
    for outer_id, inner in siblings.items():
        # The enclosing turn is the original, else the sibling with the most calls.
        inner.sort(key=lambda turn: (-len(own.get(turn.span_id, ())), turn.start_ns, -turn.end_ns, turn.span_id))
        outer = tree.spans.get(outer_id)
        original_of |= _with_the_same_calls([outer, *inner] if isinstance(outer, TurnSpan) else inner, own)
        original_of |= _without_contents(inner, own, holding)
    known: dict[str, str] = {}

    def last(span_id: str) -> str:
        return nearest(span_id, lambda at: None if at in original_of else at, original_of.__getitem__, known, "")

    for duplicate_id, turn_id in sorted(original_of.items(), key=lambda pair: (tree.spans[pair[0]].start_ns, pair)):
        _join(tree, duplicate_id, last(turn_id))
    for span_id, inside in tree.inside.items():
        tree.inside[span_id] = last(inside)
    return bool(original_of)


def _with_the_same_calls(turns: Sequence[TurnSpan], own: dict[str, list[Call]]) -> dict[str, str]:
    """Map each of *turns* all of whose calls have a duplicate in one earlier turn to that turn."""
    rank = {turn.span_id: position for position, turn in enumerate(turns)}
    turn_of = {call.span_id: turn for turn in turns for call in own.get(turn.span_id, ())}
    calls = [call for turn in turns for call in own.get(turn.span_id, ())]
    calls.sort(key=lambda call: (call.start_ns, -call.end_ns, call.span_id))
    matched: dict[tuple[str, str], set[str]] = {}
    for pair in unambiguous_matches(calls):
        turn, duplicate = sorted((turn_of[call.span_id] for call in pair), key=lambda turn: rank[turn.span_id])
        if (
            turn.instrumentation != duplicate.instrumentation
            and same_tool(pair[0].tool, pair[1].tool)
            and pair[0].source == pair[1].source == duplicate.source == turn.source
        ):
            call_id = next(call.span_id for call in pair if turn_of[call.span_id] is duplicate)
            matched.setdefault((duplicate.span_id, turn.span_id), set()).add(call_id)
    complete = [(duplicate, turn) for (duplicate, turn), ids in matched.items() if len(ids) == len(own[duplicate])]
    return dict(sorted(complete, key=lambda pair: -rank[pair[1]]))


def _without_contents(turns: Sequence[TurnSpan], own: dict[str, list[Call]], holding: set[str]) -> dict[str, str]:
    """Map each of *turns* that is empty because its instrumentation put the calls into a sibling to that sibling."""
    empty: dict[str, list[TurnSpan]] = {}
    hosts: dict[str, list[TurnSpan]] = {}
    for turn in turns:
        if turn.span_id not in holding:
            empty.setdefault(turn.instrumentation, []).append(turn)
        for instrumentation in {call.instrumentation for call in own.get(turn.span_id, ())} - {turn.instrumentation}:
            hosts.setdefault(instrumentation, []).append(turn)
    original_of = {}
    for instrumentation, duplicates in empty.items():
        if len(duplicates) == len(hosts.get(instrumentation, ())) == 1:
            (duplicate,), (turn,) = duplicates, hosts[instrumentation]
            if duplicate.source == turn.source and (lies_within(duplicate, turn) or lies_within(turn, duplicate)):
                original_of[duplicate.span_id] = turn.span_id
    return original_of


def _join(tree: Tree, duplicate_id: str, turn_id: str) -> None:
    duplicate = tree.spans[duplicate_id]
    tree.spans[turn_id] = merged_duplicate(tree.spans[turn_id], duplicate)
    tree.spans[duplicate_id] = as_passage(duplicate)
