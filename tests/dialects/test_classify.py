from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from otel_parallelism import dialects
from otel_parallelism.dialects import NAMES, classify, is_named, is_tool_call
from otel_parallelism.model import Call, Content, Passage, SpanEvent, SpanRecord, Step, TurnSpan
from otel_parallelism.readers.any_format import read_spans

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., SpanRecord]
    Read = Callable[[Content | None], object]

RECORDED = sorted((Path(__file__).parents[1] / "fixtures" / "spans").iterdir())
EXECUTE = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather"}


def test_observation_keeps_ids_and_times_of_its_span(span: Make) -> None:
    for attributes in (EXECUTE, {"gen_ai.operation.name": "chat"}, {"gen_ai.operation.name": "invoke_agent"}, {}):
        record = span("anything", attributes, instrumentation="scope")
        seen = classify(record)
        assert (seen.trace_id, seen.span_id, seen.parent_id) == (record.trace_id, record.span_id, record.parent_id)
        assert (seen.start_ns, seen.end_ns) == (record.start_ns, record.end_ns)
        assert (seen.source, seen.instrumentation) == ("checkout 1", "scope")


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("GET /users", {"http.request.method": "GET", "url.full": "http://127.0.0.1/users"}),
        ("SELECT orders", {"db.system.name": "postgresql", "db.query.text": "select 1"}),
        ("ours get_weather", {}),
        ("create_agent stubagent", {"gen_ai.operation.name": "create_agent", "gen_ai.agent.name": "stubagent"}),
        ("embeddings model", {"gen_ai.operation.name": "embeddings"}),
        ("AutoFunctionInvocationLoop", {"sk.available_functions": "a,b"}),
        ("running errands", {}),
        ("chat with a friend", {}),
        ("", {}),
    ],
)
def test_other_spans_are_passages(span: Make, name: str, attributes: dict[str, object]) -> None:
    seen = classify(span(name, attributes))
    assert isinstance(seen, Passage)
    assert seen.name == name
    assert not seen.cycle


def test_passage_keeps_remote_parent(span: Make) -> None:
    record = span("GET /")
    remote = SpanRecord(
        record.trace_id, record.span_id, record.parent_id, record.name, 1, 2, record.attributes, remote_parent=True
    )
    seen = classify(remote)
    assert isinstance(seen, Passage)
    assert seen.remote_parent


def test_facts_of_two_dialects_are_combined(span: Make, plain: Read) -> None:
    seen = classify(
        span(
            "execute_tool get_weather",
            {
                **EXECUTE,
                "gen_ai.tool.call.id": "call_0",
                "openinference.span.kind": "TOOL",
                "tool.name": "helper.get_weather",
                "input.value": '{"city": "Oslo"}',
                "output.value": "rain",
            },
        )
    )
    assert isinstance(seen, Call)
    assert (seen.tool, seen.call_id) == ("get_weather", "call_0")
    assert plain(seen.arguments) == {"city": "Oslo"}
    assert plain(seen.result) == "rain"


def test_whole_content_replaces_truncated_content(span: Make, plain: Read) -> None:
    seen = classify(
        span(
            "x",
            {
                **EXECUTE,
                "gen_ai.tool.call.result": '{"orders": ["ord_1", "or',
                "openinference.span.kind": "TOOL",
                "output.value": '{"orders": ["ord_1", "ord_2"]}',
            },
        )
    )
    assert isinstance(seen, Call)
    assert seen.result is not None
    assert seen.result.whole
    assert plain(seen.result) == {"orders": ["ord_1", "ord_2"]}


class TestKinds:
    """Spans whose dialects, or whose attributes, contradict each other."""

    def test_operation_name_overrules_openinference_kind(self, span: Make) -> None:
        attributes = {"gen_ai.operation.name": "invoke_agent", "openinference.span.kind": "LLM"}
        assert isinstance(classify(span("invoke_agent helper", attributes)), TurnSpan)

    def test_run_with_overwritten_operation_is_recognised_by_name(self, span: Make) -> None:
        attributes = {"gen_ai.operation.name": "generate_content", "openinference.span.kind": "LLM"}
        seen = classify(span("invoke_agent helper", attributes))
        assert isinstance(seen, TurnSpan)
        assert seen.agent == "helper"

    @pytest.mark.parametrize(
        "attributes",
        [
            {"gen_ai.operation.name": "chat", "openinference.span.kind": "TOOL"},
            {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather"},
            {"openinference.span.kind": "TOOL", "tool.name": "get_weather"},
            {"traceloop.span.kind": "tool", "traceloop.entity.name": "get_weather"},
        ],
    )
    def test_model_request_named_chat_is_a_step(self, span: Make, attributes: dict[str, object]) -> None:
        assert isinstance(classify(span("chat gpt-4o", attributes)), Step)

    def test_tool_named_chat_is_a_call(self, span: Make) -> None:
        seen = classify(span("chat", {"openinference.span.kind": "TOOL", "tool.name": "chat"}))
        assert isinstance(seen, Call)
        assert seen.tool == "chat"

    def test_task_overrules_operation_name_of_a_run(self, span: Make) -> None:
        attributes = {"gen_ai.operation.name": "invoke_agent", "traceloop.span.kind": "task"}
        assert isinstance(classify(span("Tell the weather.task", attributes)), Passage)

    def test_chain_does_not_overrule_operation_name(self, span: Make) -> None:
        attributes = {"gen_ai.operation.name": "invoke_workflow", "openinference.span.kind": "CHAIN"}
        assert isinstance(classify(span("invoke_workflow helper", attributes)), TurnSpan)


class TestFailures:
    @pytest.mark.parametrize(
        ("attributes", "error", "failed"),
        [
            ({}, False, False),
            ({}, True, True),
            ({"error.type": "timeout"}, False, True),
            ({"gen_ai.tool.status": "error"}, False, True),
            ({"gen_ai.tool.status": "success"}, False, False),
        ],
    )
    def test_status_error_type_or_tool_status_marks_failure(
        self, span: Make, attributes: dict[str, object], error: bool, failed: bool
    ) -> None:
        seen = classify(span("x", {**EXECUTE, **attributes}, error=error))
        assert isinstance(seen, Call)
        assert seen.error is failed


_KEYS = st.sampled_from(
    [
        *sorted(dialects.KEYS),
        *("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
        *("gen_ai.completion.0.tool_calls.0.id", "gen_ai.prompt.0.role", "gen_ai.prompt.0.content", "events"),
        *("llm.output_messages.0.message.tool_calls.0.tool_call.id", "llm.input_messages.0.message.role"),
        *("input.value", "output.value", "metadata", "tool.name", "llm.token_count.prompt", "error.type"),
        *("traceloop.entity.name", "traceloop.entity.input", "traceloop.entity.output", "tool.arguments"),
        *("langfuse.observation.input", "langfuse.observation.output", "langfuse.observation.usage_details"),
        *("haystack.agent.input", "haystack.agent.step.llm.output", "haystack.component.type"),
        *("agent.parallelism.effect", "agent.parallelism.depends_on", "agent.parallelism.queue_time"),
    ]
)
_WORDS = st.sampled_from(
    [
        *(
            "invoke_agent",
            "execute_tool",
            "chat",
            "TOOL",
            "LLM",
            "AGENT",
            "CHAIN",
            "tool",
            "task",
            "agent",
            "generation",
        ),
        *("tools/call", "user", '{"role":', '[{"role": "user", "content": [{"text": "hi"}]}]', "{'a': (1, b'x')}"),
        '[{"role": "assistant", "parts": [{"type": "tool_call", "id": "1"}]}]',
        '{"output": {"kwargs": 1}, "kwargs": 2}',
    ]
)
_SCALARS = st.one_of(_WORDS, st.text(max_size=30), st.integers(), st.floats(), st.booleans(), st.none(), st.binary())
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)),
    max_leaves=8,
)
_ATTRIBUTES = st.dictionaries(st.one_of(_KEYS, st.text(max_size=20)), _VALUES, max_size=8)
_NAMES = st.one_of(
    st.sampled_from(["tools/call x", "haystack.agent.step.llm", "haystack.agent.run", "haystack.component.run"])
    | st.sampled_from(["execute_tool x", "Step 1", "turn", "tools", "chat gpt", "agent_run [x]", "running 2 tools"]),
    st.text(max_size=20),
)


def _contents(seen: Any) -> list[Content]:
    fields = ("arguments", "result", "messages", "input")
    return [content for field in fields if (content := getattr(seen, field, None)) is not None]


_EVENTS = st.lists(st.tuples(st.sampled_from(["gen_ai.choice", "gen_ai.user.message", "e"]), _ATTRIBUTES), max_size=3)


@given(name=_NAMES, attributes=_ATTRIBUTES, events=_EVENTS)
def test_no_span_raises(name: str, attributes: dict[str, object], events: list[tuple[str, dict[str, object]]]) -> None:
    record = SpanRecord("t", "s", "", name, 1, 2, attributes, tuple(SpanEvent(*event) for event in events))
    seen = classify(record)
    assert isinstance(seen, Call | Step | TurnSpan | Passage)
    for content in _contents(seen):
        assert content.parse is not None
        content.parse(content.value)
        assert pickle.loads(pickle.dumps(content.parse)) is content.parse  # noqa: S301 - our own function


@given(value=_VALUES)
def test_no_content_raises(value: object) -> None:
    for key in ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"):
        seen = classify(SpanRecord("t", "s", "", "x", 1, 2, {**EXECUTE, key: value}))
        for content in _contents(seen):
            assert content.parse is not None
            content.parse(content.value)


def test_span_is_named_if_its_name_starts_with_a_dialects_prefix() -> None:
    assert all(is_named(name) and is_named(f"{name}x") for name in NAMES)
    assert not any(is_named(name[:-1]) for name in NAMES if not any(name[:-1].startswith(other) for other in NAMES))
    assert not any(map(is_named, ("", "G", "GET /", "exec", "run")))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_a_span_that_is_surely_a_call_is_one_whatever_else_it_says(path: Path) -> None:
    for span in read_spans(path):
        if is_tool_call(span.name, span.attributes):
            assert type(classify(span)) is Call
            others = {"gen_ai.operation.name": "chat", "traceloop.span.kind": "agent"}
            for key, value in (dict.fromkeys(span.attributes, 7) | others).items():
                changed = {**span.attributes, key: value}
                assert not is_tool_call(span.name, changed) or type(classify(replace(span, attributes=changed))) is Call


def test_each_mark_of_a_call_is_on_recorded_spans() -> None:
    marks = [dialect.call_mark.key for dialect in dialects.DIALECTS if dialect.call_mark is not None]
    sure = [span for path in RECORDED for span in read_spans(path) if is_tool_call(span.name, span.attributes)]
    assert [key for key in marks if any(key in span.attributes for span in sure)] == marks
    assert len(marks) == 3


@pytest.mark.parametrize(
    ("name", "attributes", "sure"),
    [
        ("execute_tool look", {"gen_ai.operation.name": "execute_tool"}, True),
        ("look", {"openinference.span.kind": "TOOL", "input.value": "{}"}, True),
        ("look", {"openinference.span.kind": "RETRIEVER"}, True),
        ("look.tool", {"traceloop.span.kind": "tool"}, True),
        # These are calls too, but by more than one mark.
        ("look", {"gen_ai.operation.name": "execute_tool"}, False),
        ("look", {"openinference.span.kind": "tool"}, False),
        ("execute_tool look", {"gen_ai.operation.name": "execute_tool", "openinference.span.kind": "TOOL"}, False),
        # These are none.
        ("chat look", {"openinference.span.kind": "TOOL"}, False),
        ("look", {"openinference.span.kind": {"TOOL": 1}}, False),
        ("look", {"openinference.span.kind": "LLM"}, False),
        ("look", {}, False),
    ],
)
def test_which_spans_are_surely_calls(name: str, attributes: dict[str, object], sure: bool) -> None:
    assert is_tool_call(name, attributes) == sure


@pytest.mark.parametrize(
    ("instrumentation", "attributes", "made_by"),
    [
        ("agno", {"openinference.span.kind": "TOOL"}, "agno"),
        ("", {"openinference.span.kind": "TOOL", "tool.name": "t"}, "(openinference.span.kind)"),
        ("", {"traceloop.span.kind": "tool", "gen_ai.operation.name": "execute_tool"}, "(traceloop.span.kind)"),
        ("", {"gen_ai.operation.name": "execute_tool"}, "(gen_ai.operation.name)"),
        ("", {"gen_ai.tool.name": "t"}, ""),
    ],
)
def test_vocabulary_tells_instrumentations_apart_that_a_format_does_not_keep(
    span: Make, instrumentation: str, attributes: dict[str, object], made_by: str
) -> None:
    seen = classify(span("t", attributes, instrumentation=instrumentation))
    assert isinstance(seen, Call)
    assert seen.instrumentation == made_by


@pytest.mark.parametrize(
    ("marks", "events", "failed"),
    [
        ({"error": True}, [], True),
        ({"error": "true"}, [], True),
        ({"tool.status": "error"}, [], True),
        ({"http.response.status_code": 503}, [], True),
        ({"http.status_code": "404"}, [], True),
        ({}, [("exception", {"exception.type": "langgraph.errors.GraphInterrupt"})], False),
        ({}, [("exception", {"exception.type": "TimeoutError"})], True),
        ({"error": False, "tool.status": "success", "http.response.status_code": 200}, [("retry", {})], False),
    ],
)
def test_call_failed_wherever_its_span_says_so(
    span: Make, marks: dict[str, object], events: list[tuple[str, dict[str, object]]], failed: bool
) -> None:
    seen = classify(span("execute_tool t", {"gen_ai.operation.name": "execute_tool", **marks}, events=events))
    assert isinstance(seen, Call)
    assert seen.error is failed


def test_result_beside_an_exception_may_be_a_part(span: Make) -> None:
    for event, whole in (("exception", False), ("retry", True)):
        made = span("execute_tool t", {**EXECUTE, "gen_ai.tool.call.result": '{"rows": [1, 2]}'}, events=[(event, {})])
        seen = classify(made)
        assert isinstance(seen, Call)
        assert seen.result is not None
        assert (seen.error, seen.result.whole) == (False, whole)


def test_a_long_name_is_cut_and_still_its_own(span: Make) -> None:
    tools = set()
    for end in ("a", "b"):
        seen = classify(span("execute_tool", {**EXECUTE, "gen_ai.tool.name": "get_" + "x" * 10_000 + end}))
        assert isinstance(seen, Call)
        assert seen.tool.startswith("get_xxx")
        assert len(seen.tool) == 1_000
        tools.add(seen.tool)
    assert len(tools) == 2
