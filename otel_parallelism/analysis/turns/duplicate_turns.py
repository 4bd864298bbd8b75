"""
Turns that tell of another turn's run again: two instrumentations each made a span for it, with calls below either.

An instrumentation that gives its spans parents of its own choice leaves its account of a run inside the other's, or
beside it, where it would pass for a sub-agent that calls the same tools at the same times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, Step, TurnSpan

from .counterparts import lies_within, same_tool, sole_pairs
from .tree import passage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .tree import Tree


def join_echoes(tree: Tree, calls: Sequence[Call]) -> bool:
    """
    Let what is inside of turns that tell of a run again be inside of the turn that they tell of.

    Args:
        tree: Its spans change.
        calls: All calls as they were told, before any merged: what has two accounts in its turn needs no third.

    Returns:
        Whether there were any; their calls and steps may now be accounts, side by side, of those of their turn.
    """
    turns = [span for span in tree.spans.values() if type(span) is TurnSpan]
    if len({turn.instrumentation for turn in turns}) < 2:  # noqa: PLR2004 - one tells of a run once
        return False
    own: dict[str, list[Call]] = {}
    for call in calls:
        own.setdefault(tree.inside[call.span_id], []).append(call)
    holding = {tree.inside[span.span_id] for span in tree.spans.values() if type(span) in (Call, Step, TurnSpan)}
    beside: dict[str, list[TurnSpan]] = {}
    for turn in turns:
        if tree.inside[turn.span_id]:
            beside.setdefault(tree.inside[turn.span_id], []).append(turn)
    told: dict[str, str] = {}
    for around_id, inner in beside.items():
        # Whoever is around has the run, else whoever saw most of it.
        inner.sort(key=lambda turn: (-len(own.get(turn.span_id, ())), turn.start_ns, -turn.end_ns, turn.span_id))
        around = tree.spans[around_id]
        told |= _told_again([around, *inner] if type(around) is TurnSpan else inner, own)
        told |= _told_emptily(inner, own, holding)
    for echo_id, turn_id in sorted(told.items(), key=lambda pair: (tree.spans[pair[0]].start_ns, pair)):
        _join(tree, echo_id, turn_id, told)
    for span_id, inside in tree.inside.items():
        tree.inside[span_id] = _last(inside, told)
    return bool(told)


def _told_again(turns: Sequence[TurnSpan], own: dict[str, list[Call]]) -> dict[str, str]:
    """Which of *turns* have calls, all of which an earlier one of them has too; and which one that is."""
    rank = {turn.span_id: position for position, turn in enumerate(turns)}
    home = {call.span_id: turn for turn in turns for call in own.get(turn.span_id, ())}
    calls = [call for turn in turns for call in own.get(turn.span_id, ())]
    calls.sort(key=lambda call: (call.start_ns, -call.end_ns, call.span_id))
    found: dict[tuple[str, str], set[str]] = {}
    for pair in sole_pairs(calls):
        turn, echo = sorted((home[call.span_id] for call in pair), key=lambda turn: rank[turn.span_id])
        if (
            turn.instrumentation != echo.instrumentation
            and same_tool(pair[0].tool, pair[1].tool)
            and pair[0].source == pair[1].source == echo.source == turn.source
        ):
            mine = next(call.span_id for call in pair if home[call.span_id] is echo)
            found.setdefault((echo.span_id, turn.span_id), set()).add(mine)
    whole = [(echo, turn) for (echo, turn), paired in found.items() if len(paired) == len(own[echo])]
    return dict(sorted(whole, key=lambda pair: -rank[pair[1]]))


def _told_emptily(turns: Sequence[TurnSpan], own: dict[str, list[Call]], holding: set[str]) -> dict[str, str]:
    """Which of *turns* hold nothing, as what their instrumentation tells went to the one beside; and which that is."""
    empty: dict[str, list[TurnSpan]] = {}
    hosts: dict[str, list[TurnSpan]] = {}
    for turn in turns:
        if turn.span_id not in holding:
            empty.setdefault(turn.instrumentation, []).append(turn)
        for instrumentation in {call.instrumentation for call in own.get(turn.span_id, ())} - {turn.instrumentation}:
            hosts.setdefault(instrumentation, []).append(turn)
    told = {}
    for instrumentation, echoes in empty.items():
        if len(echoes) == len(hosts.get(instrumentation, ())) == 1:
            (echo,), (turn,) = echoes, hosts[instrumentation]
            if echo.source == turn.source and (lies_within(echo, turn) or lies_within(turn, echo)):
                told[echo.span_id] = turn.span_id
    return told


def _join(tree: Tree, echo_id: str, turn_id: str, told: dict[str, str]) -> None:
    echo, turn = tree.spans[echo_id], tree.spans[_last(turn_id, told)]
    if type(echo) is TurnSpan and type(turn) is TurnSpan:
        known = turn.input if turn.input is not None else echo.input
        tree.spans[turn.span_id] = msgspec.structs.replace(turn, agent=turn.agent or echo.agent, input=known)
    tree.spans[echo_id] = passage(echo)


def _last(span_id: str, told: dict[str, str]) -> str:
    while span_id in told:
        span_id = told[span_id]
    return span_id
