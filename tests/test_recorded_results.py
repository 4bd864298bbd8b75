"""
What was decided while a turn ran, what its span carries, and what its spans tell afterwards, agree.

The recorded spans of every framework are played to a live provider, exported, and analysed again in both ways.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import Span, set_span_in_context

from otel_parallelism import analyze_spans, names
from otel_parallelism.analysis.analyze import analyze_records
from otel_parallelism.dialects import classify
from otel_parallelism.dialects.parsing.result_attributes import recorded_result
from otel_parallelism.model import Caller, Report, SpanEvent, SpanRecord
from otel_parallelism.readers.otlp_json import read_otlp_json
from otel_parallelism.tracing.sdk.records import span_record
from tests.amounts import some_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from tests.conftest import Kit

RECORDED = sorted((Path(__file__).parent / "fixtures" / "spans").glob("*.jsonl"))
EXPERIENCE = "they ran at the same time in"
TURN, S = "a" * 16, 1_000_000_000


def play(provider: TracerProvider, spans: list[SpanRecord]) -> None:
    """Start and end *spans* with *provider* in the order of their times; those without a length end last."""
    moments = [(span.start_ns, 1, number, span) for number, span in enumerate(spans)]
    moments += [(span.end_ns, 2 * (span.end_ns == span.start_ns), -number, span) for number, span in enumerate(spans)]
    live: dict[str, Span] = {}
    for at_ns, phase, _, span in sorted(moments, key=lambda moment: moment[:3]):
        if phase == 1:
            parent = live.get(span.parent_id)
            live[span.span_id] = provider.get_tracer(span.instrumentation or "tests").start_span(
                span.name,
                None if parent is None else set_span_in_context(parent),
                start_time=at_ns,
                attributes=span.attributes,  # type: ignore[arg-type] # every value here is one of OpenTelemetry's
            )
        elif span.span_id in live:
            for event in span.events:
                live[span.span_id].add_event(event.name, event.attributes, timestamp=at_ns)  # type: ignore[arg-type] # as above
            live[span.span_id].end(at_ns)


def result(report: Report) -> dict[str, Any]:
    """Return what a report says of a turn."""
    return {
        "turn": report.turn.span_id,
        "verdict": report.verdict,
        "calls": report.calls,
        "ratio": report.ratio,
        "efficiency": report.efficiency,
        "floor": report.efficiency_floor,
        "avoidable": report.avoidable,
        "perhaps": report.avoidable_potential,
        "cause": report.cause,
        "steps": report.avoidable_steps,
        "recommendation": report.recommendation,
        "findings": [
            (one.kind, one.cause, one.advice, one.calls, one.span_ids, one.avoidable, one.recommendation)
            for one in report.findings
        ],
        # The process remembers more earlier turns than one file has.
        "evidence": [[text for text in one.evidence if EXPERIENCE not in text] for one in report.findings],
    }


OVER_BEFORE_THEIR_CALLS = "llama_index-traceloop"
"""The spans of its turns end with the model's first answer, so that they can carry no result of the calls."""


@pytest.mark.many
@pytest.mark.parametrize(
    "path", some_of([path for path in RECORDED if path.stem != OVER_BEFORE_THEIR_CALLS], 6), ids=lambda p: p.stem
)
def test_live_recorded_and_recomputed_results_agree(path: Path, kit: Kit) -> None:
    play(kit.provider, list(read_otlp_json(path)))
    live = sorted((result(report) for report in kit.reports), key=lambda one: str(one["turn"]))
    spans = [span_record(span, 0) for span in kit.spans]
    for recompute in (False, True):
        stored = analyze_spans(spans, settings=kit.settings, recompute=recompute)
        found = sorted((result(report) for report in stored.reports), key=lambda one: str(one["turn"]))
        assert found == live, "recomputed" if recompute else "recorded"
        assert not any("--recompute" in note for report in stored.reports for note in report.notes)


def recorded_spans(*, verdict: object = "sequential", **others: object) -> list[SpanRecord]:
    """A turn of two writes by their names, recorded as reads that need not wait."""
    finding = {
        names.FINDING_KIND: "sequential_chain",
        names.FINDING_CAUSE: "code",
        names.FINDING_ADVICE: "recommended",
        names.FINDING_TOOLS: ("write_a", "write_b"),
        names.FINDING_AVOIDABLE: 1.0,
        names.FINDING_EVIDENCE: ("both are declared to read",),
        names.CALLER_FILE_PATH: "agent.py",
        names.CALLER_LINE_NUMBER: 7,
    }
    attributes: dict[str, object] = {
        "gen_ai.operation.name": "invoke_agent",
        names.VERDICT: verdict,
        names.RATIO: 1.0,
        names.EFFICIENCY: 0.5,
        names.EFFICIENCY_FLOOR: 0.5,
        names.AVOIDABLE: 1.0,
        names.CAUSE: "code",
        names.RECOMMENDATION: "Await them together.",
        names.CALLS: 2,
        names.CHAINS: 1,
        names.MAX_CHAIN_LENGTH: 2,
        **{f"{names.PREFIX}{key}": value for key, value in others.items()},
    }
    spans = [
        SpanRecord("t", TURN, "", "invoke_agent", S, 3 * S, attributes, (SpanEvent(names.FINDING_EVENT, finding),))
    ]
    for at, tool in enumerate(("write_a", "write_b")):
        called = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool}
        spans.append(SpanRecord("t", f"{at:016x}", TURN, tool, (1 + at) * S, (2 + at) * S, called))
    return spans


def test_recorded_result_is_shown() -> None:
    (report,) = analyze_spans(recorded_spans()).reports
    assert (report.verdict, report.efficiency, report.avoidable, report.cause) == ("sequential", 0.5, 1.0, "code")
    (finding,) = report.findings
    assert finding.calls == ("write_a", "write_b")
    assert finding.span_ids == (f"{0:016x}", f"{1:016x}")
    assert (finding.location, finding.recommendation) == (Caller("agent.py", 7), "Await them together.")
    assert report.avoidable_by_cause == {"code": 1.0}
    assert any("--recompute" in note for note in report.notes)


def test_recompute_works_the_result_out_anew() -> None:
    spans = recorded_spans()
    (report,) = analyze_spans(spans, recompute=True).reports
    assert report.avoidable == 0
    assert report == analyze_records(spans, classify).reports[0]


@pytest.mark.parametrize("verdict", ["brilliant", 7, None])
def test_unknown_verdict_is_no_result(verdict: object) -> None:
    spans = recorded_spans(verdict=verdict)
    assert recorded_result(spans[0]) is None
    assert analyze_spans(spans) == analyze_spans(spans, recompute=True)


def test_values_of_other_types_are_left_out() -> None:
    (span, *_) = recorded_spans(ratio="fast", efficiency="high", calls=[2])
    found = recorded_result(span)
    assert found is not None
    assert (found.ratio, found.efficiency, found.calls, found.avoidable) == (None, None, None, 1.0)


def test_result_recorded_before_the_calls_is_not_shown() -> None:
    spans = recorded_spans(calls=0)
    assert analyze_spans(spans) == analyze_spans(spans, recompute=True)


def test_calls_that_are_missing_are_mentioned() -> None:
    (report,) = analyze_spans(recorded_spans(calls=5)).reports
    assert report.calls == 5
    assert "5 calls were recorded; this input has 2 of them" in report.notes


def test_finding_on_calls_that_are_missing_has_no_spans() -> None:
    turn, *calls = recorded_spans()
    (report,) = analyze_spans([turn, calls[0]]).reports
    (finding,) = report.findings
    assert (finding.calls, finding.span_ids) == (("write_a", "write_b"), ())
