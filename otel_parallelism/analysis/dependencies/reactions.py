"""Calls that may be there because of how an earlier one went, which no value shows: fallbacks, caution."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    rounds_end = max((index + 1 for index, call in enumerate(calls) if call.round is not None), default=0)
    for earlier, outcome in enumerate(outcomes):
        if outcome:
            how = "failed" if outcome == "failed" else "found nothing"
            for later in _right_after(calls, starts, earlier, rounds_end):
                why = f"{calls[later].tool} came right after {calls[earlier].tool} {how}, perhaps because of that"
                found.setdefault(later, []).append((earlier, why))
    return found


def _right_after(calls: Sequence[Call], starts: Sequence[int], earlier: int, rounds_end: int) -> Iterator[int]:
    """
    Indices of what was called, or asked for, right after a call; from *rounds_end* on no round is known.

    Code may react with several calls at once. Where rounds are only inferred, the model may react as well, after the
    code has run the rest of what is taken for one round.
    """
    before = calls[earlier]
    next_round: int | None = None
    first_end_ns: int | None = None
    first = bisect_left(starts, before.end_ns)
    for later in range(first, min(first + _MOST_NAMED, len(calls))):
        call = calls[later]
        if later <= earlier or (before.proved and call.proved and before.round == call.round is not None):
            continue
        if call.round is None or call.round == before.round:
            if next_round is not None:
                break
            if first_end_ns is not None and call.start_ns >= first_end_ns:
                if later >= rounds_end:
                    break
                continue
            first_end_ns = call.end_ns if first_end_ns is None else min(first_end_ns, call.end_ns)
        elif next_round is not None and call.round != next_round:
            break
        else:
            next_round = call.round
        yield later


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
