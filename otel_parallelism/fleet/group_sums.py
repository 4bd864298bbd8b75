"""The sums over one group of turns."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.model.fleet_types import FleetGroup

from .sketches import Sketch

if TYPE_CHECKING:
    from otel_parallelism.model import Verdict

    from .turn_numbers import TurnNumbers, TurnShare

_S: Final = 1e9
_MILLION: Final = 1_000_000


class Prices(msgspec.Struct, frozen=True):
    """What a million input tokens cost, and a million of those that a cache answers."""

    tokens: float
    cached: float

    def money(self, tokens: int, cached: int) -> float:
        """
        Return what *tokens* cost, *cached* of them at the cache's price.

        >>> Prices(3.0, 0.3).money(2_000_000, 1_000_000)
        3.3
        """
        return ((tokens - cached) * self.tokens + cached * self.cached) / _MILLION


class GroupSums:
    """Adds up turns, or parts of turns. The result does not depend on their order."""

    __slots__ = (
        "_asked",
        "_duration_ns",
        "_efficiency",
        "_floor",
        "_makespan_ns",
        "_part",
        "_ratio",
        "_responses",
        "_several",
        "_verdicts",
        "_work_ns",
        "knows_cached",
        "knows_tokens",
        "turns",
    )

    def __init__(self) -> None:
        self.turns: int = 0
        self.knows_tokens: bool = False
        self.knows_cached: bool = False
        self._duration_ns = self._work_ns = self._makespan_ns = 0
        self._responses = self._several = self._asked = 0
        self._part = [0] * 6
        self._ratio, self._efficiency, self._floor = Sketch(), Sketch(), Sketch()
        self._verdicts: Counter[Verdict] = Counter()

    @property
    def lost_ns(self) -> int:
        """The avoidable time."""
        return self._part[2]

    @property
    def perhaps_ns(self) -> int:
        """The time that is perhaps avoidable."""
        return self._part[3]

    def add(self, facts: TurnNumbers, part: TurnShare) -> None:
        """Add one turn, with *part* of its losses."""
        self.turns += 1
        self.knows_tokens = self.knows_tokens or facts.knows_tokens
        self.knows_cached = self.knows_cached or facts.knows_cached
        self._duration_ns += facts.duration_ns
        self._work_ns += facts.work_ns
        self._makespan_ns += facts.makespan_ns
        self._responses += facts.responses
        self._several += facts.several
        self._asked += facts.asked
        numbers = (part.calls, part.findings, part.lost_ns, part.perhaps_ns, part.tokens, part.cached)
        for at, number in enumerate(numbers):
            self._part[at] += number
        for sketch, value in (
            (self._ratio, facts.ratio),
            (self._efficiency, facts.efficiency),
            (self._floor, facts.floor),
        ):
            if value is not None:
                sketch.add(value)
        self._verdicts[facts.verdict] += 1

    def group(self, name: str, prices: Prices | None) -> FleetGroup:
        """Return the sums in seconds, as the group called *name*."""
        calls, findings, lost_ns, perhaps_ns, tokens, cached = self._part
        return FleetGroup(
            name=name,
            turns=self.turns,
            calls=calls,
            findings=findings,
            duration=self._duration_ns / _S,
            work=self._work_ns / _S,
            makespan=self._makespan_ns / _S,
            lost=lost_ns / _S,
            perhaps=perhaps_ns / _S,
            tokens=tokens if self.knows_tokens else None,
            cached_tokens=cached if self.knows_cached else None,
            money=None if prices is None or not self.knows_tokens else prices.money(tokens, cached),
            responses=self._responses,
            several=self._several,
            calls_per_response=self._asked / self._responses if self._responses else None,
            several_share=self._several / self._responses if self._responses else None,
            ratio=self._ratio.spread(),
            efficiency=self._efficiency.spread(),
            efficiency_floor=self._floor.spread(),
            verdicts=dict(sorted(self._verdicts.items())),
        )
