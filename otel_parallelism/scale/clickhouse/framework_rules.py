"""The rules of frameworks and programs with a vocabulary of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_parallelism import names
from otel_parallelism.dialects.people import WAITING_NAMES

from .dialect_rule import CALL, FIRST_WORD, IGNORED, NONE, PART, STEP, TURN, WAITING, Rule, kind_by_value, kind_where
from .sql_expressions import (
    NAME,
    attribute,
    attributes,
    first_of,
    is_any,
    matches,
    unquoted,
    without_match,
    without_prefix,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def _gemini_cli() -> Rule:
    return Rule(
        kind=kind_by_value(
            attribute(names.OPERATION_NAME),
            {
                "tool_call": "call",
                "llm_call": "step",
                "user_prompt": "turn",
                "agent_call": "turn",
                "schedule_tool_calls": "cycle",
                "system_prompt": "passage",
            },
        ),
        tool=first_of(attribute(names.TOOL_NAME), NAME),
        agent=attribute("gen_ai.agent.name"),
    )


def _claude_code() -> Rule:
    decided = is_any(attributes("source", "decision_source"), ["config", "hook"])
    return Rule(
        kind=kind_where(
            (f"NOT startsWith({NAME}, 'claude_code.')", NONE),
            (f"{NAME} = 'claude_code.interaction'", TURN),
            (f"{NAME} = 'claude_code.tool'", CALL),
            (f"{NAME} = 'claude_code.tool.blocked_on_user'", f"if({decided}, {PART}, {WAITING})"),
            (
                f"{NAME} = 'claude_code.llm_request'",
                f"if({attribute('llm_request.context')} = 'tool', {PART}, {STEP})",
            ),
            otherwise=PART,
        ),
        tool=attributes("tool_name", "tool_name_safe", names.TOOL_NAME),
        agent=first_of(attribute("gen_ai.agent.name"), "'claude_code'"),
    )


def _livekit() -> Rule:
    spans = ["agent_session", "agent_turn", "llm_node", "function_tool", "llm_request"]
    own = "startsWith(ScopeName, 'livekit') OR arrayExists(key -> startsWith(key, 'lk.'), mapKeys(SpanAttributes))"
    return Rule(
        kind=kind_where(
            (f"NOT {is_any(NAME, spans)} OR NOT ({own})", NONE),
            (f"{NAME} = 'agent_session'", PART),
            (f"{NAME} = 'agent_turn'", TURN),
            (f"{NAME} = 'function_tool'", CALL),
            otherwise=STEP,
        ),
        tool=attributes("lk.function_tool.name", names.TOOL_NAME),
        agent=attributes("gen_ai.agent.name", "lk.agent_label"),
    )


def _mastra() -> Rule:
    return Rule(kind=f"if({attribute('mastra.span.type')} = 'model_step', {STEP}, {NONE})")


def _vercel_ai() -> Rule:
    operation = first_of(attribute("ai.operationId"), FIRST_WORD)
    function = r"ai\.(generate|stream)(Text|Object)"
    return Rule(
        kind=kind_where(
            (f"({operation}) = 'ai.toolCall'", CALL),
            (matches(operation, rf"{function}\.do(Generate|Stream)"), STEP),
            (matches(operation, function), TURN),
            (f"startsWith({operation}, 'ai.')", PART),
        ),
        tool=attribute("ai.toolCall.name"),
        agent=attribute("ai.telemetry.functionId"),
        title=attribute("ai.telemetry.functionId"),
    )


def _spring_ai() -> Rule:
    kind, tool = attribute("spring.ai.kind"), attribute("spring.ai.tool.definition.name")
    return Rule(
        kind=kind_where(
            (f"{kind} = 'tool_call' OR ({tool} != '' AND {kind} = '')", CALL),
            (f"{kind} = 'chat_client'", TURN),
            (f"{kind} != ''", PART),
        ),
        tool=first_of(tool, without_prefix(NAME, "tool_call ")),
        agent=attribute("gen_ai.agent.name"),
    )


def _codex() -> Rule:
    called = f"{attribute('tool_name')} != '' AND {attribute('call_id')} != ''"
    return Rule(
        kind=kind_where(
            (f"{NAME} = 'session_task.turn'", TURN),
            (f"{NAME} = 'try_run_sampling_request'", STEP),
            (f"mapContains(SpanAttributes, 'aborted') AND {called}", CALL),
        ),
        tool=attribute("tool_name"),
        agent="'codex'",
    )


def _haystack_tracing() -> Rule:
    component = attribute("haystack.component.type")
    return Rule(
        kind=kind_where(
            (f"{NAME} = 'haystack.agent.run'", TURN),
            (f"{NAME} = 'haystack.agent.step'", PART),
            (f"{NAME} = 'haystack.agent.step.tool'", CALL),
            (f"{NAME} = 'haystack.agent.step.llm'", STEP),
            (f"{NAME} = 'haystack.component.run'", f"if(endsWith({component}, 'Generator'), {STEP}, {PART})"),
        ),
        tool=attribute("haystack.tool.name"),
    )


def _logfire() -> Rule:
    template = attribute("logfire.msg_template")
    return Rule(
        kind=kind_where(
            (f"{attribute('logfire.span_type')} = 'pending_span'", IGNORED),
            (f"{template} = 'Function: {{name}}'", CALL),
            (f"startsWith({template}, 'Agent run: ')", TURN),
            (f"{attribute('sdk_span_type')} = 'turn'", PART),
        ),
        tool=attribute("name"),
        agent=attribute("name"),
        title=attribute("logfire.msg"),
    )


def _laminar() -> Rule:
    kind = attribute("lmnr.span.type")
    return Rule(kind=kind_where((f"{kind} = 'TOOL'", CALL), (f"{kind} = 'LLM'", STEP)), tool=NAME)


def _mlflow_tracing() -> Rule:
    kind = f"upper({unquoted(attribute('mlflow.spanType'))})"
    function = unquoted(attribute("mlflow.spanFunctionName"))
    rest = f"substring({NAME}, length({function}) + 1)"
    numbered = f"{function} != '' AND startsWith({NAME}, {function}) AND {matches(rest, '_[0-9]+')}"
    name = f"if({numbered}, {function}, {NAME})"
    return Rule(
        kind=kind_where(
            (is_any(kind, ["TOOL", "RETRIEVER"]), CALL),
            (is_any(kind, ["CHAT_MODEL", "LLM"]), STEP),
            (is_any(kind, ["AGENT", "WORKFLOW"]), TURN),
            (f"{kind} = 'CHAIN' AND {matches(NAME, 'tools(_[0-9]+)?')}", PART),
        ),
        tool=name,
        agent=name,
    )


def _agentops() -> Rule:
    kind = f"lower({attribute('agentops.span.kind')})"
    suffix, entity = f"concat('.', {kind})", ("operation.name", "agentops.entity.name")
    named = f"if(endsWith({NAME}, {suffix}), substring({NAME}, 1, length({NAME}) - length({suffix})), {NAME})"
    return Rule(
        kind=kind_where(
            (f"{kind} = 'tool'", CALL),
            (is_any(kind, ["agent", "workflow"]), TURN),
            (f"{kind} = 'llm'", STEP),
            (is_any(kind, ["task", "session", "operation"]), PART),
        ),
        tool=first_of(attributes("tool.name", names.TOOL_NAME, *entity), named),
        agent=first_of(attributes("agent.name", "gen_ai.agent.name", *entity), named),
    )


def _agntcy() -> Rule:
    kind = f"lower({attribute('ioa_observe.span.kind')})"
    named = first_of(attribute("ioa_observe.entity.name"), without_match(NAME, r"\.(workflow|agent|task|tool|graph)$"))
    return Rule(
        kind=kind_where(
            (f"{kind} = 'tool'", CALL),
            (is_any(kind, ["agent", "workflow", "graph"]), TURN),
            (f"{kind} = 'task'", PART),
        ),
        tool=named,
        agent=named,
    )


def _langwatch() -> Rule:
    kind = f"lower({attribute('langwatch.span.type')})"
    return Rule(
        kind=kind_where(
            (is_any(kind, ["tool", "rag"]), CALL),
            (f"{kind} = 'llm'", STEP),
            (is_any(kind, ["agent", "workflow"]), TURN),
            (is_any(kind, ["task", "component", "module"]), PART),
        ),
        tool=first_of(attribute(names.TOOL_NAME), NAME),
        agent=first_of(attribute("gen_ai.agent.name"), NAME),
    )


def _people() -> Rule:
    words = f"trim(BOTH '_' FROM replaceRegexpAll(lower(splitByChar(':', {NAME})[1]), '[^a-z0-9]+', '_'))"
    named = matches(f"concat('_', {words})", f".*_({'|'.join(WAITING_NAMES)})")
    return Rule(kind=kind_where((named, WAITING)))


FRAMEWORK_RULES: Final[Mapping[str, Rule]] = {
    "agentops": _agentops(),
    "agntcy": _agntcy(),
    "claude_code": _claude_code(),
    "codex": _codex(),
    "gemini_cli": _gemini_cli(),
    "haystack_tracing": _haystack_tracing(),
    "laminar": _laminar(),
    "langwatch": _langwatch(),
    "livekit": _livekit(),
    "logfire": _logfire(),
    "mastra": _mastra(),
    "mlflow_tracing": _mlflow_tracing(),
    "people": _people(),
    "spring_ai": _spring_ai(),
    "vercel_ai": _vercel_ai(),
}
"""The rules by the names of the dialects' modules."""
