from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from strategies import EXACT, READS, at, call, read, step, turn, turns

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.schedule.own_time import own_times
from otel_parallelism.analysis.schedule.scopes import scopes_of
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from otel_parallelism.model import Report, Turn


def slots(report: Report) -> dict[str, tuple[float, float]]:
    """Return start and end of every slot in seconds, rounded to the microsecond."""
    return {slot.span_id: (round(slot.start_s, 6), round(slot.end_s, 6)) for slot in report.schedule}


def test_independent_reads_all_start_with_the_first() -> None:
    report = analyze(turn(step("s", 0, 1), *(read(f"c{n}", 1 + 2 * n, 3 + 2 * n) for n in range(3))), Settings())
    assert slots(report) == {f"c{n}": (1.0, 3.0) for n in range(3)}


def test_dependent_call_starts_at_end_of_its_dependency() -> None:
    tools = ("get_flights", "search_hotels", "list_orders")
    needs = {"list_orders": ("get_flights",)}
    calls = [read(tool, 2 * n, 2 * n + 2, tool=tool, depends_on=needs.get(tool)) for n, tool in enumerate(tools)]
    assert slots(analyze(turn(*calls), Settings())) == {
        "get_flights": (0.0, 2.0),
        "search_hotels": (0.0, 2.0),
        "list_orders": (2.0, 4.0),
    }


def test_inner_calls_move_with_their_call_and_shorten_it() -> None:
    outer = call("outer", 1, 5, tool=READS[1])
    inner = [read(f"i{n}", 1 + n, 2 + n, parent_id="outer", scope="outer") for n in range(4)]
    report = analyze(turn(step("s", 0, 1), outer, *inner), Settings())
    assert slots(report) == {"outer": (1.0, 2.0), **{f"i{n}": (1.0, 2.0) for n in range(4)}}


def test_calls_delayed_by_a_limit_keep_their_order() -> None:
    ids = tuple(f"l{n}" for n in range(10))
    limited = [read(span_id, 1 + n // 2, 2 + n // 2, call_id=span_id) for n, span_id in enumerate(ids)]
    late = [read(f"r{n}", 7 + 2 * n, 9 + 2 * n, call_id=f"r{n}") for n in range(3)]
    steps = [step("s", 0, 1, requested=ids), step("t", 6, 7, requested=tuple(one.span_id for one in late))]
    report = analyze(turn(*steps, *limited, *late), Settings())
    assert {finding.cause: finding.advice for finding in report.findings} == {
        "dispatch": "recommended",
        "limit": "potential",
    }
    found = slots(report)
    assert [found[span_id] for span_id in ids] == [(1.0 + n // 2, 2.0 + n // 2) for n in range(10)]
    assert {found[one.span_id] for one in late} == {(1.0, 3.0)}


def test_calls_of_silenced_finding_keep_their_order() -> None:
    quiet = [read(f"q{n}", n, n + 1, tool="get_flights") for n in range(2)]
    heard = [read(f"h{n}", 2 + 2 * n, 4 + 2 * n, tool="list_orders", depends_on=("get_flights",)) for n in range(3)]
    report = analyze(turn(*quiet, *heard), Settings(silence=("get_flights",)))
    assert [finding.calls for finding in report.silenced] == [("get_flights",) * 2]
    found = slots(report)
    assert found["q0"] == (0.0, 1.0)
    assert found["q1"] == (1.0, 2.0)
    assert {found[f"h{n}"] for n in range(3)} == {(2.0, 4.0)}


def test_schedule_is_empty_if_nothing_is_avoidable() -> None:
    together = turn(*(read(f"c{n}", 0, 2) for n in range(3)))
    unseen = turn(*(call(f"c{n}", 2 * n, 2 * n + 2) for n in range(3)))
    assert analyze(together, Settings()).schedule == ()
    report = analyze(unseen, Settings())
    assert report.avoidable_potential
    assert report.schedule == ()


@given(turns(max_size=8))
def test_last_own_call_ends_at_critical_path_or_before_it(of: Turn) -> None:
    report = analyze(of, EXACT)
    if not report.schedule:
        assert not report.avoidable
        return
    own = scopes_of(of)[-1]
    assert {slot.span_id for slot in report.schedule} == {one.span_id for one in of.calls}
    by_id = {slot.span_id: slot for slot in report.schedule}
    first_s = (min(one.start_ns for one in own.calls if one.duration_ns) - of.start_ns) / 1e9
    last_s = max(by_id[one.span_id].end_s for one in own.calls if one.duration_ns)
    limited = any(finding.kind == "limit" for finding in report.findings) or own.limit is not None
    assert report.critical_path is not None
    if not limited:
        # The program's own time is a part of T∞; in the schedule, only calls that depend on others wait for it.
        assert last_s - first_s <= report.critical_path + 1e-9
        if not any(own_times(scope.calls) for scope in scopes_of(of)):
            assert last_s - first_s == pytest.approx(report.critical_path)
    assert last_s <= (max(one.end_ns for one in own.calls) - of.start_ns) / 1e9 + 1e-9
    for one in of.calls:
        slot = by_id[one.span_id]
        assert -1e-9 <= slot.end_s - slot.start_s <= one.duration_ns / 1e9 + 1e-9


def test_slots_are_relative_to_start_of_turn() -> None:
    report = analyze(turn(step("s", 0, 3), *(read(f"c{n}", 4 + n, 5 + n) for n in range(2))), Settings())
    assert report.turn.start_ns == at(0)
    assert set(slots(report).values()) == {(4.0, 5.0)}
