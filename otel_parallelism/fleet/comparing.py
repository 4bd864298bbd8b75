"""Compares two inputs, before and after a change, and finds the days on which patterns began."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.model.comparison_types import (
    AgentComparison,
    Comparison,
    Difference,
    Measure,
    Outcome,
    Prediction,
)

from .agent_samples import MEASURES, Estimate, interval_of
from .fleet_sums import DATED_PATTERNS
from .onsets import onset_of
from .pattern_fates import pattern_changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel_parallelism.analysis.findings.fault_keys import FaultKey
    from otel_parallelism.model.comparison_types import PatternChange
    from otel_parallelism.model.fleet_types import Pattern

    from .compared_side import ComparedSide
    from .fleet_sums import FleetSums
    from .pattern_sums import PatternSums

SCHEMA_VERSION: Final = 1
LEVEL: Final = 0.05
"""The probability that any interval does not hold its difference, and that any pattern is gone or new by chance."""
_BAD_IF_LARGER: Final[Mapping[Measure, bool]] = {"efficiency": False, "lost": True, "duration": True, "tokens": True}
_MOST_PAIRS: Final = 6


def compare(before: ComparedSide, after: ComparedSide | None, *, tolerance: float = 0.02, seed: int = 0) -> Comparison:
    """
    Return how the turns of two sides differ, agent by agent; nothing is claimed that chance could explain.

    Args:
        before: The turns before the change.
        after: The turns after it; None to look only for the days on which patterns began.
        tolerance: A difference that is smaller than this share is not worse.
        seed: Of the random numbers; the same inputs with the same seed have the same result.
    """
    dated, undated = _dated(before.sums, after.sums if after is not None else None, seed)
    if after is None:
        return Comparison(
            schema_version=SCHEMA_VERSION,
            confidence=1 - LEVEL,
            tolerance=tolerance,
            intervals=0,
            turns_before=before.turns,
            turns_after=None,
            dated=dated,
            undated=undated,
        )
    agents = sorted(before.samples.keys() & after.samples.keys())
    estimates = {
        agent: (
            before.samples[agent].estimates(f"{seed} before {agent}"),
            after.samples[agent].estimates(f"{seed} after {agent}"),
        )
        for agent in agents
    }
    intervals = sum(
        interval_of(ours[measure], theirs[measure], LEVEL) is not None
        for ours, theirs in estimates.values()
        for measure in ours.keys() & theirs.keys()
    )
    level = LEVEL / max(1, intervals)
    changes = pattern_changes(before, after, LEVEL)
    compared = tuple(
        _agent(agent, (before, after), estimates[agent], level=level, tolerance=tolerance, changes=changes)
        for agent in agents
    )
    worse = any(one.worse for agent in compared for one in agent.differences) or any(
        change.fate == "new" and change.pattern.advice == "recommended" for change in changes
    )
    order = sorted(compared, key=lambda one: (not any(each.worse for each in one.differences), one.agent))
    pairs = [pair for one in order if (pair := before.pair(after, one.agent)) is not None]
    pairs = [pair for pair in pairs if pair.before.lost or pair.after.lost] or pairs[:1]
    pairs.sort(key=lambda pair: -max(pair.before.lost, pair.after.lost))
    return Comparison(
        schema_version=SCHEMA_VERSION,
        confidence=1 - LEVEL,
        tolerance=tolerance,
        intervals=intervals,
        turns_before=before.turns,
        turns_after=after.turns,
        agents=compared,
        only_before=tuple(sorted(before.samples.keys() - after.samples.keys())),
        only_after=tuple(sorted(after.samples.keys() - before.samples.keys())),
        changes=changes,
        dated=dated,
        undated=undated,
        turns_left_out=before.turns_left_out + after.turns_left_out,
        pairs=tuple(pairs[:_MOST_PAIRS]),
        worse=worse,
    )


def _agent(
    agent: str,
    sides: tuple[ComparedSide, ComparedSide],
    estimates: tuple[Mapping[Measure, Estimate], Mapping[Measure, Estimate]],
    *,
    level: float,
    tolerance: float,
    changes: Sequence[PatternChange],
) -> AgentComparison:
    before, after = sides[0].samples[agent], sides[1].samples[agent]
    ours, theirs = estimates
    duration = before.mean("duration") or 0.0
    differences: list[Difference] = []
    for measure in MEASURES:
        was, now = before.mean(measure), after.mean(measure)
        if was is None or now is None:
            continue
        interval = interval_of(ours[measure], theirs[measure], level) if measure in ours and measure in theirs else None
        least = tolerance * (duration if measure == "lost" else abs(was))
        difference = now - was
        if interval is None:
            differences.append(Difference(measure, was, now, difference))
            continue
        sure = interval.low > 0 or interval.high < 0
        bad = measure in _BAD_IF_LARGER and (difference > 0) is _BAD_IF_LARGER[measure]
        differences.append(
            Difference(
                measure,
                was,
                now,
                difference,
                interval.low,
                interval.high,
                sure=sure,
                worse=sure and bad and abs(difference) >= least,
                needed=interval.needed,
            )
        )
    gone = [change.pattern for change in changes if change.fate == "gone" and change.pattern.agent == agent]
    return AgentComparison(
        agent, before.turns, after.turns, tuple(differences), _prediction(gone, before.turns, differences)
    )


def _prediction(gone: Sequence[Pattern], turns: int, differences: Sequence[Difference]) -> Prediction | None:
    """Return what the recommended patterns that are gone were to save in a turn, beside what came."""
    fixed = [pattern for pattern in gone if pattern.advice == "recommended"]
    came = next((one for one in differences if one.measure == "duration"), None)
    if not fixed or came is None or came.low is None or came.high is None:
        return None
    predicted = sum(pattern.lost for pattern in fixed) / turns
    low, high = -came.high, -came.low
    outcome: Outcome
    if high < predicted:
        outcome = "less"
    elif low > predicted:
        outcome = "more"
    else:
        outcome = "held" if low > 0 else "unsure"
    return Prediction(len(fixed), predicted, -came.difference, low, high, outcome)


def _dated(before: FleetSums, after: FleetSums | None, seed: int) -> tuple[tuple[Pattern, ...], int]:
    """
    Return the patterns whose beginning or end the days show, and the number of the others.

    The days are those of both sides if the second follows the first, else those of the second side alone.
    """
    sides = [before] if after is None else [before, after] if before.last_day <= after.first_day else [after]
    ranked: dict[FaultKey, PatternSums] = {}
    for side in sides:
        for key, sums in side.patterns.items():
            if key not in ranked or sums.order < ranked[key].order:
                ranked[key] = sums
    largest = sorted(ranked.items(), key=lambda item: item[1].order)[:DATED_PATTERNS]
    found = []
    for key, sums in largest:
        days: Counter[str] = Counter()
        turns: Counter[str] = Counter()
        for side in sides:
            turns += side.agent_days.get(sums.agent, Counter())
            if key in side.patterns:
                days += side.patterns[key].days
        onset = onset_of(days, turns, tested=len(largest), seed=seed)
        if onset is not None:
            found.append(msgspec.structs.replace(sums.pattern(None), onset=onset))
    return tuple(found), len(ranked) - len(found)
