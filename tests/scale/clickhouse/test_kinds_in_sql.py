"""SQL classifies spans as the dialects do: recorded ones, and drawn mixtures of all vocabularies."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from otel_parallelism.analysis.turns.tree import is_bookkeeping
from otel_parallelism.dialects import DIALECTS, classify
from otel_parallelism.dialects.people import WAITING_NAMES
from otel_parallelism.model import Call, Observation, Passage, SpanRecord, Step, TurnSpan
from otel_parallelism.readers.otlp_json import read_otlp_json
from otel_parallelism.scale.clickhouse.dialect_rule import CALL, NONE, STEP, TURN, UNKNOWN, WAITING
from otel_parallelism.scale.clickhouse.span_kinds import kind_stages
from otel_parallelism.settings import BOOKKEEPING, Settings
from tests.scale.clickhouse.collector_table import TABLE, CollectorTable

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDED: Final = sorted((Path(__file__).parents[2] / "fixtures" / "spans").glob("*.jsonl"))
UNKNOWN_DIALECTS: Final = {"braintrust", "genkit"}
NAMES: Final = (
    *("invoke_agent planner", "execute_tool get_rows", "chat gpt", "agent run", "running 2 tools", "turn", "tools"),
    *("tools_3", "get_rows", "get_rows.tool", "Crew.kickoff", "agent", "model", "tool_node", "Step 4", "x._prepare_y"),
    *("invoke_workflow a", "agent_run [writer]", "Index.aretrieve", "tools/call get_rows", "generate_content x"),
    *("MCP send tools/call get_rows", "claude_code.tool", "claude_code.interaction", "claude_code.llm_request"),
    *(
        "claude_code.tool.blocked_on_user",
        "claude_code.hook",
        "agent_turn",
        "function_tool",
        "llm_node",
        "agent_session",
    ),
    *("haystack.agent.run", "haystack.agent.step", "haystack.agent.step.tool", "haystack.component.run"),
    *("session_task.turn", "try_run_sampling_request", "ai.toolCall", "ai.generateText", "ai.streamText.doStream x"),
    *("ai.embed", "create_agent x", "execute_event_loop_cycle", "get_rows_2", "final_answer", "handoff-b", "Cycle 1"),
    *("Wait for approval: refund", "ask_human_input", "tool_call get_rows", "POST /", "flow.task", ""),
)
VALUES: Final = (
    *("invoke_agent", "execute_tool", "chat", "retrieval", "tool_call", "user_prompt", "invoke_swarm", "create_memory"),
    *("tool", "TOOL", "agent", "AGENT", "workflow", "task", "llm", "LLM", "CHAIN", "RETRIEVER", "generation", "chain"),
    *("retriever", "model_step", "chat_client", "tools/call", "tools/list", "elicitation/create", "Function: {name}"),
    *("Agent run: {name!r}", "pending_span", "turn", "session", "rag", '"TOOL"', '"AGENT"', "prompt", "STEP", "ENTRY"),
    *("CHAT_MODEL", "OpenAIGenerator", "ToolInvoker", "config", "true", "get_rows", "planner", "tools", "model", "x"),
    *("final_answer", "transfer_to_sales", '"get_rows"', "flow", "completion", "ai.toolCall", "ai.streamObject", ""),
)
KEYS: Final = sorted(
    {key for dialect in DIALECTS for key in dialect.keys | dialect.beside_keys}
    | {"gen_ai.agent.name", "gen_ai.workflow.name", "agent_name", "tool.name", "agent.name", "tool_name", "call_id"}
    | {"traceloop.entity.name", "traceloop.workflow.name", "graph.node.name", "retriever.name", "gen_ai.data_source.id"}
    | {"langsmith.metadata.langgraph_node", "langsmith.metadata.lc_agent_name", "langsmith.metadata.langgraph_path"}
    | {"langfuse.observation.metadata.langgraph_node", "langfuse.observation.metadata.lc_agent_name", "name"}
    | {"source", "llm_request.context", "haystack.component.type", "haystack.tool.name", "mlflow.spanFunctionName"}
    | {"operation.name", "agentops.entity.name", "ioa_observe.entity.name", "lk.function_tool.name", "logfire.msg"}
    | {"ai.toolCall.name", "ai.telemetry.functionId", "tool_name_safe", "lk.agent_label", "metadata"}
)
SCOPES: Final = ("agents", "openlit.instrumentation.langgraph", "livekit-agents")


def drawn_spans(number: int) -> Iterator[SpanRecord]:
    choose = random.Random(number)
    for at in range(number):
        name = choose.choice(NAMES)
        attributes: dict[str, object] = {}
        for key in choose.sample(KEYS, k=choose.choice((0, 1, 1, 2, 3, 5))):
            attributes[key] = choose.choice((*VALUES, name, name))
            if key == "metadata":
                node = choose.choice(("langgraph_node", "lc_agent_name", "langgraph_path"))
                colon = choose.choice((": ", ":"))
                attributes[key] = f'{{"{node}"{colon}"{choose.choice((name, "__pregel_push"))}"}}'
        yield SpanRecord(
            f"{at + 1:032x}",
            f"{at + 1:016x}",
            "",
            name,
            10**18,
            10**18 + 5,
            attributes,
            instrumentation=choose.choice(SCOPES),
        )


def kind_of(observation: Observation) -> int:
    if isinstance(observation, Passage):
        return WAITING if observation.waiting else NONE
    if isinstance(observation, Call):
        return NONE if is_bookkeeping(observation.tool, BOOKKEEPING) else CALL
    return STEP if isinstance(observation, Step) else TURN


def expected(span: SpanRecord) -> tuple[Any, ...]:
    """Return the kind, the tool of a call, and the agent and the name of a turn."""
    observation = classify(span)
    kind = kind_of(observation)
    if isinstance(observation, TurnSpan):
        return kind, "", observation.agent, observation.name
    return kind, observation.tool if isinstance(observation, Call) and kind == CALL else "", "", ""


def in_sql(table: CollectorTable) -> dict[tuple[str, str], tuple[Any, ...]]:
    stages = ",\n".join(f"{name} AS ({text})" for name, text in kind_stages(TABLE, Settings()))
    rows = table.rows(f"WITH {stages} SELECT TraceId, SpanId, toUInt8(kind) AS kind, tool, agent, title FROM with_kind")
    return {
        (row["TraceId"], row["SpanId"]): (
            row["kind"],
            row["tool"] if row["kind"] == CALL else "",
            row["agent"] if row["kind"] == TURN else "",
            row["title"] if row["kind"] == TURN else "",
        )
        for row in rows
    }


@pytest.mark.parametrize("source", ["recorded", "drawn"])
def test_kinds_are_those_of_the_dialects(table: CollectorTable, source: str) -> None:
    spans = drawn_spans(12_000) if source == "drawn" else (span for path in RECORDED for span in read_otlp_json(path))
    table.replace(spans)
    found = in_sql(table)
    unknown = {name for name, told in found.items() if told[0] == UNKNOWN}
    stored = list(table.spans())
    assert len(unknown) < len(stored) / 3
    for span in stored:
        if (span.trace_id, span.span_id) in unknown:
            assert any(key.startswith(("genkit:", "braintrust.")) for key in span.attributes), span
        else:
            assert found[span.trace_id, span.span_id] == expected(span), span
    kinds = [told[0] for told in found.values()]
    assert all(kinds.count(kind) > 20 for kind in (NONE, CALL, STEP, TURN)), kinds


def test_most_dialects_have_a_rule(table: CollectorTable) -> None:
    """Of each other dialect some drawn span has a kind; a new dialect needs a rule, or a place in the list."""
    of_dialect = {dialect.describe.__module__.rpartition(".")[2] for dialect in DIALECTS}
    assert of_dialect >= UNKNOWN_DIALECTS
    text = " ".join(text for _, text in kind_stages(TABLE, Settings()))
    assert text.count(f", {UNKNOWN}, {NONE})") == len(UNKNOWN_DIALECTS)


def test_waiting_has_all_names(table: CollectorTable) -> None:
    names = [*WAITING_NAMES, *(f"ask: {name}" for name in WAITING_NAMES), *(f"the {name}: x" for name in WAITING_NAMES)]
    attributes = {"gen_ai.operation.name": "other"}
    table.replace(
        SpanRecord(f"{at + 1:032x}", f"{at + 1:016x}", "", name, 10**18, 10**18 + 5, attributes)
        for at, name in enumerate(names)
    )
    found = in_sql(table)
    assert {span.span_id: found[span.trace_id, span.span_id] for span in table.spans()} == {
        span.span_id: expected(span) for span in table.spans()
    }
