"""The sums over the findings of one pattern."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from otel_parallelism.model.fleet_types import Onset, Pattern

if TYPE_CHECKING:
    from otel_parallelism.model import Finding

    from .group_sums import Prices
    from .turn_numbers import FindingNumbers, TurnNumbers

_S: Final = 1e9


class PatternSums:
    """Adds up the findings of one pattern. The result does not depend on their order."""

    def __init__(self, facts: FindingNumbers, agent: str) -> None:
        """Start with no finding; *facts* is any finding of the pattern."""
        self.recommended: bool = facts.finding.advice == "recommended"
        self.agent = agent
        self.around: str = facts.around
        self.days: Counter[str] = Counter()
        self.lost_ns: int = 0
        self._knows_tokens = self._knows_cached = False
        self._findings = self._tokens = self._cached = 0
        self._worst: tuple[int, tuple[str, ...], str, str, Finding] | None = None

    def add(self, turn: TurnNumbers, facts: FindingNumbers, *, first: bool) -> None:
        """Add one finding; *first* says whether the turn has shown no other of this pattern."""
        finding = facts.finding
        self._findings += 1
        self._knows_tokens = self._knows_tokens or turn.knows_tokens
        self._knows_cached = self._knows_cached or turn.knows_cached
        self.lost_ns += facts.avoidable_ns
        self._tokens += facts.tokens
        self._cached += facts.cached
        if first:
            self.days[turn.day] += 1
        worst = self._worst
        if worst is not None and facts.avoidable_ns < worst[0]:
            return
        one = (
            facts.avoidable_ns,
            (turn.trace_id, turn.span_id, *finding.span_ids),
            turn.trace_id,
            turn.span_id,
            finding,
        )
        if worst is None or (-one[0], one[1]) < (-worst[0], worst[1]):
            self._worst = one

    @property
    def turns(self) -> int:
        """The number of turns that show the pattern."""
        return self.days.total()

    @property
    def order(self) -> tuple[bool, int, str, tuple[str, ...]]:
        """Sorts patterns: recommended first, then by lost time, then by name."""
        return not self.recommended, -self.lost_ns, self.agent, self._worst[1] if self._worst else ()

    def pattern(self, prices: Prices | None, onset: Onset | None = None) -> Pattern:
        """Return the pattern, with its sums in seconds."""
        assert self._worst is not None  # noqa: S101 - a pattern has a finding
        worst_ns, _, trace_id, span_id, finding = self._worst
        return Pattern(
            kind=finding.kind,
            cause=finding.cause,
            advice=finding.advice,
            agent=self.agent,
            calls=tuple(dict.fromkeys(finding.calls)),
            around=self.around,
            location=finding.location,
            turns=self.turns,
            findings=self._findings,
            lost=self.lost_ns / _S,
            tokens=self._tokens if self._knows_tokens else None,
            cached_tokens=self._cached if self._knows_cached else None,
            money=prices.money(self._tokens, self._cached) if prices is not None and self._knows_tokens else None,
            first_day=min(self.days),
            last_day=max(self.days),
            trace_id=trace_id,
            span_id=span_id,
            worst=worst_ns / _S,
            recommendation=finding.recommendation,
            onset=onset,
        )
