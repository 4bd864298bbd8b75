from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from strategies import SECOND_NS, at, call, in_order, step, turn

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.schedule.loop_waits import loop_waits, without_waits
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from otel_parallelism.model import Call, Report


def holding(name: str, start: float, end: float, held: float, **fields: Any) -> Call:
    """A call that held the event loop for *held* seconds."""
    return call(name, start, end, blocked_ns=round(held * SECOND_NS), **{"thread": 1, **fields})


def report(*calls: Call) -> Report:
    asked = step("s", -1, 0, requested=tuple(each.call_id for each in calls))
    return analyze(turn(asked, *calls), Settings())


def ids(name: str) -> dict[str, str]:
    return {"call_id": name}


TOGETHER = [holding(name, 0, 1.2, 0.4, **ids(name)) for name in "abc"]
STAIRS = [holding(name, 0, 0.3 * (at + 1) + 0.01, 0.3, **ids(name)) for at, name in enumerate("abc")]
LATE = [holding(name, 0, end, 0.4, **ids(name)) for name, end in zip("abc", (0.8, 1.2, 1.2), strict=True)]
ONE_BY_ONE = [holding(name, 0.4 * at, 0.4 * (at + 1), 0.4, **ids(name)) for at, name in enumerate("abc")]


@pytest.mark.parametrize(
    ("calls", "verdict", "avoidable", "efficiency"),
    [
        (TOGETHER, "contended", 0.8, None),
        (STAIRS, "contended", 0.6, None),
        (LATE, "contended", 0.8, None),
        (ONE_BY_ONE, "sequential", 0.8, pytest.approx(1 / 3)),
    ],
    ids=[
        "spans begin and end together",
        "spans begin together",
        "answers wait for the next call",
        "spans follow one another",
    ],
)
def test_calls_that_hold_the_loop_are_blocking_however_their_spans_look(
    calls: list[Call], verdict: str, avoidable: float, efficiency: Any
) -> None:
    found = report(*calls)
    assert (found.verdict, found.cause, found.efficiency) == (verdict, "blocking", efficiency)
    assert found.effective_ratio == pytest.approx(1.0, abs=0.03)
    assert found.avoidable == pytest.approx(avoidable)
    (finding,) = found.findings
    assert (finding.cause, finding.advice, len(finding.calls)) == ("blocking", "recommended", 3)
    assert finding.evidence[0].startswith("3 of 3 calls held the event loop without giving it back, each for 0.")


@pytest.mark.parametrize("calls", [TOGETHER, STAIRS, LATE, ONE_BY_ONE])
def test_calls_that_hold_the_loop_are_blocking_however_busy_the_machine_is(calls: list[Call]) -> None:
    def busy(call: Call) -> Call:
        own_ns = 2 * call.blocked_ns // 3
        return replace(call, blocked_ns=own_ns, stalled_ns=call.blocked_ns - own_ns)

    quiet, found = report(*calls), report(*map(busy, calls))
    assert (found.verdict, found.cause, found.avoidable) == (quiet.verdict, quiet.cause, quiet.avoidable)
    assert found.effective_ratio == quiet.effective_ratio


def test_calls_that_the_machine_alone_kept_from_running_are_no_group() -> None:
    calls = [replace(call, blocked_ns=0, stalled_ns=call.blocked_ns) for call in TOGETHER]
    assert (report(*calls).verdict, report(*calls).findings) == ("parallel", ())


def test_nothing_is_reported_that_a_machine_without_stalls_would_not_save() -> None:
    calls = [replace(call, blocked_ns=SECOND_NS // 50, stalled_ns=38 * SECOND_NS // 100) for call in ONE_BY_ONE]
    found = report(*calls)
    assert (found.findings, found.avoidable, found.avoidable_by_cause) == ((), 0, {})


def test_ends_that_are_apart_by_stalls_are_no_queue() -> None:
    calls = [replace(call, blocked_ns=0, stalled_ns=call.blocked_ns) for call in STAIRS]
    assert report(*STAIRS).verdict == "contended"
    assert (report(*calls).verdict, report(*calls).findings) == ("parallel", ())


def test_a_machine_that_stalls_makes_no_share_larger() -> None:
    # Of 1.2 s, 0.45 s are the machine's and 0.3 s the calls': less than half of the rest.
    calls = [replace(call, blocked_ns=SECOND_NS // 10, stalled_ns=15 * SECOND_NS // 100) for call in TOGETHER]
    assert loop_waits(calls).groups == ()


def test_what_is_unknown_about_effects_is_not_recommended() -> None:
    found = report(*(holding(name, 0, 1.2, 0.4, tool="frobnicate", **ids(name)) for name in "abc"))
    (finding,) = found.findings
    assert (finding.cause, finding.advice) == ("blocking", "potential")
    assert (found.avoidable, found.avoidable_potential) == (0, pytest.approx(0.8))


def test_another_call_may_have_worked_meanwhile_so_nothing_is_promised() -> None:
    beside = call("x", 0, 1.2, call_id="x")
    found = report(*TOGETHER, beside)
    assert found.avoidable == 0
    (finding,) = found.findings
    assert (finding.cause, finding.advice, finding.avoidable) == ("blocking", "potential", pytest.approx(0.8))
    # The other call is taken to have waited while the loop was held.
    assert found.effective_ratio == pytest.approx(1.0)


IN_TURN = [holding(name, 0.4 * n, 0.4 * (n + 1), 0.4, called_ns=at(0), **ids(name)) for n, name in enumerate("abc")]


def test_a_call_that_ends_once_the_loop_is_free_may_have_waited_for_it() -> None:
    found = report(call("x", 0, 1.21, call_id="x", thread=1), *IN_TURN)
    (finding,) = found.findings
    assert found.verdict == "contended"
    assert (finding.cause, finding.advice, finding.avoidable) == ("blocking", "potential", pytest.approx(0.8, abs=0.02))
    assert found.avoidable == 0


@pytest.mark.parametrize(
    "beside",
    [
        call("x", 0, 3, call_id="x", thread=1),  # went on for long after the loop was free
        call("x", 0, 1.21, call_id="x", thread=2),
        call("x", 0, 0.2, call_id="x", thread=1),
    ],
    ids=["longer", "elsewhere", "over before"],
)
def test_a_call_that_did_not_wait_for_the_loop_makes_no_group(beside: Call) -> None:
    assert loop_waits(in_order([beside, *IN_TURN])).groups == ()


def test_calls_that_were_made_after_one_another_make_no_group() -> None:
    calls = [call("x", 0, 1.21, call_id="x", thread=1), *ONE_BY_ONE]
    assert loop_waits(in_order(calls)).groups == ()


def test_one_call_that_holds_the_loop_beside_others_is_nothing_to_report() -> None:
    found = report(holding("a", 0, 1, 1, **ids("a")), call("b", 0, 1, call_id="b"))
    assert (found.verdict, found.findings) == ("parallel", ())
    assert found.effective_ratio == found.ratio == 2


def test_loops_of_several_threads_do_not_wait_for_one_another() -> None:
    calls = [holding(name, 0, 0.4, 0.4) for name in "abcd"]
    assert loop_waits(calls).groups == ()
    assert report(*calls).verdict == "parallel"


def test_calls_that_hold_the_loop_for_little_of_their_time_form_no_group() -> None:
    calls = [holding(name, 0, 1.2, 0.1) for name in "abc"]
    assert loop_waits(calls).groups == ()


def test_calls_that_hold_the_loop_for_half_of_their_time_may_have_worked_meanwhile() -> None:
    found = report(*(holding(name, 0, 1 + 0.4 * (at + 1), 0.4, **ids(name)) for at, name in enumerate("abc")))
    (finding,) = found.findings
    assert (found.verdict, finding.cause, finding.advice) == ("contended", "blocking", "potential")
    assert finding.avoidable == pytest.approx(0.8)


def test_slight_overlaps_do_not_hide_a_chain() -> None:
    calls = [holding(name, 0.4 * at - 0.002, 0.4 * (at + 1), 0.4, **ids(name)) for at, name in enumerate("abc")]
    found = report(*calls)
    assert (found.verdict, found.cause) == ("sequential", "blocking")
    assert found.avoidable == pytest.approx(0.8, abs=0.01)


def test_time_that_a_call_held_the_loop_is_at_most_its_duration() -> None:
    waits = loop_waits([holding("a", 0, 1, 9), holding("b", 0.5, 1.5, 0.5)])
    assert waits.groups == ((0, 1),)
    assert waits.baseline_ns["a"] == SECOND_NS


@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(1, 8), st.integers(0, 8)).map(
            lambda drawn: holding(str(drawn), drawn[0] / 4, (drawn[0] + drawn[1]) / 4, drawn[2] / 4)
        ),
        max_size=6,
        unique_by=lambda drawn: drawn.span_id,
    )
)
def test_calls_of_a_group_follow_one_another_once_their_waits_are_taken_out(drawn: list[Call]) -> None:
    calls = in_order(drawn)
    waits = loop_waits(calls)
    members = {calls[index].span_id for group in waits.groups for index in group}
    before = {each.span_id: each for each in calls}
    after = without_waits(calls, waits)
    assert sorted(each.span_id for each in after) == sorted(before)
    for each in after:
        whole = before[each.span_id]
        if each.span_id not in members:
            assert each == whole
        assert whole.start_ns <= each.start_ns <= each.end_ns <= whole.end_ns
    for group in waits.groups:
        names = {calls[index].span_id for index in group}
        inside = [each for each in after if each.span_id in names]
        assert all(one.end_ns <= other.start_ns for one, other in pairwise(inside))
    assert at(0) <= min((each.start_ns for each in after), default=at(0))


@pytest.mark.parametrize(
    ("threads", "verdict", "advice"),
    [((1, 1), "contended", "recommended"), ((1, 2), "parallel", ""), ((0, 0), "contended", "potential")],
)
def test_only_calls_of_one_thread_held_one_loop(threads: tuple[int, int], verdict: str, advice: str) -> None:
    calls = [holding(name, 0, 1, 0.5, thread=thread, **ids(name)) for name, thread in zip("ab", threads, strict=True)]
    found = report(*calls)
    assert (found.verdict, "".join(finding.advice for finding in found.findings)) == (verdict, advice)
