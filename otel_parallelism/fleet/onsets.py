"""
The day on which a pattern began, rose, fell or ended: the one change of its share of turns that the days show best.

The change is where two shares, one before and one after, make the counts of the days most likely. It is reported only
if few random orders of the same days would show as large a change, which allows for days that differ among
themselves.
"""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Final

from otel_parallelism.model.fleet_types import Change, Onset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LEAST_DAYS: Final = 6
LEVEL: Final = 0.05
"""The probability that any of the patterns tested gets a day although its share never changed."""
_MOST_ORDERS: Final = 2_000
_WIDEST_DAYS: Final = 3
_DROP: Final = 4.0
"""Days that are up to e⁴ = 55 times less likely than the best are possible too."""
_FEW: Final = 0.1
_LEAST_RATIO: Final = 1.5
_PERHAPS_PARTIAL: Final = 2.0
_SURELY_PARTIAL: Final = 4.0


def onset_of(shown: Mapping[str, int], turns: Mapping[str, int], *, tested: int = 1, seed: int = 0) -> Onset | None:
    """
    Return when the share of turns that show a pattern changed; None if the days do not show it beyond doubt.

    Args:
        shown: The number of turns with the pattern on each day.
        turns: The number of turns of the agent on each day.
        tested: How many patterns are tested; more patterns need stronger evidence.
        seed: Of the random orders.

    >>> days = [f"2026-11-{day:02}" for day in range(1, 21)]
    >>> found = onset_of({day: 9 for day in days[12:]}, {day: 10 for day in days})
    >>> found.change, found.day, found.after
    ('began', '2026-11-13', 0.9)
    """
    days = sorted(day for day, number in turns.items() if number and day[:1].isdigit())
    counts = [(min(shown.get(day, 0), turns[day]), turns[day]) for day in days]
    if len(days) < LEAST_DAYS or len({with_it for with_it, _ in counts}) == 1 == len({all_ for _, all_ in counts}):
        return None
    gains = _gains(counts)
    best = max(gains)
    at = gains.index(best)
    before, after = _share(counts[: at + 1]), _share(counts[at + 1 :])
    low, high = sorted((before, after))
    if high < low * _LEAST_RATIO or not _is_rare(best, counts, LEVEL / max(1, tested), Random(seed)):  # noqa: S311
        return None
    spread = _dispersion(counts, at)
    possible = [index for index, gain in enumerate(gains) if (best - gain) / spread < _DROP]
    if possible[-1] - possible[0] >= _WIDEST_DAYS:
        return None
    first, latest = possible[0] + 1, possible[-1] + 1
    partial = _strangeness(counts, at)
    if partial > _PERHAPS_PARTIAL:  # it changed in the course of the last day before
        first = min(first, at)
    if partial > _SURELY_PARTIAL:
        latest = at
    return Onset(_change(before, after), days[first], days[latest], before, after)


def _strangeness(counts: Sequence[tuple[int, int]], at: int) -> float:
    """Return by how many standard deviations day *at* is nearer to the days after it than to those before it."""
    if not at:
        return 0.0
    before, after = _share(counts[:at]), _share(counts[at + 1 :])
    with_it, turns = counts[at]
    all_before = sum(number for _, number in counts[:at])
    expected = (before * all_before + 0.5) / (all_before + 1)  # a share of 0 would make one turn a proof
    distance = (with_it - turns * expected) / math.sqrt(turns * expected * (1 - expected) * _dispersion(counts, at))
    return distance if after > before else -distance


def _gains(counts: Sequence[tuple[int, int]]) -> list[float]:
    """Return for each day but the last how much likelier two shares are than one, if the first holds up to that day."""
    all_with, all_turns = sum(with_it for with_it, _ in counts), sum(turns for _, turns in counts)
    one = _likelihood(all_with, all_turns)
    gains, with_it, turns = [], 0, 0
    for day_with, day_turns in counts[:-1]:
        with_it += day_with
        turns += day_turns
        gains.append(_likelihood(with_it, turns) + _likelihood(all_with - with_it, all_turns - turns) - one)
    return gains


def _likelihood(with_it: int, turns: int) -> float:
    """Return the logarithm of the probability of these turns with the share that they have."""
    without = turns - with_it
    return (with_it * math.log(with_it / turns) if with_it else 0.0) + (
        without * math.log(without / turns) if without else 0.0
    )


def _share(counts: Sequence[tuple[int, int]]) -> float:
    return sum(with_it for with_it, _ in counts) / sum(turns for _, turns in counts)


def _is_rare(best: float, counts: Sequence[tuple[int, int]], level: float, random: Random) -> bool:
    """Return whether less than *level* of random orders of the days have a change as large as *best*."""
    orders = min(_MOST_ORDERS, math.ceil(2 / level))
    most = math.floor(level * (orders + 1)) - 1  # this order is one of them
    shuffled, larger = list(counts), 0
    for _ in range(orders):
        random.shuffle(shuffled)
        larger += max(_gains(shuffled)) >= best - 1e-9
        if larger > most:
            return False
    return True


def _dispersion(counts: Sequence[tuple[int, int]], at: int) -> float:
    """
    Return how much more the days differ, on both sides of the change after day *at*, than by chance; at least 1.

    The two days at the change are left out, because it may fall into either.
    """
    chi_square, days = 0.0, 0
    for part in (counts[:at], counts[at + 2 :]):
        share = _share(part) if part else 0.0
        days += max(0, len(part) - 1)
        if 0 < share < 1:
            chi_square += sum((with_it - turns * share) ** 2 / (turns * share * (1 - share)) for with_it, turns in part)
    return max(1.0, chi_square / max(1, days))


def _change(before: float, after: float) -> Change:
    if after > before:
        return "began" if before < after * _FEW else "rose"
    return "ended" if after < before * _FEW else "fell"
