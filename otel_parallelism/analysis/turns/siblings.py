"""Moves calls and model requests next to their turn's span into the turn: some frameworks put the run's span there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.model import Call, Observation, Passage, Step, TurnSpan

from .counterparts import lies_within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .tree import Tree


def adopt_siblings(tree: Tree) -> None:
    """
    Put each call and each model request into the one turn beside it, with the same parent, whose interval holds it.

    A turn or a call around them keeps its own calls. Where a passage lies between, it keeps them unless the sibling is
    the only turn there, is empty, and its interval holds everything beside it, model requests among it.
    """
    if not any(type(span) is TurnSpan and span.parent_id for span in tree.spans.values()):
        return
    groups: dict[str, list[Observation]] = {}
    holding: set[str] = set()
    for span in tree.spans.values():
        if type(span) in (Call, Step, TurnSpan):
            holding.add(tree.inside[span.span_id])
            if span.parent_id:
                groups.setdefault(span.parent_id, []).append(span)
    for parent_id, group in groups.items():
        turns = [span for span in group if type(span) is TurnSpan]
        beside = [span for span in group if type(span) is not TurnSpan]
        if not turns or not beside:
            continue
        if tree.inside[turns[0].span_id] and not (
            type(tree.spans.get(parent_id)) is Passage and _is_run_of_all(turns, beside, holding)
        ):
            continue
        for span in beside:
            turn = _turn_beside(span, turns)
            if turn is not None:
                tree.inside[span.span_id] = turn.span_id


def _is_run_of_all(turns: Sequence[Observation], beside: Sequence[Observation], holding: set[str]) -> bool:
    return (
        len(turns) == 1
        and turns[0].span_id not in holding
        and any(type(span) is Step for span in beside)
        and all(lies_within(turns[0], span) for span in beside)
    )


def _turn_beside(span: Observation, turns: Sequence[Observation]) -> Observation | None:
    """Return the one of *turns* that can hold *span*, of the same instrumentation if possible; None if several can."""
    around = [turn for turn in turns if turn.source == span.source and lies_within(turn, span)]
    own = [turn for turn in around if turn.instrumentation == span.instrumentation] or around
    return own[0] if len(own) == 1 else None
