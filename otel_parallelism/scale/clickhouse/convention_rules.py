"""The rules of conventions and exporters that many frameworks use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_parallelism import names
from otel_parallelism.dialects.genai import OLDER_OPERATION_KINDS, OPERATION_KINDS
from otel_parallelism.dialects.langfuse import OBSERVATION_KINDS
from otel_parallelism.dialects.retrievals import READING_OPERATIONS, WRITING_OPERATIONS

from .dialect_rule import CALL, FIRST_WORD, NONE, PART, STEP, TURN, WAITING, Rule, kind_by_value, kind_where
from .sql_expressions import (
    NAME,
    after,
    attribute,
    attributes,
    contains,
    first_of,
    is_any,
    matches,
    quoted,
    starts_with,
    unquoted,
    without_match,
    without_prefix,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def _genai() -> Rule:
    operation = attribute(names.OPERATION_NAME)
    named_tool = f"{attribute(names.TOOL_NAME)} != '' AND {attribute('mcp.method.name')} = ''"
    without_operation = kind_where(
        (is_any(attribute("llm.request.type"), ["chat", "completion"]), STEP),
        (starts_with(NAME, ["execute_tool "]), CALL),
        (f"{starts_with(NAME, ['invoke_agent'])} OR {NAME} = 'agent run'", TURN),
        (matches(NAME, "execute_event_loop_cycle|running (tools|[0-9]+ tools?)"), PART),
        (f"{named_tool} AND {FIRST_WORD} != 'chat'", CALL),
        (f"{attributes('pydantic_ai.all_messages', 'all_messages_events')} != ''", TURN),
    )
    turn_named_as_step = f"genai_by_operation = {TURN} AND genai_by_name = {STEP}"
    plain_name = without_prefix(without_prefix(NAME, "execute_tool "), "anthropic.custom_tool_use ")
    agent = attributes("gen_ai.agent.name", "gen_ai.workflow.name", "agent_name")
    return Rule(
        parts={
            "genai_by_operation": kind_by_value(operation, OLDER_OPERATION_KINDS | OPERATION_KINDS),
            "genai_by_name": kind_by_value(FIRST_WORD, OPERATION_KINDS),
        },
        # A name that starts with another operation overrules the operation.
        kind=kind_where(
            (f"{operation} = ''", without_operation),
            (f"genai_by_operation = {NONE} OR genai_by_name = {NONE} OR ({turn_named_as_step})", "genai_by_operation"),
            ("1", "genai_by_name"),
        ),
        tool=first_of(attribute(names.TOOL_NAME), plain_name),
        agent=first_of(agent, after(NAME, "invoke_agent ")),
    )


def _openinference() -> Rule:
    kind, metadata = f"upper({attribute('openinference.span.kind')})", attribute("metadata")

    def says(key: str) -> str:
        entries = [f"concat({quoted(start)}, {NAME}, '\"')" for start in (f'"{key}": "', f'"{key}":"')]
        return "(" + " OR ".join(f"position({metadata}, {entry}) > 0" for entry in entries) + ")"

    node = says("langgraph_node")
    named = matches(NAME, "turn|Step [0-9]+|tools|execute_event_loop_cycle|Cycle .+")
    is_cycle = (
        f"NOT {contains(metadata, '__pregel_push')} AND ({named} OR ({contains(f'lower({NAME})', 'tool')} AND {node}))"
    )
    bare = without_prefix(without_prefix(NAME, "invoke_agent "), "agent_run [")
    bare = f"if(endsWith({bare}, ']'), substring({bare}, 1, length({bare}) - 1), {bare})"
    run_suffix = r"\.(a?run|a?kickoff|_?execute(_core)?|on_messages(_stream)?)$"
    tool = without_match(without_prefix(NAME, "execute_tool "), r"\.(a?call|__call__|a?run|tool|a?execute|a?invoke)$")
    retriever = without_match(NAME, r"\._?a?(retrieve|search|query)$")
    return Rule(
        kind=kind_where(
            (f"{kind} = ''", NONE),
            (is_any(kind, ["TOOL", "RETRIEVER"]), CALL),
            (
                f"{kind} = 'LLM' AND position({NAME}, '._prepare_') = 0",
                f"if({starts_with(NAME, ['invoke_agent', 'agent_run [', 'invoke_workflow'])}, {TURN}, {STEP})",
            ),
            (
                f"{kind} = 'AGENT'",
                f"if({is_any(NAME, ['agent', 'model', 'llm', 'call_model'])} AND {node}, {PART}, {TURN})",
            ),
            (says("lc_agent_name"), TURN),
            (is_cycle, PART),
        ),
        tool=first_of(
            attribute("tool.name"),
            f"if({kind} = 'RETRIEVER', {first_of(attribute('retriever.name'), retriever)}, {tool})",
        ),
        agent=first_of(attributes("agent.name", "graph.node.name"), without_match(bare, run_suffix)),
    )


def _traceloop() -> Rule:
    kind = attribute("traceloop.span.kind")
    suffix = r"\.(workflow|agent|task|tool|team)$"
    return Rule(
        # A task is a call if it names a tool; otherwise it is a round or a part of a run.
        kind=kind_where(
            (is_any(kind, ["workflow", "agent"]), TURN),
            (f"{kind} = 'tool' OR ({kind} = 'task' AND {attribute('tool.name')} != '')", CALL),
            (f"{kind} = 'task'", PART),
        ),
        tool=first_of(attributes("tool.name", names.TOOL_NAME, "traceloop.entity.name"), without_match(NAME, suffix)),
        agent=without_match(
            attributes("gen_ai.agent.name", "traceloop.entity.name", "traceloop.workflow.name"), suffix
        ),
    )


def _langfuse() -> Rule:
    observation = f"lower({attribute('langfuse.observation.type')})"

    def metadata(key: str) -> str:
        return unquoted(attribute(f"langfuse.observation.metadata.{key}"))

    turn = f"langfuse_type = {TURN} OR (langfuse_type = {NONE} AND {metadata('lc_agent_name')} = {NAME})"
    model_node = is_any(NAME, ["agent", "model", "llm", "call_model"])
    node = f"{metadata('langgraph_node')} = {NAME}"
    one_call = contains(metadata("langgraph_path"), "__pregel_push")
    cycle = f"{contains(f'lower({NAME})', 'tool')} AND {node} AND NOT {one_call}"
    return Rule(
        parts={"langfuse_type": kind_by_value(observation, OBSERVATION_KINDS)},
        kind=kind_where(
            (f"{observation} = ''", NONE),
            (f"langfuse_type IN ({CALL}, {STEP})", "langfuse_type"),
            (f"({turn}) AND NOT ({model_node} AND {node})", TURN),
            (cycle, PART),
        ),
        tool=NAME,
        agent=NAME,
    )


def _mcp() -> Rule:
    method = attribute("mcp.method.name")
    named = starts_with(NAME, ["tools/call ", "MCP send tools/call "])
    return Rule(
        kind=kind_where(
            (f"{method} = 'elicitation/create'", WAITING),
            (f"{method} NOT IN ('', 'tools/call')", PART),
            (f"{method} = 'tools/call' OR {named}", CALL),
        ),
        tool=first_of(attribute(names.TOOL_NAME), f"if({named}, {after(NAME, 'tools/call ')}, '')"),
    )


def _retrievals() -> Rule:
    source = attributes("gen_ai.data_source.id", "gen_ai.memory.store.id", "gen_ai.memory.store.name")
    of_source = f"if(({source}) != '', concat({attribute(names.OPERATION_NAME)}, ' ', {source}), {NAME})"
    return Rule(
        kind=f"if({is_any(attribute(names.OPERATION_NAME), READING_OPERATIONS | WRITING_OPERATIONS)}, {CALL}, {NONE})",
        tool=first_of(attribute(names.TOOL_NAME), of_source),
    )


def _openlit() -> Rule:
    node = attribute("gen_ai.agent.id")
    is_node = (
        f"ScopeName = 'openlit.instrumentation.langgraph' AND {attribute(names.OPERATION_NAME)} = 'invoke_agent'"
        f" AND {node} != '' AND {node} = {attribute('gen_ai.agent.name')}"
    )
    return Rule(
        kind=kind_where(
            (f"{is_node} AND {is_any(node, ['agent', 'model', 'llm', 'call_model'])}", STEP),
            (f"{is_node} AND {node} = 'tools'", PART),
        )
    )


def _langsmith() -> Rule:
    kind = attribute("langsmith.span.kind")
    node = f"{attribute('langsmith.metadata.langgraph_node')} = {NAME} AND {contains(f'lower({NAME})', 'tool')}"
    one_call = contains(attribute("langsmith.metadata.langgraph_path"), "__pregel_push")
    return Rule(
        kind=kind_where(
            (f"{kind} = ''", NONE),
            (f"{kind} = 'tool'", CALL),
            (f"{kind} = 'llm'", STEP),
            (is_any(kind, ["prompt", "parser", "retriever", "embedding"]), PART),
            (f"{attribute('langsmith.metadata.lc_agent_name')} = {NAME}", TURN),
            (f"{node} AND NOT {one_call}", PART),
        ),
        tool=first_of(attribute(names.TOOL_NAME), NAME),
        agent=NAME,
    )


def _genai_span_kind() -> Rule:
    kind = f"upper({attribute('gen_ai.span.kind')})"
    return Rule(
        kind=kind_where(
            (is_any(kind, ["TOOL", "RETRIEVER", "RETRIEVAL"]), CALL),
            (f"{kind} = 'LLM'", STEP),
            (is_any(kind, ["AGENT", "WORKFLOW"]), TURN),
            (is_any(kind, ["STEP", "TASK", "ENTRY"]), PART),
        ),
        tool=first_of(attribute(names.TOOL_NAME), attribute("tool.name"), without_prefix(NAME, "execute_tool ")),
        agent=first_of(attribute("gen_ai.agent.name"), attribute("agent.name"), without_prefix(NAME, "invoke_agent ")),
    )


CONVENTION_RULES: Final[Mapping[str, Rule]] = {
    "genai": _genai(),
    "genai_span_kind": _genai_span_kind(),
    "langfuse": _langfuse(),
    "langsmith": _langsmith(),
    "mcp_spans": _mcp(),
    "native": Rule(kind=str(NONE)),
    "openinference": _openinference(),
    "openlit": _openlit(),
    "retrievals": _retrievals(),
    "traceloop": _traceloop(),
}
"""The rules by the names of the dialects' modules."""
