"""
The length of a scope's calls under relaxed ordering: the critical path (T∞) and what-if lengths in one pass.

The longest-path pass takes calls in order of start. A *held* call keeps its observed place: it waits for every call
that ended before it started, and keeps the pause after the last of them. A *relaxed* call waits only for its
dependencies. A *streamed* call, which started while its response streamed, keeps its distance from the first call of
that response.
"""

from __future__ import annotations

from bisect import bisect_left
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from otel_parallelism.pace import ordered, paced

from .streamed_responses import StreamedResponses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otel_parallelism.model import Call

    from .own_time import CallTiming

_EXACT = 64


def longest_path(
    calls: Sequence[Call | CallTiming],
    edges: Sequence[int],
    after: Sequence[int],
    *,
    durations_ns: Sequence[int],
    gaps_ns: Mapping[int, int] | None = None,
    keeps_pauses: bool = False,
    relaxed: Mapping[int, int] | None = None,
) -> int:
    """
    Return the length of the longest path through *calls*, in nanoseconds.

    The arguments are those of `finish_times`. With ``relaxed={}`` and observed durations the result is the makespan,
    and it is never more than that.
    """
    finish = finish_times(
        calls,
        edges,
        after,
        durations_ns=durations_ns,
        gaps_ns=gaps_ns,
        keeps_pauses=keeps_pauses,
        relaxed=relaxed,
    )
    total_ns = 0
    for call, finish_ns in paced(zip(calls, finish, strict=True)):
        if finish_ns > total_ns and call.end_ns > call.start_ns:
            total_ns = finish_ns
    return total_ns


def finish_times(  # noqa: C901 - one loop over all calls, which runs several times for each scope
    calls: Sequence[Call | CallTiming],
    edges: Sequence[int],
    after: Sequence[int],
    *,
    durations_ns: Sequence[int],
    gaps_ns: Mapping[int, int] | None = None,
    keeps_pauses: bool = False,
    relaxed: Mapping[int, int] | None = None,
    places: int = 0,
) -> list[int]:
    """
    Return when each of *calls* would end, in nanoseconds after the start of the first call with a duration.

    Args:
        calls: One scope's, in order of (start, end, id).
        edges: Bit a of ``edges[b]`` is set if b waits for a, which must have ended before b started. May be empty.
        after: The same, with the calls that b waits for through other calls.
        durations_ns: How long each call takes, which is less than observed if calls inside it are relaxed.
        gaps_ns: The time that the model took before each round. An edge into a round, from another round or from a call
            whose round is unknown, keeps it.
        keeps_pauses: Whether an edge to a call whose round is unknown keeps the longest pause between the two.
        relaxed: The relaxed calls, each with the start of its finding: calls that ended before that still hold it.
            None relaxes every call and ignores what ran before, which gives T∞.
        places: How many calls may run at once; 0 for any number.
    """
    origin_ns = next((call.start_ns for call in calls if call.end_ns > call.start_ns), 0)
    finish: list[int] = []
    ends_ns = [call.end_ns for call in calls]
    by_end = ordered(range(len(calls)), key=ends_ns.__getitem__)
    ended = 0
    # Calls without duration may come before the origin; their times are negative.
    last_end_ns = calls[0].start_ns if calls else 0
    reached_ns = last_end_ns - origin_ns
    busy_until_ns = last_end_ns
    ready_at: dict[int, int] = {}
    pauses = _Pauses({} if gaps_ns is None else gaps_ns)
    lanes = _Lanes(places)
    in_rounds = _in_rounds(calls) if edges and not keeps_pauses and len(calls) > _EXACT else 0
    responses = StreamedResponses(calls)
    for index, call in paced(enumerate(calls)):
        start_ns = call.start_ns
        while by_end[ended] < index and ends_ns[by_end[ended]] <= start_ns:
            reached_ns = max(reached_ns, finish[by_end[ended]])
            last_end_ns = ends_ns[by_end[ended]]
            ended += 1
        # A held call keeps the observed pause after the last call that had ended.
        pause_ns = start_ns - last_end_ns
        ready_ns = reached_ns + pause_ns
        earliest_ns = start_ns - origin_ns if start_ns < origin_ns else 0
        into_ns, floor_ns = 0, earliest_ns
        if call.streamed or call.bound:
            into_ns, ready_ns = responses.place(call, ready_ns)
            floor_ns = responses.floor_ns(call, into_ns) - origin_ns
        if relaxed is None:
            ready_ns = earliest_ns
        elif index in relaxed:
            began_ns = relaxed[index]
            if began_ns >= start_ns:
                ready_at[began_ns] = ready_ns
            else:
                ready_ns = max(earliest_ns, min(ready_ns, ready_at.get(began_ns, began_ns - origin_ns) + into_ns))
        if keeps_pauses:
            pauses.add(start_ns, max(0, start_ns - busy_until_ns))
            busy_until_ns = max(busy_until_ns, ends_ns[index])
        # A call held by a pause at least as long as any edge keeps already follows each call that it waits for.
        if edges and (relaxed is None or index in relaxed or pause_ns < pauses.most(call) + into_ns):
            for earlier in _frontier(edges[index], after, in_rounds if call.round is not None else 0):
                ready_ns = max(ready_ns, finish[earlier] + pauses.between(calls[earlier], call, into_ns))
        ready_ns = max(ready_ns, floor_ns)
        if places:
            ready_ns = lanes.start_ns(ready_ns, durations_ns[index])
        finish.append(ready_ns + durations_ns[index])
    return finish


class _Lanes:
    """A number of places that each run one call at a time."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._free_ns: list[int] = []

    def start_ns(self, ready_ns: int, duration_ns: int) -> int:
        """Return when a call that is ready at *ready_ns* can start, and occupy a place from then on."""
        if duration_ns:
            if len(self._free_ns) >= self._places:
                ready_ns = max(ready_ns, heappop(self._free_ns))
            heappush(self._free_ns, ready_ns + duration_ns)
        return ready_ns


class _Pauses:
    """
    How much of the time between two calls remains if the later call waits for the earlier one.

    Before a call of another round, it is the time that the model took to request that round. If the later call's round
    is unknown, it is the longest of the pauses between the two calls that were added: an unrecorded model request may
    have used it to request the later call.
    """

    def __init__(self, gaps_ns: Mapping[int, int]) -> None:
        self._gaps_ns = gaps_ns
        # Only pauses that are longer than all later ones: the first after an instant is the longest since then.
        self._starts_ns: list[int] = []
        self._pauses_ns: list[int] = []

    def add(self, start_ns: int, pause_ns: int) -> None:
        """Add the time before a call in which none ran; calls must be added in order of start."""
        while self._pauses_ns and self._pauses_ns[-1] <= pause_ns:
            self._starts_ns.pop()
            self._pauses_ns.pop()
        self._starts_ns.append(start_ns)
        self._pauses_ns.append(pause_ns)

    def most(self, call: Call | CallTiming) -> int:
        """Return an upper bound of `between` for all edges to *call*, the last call added, in nanoseconds."""
        longest_ns = self._pauses_ns[0] if self._pauses_ns else 0
        return longest_ns if call.round is None else max(longest_ns, self._gaps_ns.get(call.round, 0))

    def between(self, before: Call | CallTiming, call: Call | CallTiming, into_ns: int) -> int:
        """
        Return how long after *before* the last call added, *call*, can start, in nanoseconds.

        A call that another round asked for also keeps *into_ns*, its distance from the first call of its response.
        """
        if call.round is not None and before.round != call.round:
            return min(self._gaps_ns.get(call.round, 0) + into_ns, call.start_ns - before.end_ns)
        # A call without duration starts after the pause before it, which therefore does not follow it.
        position = bisect_left(self._starts_ns, max(before.end_ns, before.start_ns + 1))
        return self._pauses_ns[position] if position < len(self._pauses_ns) else 0


def _frontier(mask: int, after: Sequence[int], in_rounds: int = 0) -> Iterator[int]:
    """
    Yield the bits of *mask*, highest first; if there are many, only those that no other bit follows.

    Waiting for a call includes waiting for the calls before it, and the pauses on that way are no shorter. This is not
    so for calls *in_rounds* that are followed by a call whose round is unknown, so they are not left out.
    """
    exact = mask.bit_count() <= _EXACT
    while mask:
        index = mask.bit_length() - 1
        yield index
        bit = 1 << index
        if exact:
            mask &= ~bit
        else:
            mask &= ~((after[index] if not in_rounds or bit & in_rounds else after[index] & ~in_rounds) | bit)


def _in_rounds(calls: Sequence[Call | CallTiming]) -> int:
    """Return the bits of the calls whose round is known."""
    return sum(1 << index for index, call in paced(enumerate(calls)) if call.round is not None)


def round_crossings(calls: Sequence[Call | CallTiming], edges: Sequence[int], after: Sequence[int]) -> int:
    """Return the largest number of edges into later rounds on one path: model requests that cannot be saved."""
    first = min((call.round for call in calls if call.round is not None), default=None)
    most: list[int] = []
    for index, call in paced(enumerate(calls)):
        best = 0
        for earlier in _frontier(edges[index], after):
            before = calls[earlier]
            crosses = call.round not in {None, first if before.round is None else before.round}
            best = max(best, most[earlier] + crosses)
        most.append(best)
    return max(most, default=0)
