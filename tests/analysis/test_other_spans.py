"""Spans with nothing new change nothing: unrelated ones, those of a second instrumentation, another order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.analysis.analyze import analyze_records
from otel_parallelism.dialects import classify
from otel_parallelism.model import SpanRecord

if TYPE_CHECKING:
    from random import Random

MS = 1_000_000
START_NS = 1_900_000_000 * 1_000 * MS
TURN = "a" * 16


class Made(NamedTuple):
    """One call: its tool, whether it starts with its round, its duration in milliseconds, and its argument."""

    tool: str
    together: bool
    took: int
    given: str


CALLS = st.lists(
    st.lists(
        st.builds(
            Made,
            st.sampled_from(["get_page", "search", "list_files", "save_note", "lookup"]),
            st.booleans(),
            st.integers(20, 900),
            st.sampled_from(["alpha-7001", "beta-7002", "gamma-7003"]),
        ),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=4,
)


def span(number: int, name: str, start: int, end: int, attributes: dict[str, Any], *, parent: str = TURN) -> SpanRecord:
    """Return a span; times are in milliseconds."""
    times = START_NS + start * MS, START_NS + end * MS
    return SpanRecord("7" * 32, f"{number:016x}", parent, name, *times, attributes, source="one", instrumentation="a")


def spans_of_turn(rounds: list[list[Made]]) -> list[SpanRecord]:
    """Return the spans of a turn: a request for each round, and its calls, together or one after another."""
    spans: list[SpanRecord] = []
    at = 0
    for number, calls in enumerate(rounds):
        ids = [f"call-{number}-{place}" for place in range(len(calls))]
        parts = [
            {"type": "tool_call", "id": one_id, "name": made.tool, "arguments": {"key": made.given}}
            for one_id, made in zip(ids, calls, strict=True)
        ]
        output = json.dumps([{"role": "assistant", "parts": parts}])
        asked = {"gen_ai.operation.name": "chat", "gen_ai.output.messages": output}
        spans.append(span(len(spans) + 1, "chat m", at, at + 100, asked))
        at = last = at + 100
        for one_id, made in zip(ids, calls, strict=True):
            start = at if made.together else last
            attributes = {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": made.tool,
                "gen_ai.tool.call.id": one_id,
                "gen_ai.tool.call.arguments": json.dumps({"key": made.given}),
                "gen_ai.tool.call.result": json.dumps({"found": f"{made.tool} of {made.given}"}),
            }
            spans.append(span(len(spans) + 1, f"execute_tool {made.tool}", start, start + made.took, attributes))
            last = max(last, start + made.took)
        at = last
    turn = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "clerk"}
    root = span(0, "invoke_agent clerk", 0, at + 100, turn, parent="")
    return [msgspec.structs.replace(root, span_id=TURN), *spans]


def recorded_twice(spans: list[SpanRecord], *, around: bool) -> list[SpanRecord]:
    """Return *spans* with a second span, of another vocabulary, inside or around each call and each request."""
    found = []
    for each in spans:
        call = "gen_ai.tool.name" in each.attributes
        if each.span_id == TURN:
            found.append(each)
            continue
        other_id = f"{int(each.span_id, 16) + 5000:016x}"
        attributes: dict[str, Any] = {"openinference.span.kind": "TOOL" if call else "LLM"}
        if call:
            attributes["tool.name"] = each.attributes["gen_ai.tool.name"]
        other = msgspec.structs.replace(
            each,
            span_id=other_id,
            parent_id=each.parent_id if around else each.span_id,
            name=str(attributes.get("tool.name", "ChatModel")),
            attributes=attributes,
            instrumentation="b",
        )
        moved = msgspec.structs.replace(each, parent_id=other_id) if around else each
        found += [moved, other]
    return found


def results(spans: list[SpanRecord]) -> list[dict[str, Any]]:
    """Return what is reported, without ids of spans."""
    return [
        {
            "agent": report.turn.agent,
            "calls": [(call.tool, call.start_ns, call.end_ns, call.round, call.proved) for call in report.turn.calls],
            "steps": len(report.turn.steps),
            "verdict": report.verdict,
            "efficiency": report.efficiency,
            "floor": report.efficiency_floor,
            "saved": (report.avoidable, report.avoidable_potential, report.avoidable_steps),
            "findings": [
                (one.kind, one.cause, one.advice, one.calls, one.avoidable, one.evidence) for one in report.findings
            ],
        }
        for report in analyze_records(spans, classify).reports
    ]


@given(rounds=CALLS, around=st.booleans())
def test_second_instrumentation_changes_nothing(rounds: list[list[Made]], around: bool) -> None:
    spans = spans_of_turn(rounds)
    assert results(recorded_twice(spans, around=around)) == results(spans)


@given(rounds=CALLS, drawn=st.randoms(use_true_random=False))
def test_unrelated_spans_change_nothing(rounds: list[list[Made]], drawn: Random) -> None:
    spans = spans_of_turn(rounds)
    unrelated = []
    for number in range(drawn.randrange(1, 12)):
        start = drawn.randrange(0, 500)
        parent = drawn.choice([each.span_id for each in spans])
        attributes = {"http.request.method": "GET", "db.system": "sqlite"}
        unrelated.append(
            span(9000 + number, "GET /page", start, start + drawn.randrange(1, 300), attributes, parent=parent)
        )
    assert results([*spans, *unrelated]) == results(spans)


@given(rounds=CALLS, drawn=st.randoms(use_true_random=False))
def test_order_of_spans_and_repeated_spans_change_nothing(rounds: list[list[Made]], drawn: Random) -> None:
    """Files may be split, read in any order, and overlap."""
    spans = spans_of_turn(rounds)
    mixed = [*spans, *drawn.sample(spans, drawn.randrange(len(spans)))]
    drawn.shuffle(mixed)
    assert results(mixed) == results(spans)


@given(rounds=CALLS, drawn=st.randoms(use_true_random=False))
def test_copies_of_spans_without_their_attributes_change_nothing(rounds: list[list[Made]], drawn: Random) -> None:
    """Another export of a trace has the same ids, and can lack what shows that a span is a call."""
    spans = spans_of_turn(rounds)
    copies = [
        msgspec.structs.replace(each, name="span", attributes={}, end_ns=each.end_ns + drawn.choice((-1, 0, 999)))
        for each in drawn.sample(spans, drawn.randrange(1, len(spans)))
    ]
    mixed = [*copies, *spans]
    drawn.shuffle(mixed)
    assert results(mixed) == results(spans)


@given(rounds=CALLS)
def test_calls_without_ids_have_the_results_of_calls_with_ids(rounds: list[list[Made]]) -> None:
    """Equal arguments in one response do not say which call is which, but the rounds stay the same."""
    spans = spans_of_turn(rounds)
    without = [
        msgspec.structs.replace(
            each, attributes={key: value for key, value in each.attributes.items() if key != "gen_ai.tool.call.id"}
        )
        for each in spans
    ]
    assert results(without) == results(spans)
