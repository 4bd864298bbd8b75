"""The sums over many turns: their parts add up, their order does not matter, and one turn is that turn's report."""

# ruff: noqa: S311 - samples, no secrets

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import call, turn, turns

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.fleet.fleet_sums import FleetSums
from otel_parallelism.fleet.group_sums import Prices
from otel_parallelism.fleet.turn_numbers import split
from otel_parallelism.model import Caller, Finding, Report
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model.fleet_types import FleetReport

DAY_NS = 86_400_000_000_000


@dataclass(frozen=True)
class Drawn:
    reports: list[Report]


@st.composite
def fleets(draw: st.DrawFn) -> Drawn:
    """Draw reports on turns of a few agents and days; some have tokens, places and findings that were only recorded."""
    reports = []
    for number in range(draw(st.integers(1, 5))):
        report = analyze(draw(turns(max_size=5)), Settings(min_avoidable=0.001, min_avoidable_share=0.0))
        shift_ns = draw(st.integers(0, 2)) * DAY_NS
        shown = msgspec.structs.replace(
            report.turn,
            span_id=f"{number:016x}",
            agent=draw(st.sampled_from(("", "travel", "clerk"))),
            start_ns=report.turn.start_ns + shift_ns,
            end_ns=report.turn.end_ns + shift_ns,
        )
        place = draw(st.sampled_from((None, Caller("agent.py", 7))))
        reports.append(
            msgspec.structs.replace(
                report,
                turn=shown,
                findings=tuple(msgspec.structs.replace(finding, location=place) for finding in report.findings),
                avoidable=report.avoidable + draw(st.sampled_from((0.0, 0.0, 2.5))),
                avoidable_tokens=draw(st.sampled_from((None, 0, 1001))),
            )
        )
    return Drawn(reports)


def fleet_of(reports: Sequence[Report], top: int = 100) -> FleetReport:
    sums = FleetSums()
    for report in reports:
        sums.add(report)
    return sums.fleet_report(top=top, prices=Prices(3.0, 1.0))


@given(fleets())
def test_groups_add_up_to_the_totals(drawn: Drawn) -> None:
    fleet = fleet_of(drawn.reports)
    for grouping, groups in fleet.groups.items():
        for name in ("lost", "perhaps", "findings", "tokens"):
            sums = sum(getattr(group, name) or 0 for group in groups)
            assert sums == pytest.approx(getattr(fleet.total, name) or 0), (grouping, name)
        if grouping in {"agent", "day"}:
            assert sum(group.turns for group in groups) == fleet.total.turns == len(drawn.reports)
            assert sum(group.calls for group in groups) == fleet.total.calls
    recommended = sum(pattern.lost for pattern in fleet.patterns if pattern.advice == "recommended")
    unnamed = sum(group.lost for group in fleet.groups["cause"] if group.name == "(no finding)")
    assert recommended + unnamed == pytest.approx(fleet.total.lost)
    assert sum(pattern.findings for pattern in fleet.patterns) == fleet.total.findings
    assert fleet.top.lost <= fleet.total.lost + 1e-6


@given(fleets(), st.integers())
def test_order_of_turns_does_not_matter(drawn: Drawn, seed: int) -> None:
    shuffled = list(drawn.reports)
    Random(seed).shuffle(shuffled)
    assert fleet_of(shuffled) == fleet_of(drawn.reports)


@given(turns(max_size=6))
def test_fleet_of_one_turn_is_the_report_on_it(one: object) -> None:
    report = analyze(one, Settings())  # type: ignore[arg-type]
    total = fleet_of([report]).total
    assert total.turns == 1
    assert (total.calls, total.findings) == (report.calls, len(report.findings))
    assert (total.lost, total.perhaps) == pytest.approx((report.avoidable, report.avoidable_potential), abs=1e-6)
    assert (total.work, total.makespan) == pytest.approx((report.work, report.makespan), abs=1e-9)
    assert total.verdicts == {report.verdict: 1}
    assert total.tokens == report.avoidable_tokens
    assert total.calls_per_response == report.calls_per_step
    for spread, value in (
        (total.ratio, report.ratio),
        (total.efficiency, report.efficiency),
        (total.efficiency_floor, report.efficiency_floor),
    ):
        assert (spread is None) == (value is None)
        if spread is not None:
            assert [spread.least, spread.p10, spread.p50, spread.p90, spread.most] == [value] * 5


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**9), min_size=1, max_size=5))
def test_parts_of_a_split_add_up(total: int, weights: list[int]) -> None:
    parts = split(total, weights)
    assert sum(parts) == total
    assert len(parts) == len(weights)
    assert min(parts) >= 0


def reported(agent: str, avoidable: float, *calls: str, number: int = 0) -> Report:
    one = msgspec.structs.replace(turn(call("a", 0, 1), call("b", 1, 2)), agent=agent, span_id=f"{number:016x}")
    finding = Finding(
        kind="sequential_chain",
        cause="model",
        advice="recommended",
        calls=calls,
        span_ids=("a", "b"),
        avoidable=avoidable,
        recommendation=f"fix {number}",
    )
    return Report(
        turn=one,
        calls=2,
        verdict="sequential",
        coverage=1.0,
        avoidable=avoidable,
        avoidable_tokens=1_000_000,
        avoidable_cached_tokens=500_000,
        findings=(finding,),
    )


def test_pattern_has_the_order_and_the_advice_of_its_worst_turn() -> None:
    reports = [
        reported("clerk", 1.0, "find", "fetch", number=1),
        reported("clerk", 3.0, "fetch", "find", number=2),
        reported("guide", 2.0, "find", "fetch", number=3),
    ]
    fleet = fleet_of(reports)
    worst, other = fleet.patterns
    assert (worst.agent, worst.calls, worst.recommendation) == ("clerk", ("fetch", "find"), "fix 2")
    assert (worst.turns, worst.findings, worst.lost, worst.worst) == (2, 2, 4.0, 3.0)
    assert (other.agent, other.lost) == ("guide", 2.0)
    assert (fleet.top.patterns, fleet.top.lost, fleet.top.tokens) == (2, 6.0, 3_000_000)
    assert fleet.top.money == pytest.approx(1.5 * 3.0 + 1.5 * 1.0)


def test_no_more_than_top_groups_and_patterns_are_shown() -> None:
    reports = [reported(f"agent {number}", 1.0 + number, "find", "fetch", number=number) for number in range(5)]
    fleet = fleet_of(reports, top=2)
    assert [group.name for group in fleet.groups["agent"]] == ["agent 4", "agent 3"]
    assert (fleet.groups_left_out["agent"], fleet.patterns_left_out) == (3, 3)
    assert fleet.top.lost == 5.0 + 4.0 + 3.0  # the first three, however few are shown
