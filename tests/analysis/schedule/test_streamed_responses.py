"""Calls that start while the response that asks for them streams: what is promised, and what must not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from strategies import EXACT, UNIT_NS, call, read, step, turn

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.schedule.streamed_responses import StreamedResponses
from otel_parallelism.model import Content

if TYPE_CHECKING:
    from otel_parallelism.model import Call, Report, Step


def asked(number: int, start: float, end: float, *call_ids: str) -> Step:
    """Return a model request whose response asks for calls by their ids; without ids, for some."""
    return step(f"s{number}", start, end, requested=call_ids or None, input_tokens=100)


def tool(span_id: str, start: float, end: float, **fields: Any) -> Call:
    """Return a read whose id in the model's output is that of its span."""
    return read(span_id, start, end, call_id=span_id, **fields)


def report(*inside: Call | Step) -> Report:
    return analyze(turn(*inside), EXACT)


def test_one_read_a_round_is_sequential_although_each_starts_in_its_own_stream() -> None:
    found = report(
        *(asked(0, 0, 2, "a"), asked(1, 4, 6, "b"), asked(2, 8, 10, "c")),
        *(tool("a", 1.5, 3.5), tool("b", 5.5, 7.5), tool("c", 9.5, 11.5)),
    )
    assert [one.streamed for one in found.turn.calls] == [True] * 3
    (finding,) = found.findings
    assert (found.verdict, found.avoidable, found.avoidable_steps) == ("sequential", 8.0, 2)
    assert (finding.cause, finding.advice, len(finding.calls)) == ("model", "recommended", 3)


def test_requests_that_stream_to_tools_need_no_ids() -> None:
    steps = [step(f"s{n}", 4 * n, 4 * n + 2, streams=True, input_tokens=100) for n in range(3)]
    found = report(*steps, *(read(f"r{n}", 4 * n + 1.5, 4 * n + 3.5) for n in range(3)))
    assert (found.verdict, found.avoidable) == ("sequential", 8.0)


def test_a_later_call_of_a_response_keeps_its_distance_from_the_first() -> None:
    found = report(
        *(asked(0, 0, 2, "a"), asked(1, 4, 8, "b", "c")), *(tool("a", 1, 3), tool("b", 5, 6), tool("c", 7.5, 9))
    )
    # In one response: a and b at once, c not before 2.5 s later.
    assert (found.makespan, found.avoidable) == (8.0, 4.0)


def promises(*inside: Call | Step) -> tuple[float, float]:
    """Return the avoidable seconds and the efficiency."""
    found = report(*inside)
    assert found.efficiency is not None
    return found.avoidable, found.efficiency


def test_calls_of_one_response_that_ends_after_them_all_gain_nothing() -> None:
    assert promises(asked(0, 0, 9, "a", "b", "c"), tool("a", 1, 2), tool("b", 3, 4), tool("c", 5, 6)) == (0.0, 1.0)


def test_a_response_that_ends_just_after_its_last_call_gains_nothing_where_responses_stream() -> None:
    response = step("s0", 0, 10, requested=("a", "b"), streams=True)
    assert promises(response, tool("a", 5, 5.1), tool("b", 9.5, 9.9)) == (0.0, 1.0)


def test_a_call_of_code_beside_an_open_request_keeps_its_start() -> None:
    # The responses ask for calls without ids, so the two reads may be the program's own.
    steps = (asked(0, 0, 2), asked(1, 4, 6))
    assert promises(*steps, read("a", 1, 3), read("b", 5, 7)) == (0.0, 1.0)


def test_a_call_that_needs_an_earlier_result_keeps_the_time_of_the_model() -> None:
    found = tool("a", 1, 3, result="item-8251")
    needs = tool("b", 6, 8, arguments="item-8251")
    assert promises(asked(0, 0, 2, "a"), asked(1, 3, 9, "b"), found, needs) == (0.0, 1.0)


def test_a_later_call_of_a_response_that_needs_an_earlier_result_keeps_its_place_in_it() -> None:
    found = tool("a", 1, 3, result="item-8251")
    first = tool("b", 5, 5.5, arguments="item-8251")
    needs = tool("c", 8, 9, arguments="item-8251 whole")
    assert promises(asked(0, 0, 2, "a"), asked(1, 3, 10, "b", "c"), found, first, needs) == (0.0, 1.0)


def test_writes_of_several_streams_keep_their_order() -> None:
    written = [
        call(f"w{n}", 4 * n + 1, 4 * n + 3, "create_booking", call_id=f"w{n}", arguments=Content("x")) for n in range(3)
    ]
    assert promises(*(asked(n, 4 * n, 4 * n + 2, f"w{n}") for n in range(3)), *written)[0] == 0.0


def test_a_first_response_that_asks_late_is_not_asked_earlier() -> None:
    # A call of code has run before; what the model asked for starts with the model's first response.
    code = read("x", 0, 1)
    found = report(code, asked(0, 2, 6, "a"), asked(1, 8, 12, "b"), tool("a", 5, 7), tool("b", 11, 13))
    assert found.avoidable == 6.0
    assert {slot.span_id: slot.start_s for slot in found.schedule}["b"] == pytest.approx(5.0)


@pytest.mark.parametrize(("streamed", "floor"), [(True, 20), (False, 70)])
def test_earliest_start(*, streamed: bool, floor: int) -> None:
    first = call("a", 1, 3, round=0)
    others = [call(n, start, 9, round=1, streamed=streamed, bound=not streamed) for n, start in (("b", 6), ("c", 7))]
    responses = StreamedResponses([first, *others])
    origin_ns = first.start_ns - 10 * UNIT_NS
    placed = [responses.place(one, 0) for one in others]
    assert placed[1] == ((10 * UNIT_NS, 10 * UNIT_NS) if streamed else (0, 0))
    assert responses.floor_ns(others[1], placed[1][0]) - origin_ns == floor * UNIT_NS
