"""Moves calls and model requests next to their turn's span into the turn: some frameworks put the run's span there."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING

from otel_parallelism.model import Call, Observation, Passage, Step, TurnSpan

from .counterparts import TOLERANCE_NS, lies_within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .tree import Tree


def adopt_siblings(tree: Tree) -> None:
    """
    Put each call and each model request into the one turn beside it, with the same parent, whose interval holds it.

    A turn or a call around them keeps its own calls, unless a passage lies between and the sibling is the run of all:
    the only turn there, empty, with model requests beside it, and with all calls inside its interval or after its end.
    Some frameworks end the span of a streamed run at once.
    """
    if not any(type(span) is TurnSpan and span.parent_id for span in tree.spans.values()):
        return
    groups: dict[str, list[Observation]] = {}
    holding: set[str] = set()
    for span in tree.spans.values():
        if type(span) in (Call, Step, TurnSpan):
            holding.add(tree.inside[span.span_id])
            if type(span) is TurnSpan and span.emptied:
                holding.add(span.span_id)
            if span.parent_id:
                groups.setdefault(span.parent_id, []).append(span)
    for parent_id, group in groups.items():
        turns = [span for span in group if type(span) is TurnSpan]
        beside = [span for span in group if type(span) is not TurnSpan]
        if turns and beside:
            held = type(tree.spans.get(parent_id)) not in (Passage, NoneType)
            _adopt(tree, turns, beside, run_of_all=not held and _is_run_of_all(turns, beside, holding))


def _adopt(tree: Tree, turns: Sequence[Observation], beside: Sequence[Observation], *, run_of_all: bool) -> None:
    """Put the calls and requests *beside* into their turn among *turns*, all of one parent."""
    if run_of_all:
        tree.inside.update((span.span_id, turns[0].span_id) for span in beside)
    elif not tree.inside[turns[0].span_id]:
        for span in beside:
            turn = _turn_beside(span, turns)
            if turn is not None:
                tree.inside[span.span_id] = turn.span_id


def _is_run_of_all(turns: Sequence[Observation], beside: Sequence[Observation], holding: set[str]) -> bool:
    """Return whether *turns* are one empty turn, and everything *beside* it is what it ran."""
    run = turns[0]
    if len(turns) > 1 or run.span_id in holding or not any(type(span) is Step for span in beside):
        return False
    if any(span.source != run.source or span.start_ns < run.start_ns - TOLERANCE_NS for span in beside):
        return False
    calls = [span for span in beside if type(span) is Call]
    return all(lies_within(run, span) for span in beside) or all(call.start_ns >= run.end_ns for call in calls)


def _turn_beside(span: Observation, turns: Sequence[Observation]) -> Observation | None:
    """Return the one of *turns* that can hold *span*, of the same instrumentation if possible; None if several can."""
    around = [turn for turn in turns if turn.source == span.source and lies_within(turn, span)]
    own = [turn for turn in around if turn.instrumentation == span.instrumentation] or around
    return own[0] if len(own) == 1 else None
