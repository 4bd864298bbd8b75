"""The lines about a comparison: the headline says why nothing is claimed."""

from __future__ import annotations

import pytest

from otel_parallelism.model.comparison_types import AgentComparison, Comparison
from otel_parallelism.reports.parts.comparison_rows import comparison_headline, comparison_remarks


def compared(agents: int, intervals: int) -> Comparison:
    return Comparison(
        schema_version=1,
        confidence=0.95,
        tolerance=0.02,
        intervals=intervals,
        turns_before=1,
        turns_after=12,
        agents=(AgentComparison("travel", 1, 12, ()),) * agents,
    )


@pytest.mark.parametrize(
    ("agents", "intervals", "why"),
    [
        (0, 0, "no agent has turns on both sides"),
        (1, 0, "too few turns of each agent to tell"),
        (1, 1, "no sure difference"),
    ],
)
def test_headline_says_why_nothing_is_claimed(agents: int, intervals: int, why: str) -> None:
    assert comparison_headline(compared(agents, intervals)) == f"1 turn before, 12 after · {why}"


def test_intervals_are_counted_in_good_english() -> None:
    assert list(comparison_remarks(compared(1, 1))) == ["The interval holds with 95 % confidence."]
    assert list(comparison_remarks(compared(1, 5))) == ["All 5 intervals hold together with 95 % confidence."]
