"""Finds calls that may react to the outcome of an earlier call: fallbacks, and repeats one after another."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from typing import TYPE_CHECKING, TypeAlias

from otel_parallelism.pace import paced, pause
from otel_parallelism.shown_names import pair_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_parallelism.model import Call

    from .contents.outcomes import Outcome

_MAX_NAMED = 256

Reactions: TypeAlias = dict[int, list[tuple[int, str]]]
"""By the position of a call: the positions of earlier calls, each with a sentence."""


def possible_reactions(calls: Sequence[Call], outcomes: Sequence[Outcome]) -> Reactions:
    """
    Return, by position, the earlier failed or empty calls that a call may react to, each with a sentence that says why.

    Args:
        calls: The calls of one scope in order of (start, end, id).
        outcomes: The outcome of each call.
    """
    found: Reactions = {}
    starts = [call.start_ns for call in calls]
    pause()
    rounds_end = max((index + 1 for index, call in enumerate(calls) if call.round is not None), default=0)
    for earlier, outcome in paced(enumerate(outcomes)):
        if outcome:
            how = "failed" if outcome == "failed" else "found nothing"
            for later in _right_after(calls, starts, earlier, rounds_end):
                a, b = pair_names(calls[earlier].tool, calls[later].tool)
                why = f"{b} came right after {a} {how}, perhaps because of that"
                found.setdefault(later, []).append((earlier, why))
    return found


def _right_after(calls: Sequence[Call], starts: Sequence[int], earlier: int, rounds_end: int) -> Iterator[int]:
    """
    Yield the positions of the calls that come right after ``calls[earlier]``: the next ones, or the next round.

    From position *rounds_end* on, no round is known. Code may react with several calls at once. If rounds are only
    inferred, the model may react as well, after the code has run the rest of the inferred round.
    """
    before = calls[earlier]
    next_round: int | None = None
    first_end_ns: int | None = None
    first = bisect_left(starts, before.end_ns)
    for later in range(first, min(first + _MAX_NAMED, len(calls))):
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


def cautious_repeats(calls: Sequence[Call], outcomes: Sequence[Outcome]) -> dict[int, tuple[int, str]]:
    """
    Return, by position, the previous call of the same tool, if the tool failed before while several of it ran at once.

    The service may have a limit, so these calls may have to run one after another even if the model requests them
    together. Arguments and sentences are those of `possible_reactions`.
    """
    found: dict[int, tuple[int, str]] = {}
    if "failed" not in outcomes:
        return found
    by_tool: dict[str, list[int]] = {}
    for index, call in paced(enumerate(calls)):
        if call.end_ns > call.start_ns:
            by_tool.setdefault(call.tool, []).append(index)
    for tool, same in by_tool.items():
        first_failure_ns = _failed_at_once_ns(calls, outcomes, same)
        if first_failure_ns is None:
            continue
        since = [index for index in same if calls[index].start_ns >= first_failure_ns]
        for earlier, later in itertools.pairwise(since):
            if calls[earlier].end_ns <= calls[later].start_ns:
                found[later] = (earlier, f"{tool} failed before, when several calls of it ran at once")
    return found


def _failed_at_once_ns(calls: Sequence[Call], outcomes: Sequence[Outcome], same: Sequence[int]) -> int | None:
    """Return the earliest end of a call that failed while another call of its tool ran; None if there is none."""
    known: int | None = None
    reached_ns = 0
    for position, index in paced(enumerate(same)):
        call = calls[index]
        overlaps = reached_ns > call.start_ns or (
            position + 1 < len(same) and calls[same[position + 1]].start_ns < call.end_ns
        )
        if outcomes[index] == "failed" and overlaps and (known is None or call.end_ns < known):
            known = call.end_ns
        reached_ns = max(reached_ns, call.end_ns)
    return known
