"""Searches all scopes of a turn for too much parallelism."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from .cancelled_siblings import cancelled_siblings
from .needed_values import needed_values
from .rate_limits import rate_limited_bursts
from .slowing import slowed_by_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.analysis.schedule.scopes import Scope
    from otel_parallelism.model import Turn
    from otel_parallelism.settings import Settings

    from .excess import Excess

_MOST_FOUND = 8


def too_much_parallelism(
    scopes: Sequence[Scope], turn: Turn, settings: Settings, least_ns: float
) -> tuple[Excess, ...]:
    """
    Return where calls of one scope ran together although they had better not, at most `_MOST_FOUND` cases.

    Scopes without two calls at once, or with all calls at once, are not examined further: each case takes calls that
    were made later. Contents are read only where calls failed or were made again.

    Args:
        scopes: All scopes of the turn.
        turn: The turn.
        settings: Bounds on the contents that are read.
        least_ns: How long calls must have worked for nothing, in nanoseconds. A rate limit matters in any case.
    """
    found: list[Excess] = []
    for scope in scopes:
        if 1 < scope.totals.peak < len(scope.calls):
            wasted = chain(needed_values(scope, turn, settings), cancelled_siblings(scope), slowed_by_width(scope))
            found += islice((excess for excess in wasted if excess.lost_ns >= max(least_ns, 1)), _MOST_FOUND)
            found += rate_limited_bursts(scope)
    return tuple(found[:_MOST_FOUND])
