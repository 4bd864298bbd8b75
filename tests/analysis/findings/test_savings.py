from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from strategies import EXACT, SECOND_NS, WRITES, at, call, passage, read, step, turn, turns

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.findings.savings import MOST_CANDIDATES
from otel_parallelism.analysis.schedule.intervals import totals_of
from otel_parallelism.analysis.schedule.own_time import shows_pauses
from otel_parallelism.analysis.schedule.scopes import scopes_of
from otel_parallelism.model import Caller
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from otel_parallelism.model import Report, Turn

HERE = Caller("/home/me/agent.py", 3)


def sums(report: Report) -> tuple[float, float]:
    recommended = sum(finding.avoidable for finding in report.findings if finding.advice == "recommended")
    return recommended, sum(finding.avoidable for finding in report.findings) - recommended


def saved(report: Report) -> list[tuple[tuple[str, ...], float]]:
    return [(finding.span_ids, round(finding.avoidable, 6)) for finding in report.findings]


@given(turns())
def test_savings_of_findings_add_up_to_possible_saving(drawn: Turn) -> None:
    report = analyze(drawn, EXACT)
    recommended, potential = sums(report)
    assert report.avoidable == pytest.approx(recommended)
    assert report.avoidable_potential == pytest.approx(potential)
    if report.critical_path is None or report.efficiency_floor is None:
        return
    assert recommended == pytest.approx(report.makespan - report.critical_path) or not recommended
    best = report.efficiency_floor * report.makespan
    assert potential == pytest.approx(report.critical_path - best) or not potential


@given(turns())
def test_savings_by_cause_add_up_and_are_positive(drawn: Turn) -> None:
    report = analyze(drawn, EXACT)
    assert sum(report.avoidable_by_cause.values()) == pytest.approx(report.avoidable)
    assert all(part > 0 for part in report.avoidable_by_cause.values())


@given(turns())
def test_findings_save_time_and_recommended_ones_share_no_call(drawn: Turn) -> None:
    report = analyze(drawn, EXACT)
    assert all(finding.avoidable > 0 for finding in report.findings)
    recommended = [i for finding in report.findings if finding.advice == "recommended" for i in finding.span_ids]
    assert len(recommended) == len(set(recommended))


@given(turns())
def test_savings_below_threshold_are_added_to_another_finding(drawn: Turn) -> None:
    settings = Settings(min_avoidable=0.25, min_avoidable_share=0.1)
    report = analyze(drawn, settings)
    least = max(0.25, 0.1 * (drawn.end_ns - drawn.start_ns) / SECOND_NS)
    assert all(finding.avoidable >= least - 1e-6 for finding in report.findings)
    if report.critical_path is not None and report.avoidable:
        assert report.avoidable == pytest.approx(report.makespan - report.critical_path)


def test_consecutive_findings_have_separate_savings() -> None:
    calls = [read("a", 0, 2), read("b", 2, 5), call("w", 5, 6, WRITES[0]), read("c", 6, 10), read("d", 10, 11)]
    assert saved(analyze(turn(*calls), Settings())) == [(("a", "b"), 2.0), (("c", "d"), 1.0)]


def test_chain_that_saves_nothing_is_no_finding() -> None:
    # b1 needs a1, and a0 and b1 are a chain; but a1 and b1 together take the whole time.
    calls = [
        read("a0", 0, 1, tool="get_a0"),
        read("a1", 0, 2, tool="get_a1"),
        read("b1", 2, 4, tool="get_b1", depends_on=("get_a1",)),
    ]
    report = analyze(turn(*calls), EXACT)
    assert report.findings == ()
    assert report.efficiency == 1.0


def test_short_chain_during_overlapping_long_calls_is_no_finding() -> None:
    # The second half of a overlaps b. Running x and y together, during b, would save nothing.
    calls = [read("a", 0, 10), read("b", 5, 15), read("x", 11, 12), read("y", 12, 13)]
    report = analyze(turn(*calls), EXACT)
    assert report.findings == ()
    assert report.critical_path == 10


def test_overlapping_chains_with_one_cause_are_one_finding() -> None:
    calls = [read(f"{lane}{n}", n, n + 1) for n in range(2) for lane in "ab"]
    assert saved(analyze(turn(*calls), Settings())) == [(("a0", "b0", "a1", "b1"), 1.0)]


def test_chains_with_different_causes_are_separate_findings() -> None:
    inside = [read(f"i{n}", 1 + n, 2 + n, parent_id="tool") for n in range(2)]
    calls = [read("a", 0, 1), call("tool", 1, 3, "frobnicate"), *inside]
    report = analyze(turn(*calls, passage("p", 0, 4)), EXACT)
    assert [(finding.cause, finding.advice) for finding in report.findings] == [
        ("code", "recommended"),
        ("unknown", "potential"),
    ]


def test_chains_inside_overlapping_calls_of_one_tool_are_one_finding() -> None:
    tools = [call(f"t{n}", 0, 4, "research") for n in range(5)]
    inside = [read(f"t{n}i{m}", m, m + 1, parent_id=f"t{n}") for n in range(5) for m in range(4)]
    (finding,) = analyze(turn(*tools, *inside), Settings()).findings
    assert (finding.cause, finding.avoidable, len(finding.calls), finding.longest) == ("code", 3.0, 20, 4)


def test_saving_across_rounds_is_split_into_dispatch_and_model() -> None:
    spans = [
        step("s0", 0, 1, requested=("i0", "i1", "i2")),
        *(read(f"a{n}", 1 + 2 * n, 3 + 2 * n, call_id=f"i{n}") for n in range(3)),
        step("s1", 7, 8, requested=("i3", "i4", "i5")),
        *(read(f"b{n}", 8 + 2 * n, 10 + 2 * n, call_id=f"i{n + 3}") for n in range(3)),
    ]
    report = analyze(turn(*spans), Settings())
    (finding,) = report.findings
    # With each round at once, 13 s become 2 + 1 + 2; with both rounds together, 2.
    assert report.avoidable_by_cause == pytest.approx({"dispatch": 8.0, "model": 3.0})
    assert (finding.cause, finding.avoidable, report.cause) == ("dispatch", 11.0, "dispatch")


def test_potential_savings_are_on_top_of_recommended_ones() -> None:
    calls = [read("a", 0, 2), read("b", 2, 4), call("x", 4, 6, "frobnicate"), call("y", 6, 8, "frobnicate")]
    report = analyze(turn(*calls), Settings())
    assert [(f.advice, f.span_ids, f.avoidable) for f in report.findings] == [
        ("recommended", ("a", "b"), 2.0),
        ("potential", ("x", "y"), 4.0),
    ]


def test_report_notes_that_number_of_estimates_is_bounded() -> None:
    spans = []
    for n in range(MOST_CANDIDATES + 2):
        spans += [
            read(f"a{n:02}", 5 * n, 5 * n + 2),
            read(f"b{n:02}", 5 * n + 2, 5 * n + 4),
            call(f"w{n:02}", 5 * n + 4, 5 * n + 5, WRITES[0]),
        ]
    report = analyze(turn(*spans), EXACT)
    assert len([finding for finding in report.findings if finding.advice == "recommended"]) == MOST_CANDIDATES
    assert any("findings" in note for note in report.notes)
    assert report.critical_path is not None
    assert report.avoidable == pytest.approx(report.makespan - report.critical_path)


@given(turns())
def test_bounds_of_scopes_are_ordered(drawn: Turn) -> None:
    every = scopes_of(drawn)
    for scope in every:
        scope.detect_contention()
        if not scope.contended:
            scope.find_dependencies(drawn, EXACT, explained=shows_pauses(drawn))
        scope.compute_bounds()
        assert 0 <= scope.best_ns <= scope.critical_ns <= scope.totals.makespan_ns
        assert scope.length_ns({}) == scope.totals.makespan_ns
        assert scope.length_ns(None) <= scope.totals.makespan_ns
    assert every[-1].totals == totals_of(every[-1].calls)
    assert at(0) <= min((one.start_ns for one in drawn.calls), default=at(0))


def test_contended_turn_reports_every_batch_with_its_cause() -> None:
    batches = MOST_CANDIDATES + 1
    calls = [call(f"c{b:02}.{n}", b, b + 0.1 * (n + 1), f"get_page_{b}") for b in range(batches) for n in range(4)]
    report = analyze(turn(*calls), EXACT)
    assert [finding.cause for finding in report.findings] == ["contention"] * batches


def test_span_ids_of_contending_calls_are_in_order_of_start() -> None:
    calls = [call("a", 0, 0.7), call("b", 0.1, 0.4), call("c", 0.2, 1.0), call("d", 0.25, 1.3)]
    found = analyze(turn(*calls), EXACT).findings
    assert [finding.span_ids for finding in found if finding.kind == "contention"] == [("a", "b", "c", "d")]
