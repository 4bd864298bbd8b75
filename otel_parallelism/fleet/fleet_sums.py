"""Adds up the reports on many turns: by agent, tool, cause, place and day, and by pattern."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, get_args

from otel_parallelism.model.fleet_types import FleetReport, Grouping, Onset, Pattern, Savings

from .group_sums import GroupSums, Prices
from .onsets import onset_of
from .pattern_sums import PatternSums
from .turn_numbers import NO_DAY, TurnNumbers, numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_parallelism.analysis.findings.fault_keys import FaultKey
    from otel_parallelism.model import Coverage, Report
    from otel_parallelism.model.fleet_types import FleetGroup

GROUPINGS: Final[tuple[Grouping, ...]] = get_args(Grouping)
SCHEMA_VERSION: Final = 1
MOST_GROUPS: Final = 5_000
MOST_PATTERNS: Final = 20_000
OTHERS: Final = "(others)"
DATED_PATTERNS: Final = 20
"""The patterns whose beginning is looked for: those with the largest sums."""
_TOP: Final = 3
_S: Final = 1e9


class FleetSums:
    """
    The sums over any number of turns, in bounded memory.

    At most ``MOST_GROUPS`` names of a grouping are kept apart, and ``MOST_PATTERNS`` patterns. Up to these bounds, the
    result does not depend on the order of the reports.
    """

    def __init__(self) -> None:
        self.total: GroupSums = GroupSums()
        self.patterns: dict[FaultKey, PatternSums] = {}
        self.agent_days: dict[str, Counter[str]] = {}
        self._days: set[str] = set()
        self._groups: dict[Grouping, dict[str, GroupSums]] = {grouping: {} for grouping in GROUPINGS}
        self._calls_without_turn = self._spans = self._uncounted = 0

    def add(self, report: Report) -> TurnNumbers:
        """Add the turn of *report*, and return what was added."""
        facts = numbers_of(report)
        self.total.add(facts, facts.whole)
        for (grouping, name), part in facts.parts.items():
            self._group(grouping, name).add(facts, part)
        if facts.day != NO_DAY and len(self._days) < MOST_GROUPS:
            self._days.add(facts.day)
        if facts.agent in self.agent_days or len(self.agent_days) < MOST_GROUPS:
            self.agent_days.setdefault(facts.agent, Counter())[facts.day] += 1
        seen: set[FaultKey] = set()
        for each in facts.findings:
            if each.key not in self.patterns:
                if len(self.patterns) >= MOST_PATTERNS:
                    self._uncounted += 1
                    continue
                self.patterns[each.key] = PatternSums(each, facts.agent)
            self.patterns[each.key].add(facts, each, first=each.key not in seen)
            seen.add(each.key)
        return facts

    @property
    def first_day(self) -> str:
        """The first day with a turn; empty without any."""
        return min(self._days, default="")

    @property
    def last_day(self) -> str:
        """The last day with a turn; empty without any."""
        return max(self._days, default="")

    def add_coverage(self, coverage: Coverage) -> None:
        """Count the spans of an input, and the calls in no turn."""
        self._calls_without_turn += coverage.calls_without_turn
        self._spans += coverage.spans

    def ranked(self) -> list[tuple[FaultKey, PatternSums]]:
        """Return the patterns: recommended ones first, then those with the largest sums."""
        return sorted(self.patterns.items(), key=lambda item: item[1].order)

    def fleet_report(
        self, by: Sequence[Grouping] = GROUPINGS, top: int = 10, prices: Prices | None = None, seed: int = 0
    ) -> FleetReport:
        """
        Return the sums as a report.

        Args:
            by: The groupings to show.
            top: The number of groups and of patterns to show.
            prices: What tokens cost; None to show no money.
            seed: Of the test that finds the day on which a pattern began.
        """
        ranked = [sums for _, sums in self.ranked()]
        shown = ranked[:top]
        groups: dict[Grouping, tuple[FleetGroup, ...]] = {
            grouping: self._sorted_groups(grouping, prices) for grouping in by
        }
        return FleetReport(
            schema_version=SCHEMA_VERSION,
            total=self.total.group("", prices),
            first_day=self.first_day,
            last_day=self.last_day,
            groups={grouping: _first(grouping, found, top) for grouping, found in groups.items()},
            groups_left_out={
                grouping: len(found) - len(_first(grouping, found, top)) for grouping, found in groups.items()
            },
            patterns=tuple(
                sums.pattern(prices, self.onset(sums, len(shown), seed) if at < DATED_PATTERNS else None)
                for at, sums in enumerate(shown)
            ),
            patterns_left_out=len(ranked) - len(shown),
            top=self._savings([sums.pattern(prices) for sums in ranked[:_TOP] if sums.recommended]),
            calls_without_turn=self._calls_without_turn,
            spans=self._spans,
            notes=tuple(self._notes()),
        )

    def _group(self, grouping: Grouping, name: str) -> GroupSums:
        groups = self._groups[grouping]
        if name not in groups and len(groups) >= MOST_GROUPS:
            name = OTHERS
        return groups.setdefault(name, GroupSums())

    def _sorted_groups(self, grouping: Grouping, prices: Prices | None) -> tuple[FleetGroup, ...]:
        groups = self._groups[grouping]
        names = (
            sorted(groups)
            if grouping == "day"
            else sorted(groups, key=lambda name: (-groups[name].lost_ns, -groups[name].perhaps_ns, name))
        )
        return tuple(groups[name].group(name, prices) for name in names)

    def onset(self, sums: PatternSums, tested: int, seed: int) -> Onset | None:
        """Return when the share of turns with the pattern of *sums* changed, if *tested* patterns are looked at."""
        turns = self.agent_days.get(sums.agent, Counter())
        return onset_of(sums.days, turns, tested=min(tested, DATED_PATTERNS), seed=seed)

    def _savings(self, patterns: Sequence[Pattern]) -> Savings:
        lost = sum(pattern.lost for pattern in patterns)
        duration = self.total.group("", None).duration
        return Savings(
            patterns=len(patterns),
            lost=lost,
            share=lost / duration if duration else 0.0,
            tokens=_sum(pattern.tokens for pattern in patterns),
            cached_tokens=_sum(pattern.cached_tokens for pattern in patterns),
            money=_sum(pattern.money for pattern in patterns),
        )

    def _notes(self) -> Iterable[str]:
        full = [grouping for grouping in GROUPINGS if OTHERS in self._groups[grouping]]
        if full:
            yield f"more than {MOST_GROUPS:,} names of {' and '.join(full)}: further ones are counted as {OTHERS}"
        if self._uncounted:
            yield f"more than {MOST_PATTERNS:,} patterns: {self._uncounted:,} further findings are in none"


def _sum(numbers: Iterable[int | float | None]) -> Any:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _first(grouping: Grouping, groups: tuple[FleetGroup, ...], top: int) -> tuple[FleetGroup, ...]:
    """Return the groups to show: all days, and the first *top* groups of another grouping."""
    return groups if grouping == "day" else groups[:top]
