"""Calls that may be there because of how an earlier one went, which no value shows: fallbacks, caution."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call

    from .outcomes import Outcome

Reactions: TypeAlias = dict[int, list[tuple[int, str]]]
_MOST_NAMED = 256


def reactions(calls: Sequence[Call], outcomes: Sequence[Outcome]) -> Reactions:
    """
    For a call's index the earlier ones that it may be a reaction to, each with the sentence that says so.

    Args:
        calls: One scope's in order of (start, end, id).
        outcomes: How each went.
    """
    found: Reactions = {}
    starts = [call.start_ns for call in calls]
    for earlier, outcome in enumerate(outcomes):
        if outcome:
            _right_after(calls, starts, earlier, "failed" if outcome == "failed" else "found nothing", found)
    return found


def _right_after(calls: Sequence[Call], starts: Sequence[int], earlier: int, how: str, found: Reactions) -> None:
    """What was called, or asked for, right after a call that failed or found nothing."""
    before = calls[earlier]
    next_round: int | None = None
    first = bisect_left(starts, before.end_ns)
    for later in range(first, min(first + _MOST_NAMED, len(calls))):
        call = calls[later]
        if later <= earlier or (before.proved and call.proved and before.round == call.round is not None):
            continue
        if next_round is not None and call.round != next_round:
            break
        why = f"{call.tool} came right after {before.tool} {how}, perhaps because of that"
        found.setdefault(later, []).append((earlier, why))
        next_round = call.round
        if next_round is None or next_round == before.round:
            break


def careful(calls: Sequence[Call], outcomes: Sequence[Outcome]) -> dict[int, tuple[int, str]]:
    """
    For a call's index the one before it of its tool, where that tool failed earlier as several ran at once.

    At a service's limit perhaps: then one by one is how it has to be, whoever asked for them together. Arguments and
    the sentence as of `reactions`.
    """
    found: dict[int, tuple[int, str]] = {}
    if "failed" not in outcomes:
        return found
    by_tool: dict[str, list[int]] = {}
    for index, call in enumerate(calls):
        if call.end_ns > call.start_ns:
            by_tool.setdefault(call.tool, []).append(index)
    for tool, same in by_tool.items():
        warned_ns = _failed_at_once_ns(calls, outcomes, same)
        if warned_ns is None:
            continue
        since = [index for index in same if calls[index].start_ns >= warned_ns]
        for earlier, later in itertools.pairwise(since):
            if calls[earlier].end_ns <= calls[later].start_ns:
                found[later] = (earlier, f"{tool} failed before as several of it ran at once")
    return found


def _failed_at_once_ns(calls: Sequence[Call], outcomes: Sequence[Outcome], same: Sequence[int]) -> int | None:
    """When the first failure became known of a call that ran beside another one of its tool; None without any."""
    known: int | None = None
    reached_ns = 0
    for position, index in enumerate(same):
        call = calls[index]
        beside = reached_ns > call.start_ns or (
            position + 1 < len(same) and calls[same[position + 1]].start_ns < call.end_ns
        )
        if outcomes[index] == "failed" and beside and (known is None or call.end_ns < known):
            known = call.end_ns
        reached_ns = max(reached_ns, call.end_ns)
    return known
