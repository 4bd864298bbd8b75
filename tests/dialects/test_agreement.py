"""One run of two rounds and three calls, written in each dialect, gives the same turn, live and stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import asdict, replace
from opentelemetry.trace import Span, set_span_in_context

from otel_parallelism.analysis.turns.normalization import normalize
from otel_parallelism.dialects import DIALECTS, classify
from otel_parallelism.model import Call, Content, Observation, Passage, SpanEvent, SpanRecord, Step, Turn, TurnSpan
from otel_parallelism.settings import Settings
from tests.amounts import some_of

from .writing import QUESTION, Planned, Writer, Written
from .written_dialects import WRITERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import TracerProvider

    from tests.conftest import Kit

MS = 1_000_000


FIRST = [
    Planned("call_0", "get_weather", {"city": "Oslo"}, "rain", 110, 210),
    Planned("call_1", "get_news", {"topic": "Oslo"}, "none", 112, 212),
]
SECOND = [Planned("call_2", "get_stock", {"symbol": "ACME"}, "41.27", 310, 410)]


def spans_of(dialect: Writer) -> list[SpanRecord]:
    """Return the spans of one run of 500 ms: requests at 0, 220 and 420 ms, calls at 110 and 310 ms."""
    spans: list[SpanRecord] = []

    def write(written: Written, parent_id: str, start_ms: int, end_ms: int) -> str:
        spans.append(
            SpanRecord(
                trace_id="7" * 32,
                span_id=f"{len(spans) + 1:016x}",
                parent_id=parent_id,
                name=written.name,
                start_ns=start_ms * MS,
                end_ns=end_ms * MS,
                attributes=written.attributes,
                events=tuple(SpanEvent(*event) for event in written.events),
                instrumentation=written.scope,
            )
        )
        return spans[-1].span_id

    run = write(dialect.run(), "", 0, 500)
    for number, (asked, start_ms) in enumerate(((FIRST, 0), (SECOND, 220), ([], 420))):
        parent = run
        if dialect.cycle is not None and asked:
            parent = write(dialect.cycle(number), run, start_ms, asked[-1].end_ms + 2)
        write(dialect.request(asked), parent, start_ms + 2, start_ms + 80)
        for call in asked:
            write(dialect.call(call), parent, call.start_ms, call.end_ms)
    return spans


def turn_of(dialect: Writer) -> Turn:
    (turn,) = normalize([classify(span) for span in spans_of(dialect)], Settings()).turns
    return turn


@pytest.mark.parametrize("name", WRITERS)
def test_every_dialect_gives_the_same_observations(name: str) -> None:
    dialect = WRITERS[name]
    seen = [classify(span) for span in spans_of(dialect)]
    calls = [one for one in seen if isinstance(one, Call)]
    assert [(call.tool, call.start_ns // MS, call.end_ns // MS) for call in calls] == [
        (asked.tool, asked.start_ms, asked.end_ms) for asked in FIRST + SECOND
    ]
    assert [call.call_id for call in calls] == (
        [asked.call_id for asked in FIRST + SECOND] if dialect.ids else ["", "", ""]
    )
    steps = [one for one in seen if isinstance(one, Step)]
    if dialect.has_steps:
        assert [step.requested for step in steps] == (
            [("call_0", "call_1"), ("call_2",), ()]
            if dialect.requests_ids
            else [None, None, () if dialect.knows_the_last else None]
        )
        assert {step.input_tokens for step in steps} == {40}
        for step in steps if dialect.requests_words else ():
            assert step.messages is not None
            assert step.messages.parse is not None
            assert step.messages.parse(step.messages.value) == [QUESTION]
    else:
        assert steps == []
    assert len([one for one in seen if isinstance(one, TurnSpan)]) == dialect.run_is_a_turn
    cycles = [one for one in seen if isinstance(one, Passage) and one.cycle]
    assert len(cycles) == (2 if dialect.cycle is not None else 0)


@pytest.mark.parametrize("name", WRITERS)
def test_the_end_of_a_span_does_not_change_what_it_is(name: str) -> None:
    for span in spans_of(WRITERS[name]):
        later = replace(span, end_ns=span.end_ns + 7)
        assert _shown(classify(later)) == _shown(replace(classify(span), end_ns=later.end_ns))


def _shown(observation: Observation) -> dict[str, object]:
    """Return the fields; what parses a content may be a new function for each."""
    fields = asdict(observation)
    return {key: value.value if isinstance(value, Content) else value for key, value in fields.items()}


@pytest.mark.many
@pytest.mark.parametrize("name", some_of(WRITERS, every=3))
def test_every_dialect_gives_the_same_contents(name: str) -> None:
    if name.startswith("mcp") or not WRITERS[name].has_contents:
        assert all(call.arguments is None for call in turn_of(WRITERS[name]).calls)
        return
    for call, asked in zip(turn_of(WRITERS[name]).calls, FIRST + SECOND, strict=True):
        for content, expected in ((call.arguments, asked.arguments), (call.result, asked.result)):
            assert content is not None
            assert content.whole
            assert content.parse is not None
            assert content.parse(content.value) == expected


@pytest.mark.parametrize("name", WRITERS)
def test_every_dialect_gives_the_same_turn(name: str) -> None:
    dialect = WRITERS[name]
    turn = turn_of(dialect)
    reference = turn_of(WRITERS["genai"])
    assert (turn.start_ns, turn.end_ns, turn.coverage, turn.anomalies) == (0, 500 * MS, 1.0, 0)
    assert [(call.tool, call.scope, call.start_ns, call.end_ns) for call in turn.calls] == [
        (call.tool, call.scope, call.start_ns, call.end_ns) for call in reference.calls
    ]
    assert len(turn.steps) == (len(reference.steps) if dialect.has_steps else 0)


@pytest.mark.parametrize("name", WRITERS)
def test_every_dialect_gives_the_same_turn_live(name: str, make_kit: Callable[[], Kit]) -> None:
    kit = make_kit()
    stored = turn_of(WRITERS[name])
    write_live(kit.provider, spans_of(WRITERS[name]))
    (report,) = kit.reports
    live = report.turn
    assert (live.start_ns, live.end_ns, live.coverage) == (stored.start_ns, stored.end_ns, stored.coverage)
    assert [(call.tool, call.start_ns, call.end_ns, call.call_id, call.round) for call in live.calls] == [
        (call.tool, call.start_ns, call.end_ns, call.call_id, call.round) for call in stored.calls
    ]
    assert [(step.start_ns, step.end_ns, step.requested) for step in live.steps] == [
        (step.start_ns, step.end_ns, step.requested) for step in stored.steps
    ]


def write_live(provider: TracerProvider, spans: list[SpanRecord]) -> None:
    """Start and end *spans* with *provider* in the order of their times."""
    moments = [(span.start_ns, 1, number, span) for number, span in enumerate(spans)]
    moments += [(span.end_ns, 0, -number, span) for number, span in enumerate(spans)]
    live: dict[str, Span] = {}
    for at_ns, starts, _, span in sorted(moments, key=lambda moment: moment[:3]):
        if starts:
            parent = live.get(span.parent_id)
            live[span.span_id] = provider.get_tracer(span.instrumentation or "tests").start_span(
                span.name,
                None if parent is None else set_span_in_context(parent),
                start_time=at_ns,
                attributes=span.attributes,  # type: ignore[arg-type] # every value here is one of OpenTelemetry's
            )
        else:
            for event in span.events:
                live[span.span_id].add_event(event.name, event.attributes, timestamp=at_ns)  # type: ignore[arg-type] # as above
            live[span.span_id].end(at_ns)


def test_every_dialect_has_a_writer() -> None:
    seen = [record for writer in WRITERS.values() for record in spans_of(writer)]
    seen.append(SpanRecord("7" * 32, "8" * 16, "", "human_approval", 0, 1, {}))
    seen.append(SpanRecord("7" * 32, "8" * 16, "", "retrieval", 0, 1, {"gen_ai.operation.name": "retrieval"}))
    for dialect in DIALECTS:
        assert any(dialect.describe(record) is not None for record in seen), dialect
