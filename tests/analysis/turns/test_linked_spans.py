"""Spans that link to what caused them, instead of having it as a parent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from analysis.turns.scattered import agent, chat, record, tool

from otel_parallelism import analyze_spans

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

CAUSED, INFORMED, RETRIED = ("CAUSED_BY_GENERATION",), ("INFORMED_BY",), ("RETRY_OF",)


def run(*others: SpanRecord, end: float = 10) -> list[SpanRecord]:
    """Return an agent run with one request, and *others*."""
    return [
        agent("run", 0, end, trace_id="t"),
        chat("m1", 0, 1, ("a", "b"), ("hi",), trace_id="t", parent_id="run", conversation=""),
        *others,
    ]


def far(span_id: str, start: float, end: float, *links: str, **fields: Any) -> SpanRecord:
    """Return a call in a trace of its own."""
    return tool(span_id, start, end, conversation="", links=links, **fields)


def calls(spans: list[SpanRecord]) -> list[dict[str, str]]:
    """Return the calls of each turn, with the call that each runs inside."""
    return [{call.span_id: call.scope for call in one.turn.calls} for one in analyze_spans(spans).reports]


@pytest.mark.parametrize(
    "links",
    [
        pytest.param({"links": ("m1",), "link_types": CAUSED}, id="the request, typed"),
        pytest.param({"links": ("m1",)}, id="the request"),
        pytest.param({"links": ("run",)}, id="the run"),
        pytest.param({"links": ("gone", "m1")}, id="and to an unknown span"),
    ],
)
def test_linked_call_belongs_to_the_turn(links: dict[str, Any]) -> None:
    spans = run(*(tool(name, at, at + 2, conversation="", **links) for at, name in ((1, "a"), (3, "b"))))
    assert calls(spans) == [{"a": "", "b": ""}]
    (report,) = analyze_spans(spans).reports
    assert (report.cause, report.avoidable, report.turn.span_id) == ("dispatch", 2.0, "run")


def test_call_inside_a_linked_call_and_its_worker() -> None:
    worker = record("worker", 1, 4, {}, trace_id="w")
    spans = run(far("a", 1.1, 3.9, "m1", trace_id="w", parent_id="worker"), worker, far("x", 1.5, 2, "a"))
    assert calls(spans) == [{"a": "", "x": "a"}]


def test_retry_runs_beside_what_it_retries() -> None:
    spans = run(far("a", 1, 2, "m1"), far("b", 2.5, 3, "a", link_types=RETRIED))
    assert calls(spans) == [{"a": "", "b": ""}]


@pytest.mark.parametrize(
    "spans",
    [
        pytest.param(run(far("a", 1, 2, "nothing")), id="unknown span"),
        pytest.param(run(far("a", 1, 2, "a")), id="itself"),
        pytest.param(run(far("a", 1, 2, "b"), far("b", 1, 2, "a")), id="each other"),
        pytest.param(run(far("a", 11, 12, "run")), id="a run that was over"),
        pytest.param(run(far("a", -2, -1, "m1")), id="a request that came later"),
        pytest.param(run(far("a", 1, 2, "m1", link_types=("SEE_ALSO",))), id="a type that is no cause"),
        pytest.param(run(far("a", 1, 2, "run", link_types=CAUSED)), id="a type that does not fit"),
        pytest.param(
            [
                *run(far("a", 1, 2, "m1", "m9")),
                agent("other", 0, 9, trace_id="u"),
                chat("m9", 0, 1, ("a",), trace_id="u", parent_id="other", conversation=""),
            ],
            id="two turns",
        ),
        pytest.param([*run(far("a", 1, 2, "m1")), record("m1", 0, 1, {})], id="an id of two spans"),
    ],
)
def test_wrong_links_change_nothing(spans: list[SpanRecord]) -> None:
    assert "a" not in {call for turn in calls(spans) for call in turn}
    analysis = analyze_spans(spans)
    assert analysis.coverage.calls_without_turn == sum(s.span_id in "ab" for s in spans)


def test_turn_that_links_to_an_earlier_turn_stays_one() -> None:
    later = [agent("next", 5, 9, links=("run",), trace_id="u"), far("c", 6, 7, trace_id="u", parent_id="next")]
    assert calls([*run(far("a", 1, 2, "m1")), *later]) == [{"a": ""}, {"c": ""}]


def test_typed_links_hold_a_turn_together() -> None:
    def asked(name: str, start: float, calls: tuple[str, ...], *links: str, said: tuple[str, ...]) -> SpanRecord:
        types = INFORMED * len(links)
        return chat(name, start, start + 1, calls, said, conversation="", links=links, link_types=types)

    spans = [
        asked("m1", 0, ("a", "b"), said=("hi",)),
        far("a", 1, 2, "m1", link_types=CAUSED),
        far("b", 2, 3, "m1", link_types=CAUSED),
        asked("m2", 3, (), "a", "b", said=("hi",)),
        asked("m3", 60, ("c", "d"), "a", "b", said=("hi", "again")),
        far("c", 61, 62, "m3", link_types=CAUSED),
        far("d", 61, 62, "m3", link_types=CAUSED),
    ]
    assert calls(spans) == [{"a": "", "b": ""}, {"c": "", "d": ""}]
    untyped = [far(one.span_id, 1, 2, "m1") if one.span_id in "ab" else one for one in spans[:3]]
    assert calls(untyped) == []
