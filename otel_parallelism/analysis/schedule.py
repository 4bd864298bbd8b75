"""
How long a scope's calls would take: as observed, with some of them let go, or each as soon as what it needs is done.

``critical path`` (T∞) and what-if are one longest-path pass over the calls in order of start. A call that is *held*
keeps its observed place behind everything that ended before it began; a call that is *free* waits only for what it
depends on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otel_parallelism.model import Call

_EXACT = 64


def longest_path(
    calls: Sequence[Call],
    edges: Sequence[int],
    after: Sequence[int],
    *,
    durations_ns: Sequence[int],
    gap_ns: int = 0,
    free: Mapping[int, int] | None = None,
) -> int:
    """
    Length of the longest path through *calls*, in nanoseconds.

    Args:
        calls: One scope's, in order of (start, end, id).
        edges: Bit a of ``edges[b]`` is set where b waits for a; only for a that ended before b began.
        after: The same with what each call follows through others.
        durations_ns: What each call takes (less than observed where its inside was mended).
        gap_ns: The model's mean time between rounds; an edge between rounds keeps so much of what lay between.
        free: The calls let go, each with the instant its finding began: what ended before that still holds it.
            None lets every call go and forgets the beginning, which gives T∞.

    Returns:
        With ``free={}`` and observed durations the makespan; never more than that.
    """
    if not calls:
        return 0
    origin_ns = calls[0].start_ns
    finish: list[int] = []
    total = 0
    by_end = sorted(range(len(calls)), key=lambda i: (calls[i].end_ns, i))
    ended = 0
    # The latest of f(a) - a.end over calls that have ended: what a held call's observed start is moved by.
    shift: int | None = None
    ready_at: dict[int, int] = {}
    for index, call in enumerate(calls):
        while ended < len(by_end) and calls[by_end[ended]].end_ns <= call.start_ns and by_end[ended] < index:
            done = by_end[ended]
            moved = finish[done] - calls[done].end_ns
            shift = moved if shift is None else max(shift, moved)
            ended += 1
        held_ns = call.start_ns + (-origin_ns if shift is None else shift)
        began_ns = None if free is None else free.get(index)
        if free is None:
            ready_ns = 0
        elif began_ns is None:
            ready_ns = held_ns
        elif began_ns >= call.start_ns:
            ready_ns = ready_at[began_ns] = held_ns
        else:
            ready_ns = ready_at.get(began_ns, began_ns - origin_ns)
        if free is None or began_ns is not None:
            ready_ns = max(ready_ns, _needed(calls, edges[index], after, finish, index, gap_ns))
            if call.bound:
                ready_ns = max(ready_ns, call.start_ns - origin_ns)
        finish.append(ready_ns + durations_ns[index])
        total = max(total, finish[-1])
    return total


def _needed(
    calls: Sequence[Call], mask: int, after: Sequence[int], finish: Sequence[int], index: int, gap_ns: int
) -> int:
    call = calls[index]
    latest = 0
    for earlier in _frontier(mask, after):
        before = calls[earlier]
        wait_ns = 0
        if gap_ns and call.round is not None and before.round is not None and call.round != before.round:
            wait_ns = min(gap_ns, call.start_ns - before.end_ns)
        latest = max(latest, finish[earlier] + wait_ns)
    return latest


def _frontier(mask: int, after: Sequence[int]) -> Iterator[int]:
    """
    The bits of *mask*, highest first; of many only those that no other of them follows.

    What lies upstream of another one ends no later, but for what the pauses within a round add.
    """
    exact = mask.bit_count() <= _EXACT
    while mask:
        index = mask.bit_length() - 1
        yield index
        mask &= ~(1 << index) if exact else ~(after[index] | 1 << index)


def round_crossings(calls: Sequence[Call], edges: Sequence[int], after: Sequence[int]) -> int:
    """The most edges between different rounds on any one path: model requests that cannot be saved."""
    most: list[int] = []
    for index, call in enumerate(calls):
        best = 0
        for earlier in _frontier(edges[index], after):
            before = calls[earlier]
            crosses = call.round is not None and before.round is not None and call.round != before.round
            best = max(best, most[earlier] + crosses)
        most.append(best)
    return max(most, default=0)
