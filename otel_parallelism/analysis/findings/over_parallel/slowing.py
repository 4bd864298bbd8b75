"""Calls that take longer the more of their tool run at once, so that wider bursts get no more done."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.analysis.dependencies.contents.leaves import Leaves
from otel_parallelism.analysis.findings.advice import listing
from otel_parallelism.analysis.schedule.limits import median_of
from otel_parallelism.model import Call
from otel_parallelism.pace import paced

from .excess import Excess, calls_by_tool, seen_value, widths_at_start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otel_parallelism.analysis.schedule.scopes import Scope
    from otel_parallelism.model import Content

_LEAST_BURSTS = 8
_LEAST_WIDTHS = 3
_LEAST_OF_A_WIDTH = 2
_MOST_CALLS = 2_000
_MOST_LEAVES = 200
_BOUND = 2.33
"""The normal quantile of 99 %: a rank correlation of n pairs is taken for real if it is above this / √(n - 1)."""
_UNRELATED = 0.5
_SLOWER = 1.5
_AS_MUCH = 0.95


class Burst(msgspec.Struct, frozen=True):
    """
    Calls of one tool that overlap, one with the next.

    Attributes:
        calls: The calls, in order of start.
        width: How many of them ran at once, at most.
        duration_ns: The median of their durations.
    """

    calls: tuple[Call, ...]
    width: int
    duration_ns: float


def slowed_by_width(scope: Scope) -> Iterator[Excess]:
    """
    Yield the widest bursts of each tool whose calls slow down with the width so much that a narrower one does as much.

    Bursts count in which every call had success. There must be eight of them, of three widths that occur twice or more.
    Arguments and results must have been seen whole. The durations must grow with the width at every step, half as long
    again in all, and by rank correlation beyond chance (99 %). What else could explain it must not: the width must not
    go along with the time of day, nor with the size of arguments and results. Calls whose waiting is known, or that
    queue behind one lock, are left to other findings.

    Args:
        scope: The calls.
    """
    if scope.totals.peak < _LEAST_WIDTHS:
        return
    for calls in calls_by_tool(scope.calls, _LEAST_BURSTS):
        if len(calls) > _MOST_CALLS or any(call.span_id in scope.contention.baseline_ns for call in calls):
            continue
        bursts = bursts_of(calls)
        limit = widest_useful(bursts)
        if limit is not None and not _sizes_explain(bursts):
            yield _excess(scope, calls[0].tool, bursts, limit)


def bursts_of(calls: Sequence[Call]) -> list[Burst]:
    """Return the bursts of *calls*, of one tool in order of start; empty if they are too few to compare widths."""
    groups: list[list[Call]] = []
    widths: list[int] = []
    for call, width in paced(zip(calls, widths_at_start(calls), strict=True)):
        if width == 1:
            groups.append([])
            widths.append(1)
        groups[-1].append(call)
        widths[-1] = max(widths[-1], width)
    if len(groups) < _LEAST_BURSTS or len(set(widths)) < _LEAST_WIDTHS:
        return []
    found = []
    for group, width in paced(zip(groups, widths, strict=True)):
        if not any(call.error or call.failure for call in group):
            found.append(Burst(tuple(group), width, median_of(call.duration_ns for call in group)))
    return found


def widest_useful(bursts: Sequence[Burst]) -> int | None:
    """
    Return the narrowest width at which calls get as much done per second as at any other, within 5 %.

    Args:
        bursts: Bursts of one tool, in order of time.

    Returns:
        None if it is not certain that the calls slow down with the width, or if the widest bursts get most done.
    """
    by_width: dict[int, list[float]] = {}
    for burst in bursts:
        by_width.setdefault(burst.width, []).append(burst.duration_ns)
    typical = {width: median_of(some) for width, some in sorted(by_width.items()) if len(some) >= _LEAST_OF_A_WIDTH}
    if len(bursts) < _LEAST_BURSTS or len(typical) < _LEAST_WIDTHS or not _grows(list(typical.values())):
        return None
    widths = [float(burst.width) for burst in bursts]
    least = _BOUND / math.sqrt(len(bursts) - 1)
    if rank_correlation(widths, [burst.duration_ns for burst in bursts]) < least:
        return None
    if abs(rank_correlation(widths, [float(at) for at in range(len(bursts))])) > _UNRELATED:
        return None
    return _narrowest(typical)


def _sizes_explain(bursts: Sequence[Burst]) -> bool:
    """Return whether the sizes of arguments or results go along with the width, or were not all seen."""
    widths = [float(burst.width) for burst in bursts]
    sizes = []
    for burst in bursts:
        found = _mean_sizes(burst.calls)
        if found is None:
            return True
        sizes.append(found)
    return any(abs(rank_correlation(widths, column)) > _UNRELATED for column in zip(*sizes, strict=True))


def _grows(durations_ns: Sequence[float]) -> bool:
    """Return whether each of *durations_ns* is longer than the one before, and the last by far than the first."""
    return durations_ns[-1] >= _SLOWER * durations_ns[0] > 0 and all(
        later > earlier for earlier, later in pairwise(durations_ns)
    )


def _narrowest(typical: Mapping[int, float]) -> int | None:
    """Return the first width with nearly the largest throughput; None if that is the widest."""
    done = {width: width / duration_ns for width, duration_ns in typical.items()}
    most = max(done.values())
    found = next(width for width, one in done.items() if one >= _AS_MUCH * most)
    return found if found < max(typical) else None


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """
    Return Spearman's rank correlation of two sequences of the same length; 0.0 if one of them does not vary.

    >>> rank_correlation([1, 2, 3], [10, 20, 90]), rank_correlation([1, 2, 3], [5, 5, 5])
    (1.0, 0.0)
    """
    a, b = _ranks(one), _ranks(other)
    middle = (len(a) - 1) / 2
    product = sum((x - middle) * (y - middle) for x, y in zip(a, b, strict=True))
    spread = math.sqrt(sum((x - middle) ** 2 for x in a) * sum((y - middle) ** 2 for y in b))
    return product / spread if spread else 0.0


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each of *values* from 0; equal ones share the mean of theirs."""
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted(values)):
        places.setdefault(value, []).append(place)
    return [sum(places[value]) / len(places[value]) for value in values]


def _mean_sizes(calls: Sequence[Call]) -> tuple[float, float, float, float] | None:
    """Return the mean sizes of arguments and of results, as `_size` gives them; None if not all were seen whole."""
    sums = [0.0] * 4
    for call in calls:
        sizes = (_size(call.arguments), _size(call.result))
        for at, size in enumerate(sizes):
            if size is None:
                return None
            sums[2 * at] += size[0]
            sums[2 * at + 1] += size[1]
    return (sums[0] / len(calls), sums[1] / len(calls), sums[2] / len(calls), sums[3] / len(calls))


def _size(content: Content | None) -> tuple[float, float] | None:
    """Return the characters in *content* and the sum of the logarithms of its numbers; None if not seen whole."""
    if content is None or not content.whole:
        return None
    leaves = Leaves(None)
    if not leaves.take(seen_value(content), _MOST_LEAVES):
        return None
    texts = float(sum(map(len, leaves.texts)))
    return texts, sum(math.log1p(abs(number)) for number in leaves.numbers if math.isfinite(number))


def _excess(scope: Scope, tool: str, bursts: Sequence[Burst], limit: int) -> Excess:
    widest = max(burst.width for burst in bursts)
    usual_ns = median_of(burst.duration_ns for burst in bursts if burst.width == limit)
    wide = [burst for burst in bursts if burst.width == widest]
    slow_ns = median_of(burst.duration_ns for burst in wide)
    lost_ns = sum(max(0.0, call.duration_ns - usual_ns) for b in bursts if b.width > limit for call in b.calls)
    calls = f"calls of {listing([tool])}"
    run = f"Run {calls} one at a time" if limit == 1 else f"Run no more than {limit} {calls} at once"
    return Excess(
        calls=tuple(call for burst in wide for call in burst.calls),
        evidence=f"in {len(bursts)} bursts, {tool} took longer the more of it ran at once: {usual_ns / 1e9:.3g} s with "
        f"{limit}, {slow_ns / 1e9:.3g} s with {widest}, so that {widest} at once got no more done",
        advice=f"{run} (otel_parallelism.parallel_map or run_tools with limit={limit}): "
        "more at once is no faster, and slows down what shares the service.",
        scope_id=scope.scope_id,
        lost_ns=round(lost_ns),
        limit=limit,
    )
