"""What is particular to the vocabularies of SDKs and platforms; `test_agreement.py` covers what they have in common."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from otel_parallelism import analyze_spans
from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, Passage, SpanRecord, Step, TurnSpan

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_parallelism.model import Content

    Make = Callable[..., SpanRecord]
    Read = Callable[[Content | None], object]


def test_vercel_request_without_recorded_outputs_may_have_asked_for_tools(span: Make) -> None:
    asked = {"ai.operationId": "ai.streamText.doStream"}
    for finish, requested in (("tool-calls", None), ("stop", ()), ("", None)):
        attributes = asked | ({"ai.response.finishReason": finish} if finish else {})
        seen = classify(span("ai.streamText.doStream", attributes))
        assert isinstance(seen, Step)
        assert seen.requested == requested


def test_vercel_embedding_is_a_passage(span: Make) -> None:
    assert isinstance(classify(span("ai.embed", {"ai.operationId": "ai.embed"})), Passage)


def test_vercel_run_is_named_after_its_function(span: Make) -> None:
    attributes = {"ai.operationId": "ai.generateObject", "ai.telemetry.functionId": "plan-trip"}
    seen = classify(span("ai.generateObject", attributes))
    assert isinstance(seen, TurnSpan)
    assert (seen.agent, seen.name) == ("plan-trip", "plan-trip")


def test_vercel_calls_that_are_cut_off_are_unknown(span: Make) -> None:
    attributes = {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.response.toolCalls": '[{"toolCallId":"call_1"},{"to',
    }
    seen = classify(span("ai.generateText.doGenerate", attributes))
    assert isinstance(seen, Step)
    assert seen.requested is None


@pytest.mark.parametrize("kind", ["chat_client_advisor", "advisor", "vector_store"])
def test_spring_advisor_is_a_passage(span: Make, kind: str) -> None:
    seen = classify(span("call_advisor", {"gen_ai.operation.name": "framework", "spring.ai.kind": kind}))
    assert isinstance(seen, Passage)


def test_mlflow_types_are_read_with_and_without_quotes(span: Make, plain: Read) -> None:
    for kind in ("TOOL", '"TOOL"'):
        seen = classify(
            span("get", {"mlflow.spanType": kind, "mlflow.spanInputs": '{"a": 1}', "mlflow.spanOutputs": '"x"'})
        )
        assert isinstance(seen, Call)
        assert (seen.tool, plain(seen.arguments), plain(seen.result)) == ("get", {"a": 1}, "x")


def test_mlflow_tool_with_a_number_in_its_own_name_keeps_it(span: Make) -> None:
    numbered = {"mlflow.spanType": "TOOL", "mlflow.spanFunctionName": '"step_2"'}
    for name in ("step_2", "step_2_1"):
        seen = classify(span(name, numbered))
        assert isinstance(seen, Call)
        assert seen.tool == "step_2"


def test_mlflow_retriever_reads(span: Make) -> None:
    seen = classify(span("search", {"mlflow.spanType": '"RETRIEVER"', "mlflow.spanInputs": '"q"'}))
    assert isinstance(seen, Call)
    assert (seen.effect, seen.arguments is not None and seen.arguments.whole) == ("read", False)


def test_mlflow_tokens_in_an_attribute_of_their_own(span: Make) -> None:
    seen = classify(span("chat", {"mlflow.spanType": '"LLM"', "mlflow.chat.tokenUsage.input_tokens": 7}))
    assert isinstance(seen, Step)
    assert seen.input_tokens == 7


GENERATE = {"genkit:type": "util", "genkit:name": "generate"}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/{generate,t:util}", TurnSpan),
        ("/{generate,t:util}/{generate,t:util}", Passage),
        ("/{trip,t:flow}/{generate,t:util}", Passage),
        ("/{trip,t:action,s:flow}/{generate,t:util}", Passage),
        ("/{trip,t:flow}/{ask,t:action,s:tool}/{generate,t:util}", TurnSpan),
        ("/{trip,t:flow}/{ask,t:action,s:tool.v2}/{generate,t:util}/{generate,t:util}", Passage),
        ("/{trip,t:flow}/{ask,t:action,s:tool}/{inner,t:flow}/{generate,t:util}", Passage),
    ],
)
def test_genkit_generate_is_a_run_if_it_is_outermost(span: Make, path: str, kind: type) -> None:
    assert isinstance(classify(span("generate", GENERATE | {"genkit:path": path})), kind)


def test_genkit_request_without_refs_has_unknown_ids(span: Make) -> None:
    output = {"message": {"role": "model", "content": [{"toolRequest": {"name": "get", "input": {}}}]}}
    seen = classify(
        span("m", {"genkit:type": "action", "genkit:metadata:subtype": "model", "genkit:output": json.dumps(output)})
    )
    assert isinstance(seen, Step)
    assert seen.requested is None


def test_genkit_retriever_reads_and_a_failed_tool_failed(span: Make) -> None:
    base = {"genkit:type": "action", "genkit:name": "docs"}
    found = classify(span("docs", base | {"genkit:metadata:subtype": "retriever"}))
    failed = classify(span("docs", base | {"genkit:metadata:subtype": "tool", "genkit:state": "error"}))
    assert isinstance(found, Call)
    assert isinstance(failed, Call)
    assert (found.effect, failed.error) == ("read", True)


@pytest.mark.parametrize("kind", ["task", "session", "operation"])
def test_agentops_parts_of_a_run_are_passages(span: Make, kind: str) -> None:
    assert isinstance(classify(span(f"x.{kind}", {"agentops.span.kind": kind})), Passage)


@pytest.mark.parametrize("kind", ["TOOL", "tool"])
def test_genai_span_kind_is_read_in_any_case(span: Make, kind: str) -> None:
    seen = classify(span("execute_tool get", {"gen_ai.span.kind": kind, "gen_ai.tool.name": "get"}))
    assert isinstance(seen, Call)
    assert seen.tool == "get"


def test_genai_span_kind_step_is_a_round(span: Make) -> None:
    seen = classify(span("react step", {"gen_ai.span.kind": "STEP"}))
    assert isinstance(seen, Passage)
    assert seen.cycle


def test_livekit_names_alone_say_nothing(span: Make) -> None:
    for name in ("agent_turn", "llm_node", "function_tool"):
        assert isinstance(classify(span(name, {"mine": 1})), Passage)


def test_livekit_request_inside_its_node_is_one_step_with_its_tokens() -> None:
    def record(number: int, parent: int, name: str, start_s: int, end_s: int, **attributes: object) -> SpanRecord:
        parent_id = f"{parent:016x}" if parent else ""
        named = {key.replace("__", "."): value for key, value in attributes.items()}
        times = start_s * 10**9, end_s * 10**9
        return SpanRecord("7" * 32, f"{number:016x}", parent_id, name, *times, named, instrumentation="livekit-agents")

    calls = json.dumps([{"id": "item_1", "call_id": "call_1", "name": "get", "arguments": "{}"}])
    spans = [
        # Newer versions write the conventions' attributes too.
        record(9, 0, "agent_session", 0, 9, gen_ai__operation__name="invoke_workflow"),
        record(1, 9, "agent_turn", 0, 9),
        record(2, 1, "llm_node", 0, 2, lk__pii__response__function_calls=calls),
        record(3, 2, "llm_request", 0, 2, gen_ai__usage__input_tokens=40),
        record(4, 1, "function_tool", 2, 4, lk__function_tool__id="call_1", lk__function_tool__name="get"),
        record(5, 1, "function_tool", 4, 6, lk__function_tool__id="call_2", lk__function_tool__name="get"),
    ]
    (report,) = analyze_spans(spans).reports
    (step,) = report.turn.steps
    assert (step.requested, step.input_tokens) == (("call_1",), 40)
    assert [call.proved for call in report.turn.calls] == [True, False]


def test_livekit_tool_that_failed(span: Make) -> None:
    seen = classify(span("function_tool", {"lk.function_tool.name": "get", "lk.function_tool.is_error": True}))
    assert isinstance(seen, Call)
    assert seen.error


def test_langwatch_retrieval_reads_its_contexts(span: Make, plain: Read) -> None:
    attributes = {"langwatch.span.type": "rag", "langwatch.rag_contexts": '[{"document_id": "d1", "content": "text"}]'}
    seen = classify(span("search", attributes))
    assert isinstance(seen, Call)
    assert seen.effect == "read"
    assert plain(seen.result) == [{"document_id": "d1", "content": "text"}]


def test_langwatch_list_of_values(span: Make, plain: Read) -> None:
    given = {"type": "list", "value": [{"type": "text", "value": "a"}, {"type": "json", "value": {"b": 1}}]}
    seen = classify(span("get", {"langwatch.span.type": "tool", "langwatch.input": json.dumps(given)}))
    assert isinstance(seen, Call)
    assert plain(seen.arguments) == ["a", {"b": 1}]


@pytest.mark.parametrize("details", ["[]", "{", '{"type": 3}', "tool"])
def test_braintrust_attributes_of_another_form_are_ignored(span: Make, details: str) -> None:
    assert isinstance(classify(span("x", {"braintrust.span_attributes": details})), Passage)


def test_braintrust_name_in_the_attributes(span: Make) -> None:
    seen = classify(span("span 1", {"braintrust.span_attributes": '{"type": "tool", "name": "get"}'}))
    assert isinstance(seen, Call)
    assert seen.tool == "get"


def test_agntcy_workflow_is_a_run_and_a_task_is_none(span: Make) -> None:
    assert isinstance(classify(span("x.workflow", {"ioa_observe.span.kind": "workflow"})), TurnSpan)
    assert isinstance(classify(span("x.task", {"ioa_observe.span.kind": "task"})), Passage)
