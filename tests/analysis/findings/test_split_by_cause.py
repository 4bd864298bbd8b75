"""Findings with more than one cause, silenced findings, and recommendations without a finding."""

from __future__ import annotations

from typing import Any

import pytest
from strategies import SECOND_NS, call, read, step, turn

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.model import Content, Report
from otel_parallelism.settings import Settings

SEEN = {"arguments": Content("x"), "result": Content("rows")}


def two_rounds_of_two(settings: Settings | None = None) -> Report:
    """Each of two responses requests two reads of 2 s, which run one by one, with 2 s between the rounds."""
    inside = []
    for number in range(2):
        ids = (f"c{number}0", f"c{number}1")
        inside.append(step(f"s{number}", 6 * number, 6 * number + 1, requested=ids, input_tokens=100))
        inside += [
            read(span_id, 6 * number + 1 + 2 * at, 6 * number + 3 + 2 * at, span_id, "fine", call_id=span_id)
            for at, span_id in enumerate(ids)
        ]
    return analyze(turn(*inside), settings or Settings())


def test_saving_is_split_into_each_round_at_once_and_rounds_together() -> None:
    report = two_rounds_of_two()
    assert report.avoidable == 8.0
    assert report.avoidable_by_cause == {"dispatch": 4.0, "model": 4.0}
    [finding] = report.findings
    assert (finding.cause, finding.avoidable) == ("dispatch", 8.0)


def test_recommendation_names_both_changes() -> None:
    [finding] = two_rounds_of_two().findings
    assert finding.recommendation == (
        "Run the calls of one response together: otel_parallelism.run_tools, or asyncio.gather; and have the model ask "
        "for all of them in one response (say so in the system prompt)."
    )


def test_recommendation_names_only_tools_that_block_within_their_round() -> None:
    loop: dict[str, Any] = {"in_loop": True, "result": Content("fine")}
    asynchronous = [
        call(f"a{at}", 1, 3, tool="get_page", call_id=f"a{at}", arguments=Content(f"a{at}"), task=at + 1, **loop)
        for at in range(2)
    ]
    blocking = [
        call(
            f"b{at}",
            3.5 + 2 * at,
            5.5 + 2 * at,
            tool="get_file",
            call_id=f"b{at}",
            arguments=Content(f"b{at}"),
            task=at + 4,
            blocking=True,
            blocked_ns=2 * SECOND_NS,
            **loop,
        )
        for at in range(3)
    ]
    asked = [step("s", 0, 1, requested=("a0", "a1")), step("t", 3, 3.5, requested=("b0", "b1", "b2"))]
    [finding] = analyze(turn(*asked, *asynchronous, *blocking), Settings()).findings
    assert (finding.cause, finding.calls) == ("blocking", ("get_page", "get_file", "get_file", "get_file"))
    assert finding.recommendation.startswith(
        "Keep get_file ×3 from holding the event loop: run plain functions with asyncio.to_thread ("
    )


def test_silenced_findings_are_excluded_from_sums() -> None:
    report = two_rounds_of_two(Settings(silence=("get_flights",)))
    assert (report.findings, len(report.silenced)) == ((), 1)
    assert (report.avoidable, report.avoidable_by_cause, report.cause) == (0, {}, None)
    assert (report.avoidable_steps, report.avoidable_tokens) == (0, 0)
    assert (report.efficiency, report.efficiency_floor) == (1.0, 1.0)


def test_split_by_cause_excludes_silenced_findings() -> None:
    quiet = [read(f"q{at}", 1 + 2 * at, 3 + 2 * at, f"q{at}", "fine", call_id=f"q{at}") for at in (0, 1)]
    loud = [
        read(f"l{at}", 20 + 2 * at, 22 + 2 * at, tool="search_hotels", call_id=f"l{at}", depends_on=("get_flights",))
        for at in (0, 1)
    ]
    asked = [step("s", 0, 1, requested=("q0", "q1")), step("t", 19, 20, requested=("l0", "l1"))]
    report = analyze(turn(*asked, *quiet, *loud), Settings(silence=("get_flights",)))
    assert [finding.calls for finding in report.findings] == [("search_hotels",) * 2]
    assert report.avoidable == 2.0
    assert report.avoidable_by_cause == {"dispatch": 2.0}


def test_one_call_with_potential_inside_is_not_single() -> None:
    outer = call("outer", 0, 4, tool="fetch_all")
    inner = [call(f"i{at}", at, at + 1, tool="read_page", parent_id="outer") for at in range(4)]
    report = analyze(turn(outer, *inner), Settings())
    assert [(finding.advice, finding.avoidable) for finding in report.findings] == [("potential", 3.0)]
    assert report.verdict == "possibly_sequential"


@pytest.mark.parametrize("known", [False, True])
def test_efficiency_of_dependent_calls_is_one_regardless_of_pauses(known: bool) -> None:
    passed = ("rec_A0x9", "rec_B1x8", "rec_C2x7", "rec_D3x6")
    starts = (1, 3.5, 25.5)
    calls = [
        call(f"c{at}", start, start + 2, arguments=Content(passed[at]), result=Content(passed[at + 1]))
        for at, start in enumerate(starts)
    ]
    steps = [step("s0", 0, 1), step("s1", 3, 3.5), step("s2", 5.5, 25.5)] if known else []
    report = analyze(turn(*steps, *calls), Settings())
    assert (report.verdict, report.efficiency, report.efficiency_floor) == ("serial_by_need", 1.0, 1.0)
    assert (report.findings, report.recommendation) == ((), "")


@pytest.mark.parametrize(
    ("fields", "todo"),
    [
        ({}, "capture arguments and results"),
        ({"tool": "frobnicate"}, "capture arguments and results, and declare the effect of frobnicate"),
        ({"tool": "frobnicate", **SEEN}, "declare the effect of frobnicate"),
        ({"arguments": Content("x"), "result": Content("rows", whole=False)}, "capture arguments and results"),
    ],
)
def test_potential_recommendation_says_what_to_capture_or_declare(fields: dict[str, Any], todo: str) -> None:
    steps = [step(f"s{at}", 3 * at, 3 * at + 1) for at in range(2)]
    given = [{"arguments": Content(f"x{at}")} if "arguments" in fields else {} for at in range(2)]
    calls = [call(f"c{at}", 3 * at + 1, 3 * at + 3, **{**fields, **given[at]}) for at in range(2)]
    report = analyze(turn(*steps, *calls), Settings())
    assert report.verdict == "possibly_sequential"
    assert report.recommendation.startswith("If they need nothing from one another, have the model ask for ")
    assert report.recommendation.endswith(f"; to know, {todo}.")


def test_potential_recommendation_says_that_the_order_of_a_write_may_matter() -> None:
    steps = [step(f"s{at}", 3 * at, 3 * at + 1) for at in range(2)]
    calls = [
        call(f"c{at}", 3 * at + 1, 3 * at + 3, **SEEN, tool=f"{verb}_price") for at, verb in enumerate(("get", "set"))
    ]
    report = analyze(turn(*steps, *calls), Settings())
    assert report.recommendation == (
        "If they need nothing from one another and may run in any order, have the model ask for get_price and "
        "set_price in one response (say so in the system prompt); to know, declare what each reads or changes with "
        "@profiled(resource=…)."
    )
