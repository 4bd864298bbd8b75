"""
How long a scope's calls would take: as observed, with some of them let go, or each as soon as what it needs is done.

``critical path`` (T∞) and what-if are one longest-path pass over the calls in order of start. A call that is *held*
keeps its observed place behind everything that ended before it began, and the pause since the last of it; a call that
is *free* waits only for what it depends on.
"""

from __future__ import annotations

from bisect import bisect_left
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
    gaps_ns: Mapping[int, int] | None = None,
    free: Mapping[int, int] | None = None,
) -> int:
    """
    Length of the longest path through *calls*, in nanoseconds; the arguments are those of `finish_times`.

    Returns:
        With ``free={}`` and observed durations the makespan; never more than that.
    """
    finish = finish_times(calls, edges, after, durations_ns=durations_ns, gaps_ns=gaps_ns, free=free)
    total_ns = 0
    for call, finish_ns in zip(calls, finish, strict=True):
        if finish_ns > total_ns and call.end_ns > call.start_ns:
            total_ns = finish_ns
    return total_ns


def finish_times(
    calls: Sequence[Call],
    edges: Sequence[int],
    after: Sequence[int],
    *,
    durations_ns: Sequence[int],
    gaps_ns: Mapping[int, int] | None = None,
    free: Mapping[int, int] | None = None,
) -> list[int]:
    """
    When each of *calls* would end, in nanoseconds after the first that is not empty began.

    Args:
        calls: One scope's, in order of (start, end, id).
        edges: Bit a of ``edges[b]`` is set where b waits for a; only for a that ended before b began. Empty where no
            call waits for any.
        after: The same with what each call follows through others.
        durations_ns: What each call takes (less than observed where its inside was mended).
        gaps_ns: What the model took before each round; an edge into that round from another one keeps it.
        free: The calls let go, each with the instant its finding began: what ended before that still holds it.
            None lets every call go and forgets the beginning, which gives T∞.
    """
    origin_ns = next((call.start_ns for call in calls if call.end_ns > call.start_ns), 0)
    finish: list[int] = []
    by_end = sorted(range(len(calls)), key=lambda i: (calls[i].end_ns, i))
    ended = 0
    # Empty calls may lead: time before the origin is negative.
    last_end_ns = calls[0].start_ns if calls else 0
    reached_ns = last_end_ns - origin_ns
    ready_at: dict[int, int] = {}
    pauses = _Pauses({} if gaps_ns is None else gaps_ns)
    for index, call in enumerate(calls):
        while by_end[ended] < index and calls[by_end[ended]].end_ns <= call.start_ns:
            reached_ns = max(reached_ns, finish[by_end[ended]])
            last_end_ns = calls[by_end[ended]].end_ns
            ended += 1
        # Held: behind all that had ended, and as long behind the last of it as was observed.
        pause_ns = call.start_ns - last_end_ns
        ready_ns = reached_ns + pause_ns
        earliest_ns = min(0, call.start_ns - origin_ns)
        if free is None:
            ready_ns = earliest_ns
        elif index in free:
            began_ns = free[index]
            if began_ns >= call.start_ns:
                ready_at[began_ns] = ready_ns
            else:
                ready_ns = max(earliest_ns, min(ready_ns, ready_at.get(began_ns, began_ns - origin_ns)))
        pauses.add(call.start_ns, pause_ns)
        # What is held behind all, and by no less than any edge keeps, is behind each that it waits for.
        if edges and (free is None or index in free or pause_ns < pauses.most(call)):
            for earlier in _frontier(edges[index], after):
                ready_ns = max(ready_ns, finish[earlier] + pauses.between(calls[earlier], call))
        if call.bound:
            ready_ns = max(ready_ns, call.start_ns - origin_ns)
        finish.append(ready_ns + durations_ns[index])
    return finish


class _Pauses:
    """
    What of the time between two calls stays where one waits for the other.

    Between two rounds that is what the model took to ask for the later one. Where rounds do not tell, whoever made a
    call of another one's result, code or a model that is not seen, may have needed the longest pause between the two.
    """

    def __init__(self, gaps_ns: Mapping[int, int]) -> None:
        self._gaps_ns = gaps_ns
        # Those that no later one is as long as: the first that began after some instant is the longest since.
        self._starts_ns: list[int] = []
        self._pauses_ns: list[int] = []

    def add(self, start_ns: int, pause_ns: int) -> None:
        """Note how long it was, as the next call began, that one had ended; calls come in order of start."""
        while self._pauses_ns and self._pauses_ns[-1] <= pause_ns:
            self._starts_ns.pop()
            self._pauses_ns.pop()
        self._starts_ns.append(start_ns)
        self._pauses_ns.append(pause_ns)

    def most(self, call: Call) -> int:
        """Return no less than any edge to *call*, the last one noted, keeps."""
        return max(self._pauses_ns[0], 0 if call.round is None else self._gaps_ns.get(call.round, 0))

    def between(self, before: Call, call: Call) -> int:
        """Return what an edge from *before* to *call*, the last one noted, keeps."""
        if before.round is not None and call.round is not None and before.round != call.round:
            return min(self._gaps_ns.get(call.round, 0), call.start_ns - before.end_ns)
        # What takes no time has the pause before it behind it as it begins.
        position = bisect_left(self._starts_ns, max(before.end_ns, before.start_ns + 1))
        return self._pauses_ns[position] if position < len(self._pauses_ns) else 0


def _frontier(mask: int, after: Sequence[int]) -> Iterator[int]:
    """
    The bits of *mask*, highest first; of many only those that no other of them follows.

    What lies upstream of another one is waited for through that one, and the pauses on the way are no shorter.
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
