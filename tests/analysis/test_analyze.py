from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import (
    EXACT,
    READS,
    SECOND_NS,
    START_NS,
    TRACE,
    TURN,
    WRITES,
    at,
    call,
    in_order,
    instants,
    read,
    step,
    turn,
    turn_span,
    turns,
)

from otel_parallelism.analysis.analyze import analyze, analyze_records
from otel_parallelism.analysis.schedule.scopes import Scope
from otel_parallelism.model import Call, Caller, Content, Finding, Passage, Report, SpanRecord, Step, Turn
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Observation

HERE = Caller("/home/me/agent.py", 12)


def report_of(*spans: Observation, settings: Settings | None = None, said: str = "") -> Report:
    fields = {"input": Content(said)} if said else {}
    return analyze(turn(*spans, **fields), settings or Settings())


def numbers(report: Report) -> tuple[float | None, ...]:
    """The columns of the worked examples: n, W, M, ρ, T∞, η."""
    columns = (report.work, report.makespan, report.ratio, report.critical_path, report.efficiency)
    return (report.calls, *(None if value is None else round(value, 2) for value in columns))


def only(report: Report) -> Finding:
    (finding,) = report.findings
    return finding


def reads_in_a_row(size: int, each: float, *, pause: float = 0.0, first: float = 0.0, **fields: Any) -> list[Call]:
    """Reads one after another."""
    return [
        read(
            f"c{n}",
            first + n * (each + pause),
            first + n * (each + pause) + each,
            f"query {n}",
            f"answer {n}",
            **fields,
        )
        for n in range(size)
    ]


def dependent_reads(size: int, each: float, *, pause: float = 0.0, first: float = 0.0) -> list[Call]:
    """Reads, each with the result of the previous one as its argument."""
    return [
        read(
            f"c{n}",
            first + n * (each + pause),
            first + n * (each + pause) + each,
            f"KEY-9{n}71",
            f"KEY-9{n + 1}71",
            tool=f"get_part_{n}",
        )
        for n in range(size)
    ]


def steps(size: int, *, every: float, lasts: float = 1.0) -> list[Step]:
    return [step(f"s{n}", n * every, n * every + lasts, input_tokens=1000) for n in range(size)]


# -- The worked examples ------------------------------------------------------------------------------------------


def test_five_reads_awaited_one_by_one_in_code() -> None:
    report = report_of(*reads_in_a_row(5, 2, caller=HERE), said="query 0 1 2 3 4")
    assert numbers(report) == (5, 10, 10, 1.0, 2, 0.2)
    finding = only(report)
    assert (finding.cause, finding.advice, finding.avoidable, len(finding.calls)) == ("code", "recommended", 8, 5)
    assert (finding.location, finding.kind, finding.longest) == (HERE, "sequential_chain", 5)
    assert (report.verdict, report.chains, report.max_chain_length) == ("sequential", 1, 5)
    assert report.recommendation == finding.recommendation


def test_the_same_in_gather() -> None:
    report = report_of(*(read(f"c{n}", 0, 2, f"query {n}", f"answer {n}", caller=HERE) for n in range(5)))
    assert numbers(report) == (5, 10, 2, 5.0, 2, 1.0)
    assert (report.findings, report.verdict, report.peak_concurrency) == ((), "parallel", 5)


def test_three_reads_of_one_response_run_one_by_one() -> None:
    asked = step("s", 0, 1, requested=("i0", "i1", "i2"))
    calls = [call(f"c{n}", 1 + 8 * n, 9 + 8 * n, call_id=f"i{n}") for n in range(3)]
    report = report_of(asked, *calls)
    assert numbers(report) == (3, 24, 24, 1.0, 8, 0.33)
    assert (only(report).cause, only(report).advice, only(report).avoidable) == ("dispatch", "recommended", 16)
    assert len(only(report).calls) == 3
    assert report.verdict == "sequential"


def test_three_responses_of_one_read_each() -> None:
    report = report_of(*steps(3, every=3), *reads_in_a_row(3, 2, pause=1, first=1))
    assert numbers(report) == (3, 6, 8, 0.75, 2, 0.25)
    assert (only(report).cause, only(report).advice, only(report).avoidable) == ("model", "recommended", 6)
    assert (report.avoidable_steps, report.avoidable_tokens, report.verdict) == (2, 2000, "sequential")
    assert (report.think, report.steps, report.calls_per_step) == (3, 3, 1.0)


def test_code_passes_each_result_to_the_next_call() -> None:
    report = report_of(*dependent_reads(3, 2))
    assert numbers(report) == (3, 6, 6, 1.0, 6, 1.0)
    assert (report.findings, report.verdict) == ((), "serial_by_need")


def test_model_passes_each_result_to_the_next_call() -> None:
    report = report_of(*steps(3, every=3), *dependent_reads(3, 2, pause=1, first=1))
    assert numbers(report) == (3, 6, 8, 0.75, 8, 1.0)
    assert (report.findings, report.verdict, report.avoidable_steps) == ((), "serial_by_need", 0)


def test_first_and_last_of_three_calls_could_run_together() -> None:
    a = read("a", 0, 5, "x", "KEY-9071", tool="get_a")
    b = read("b", 5, 10, "KEY-9071", "rows", tool="get_b")
    report = report_of(a, b, read("c", 10, 15, None, "more", tool="get_c"))
    assert numbers(report) == (3, 15, 15, 1.0, 10, 0.67)
    assert (only(report).span_ids, only(report).avoidable) == (("a", "c"), 5)
    assert report.verdict == "partly_sequential"


def test_second_parallel_round_needs_the_first() -> None:
    first = [read(f"a{n}", 1, 2, f"query {n}", f"KEY-9{n}71", tool=f"get_a{n}") for n in range(3)]
    second = [read(f"b{n}", 6, 7, f"KEY-9{n}71", f"answer {n}", tool=f"get_b{n}") for n in range(3)]
    report = report_of(step("s0", 0, 1), *first, step("s1", 2, 6), *second)
    assert numbers(report) == (6, 6, 6, 1.0, 6, 1.0)
    assert (report.findings, report.verdict, report.concurrency) == ((), "parallel", 3.0)


def test_twelve_calls_behind_one_lock() -> None:
    report = report_of(*(call(f"c{n:02}", 0, 0.1 * (n + 1), "get_page") for n in range(12)))
    assert numbers(report) == (12, 7.8, 1.2, 6.5, None, None)
    assert (report.effective_ratio, report.verdict, report.chains) == (pytest.approx(1.0), "contended", 0)
    assert (only(report).kind, only(report).cause, only(report).avoidable) == ("contention", "contention", 1.1)


def test_hundred_calls_ten_at_once() -> None:
    report = report_of(*(call(f"c{n:03}", n // 10 * 0.5, n // 10 * 0.5 + 0.5) for n in range(100)))
    assert numbers(report) == (100, 50, 5, 10, 5, 1.0)
    finding = only(report)
    assert (finding.kind, finding.cause, finding.advice, finding.limit) == ("limit", "limit", "potential", 10)
    assert finding.evidence == (
        "most calls started when another ended",
        "no more than 10 of 100 calls ran at once",
    )
    assert (report.verdict, report.chains, report.avoidable) == ("parallel", 0, 0)


def test_limit_in_several_rounds_is_one_finding_without_chains() -> None:
    spans: list[Observation] = []
    for number in range(2):
        begin = number * 7.0
        names = tuple(f"i{number}.{n:02}" for n in range(40))
        spans.append(step(f"s{number}", begin, begin + 1, requested=names))
        spans += [
            call(f"c{name}", begin + 1 + n // 10, begin + 2 + n // 10, call_id=name) for n, name in enumerate(names)
        ]
    report = report_of(*spans)
    limits = [finding for finding in report.findings if finding.kind == "limit"]
    assert [(finding.limit, len(finding.calls)) for finding in limits] == [(10, 80)]
    assert report.chains == 0
    assert report.critical_path == 8


def inside_of(tool: str) -> list[Call]:
    return [read(f"{tool}.{n}", n, n + 1, f"query {n}", f"answer {n}", parent_id=tool) for n in range(4)]


def test_one_tool_that_awaits_four_reads_one_by_one() -> None:
    report = report_of(call("t", 0, 4, "research"), *inside_of("t"))
    assert numbers(report) == (1, 4, 4, 1.0, 1, 0.25)
    assert (only(report).cause, only(report).avoidable, only(report).scope) == ("code", 3, "t")
    assert len(only(report).calls) == 4
    assert report.verdict == "sequential"


def test_five_such_tools_in_parallel() -> None:
    tools = [call(f"t{n}", 0, 4, "research") for n in range(5)]
    report = report_of(*tools, *(inner for tool in tools for inner in inside_of(tool.span_id)))
    assert numbers(report) == (5, 20, 4, 5.0, 1, 0.25)
    assert (only(report).cause, only(report).avoidable) == ("code", 3)
    assert report.verdict == "partly_sequential"


def test_two_writes() -> None:
    report = report_of(*(read(f"c{n}", 2 * n, 2 * n + 2, f"query {n}", tool=WRITES[n]) for n in range(2)))
    assert numbers(report) == (2, 4, 4, 1.0, 4, 1.0)
    assert (report.findings, report.verdict) == ((), "serial_by_need")


def test_one_model_request_then_code_that_passes_results_on() -> None:
    report = report_of(step("s", 0, 1), *dependent_reads(3, 1, first=1))
    assert numbers(report) == (3, 3, 3, 1.0, 3, 1.0)
    assert (report.findings, report.verdict) == ((), "serial_by_need")


def test_three_reads_without_captured_content() -> None:
    report = report_of(*steps(3, every=3), *(call(f"c{n}", 1 + 3 * n, 3 + 3 * n) for n in range(3)))
    assert numbers(report) == (3, 6, 8, 0.75, 8, 1.0)
    assert report.efficiency_floor == 0.25
    assert (only(report).cause, only(report).advice, len(only(report).calls)) == ("model", "potential", 3)
    assert (report.verdict, report.avoidable, report.avoidable_potential) == ("possibly_sequential", 0, 6)


def test_two_reads_with_own_time_of_the_program_between() -> None:
    report = report_of(*reads_in_a_row(2, 0.1, pause=1, caller=HERE, depends_on=()))
    assert numbers(report) == (2, 0.2, 1.2, 0.17, 1.1, 0.92)
    finding = only(report)
    assert (finding.cause, finding.advice, finding.avoidable) == ("code", "recommended", pytest.approx(0.1))
    assert report.efficiency_floor == report.efficiency


def test_own_time_is_perhaps_the_model_s_without_steps_and_callers() -> None:
    report = report_of(*reads_in_a_row(2, 1, pause=8, depends_on=()))
    assert (report.efficiency, report.efficiency_floor) == (0.9, 0.1)
    # What depends on another call waited for the model, if the model was asked in between.
    chain = report_of(*dependent_reads(2, 1, pause=8))
    assert (chain.efficiency, chain.efficiency_floor, chain.verdict) == (1.0, 1.0, "serial_by_need")


def test_hundred_reads_one_by_one_in_a_loop() -> None:
    report = report_of(*reads_in_a_row(100, 1, caller=HERE, depends_on=()))
    assert numbers(report) == (100, 100, 100, 1.0, 10, 0.1)
    finding = only(report)
    assert (finding.cause, finding.advice, finding.avoidable, len(finding.calls)) == ("code", "recommended", 90, 100)
    assert finding.recommendation == (
        "Run get_flights ×100 with otel_parallelism.parallel_map and limit=10 at /home/me/agent.py:12."
    )
    busiest = {sum(1 for slot in report.schedule if slot.start_s <= moment + 0.5 < slot.end_s) for moment in range(10)}
    assert busiest == {10}
    more = report_of(*reads_in_a_row(100, 1, caller=HERE, depends_on=()), settings=Settings(assumed_limit=50))
    assert (more.critical_path, only(more).avoidable) == (2, 98)


def test_as_many_calls_as_ran_at_once_can_run_at_once() -> None:
    together = [read(f"t{n:02}", 0, 1, f"query {n}", depends_on=()) for n in range(20)]
    apart = reads_in_a_row(20, 1, first=1, caller=HERE, depends_on=())
    assert report_of(*together, *apart).critical_path == 2


# -- The verdicts -------------------------------------------------------------------------------------------------


def test_verdict_is_single_without_two_calls_that_have_a_duration() -> None:
    assert report_of(read("a", 0, 2)).verdict == "single"
    assert report_of().verdict == "single"
    instant = report_of(read("a", 1, 1), read("b", 1, 1))
    assert (instant.verdict, instant.calls, instant.ratio, instant.efficiency) == ("single", 2, None, None)


def test_numbers_of_one_call_and_of_no_call() -> None:
    alone = report_of(read("a", 0, 2))
    assert numbers(alone) == (1, 2, 2, 1.0, 2, 1.0)
    assert (alone.concurrency, alone.effective_ratio, alone.achievable_ratio) == (1.0, 1.0, 1.0)
    none = report_of()
    assert numbers(none) == (0, 0, 0, None, None, None)
    assert none.concurrency is None
    assert none.coverage == 1.0


def test_retry_during_a_long_call_of_the_first_round_is_not_avoidable() -> None:
    report = report_of(
        step("s0", 0, 1, requested=("i0", "i1")),
        read("c0", 1, 5, "London", "rain", call_id="i0"),
        read("c1", 1, 2, "AAPL", "try again", tool=READS[1], call_id="i1", error=True),
        step("s1", 5, 6, requested=("i2",)),
        read("c2", 6, 9, "AAPL", "230", tool=READS[1], call_id="i2"),
    )
    assert numbers(report) == (3, 8, 8, 1.0, 8, 1.0)
    assert (report.findings, report.avoidable, report.avoidable_potential) == ((), 0, 0)
    assert report.verdict == "parallel"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (True, "Have the model ask for {} in one response, then for {} (say so in the system prompt)."),
        (False, "Await {} together, then {}, with asyncio.gather or a TaskGroup at /home/me/agent.py:12."),
    ],
)
def test_recommendation_orders_calls_that_need_one_another(asked: bool, expected: str) -> None:
    calls = [
        read("c0", 1, 3, "ana", "USR-4471", tool="get_user"),
        read("c1", 4, 6, "USR-4471", "a letter", tool="get_mail"),
        read("c2", 7, 9, None, "ORD-9913", tool="get_order"),
        read("c3", 10, 12, "ORD-9913", "on its way", tool="get_parcel"),
    ]
    if not asked:
        needs: tuple[tuple[str, ...], ...] = ((), ("get_user",), (), ("get_order",))
        calls = [
            msgspec.structs.replace(call, caller=HERE, depends_on=needed)
            for call, needed in zip(calls, needs, strict=True)
        ]
    report = report_of(*(steps(4, every=3) if asked else ()), *calls, said="x of c2, for ana")
    finding = only(report)
    assert finding.advice == "recommended"
    assert finding.recommendation == expected.format("get_user and get_order", "get_mail and get_parcel")
    assert finding.stages == ((0, 2), (1, 3))
    assert finding.longest == 2


def test_round_that_needs_a_call_of_unknown_round_keeps_its_model_request() -> None:
    def lookups(seen_s: float) -> Report:
        return report_of(
            read("c0", 0, seen_s, tool="get_user"),
            read("c1", 2, 3, tool="get_weather", round=0),
            read("c2", 5, 6, tool="get_mail", round=1, depends_on=("get_user",)),
        )

    # The model took 2 s to ask for c2, and needed the result of c0 for that.
    assert (lookups(3).findings, lookups(3).critical_path) == ((), 6)
    # It might have asked with c1, after c0. That is not known, so only the time beside c1 is promised.
    assert only(lookups(1)).avoidable == pytest.approx(1)


def test_call_waits_for_whole_previous_round() -> None:
    def both(needs: str, news: float) -> Report:
        """A long and a short read in one round; then one that may need the short one, and one that needs nothing."""
        return report_of(
            step("s0", 0, 1, requested=("i0", "i1")),
            read("c0", 1, 2, "ana", "USR-4471", tool="get_user", call_id="i0"),
            read("c1", 1, 6, "Oslo", "rain", tool="get_weather", call_id="i1"),
            step("s1", 6, 7, requested=("i2", "i3")),
            read("c2", 7, 12, needs, "no mail", tool="get_mail", call_id="i2"),
            read("c3", 7, 7 + news, "robots", "none", tool="get_news", call_id="i3"),
            said="Has ana mail, and Bergen? How is Oslo? Any news of robots?",
        )

    report = both("USR-4471", 1)
    assert (report.findings, report.efficiency, report.critical_path) == ((), 1.0, 11)
    # The call that needs nothing could have been in the first round; it makes the second round long.
    report = both("USR-4471", 8)
    assert (only(report).calls, only(report).advice, only(report).avoidable) == (
        ("get_user", "get_news"),
        "recommended",
        3,
    )
    # No call needs another: all could have been requested at once.
    report = both("Bergen", 1)
    assert only(report).avoidable == 6
    assert report.critical_path == 5


@given(st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=4), min_size=2, max_size=4), st.booleans())
def test_rounds_that_could_have_been_one_are_always_found(rounds: list[list[int]], known: bool) -> None:
    calls: list[Call] = []
    steps: list[Step] = []
    at_s = 0
    for number, lengths in enumerate(rounds):
        steps.append(step(f"s{number}", at_s, at_s + 1))
        calls += [read(f"c{number}{n}", at_s + 1, at_s + 1 + length) for n, length in enumerate(lengths)]
        at_s += 1 + max(lengths)
    report = report_of(*(steps if known else ()), *calls, settings=EXACT)
    assume(report.verdict != "contended" and all(finding.kind != "limit" for finding in report.findings))
    assert report.critical_path is not None
    assert report.avoidable == pytest.approx(report.makespan - report.critical_path)


def test_one_call_then_two_at_once_could_have_been_three_at_once() -> None:
    finding = only(report_of(read("a", 0, 1), read("b", 1, 2), read("c", 1, 2)))
    assert (finding.span_ids, finding.avoidable, finding.longest) == (("a", "b", "c"), 1.0, 2)


def test_partly_overlapping_calls_are_no_chain_but_could_start_earlier() -> None:
    report = report_of(read("a", 0, 10), read("b", 9.5, 19.5))
    assert (report.verdict, report.findings) == ("possibly_sequential", ())
    assert report.recommendation.startswith("Some calls started later than they had to")


@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        (("a",), "recommended"),
        # A hand-off to another agent, or a call without a span.
        (("a", "transfer"), "potential"),
    ],
)
def test_nothing_is_recommended_across_a_requested_call_without_a_span(asked: tuple[str, ...], advice: str) -> None:
    first, second = read("a", 1, 3, call_id="a"), read("b", 5, 7, tool=READS[1], call_id="b")
    steps = [step("s0", 0, 1, requested=asked), step("s1", 4, 5, requested=("b",))]
    finding = only(report_of(*steps, first, second))
    assert (finding.cause, finding.advice) == ("model", advice)
    # If a call has no id, the requested call may be recorded without its id.
    unnamed = msgspec.structs.replace(second, call_id="")
    assert only(report_of(*steps, first, unnamed)).advice == "recommended"
    if advice == "potential":
        why = "between get_flights and search_hotels the user wrote, the model answered, or a call was not seen"
        assert finding.evidence == (why,)
        elsewhere = [msgspec.structs.replace(one, resource=one.span_id) for one in (first, second)]
        assert only(report_of(*steps, *elsewhere)).advice == "recommended"


def test_contended_precedes_all_other_verdicts_and_has_no_efficiency() -> None:
    behind = [call(f"c{n:02}", 0, 0.1 * (n + 1), "get_page") for n in range(6)]
    report = report_of(*behind, *reads_in_a_row(2, 0.1, first=0.6))
    assert (report.verdict, report.efficiency, report.critical_path, report.efficiency_floor) == (
        "contended",
        None,
        None,
        None,
    )


def test_contention_below_threshold_is_no_finding() -> None:
    report = report_of(*(call(f"c{n}", 0, 0.001 * (n + 1), "get_page") for n in range(6)))
    assert (report.verdict, report.findings) == ("contended", ())


def test_verdict_sequential_requires_low_concurrency() -> None:
    # Without the pauses, the two lanes would look like a limit of two.
    lanes = [read(f"{lane}{n}", 1.2 * n, 1.2 * n + 1, f"query {lane}{n}") for n in range(4) for lane in "ab"]
    assert report_of(*lanes).verdict == "partly_sequential"
    assert report_of(*lanes[::2]).verdict == "sequential"


def test_verdict_is_parallel_only_if_nothing_more_is_possible() -> None:
    calls = call("a", 0, 2, "x"), call("b", 0, 2, "y"), call("c", 2, 4, "z")
    report = report_of(*calls)
    assert (report.verdict, report.avoidable, report.efficiency_floor) == ("possibly_sequential", 0, 0.5)
    assert report_of(*calls[:2]).verdict == "parallel"


def test_two_equal_calls_have_one_verdict_despite_noise() -> None:
    for noise in (-0.01, 0, 0.01):
        calls = reads_in_a_row(2, 0.1, caller=HERE)
        longer = msgspec.structs.replace(calls[1], end_ns=calls[1].end_ns + round(noise * SECOND_NS))
        assert report_of(calls[0], longer, said="query 0 1").verdict == "sequential"


def test_silenced_finding_makes_the_verdict_accepted() -> None:
    report = report_of(
        *reads_in_a_row(5, 2, caller=HERE), settings=Settings(silence=("get_flights",)), said="query 0 1 2 3 4"
    )
    assert (report.verdict, report.efficiency, report.avoidable, len(report.silenced)) == ("accepted", 1.0, 0, 1)


def test_turn_of_short_calls_is_negligible() -> None:
    report = report_of(*reads_in_a_row(2, 0.04))
    assert (report.verdict, report.efficiency, report.efficiency_floor) == ("negligible", None, None)
    assert (report.ratio, report.critical_path, report.achievable_ratio) == (1.0, None, None)
    # One of them takes nearly all of the time.
    report = report_of(read("a", 0, 0.4), read("b", 0.4, 0.44))
    assert (report.verdict, report.efficiency, report.efficiency_floor) == ("serial_by_need", 1.0, 1.0)


def test_long_turn_hides_no_seconds() -> None:
    """Three reads of one response, 40 s of one hour: more than 1 s, though less than 5 % of the turn."""
    asked = step("s", 0, 1, requested=("i0", "i1", "i2"))
    calls = [call(f"c{n}", 1 + 20 * n, 21 + 20 * n, call_id=f"i{n}") for n in range(3)]
    report = report_of(asked, *calls, step("t", 61, 3600))
    assert numbers(report) == (3, 60, 60, 1.0, 20, 0.33)
    assert (only(report).cause, only(report).avoidable, report.verdict) == ("dispatch", 40, "sequential")
    calls = [call(f"c{n}", 1 + 0.45 * n, 1.45 + 0.45 * n, call_id=f"i{n}") for n in range(3)]
    assert report_of(asked, *calls, step("t", 61, 3600)).verdict == "negligible"


def test_verdict_is_serial_by_need_only_if_dependencies_are_known() -> None:
    assert report_of(*dependent_reads(2, 2)).verdict == "serial_by_need"
    unknown = report_of(call("a", 0, 2, "x"), call("b", 2, 4, "y"))
    assert (unknown.verdict, unknown.efficiency, unknown.efficiency_floor) == ("possibly_sequential", 1.0, 0.5)
    assert unknown.recommendation


def test_reads_at_once_have_no_finding() -> None:
    for size in (2, 10, 300):
        report = report_of(*(read(f"c{n:03}", 0, 1, f"query {n}", f"answer {n}") for n in range(size)))
        assert (report.findings, report.verdict, report.efficiency) == ((), "parallel", 1.0)


# -- Evidence -----------------------------------------------------------------------------------------------------


def test_contents_are_read_only_if_a_saving_is_possible() -> None:
    parsed: list[object] = []

    def parse(value: object) -> object:
        parsed.append(value)
        return value

    def of(duration: float) -> list[Call]:
        content = Content("x", parse=parse)
        return [
            call(f"c{n}", n * duration, (n + 1) * duration, arguments=content, result=content, caller=HERE)
            for n in range(2)
        ]

    quick = report_of(*of(0.04))
    assert (parsed, quick.efficiency, quick.efficiency_floor, quick.findings) == ([], None, None, ())
    # Two calls at once would save half: more than 5 % of a short turn, much less of a long one.
    report_of(*of(0.2))
    assert parsed
    parsed.clear()
    analyze(turn(*of(0.2), end_ns=at(60)), Settings())
    assert not parsed


def test_values_of_user_messages_and_enclosing_arguments_prove_no_dependency() -> None:
    a, b = read("a", 0, 2, "x", "KEY-9071", tool="get_a"), read("b", 2, 4, "KEY-9071", tool="get_b")
    assert analyze(turn(a, b), Settings()).efficiency_floor == 1.0
    assert analyze(turn(a, b, input=Content("look up KEY-9071")), Settings()).efficiency_floor == 0.5
    assert analyze(turn(a, b, step("s", 0, 0, messages=Content("KEY-9071?"))), Settings()).efficiency_floor == 0.5
    deep = [msgspec.structs.replace(one, parent_id="t") for one in (a, b)]
    around = read("t", 0, 4, "KEY-9071", tool="research")
    assert analyze(turn(around, *deep), Settings()).efficiency_floor == 0.5


def test_finding_has_evidence_and_recommendation() -> None:
    finding = only(report_of(*reads_in_a_row(3, 2, caller=HERE)))
    assert finding.evidence
    assert "get_flights" in finding.evidence[0]
    assert "agent.py:12" in finding.recommendation
    assert finding.calls == (READS[0],) * 3
    potential = only(report_of(*(call(f"c{n}", n, n + 1) for n in range(3))))
    assert potential.recommendation.startswith("If they need nothing")


@pytest.mark.slow
def test_report_notes_bounded_search() -> None:
    rows = [read(f"{row}{n:03}", 2 * row, 2 * row + 1, f"query {row} of {n}") for row in range(2) for n in range(300)]
    assert any("256" in note for note in report_of(*rows).notes)


def test_calls_of_streamed_response_keep_their_start() -> None:
    asked = step("s", 0, 10, requested=("i0", "i1", "i2"))
    calls = [read(f"c{n}", 1 + 3 * n, 3 + 3 * n, f"query {n}", call_id=f"i{n}") for n in range(3)]
    report = report_of(asked, *calls)
    assert (report.efficiency, report.findings) == (1.0, ())


# -- Properties ---------------------------------------------------------------------------------------------------


def shown(report: Report) -> dict[str, Any]:
    """All fields of a report except its turn."""
    return {name: getattr(report, name) for name in report.__struct_fields__ if name != "turn"}


@given(turns())
def test_numbers_stay_within_their_bounds(drawn: Turn) -> None:
    report = analyze(drawn, EXACT)
    assert report.calls == sum(1 for one in drawn.calls if not one.scope)
    assert report.busy <= report.makespan + 1e-9
    assert report.busy <= report.work + 1e-9
    if report.ratio is not None and report.calls > 1:
        assert report.ratio == pytest.approx(report.work / report.makespan)
        assert report.concurrency is not None
        assert report.concurrency >= 1 - 1e-9
        assert report.effective_ratio is not None
        assert report.effective_ratio <= report.ratio + 1e-9
    if report.efficiency is not None and report.critical_path is not None and report.efficiency_floor is not None:
        assert -1e-9 <= report.efficiency_floor <= report.efficiency <= 1 + 1e-9
        assert report.avoidable <= report.makespan - report.critical_path + 1e-6
    assert report.avoidable_steps >= 0
    assert report.chains == sum(1 for finding in report.findings if finding.kind == "sequential_chain")


@given(turns(), st.integers(0, 10**16))
def test_shifting_all_times_changes_nothing(drawn: Turn, shift_ns: int) -> None:
    def moved(thing: Any) -> Any:
        return msgspec.structs.replace(thing, start_ns=thing.start_ns + shift_ns, end_ns=thing.end_ns + shift_ns)

    later = msgspec.structs.replace(
        moved(drawn), calls=tuple(map(moved, drawn.calls)), steps=tuple(map(moved, drawn.steps))
    )
    assert shown(analyze(later, EXACT)) == shown(analyze(drawn, EXACT))


@given(turns(nested=False), st.integers(2, 5))
def test_scaling_all_times_scales_all_durations(drawn: Turn, scale: int) -> None:
    def scaled(thing: Any) -> Any:
        start_ns, end_ns = ((instant - START_NS) * scale + START_NS for instant in (thing.start_ns, thing.end_ns))
        return msgspec.structs.replace(thing, start_ns=start_ns, end_ns=end_ns)

    longer = msgspec.structs.replace(
        scaled(drawn), calls=tuple(map(scaled, drawn.calls)), steps=tuple(map(scaled, drawn.steps))
    )
    before, after = analyze(drawn, EXACT), analyze(longer, EXACT)
    assert after.makespan == pytest.approx(before.makespan * scale)
    if not any(finding.kind == "limit" for finding in (*before.findings, *after.findings)):
        assert after.efficiency == (None if before.efficiency is None else pytest.approx(before.efficiency))
        assert after.verdict == before.verdict


@given(st.lists(st.tuples(instants, st.integers(1, 9)), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_order_of_calls_is_irrelevant(times: list[tuple[int, int]], random: Any) -> None:
    calls = [
        msgspec.structs.replace(
            read(f"c{n}", 0, 0, f"query {n}"), start_ns=start_ns, end_ns=start_ns + SECOND_NS * length
        )
        for n, (start_ns, length) in enumerate(times)
    ]
    mixed = list(calls)
    random.shuffle(mixed)
    assert report_of(*mixed) == report_of(*calls)


@given(turns())
def test_turn_with_all_calls_at_once_has_no_finding(drawn: Turn) -> None:
    calls = [
        msgspec.structs.replace(one, start_ns=START_NS, end_ns=START_NS + 2 * SECOND_NS)
        for one in drawn.calls
        if not one.scope
    ]
    report = analyze(msgspec.structs.replace(drawn, calls=tuple(in_order(calls)), steps=()), Settings())
    assert report.findings == ()
    assert report.verdict == ("parallel" if len(calls) > 1 else "single")


# -- Unusual input ------------------------------------------------------------------------------------------------


class Odd:
    """Raises on every access."""

    def __getattribute__(self, name: str) -> Any:
        """Raise, also for ``__class__``."""
        raise RuntimeError(name)


class Torn(Mapping[str, object]):
    """Raises while it is iterated."""

    def __getitem__(self, key: str) -> object:
        """Raise KeyError."""
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        """Raise RuntimeError."""
        message = "changed"
        raise RuntimeError(message)

    def __len__(self) -> int:
        """Return 1."""
        return 1


def in_itself() -> list[Any]:
    inside: list[Any] = []
    inside += [inside, inside, {"again": inside}]
    return inside


def fails(value: object) -> object:
    message = "cannot parse"
    raise ValueError(message, value)


ODDITIES: Sequence[Any] = (
    in_itself,
    Odd,
    Torn,
    lambda: [Odd(), {"id": "BK-99881"}],
    lambda: 10**5000,
    lambda: -(10**400),
    lambda: float("nan"),
    lambda: [float("inf"), 10**400],
    lambda: b"\xff\x00",
    lambda: memoryview(b"x"),
    lambda: "\ud800",
    lambda: "x" * 300_000,
    lambda: {1: 2, None: 3, (4, 5): {6}},
    lambda: sys,
)
odd_contents = st.builds(
    lambda make, parse, whole, identities: Content(make(), parse, whole, identities),
    st.sampled_from(ODDITIES),
    st.sampled_from((None, None, fails)),
    st.booleans(),
    st.sampled_from(((), (1,), (1, 1))),
)


@given(turns(), st.lists(odd_contents, min_size=1, max_size=6))
def test_analysis_never_raises_on_unusual_contents(drawn: Turn, odd: list[Content]) -> None:
    calls = tuple(
        msgspec.structs.replace(one, arguments=odd[n % len(odd)], result=odd[(n + 1) % len(odd)])
        for n, one in enumerate(drawn.calls)
    )
    report = analyze(msgspec.structs.replace(drawn, calls=calls, inputs=tuple(odd)), EXACT)
    assert report.calls == sum(1 for one in calls if not one.scope)


some_ids = st.sampled_from(("", "a", "b", "c", "d"))


@given(
    st.lists(st.tuples(some_ids, some_ids, instants, st.integers(-3, 9), st.sampled_from((None, 0, 1, 7))), max_size=8),
    st.integers(-5, 20),
)
def test_analysis_never_raises_on_broken_turns(drawn: list[tuple[str, str, int, int, int | None]], length: int) -> None:
    calls = [
        Call(
            trace_id=TRACE,
            span_id=span_id,
            parent_id=scope,
            tool=READS[n % 3],
            start_ns=start_ns,
            end_ns=start_ns + units * SECOND_NS,
            scope=scope,
            round=round_,
            proved=n % 2 == 0,
            links=(scope, span_id),
        )
        for n, (span_id, scope, start_ns, units, round_) in enumerate(drawn)
    ]
    broken = Turn(TRACE, TURN, "", "", START_NS, START_NS + length * SECOND_NS, calls=tuple(in_order(calls)))
    assert analyze(broken, EXACT).turn is broken
    assert analyze(broken, Settings()).turn is broken


def test_deeply_nested_calls_are_analysed() -> None:
    calls = [call(f"c{n}", n / 1000, 10 - n / 1000, "research", scope=f"c{n - 1}" if n else "") for n in range(3000)]
    inside = [read(f"i{n}", 3 + n, 4 + n, scope="c9") for n in range(3)]
    drawn = Turn(TRACE, TURN, "", "", at(0), at(10), calls=tuple(in_order([*calls, *inside])))
    report = analyze(drawn, Settings())
    assert report.calls == 1


# -- Spans in, reports out ----------------------------------------------------------------------------------------


def test_reports_are_in_order_of_start_and_have_coverage() -> None:
    classified: dict[str, Observation] = {
        span.span_id: span
        for span in (
            turn_span(5, 9, "late"),
            turn_span(0, 4, "early", input=Content("x a b")),
            read("a", 0, 2, parent_id="early"),
            read("b", 2, 4, parent_id="early"),
            msgspec.structs.replace(read("x", 0, 1, parent_id="gone"), trace_id="other"),
        )
    }
    spans = [
        SpanRecord(span.trace_id, span.span_id, span.parent_id, "", span.start_ns, span.end_ns, {})
        for span in classified.values()
    ]
    found = analyze_records(spans, lambda span: classified[span.span_id], Settings())
    assert [(one.turn.span_id, one.calls, one.verdict) for one in found.reports] == [
        ("early", 2, "sequential"),
        ("late", 0, "single"),
    ]
    assert (found.coverage.calls, found.coverage.calls_without_turn, found.coverage.spans) == (3, 1, 5)


def test_trace_without_agent_spans_has_no_reports() -> None:
    spans = [SpanRecord(TRACE, "p", "", "", 0, 1, {})]
    found = analyze_records(spans, lambda span: Passage(TRACE, span.span_id, "", "", 0, 1), Settings())
    assert found.reports == ()
    assert found.coverage.share == 1.0


def test_scopes_are_freed_with_the_analysis_of_their_turn() -> None:
    inside = [call(f"i{number}", number, number + 1, parent_id="a") for number in range(4)]
    nested = turn(call("a", 0, 4, "get_report"), *inside)
    gc.collect()
    gc.disable()
    try:
        assert analyze(nested, EXACT).findings
        assert not [one for one in gc.get_objects() if type(one) is Scope]
    finally:
        gc.enable()
