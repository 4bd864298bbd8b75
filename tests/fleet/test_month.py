"""A generated month of a fleet: the three faults come first, with the days on which they began."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from amounts import THOROUGH

from otel_parallelism.dialects import classify
from otel_parallelism.fleet.fleet_sums import FleetSums
from otel_parallelism.fleet.report_stream import stream_reports
from otel_parallelism.settings import Settings

from .month import AGENTS, FAULTS, beginnings, month

README = Path(__file__).parents[2] / "README.md"
TURNS = 1_800 if THOROUGH else 720
SOME = range(AGENTS) if THOROUGH else tuple(FAULTS)


@pytest.mark.many
@pytest.mark.slow
def test_three_faults_come_first_with_their_days() -> None:
    sums = FleetSums()
    for report in stream_reports(
        (span for trace in month(TURNS, agents=SOME) for span in trace), classify, Settings(), covered=sums.add_coverage
    ):
        sums.add(report)
    fleet = sums.fleet_report()
    assert fleet.total.turns == TURNS * len(SOME) // AGENTS
    assert [pattern.agent for pattern in fleet.patterns] == ["agent-03", "agent-07", "agent-10"]
    assert [pattern.cause for pattern in fleet.patterns] == ["model", "dispatch", "code"]
    assert {pattern.advice for pattern in fleet.patterns} == {"recommended"}
    for pattern, began in zip(fleet.patterns, beginnings(), strict=True):
        onset = pattern.onset
        assert onset is not None
        assert onset.change == "began"
        assert onset.day <= began <= onset.latest  # one turn a day leaves some doubt
        assert not THOROUGH or onset.day == began == onset.latest
    assert fleet.top.lost == pytest.approx(fleet.total.lost)
    faulty = [group.name for group in fleet.groups["agent"] if group.lost]
    assert faulty == [f"agent-{number:02}" for number in FAULTS]


def test_readme_shows_the_three_faults_with_their_days() -> None:
    shown = re.findall(r"^    agent-(\d+) · began (\S+) ", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert shown == [(f"{number:02}", day) for number, day in zip(FAULTS, beginnings(), strict=True)]
