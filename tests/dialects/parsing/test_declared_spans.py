"""Spans of an unknown vocabulary that the settings declare, stored and live."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from otel_parallelism import analyze_spans
from otel_parallelism.dialects import classifier, classify
from otel_parallelism.model import Call, Passage, SpanRecord, Step, TurnSpan
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_parallelism.model import Content
    from tests.conftest import Kit

    Make = Callable[..., SpanRecord]
    Read = Callable[[Content | None], object]

DECLARED = Settings(call_spans=("fda.*", "kind=tool"), model_spans=("llm*",), turn_spans=("run_*", "root=true"))


@pytest.mark.parametrize(
    ("name", "attributes", "kind"),
    [
        ("fda.search", {}, Call),
        ("FDA.search", {}, Call),
        ("my fda.search", {}, Passage),
        ("search", {"kind": "TOOL"}, Call),
        ("search", {"kind": "other"}, Passage),
        ("llm_chat", {}, Step),
        ("run_agent", {}, TurnSpan),
        ("main", {"root": True}, TurnSpan),
        ("main", {"root": False}, Passage),
        # What the user says is believed before any dialect.
        ("fda.search", {"gen_ai.operation.name": "chat"}, Call),
        ("chat fda", {"kind": "tool"}, Call),
        ("fda.search", {"logfire.span_type": "pending_span"}, Passage),
        ("execute_tool get", {"gen_ai.operation.name": "execute_tool"}, Call),
    ],
)
def test_patterns_of_names_and_values_tell_kinds(
    span: Make, name: str, attributes: dict[str, object], kind: type
) -> None:
    assert isinstance(classifier(DECLARED)(span(name, attributes)), kind)


def test_without_patterns_nothing_is_added() -> None:
    assert classifier(Settings()) is classify


def test_contents_are_whole_where_the_key_says_so(span: Make, plain: Read) -> None:
    said = classifier(DECLARED)(span("fda.search", {"arguments": '{"a": 1}', "result": "x", "tool_call_id": "c1"}))
    assert isinstance(said, Call)
    assert (said.tool, said.call_id) == ("fda.search", "c1")
    assert said.arguments is not None
    assert (plain(said.arguments), said.arguments.whole) == ({"a": 1}, True)
    perhaps = classifier(DECLARED)(span("fda.search", {"query": "x", "response": "y", "tool.name": "search"}))
    assert isinstance(perhaps, Call)
    assert perhaps.tool == "search"
    assert perhaps.arguments is not None
    assert perhaps.result is not None
    assert not perhaps.arguments.whole
    assert not perhaps.result.whole


def test_facts_of_a_dialect_are_added(span: Make) -> None:
    attributes = {
        "openinference.span.kind": "CHAIN",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.call.id": "c1",
    }
    said = classifier(DECLARED)(span("run_agent", attributes))
    assert isinstance(said, TurnSpan)
    tool = classifier(DECLARED)(span("fda.search", attributes))
    assert isinstance(tool, Call)
    assert tool.call_id == "c1"


def test_answer_without_calls_may_be_a_part_of_it(span: Make) -> None:
    say = classifier(DECLARED)
    listed = json.dumps([{"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "get"}}]}])
    for output, requested in ((listed, ("c1",)), ('[{"role": "assistant", "content": "hi"}]', None)):
        step = say(span("llm_chat", {"output": output, "usage.prompt_tokens": 7}))
        assert isinstance(step, Step)
        assert (step.requested, step.input_tokens) == (requested, 7)


def unknown_spans() -> list[SpanRecord]:
    """Return a run with two requests and two calls in a vocabulary of its own."""
    names = ("run_agent", "llm_chat", "fda.search", "llm_chat", "fda.search")
    return [
        SpanRecord(
            "7" * 32, f"{at + 1:016x}", f"{1:016x}" if at else "", name, at * 10**9, 10**9 * (at + 1 if at else 5), {}
        )
        for at, name in enumerate(names)
    ]


def test_declared_spans_make_a_turn() -> None:
    (report,) = analyze_spans(unknown_spans(), settings=DECLARED).reports
    assert (report.calls, len(report.turn.steps), report.turn.name) == (2, 2, "run_agent")
    assert [call.tool for call in report.turn.calls] == ["fda.search", "fda.search"]


def test_unknown_spans_are_counted_by_scope_and_name() -> None:
    coverage = analyze_spans(unknown_spans()).coverage
    assert [(each.scope, each.name, each.spans) for each in coverage.unknown] == [
        ("", "fda.search", 2),
        ("", "llm_chat", 2),
        ("", "run_agent", 1),
    ]
    assert analyze_spans(unknown_spans(), settings=DECLARED).coverage.unknown == ()


def test_declared_spans_make_a_turn_live(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(DECLARED)
    tracer = kit.provider.get_tracer("mine")
    with tracer.start_as_current_span("run_agent"):
        for name in ("llm_chat", "fda.search", "late"):
            with tracer.start_as_current_span(name) as inner:
                if name == "late":
                    inner.set_attribute("kind", "tool")
    (report,) = kit.reports
    assert [call.tool for call in report.turn.calls] == ["fda.search", "late"]
    assert len(report.turn.steps) == 1
