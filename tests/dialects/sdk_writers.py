"""How SDKs, coding agents and tracing platforms with a vocabulary of their own write one run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .writing import QUESTION, Planned, Writer, Written

if TYPE_CHECKING:
    from collections.abc import Mapping

Plan = list[Planned]


def chat_message(asked: Plan) -> dict[str, object]:
    """Return the answer as a message of OpenAI's chat API."""
    calls = [
        {"id": a.call_id, "type": "function", "function": {"name": a.tool, "arguments": json.dumps(a.arguments)}}
        for a in asked
    ]
    return (
        {"role": "assistant", "content": None, "tool_calls": calls} if calls else {"role": "assistant", "content": "hi"}
    )


def user_message() -> list[object]:
    return [{"role": "user", "content": QUESTION}]


def vercel_request(asked: Plan) -> Written:
    calls = [{"toolCallId": a.call_id, "toolName": a.tool, "input": json.dumps(a.arguments)} for a in asked]
    said = [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]
    answer: dict[str, object] = {"ai.response.toolCalls": json.dumps(calls)} if calls else {"ai.response.text": "hi"}
    return Written(
        "ai.generateText.doGenerate",
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.prompt.messages": json.dumps(said),
            "ai.response.finishReason": "tool-calls" if calls else "stop",
            "ai.usage.inputTokens": 40,
            **answer,
        },
        scope="ai",
    )


def vercel_4_request(asked: Plan) -> Written:
    calls = [
        {"toolCallType": "function", "toolCallId": a.call_id, "toolName": a.tool, "args": json.dumps(a.arguments)}
        for a in asked
    ]
    said = {"ai.prompt.messages": json.dumps([{"role": "user", "content": [{"type": "text", "text": QUESTION}]}])}
    answer = {"ai.response.toolCalls": json.dumps(calls)} if calls else {"ai.response.finishReason": "stop"}
    return Written(
        "ai.streamText.doStream",
        {"ai.operationId": "ai.streamText.doStream", "ai.usage.promptTokens": 40, **said, **answer},
        scope="ai",
    )


def vercel_call(asked: Planned) -> Written:
    return Written(
        "ai.toolCall",
        {
            "ai.operationId": "ai.toolCall",
            "ai.toolCall.name": asked.tool,
            "ai.toolCall.id": asked.call_id,
            "ai.toolCall.args": json.dumps(asked.arguments),
            "ai.toolCall.result": json.dumps(asked.result),
        },
        scope="ai",
    )


def vercel_run(operation: str) -> Written:
    # The usage is the sum of all requests.
    attributes = {
        "ai.operationId": operation,
        "ai.prompt": json.dumps({"prompt": QUESTION}),
        "ai.usage.inputTokens": 120,
    }
    return Written(operation, attributes, scope="ai")


def claude_request(asked: Plan) -> Written:
    return Written(
        "claude_code.llm_request",
        {
            "llm_request.context": "interaction",
            "stop_reason": "tool_use" if asked else "end_turn",
            "input_tokens": 1,
            "cache_read_tokens": 30,
            "cache_creation_tokens": 9,
        },
    )


def claude_call(asked: Planned) -> Written:
    return Written(
        "claude_code.tool",
        {"tool_name": asked.tool, "tool_use_id": asked.call_id, "tool_input": json.dumps(asked.arguments)},
        (("tool.output", {"content": asked.result}),),
    )


def spring_request(asked: Plan) -> Written:
    return Written(
        "chat gpt",
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.usage.input_tokens": 40,
            "gen_ai.completion": json.dumps([chat_message(asked)]),
        },
    )


def spring_call(asked: Planned) -> Written:
    return Written(
        f"tool_call {asked.tool}",
        {
            "gen_ai.operation.name": "framework",
            "spring.ai.kind": "tool_call",
            "spring.ai.tool.definition.name": asked.tool,
            "spring.ai.tool.call.id": asked.call_id,
            "spring.ai.tool.call.arguments": json.dumps(asked.arguments),
            "spring.ai.tool.call.result": json.dumps(asked.result),
        },
    )


def mlflow_request(asked: Plan) -> Written:
    return Written(
        "chat",
        {
            "mlflow.spanType": '"CHAT_MODEL"',
            "mlflow.spanInputs": json.dumps({"messages": user_message()}),
            "mlflow.spanOutputs": json.dumps(chat_message(asked)),
            "mlflow.chat.tokenUsage": json.dumps({"input_tokens": 40}),
        },
    )


def mlflow_call(asked: Planned) -> Written:
    return Written(
        f"{asked.tool}_1",
        {
            "mlflow.spanType": '"TOOL"',
            "mlflow.spanFunctionName": json.dumps(asked.tool),
            "mlflow.spanInputs": json.dumps(asked.arguments),
            "mlflow.spanOutputs": json.dumps(asked.result),
        },
    )


def mlflow_run() -> Written:
    return Written("agent", {"mlflow.spanType": '"AGENT"', "mlflow.spanInputs": json.dumps({"q": QUESTION})})


def genkit_request(asked: Plan) -> Written:
    parts: list[object] = [{"toolRequest": {"name": a.tool, "ref": a.call_id, "input": a.arguments}} for a in asked]
    output = {
        "message": {"role": "model", "content": parts or [{"text": "hi"}]},
        "finishReason": "stop",
        "usage": {"inputTokens": 40},
    }
    return Written(
        "mock/m",
        {
            "genkit:type": "action",
            "genkit:metadata:subtype": "model",
            "genkit:name": "mock/m",
            "genkit:path": "/{news,t:flow}/{generate,t:util}/{mock/m,t:action,s:model}",
            "genkit:input": json.dumps({"messages": [{"role": "user", "content": [{"text": QUESTION}]}]}),
            "genkit:output": json.dumps(output),
        },
    )


def genkit_call(asked: Planned) -> Written:
    return Written(
        asked.tool,
        {
            "genkit:type": "action",
            "genkit:metadata:subtype": "tool.v2",
            "genkit:name": asked.tool,
            "genkit:input": json.dumps(asked.arguments),
            "genkit:output": json.dumps(asked.result),
        },
    )


def genkit_run() -> Written:
    attributes = {"genkit:type": "action", "genkit:metadata:subtype": "flow", "genkit:input": json.dumps(QUESTION)}
    return Written("news", attributes)


def gemini_request(asked: Plan) -> Written:
    parts: list[object] = [{"functionCall": {"name": a.tool, "args": a.arguments, "id": a.call_id}} for a in asked] or [
        {"text": "hi"}
    ]
    return Written(
        "llm_call",
        {
            "gen_ai.operation.name": "llm_call",
            "gen_ai.usage.input_tokens": 40,
            "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"text": QUESTION}]}]),
            "gen_ai.output.messages": json.dumps({"role": "model", "parts": parts}),
        },
    )


def gemini_call(asked: Planned) -> Written:
    request = {"callId": asked.call_id, "name": asked.tool, "args": asked.arguments, "isClientInitiated": False}
    answer = {"functionResponse": {"id": asked.call_id, "name": asked.tool, "response": {"output": asked.result}}}
    completed = {"status": "success", "request": request, "response": {"responseParts": [answer]}}
    return Written(
        "tool_call",
        {
            "gen_ai.operation.name": "tool_call",
            "gen_ai.tool.name": asked.tool,
            "gen_ai.tool.call_id": asked.call_id,
            "gen_ai.input.messages": json.dumps(request),
            "gen_ai.output.messages": json.dumps(completed),
        },
    )


def gemini_run() -> Written:
    return Written(
        "user_prompt", {"gen_ai.operation.name": "user_prompt", "gen_ai.input.messages": json.dumps(QUESTION)}
    )


def agentops_request(asked: Plan) -> Written:
    attributes: dict[str, object] = {
        "llm.request.type": "chat",
        "gen_ai.usage.prompt_tokens": 40,
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": QUESTION,
        "gen_ai.completion.0.role": "assistant",
    }
    for number, a in enumerate(asked):
        attributes[f"gen_ai.completion.0.tool_calls.{number}.id"] = a.call_id
    return Written("openai.chat.completion", attributes)


def agentops_call(asked: Planned) -> Written:
    return Written(
        f"{asked.tool}.tool",
        {
            "agentops.span.kind": "tool",
            "operation.name": asked.tool,
            "agentops.tool.input": json.dumps({"args": [], "kwargs": asked.arguments}),
            "agentops.tool.output": json.dumps(asked.result),
        },
    )


def kind_request(asked: Plan) -> Written:
    parts = [{"type": "tool_call", "id": a.call_id, "name": a.tool, "arguments": a.arguments} for a in asked]
    return Written(
        "LLM",
        {
            "gen_ai.span.kind": "LLM",
            "gen_ai.usage.input_tokens": 40,
            "gen_ai.input.messages": json.dumps(user_message()),
            "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": parts}]),
        },
    )


def kind_call(asked: Planned) -> Written:
    return Written(
        asked.tool,
        {
            "gen_ai.span.kind": "TOOL",
            "tool.name": asked.tool,
            "gen_ai.tool.call.id": asked.call_id,
            "input.value": json.dumps(asked.arguments),
            "output.value": json.dumps(asked.result),
        },
    )


def mastra_request(asked: Plan) -> Written:
    calls = [{"toolCallId": a.call_id, "toolName": a.tool, "args": a.arguments} for a in asked]
    return Written(
        "agent_step helper",
        {
            "gen_ai.operation.name": "agent_step",
            "mastra.span.type": "model_step",
            "mastra.model_step.input": json.dumps(user_message()),
            "mastra.model_step.output": json.dumps({"text": "" if calls else "hi", "toolCalls": calls}),
            "gen_ai.usage.input_tokens": 40,
        },
        scope="@mastra/otel-exporter",
    )


def mastra_call(asked: Planned) -> Written:
    return Written(
        f"execute_tool {asked.tool}",
        {
            "gen_ai.operation.name": "execute_tool",
            "mastra.span.type": "tool_call",
            "gen_ai.tool.name": asked.tool,
            "gen_ai.tool.call.id": asked.call_id,
            "gen_ai.tool.call.arguments": json.dumps(asked.arguments),
            "gen_ai.tool.call.result": json.dumps(asked.result),
        },
        scope="@mastra/otel-exporter",
    )


def mastra_run() -> Written:
    attributes = {"gen_ai.operation.name": "invoke_agent", "mastra.span.type": "agent_run"}
    return Written("invoke_agent helper", attributes, scope="@mastra/otel-exporter")


def livekit_request(asked: Plan, mark: str = "pii.") -> Written:
    calls = [
        {"id": f"item_{a.call_id}", "call_id": a.call_id, "name": a.tool, "arguments": json.dumps(a.arguments)}
        for a in asked
    ]
    said = {"items": [{"id": "item_0", "type": "message", "role": "user", "content": [QUESTION]}]}
    return Written(
        "llm_node",
        {
            f"lk.{mark}chat_ctx": json.dumps(said),
            f"lk.{mark}response.function_calls": json.dumps(calls),
            "lk.llm_metrics": json.dumps({"prompt_tokens": 40}),
        },
        scope="livekit-agents",
    )


def livekit_call(asked: Planned, mark: str = "pii.") -> Written:
    return Written(
        "function_tool",
        {
            "lk.function_tool.id": asked.call_id,
            "lk.function_tool.name": asked.tool,
            f"lk.{mark}function_tool.arguments": json.dumps(asked.arguments),
            f"lk.{mark}function_tool.output": asked.result,
            "lk.function_tool.is_error": False,
        },
        scope="livekit-agents",
    )


def livekit_run(mark: str = "pii.") -> Written:
    return Written("agent_turn", {f"lk.{mark}user_input": QUESTION, "lk.speech_id": "s"}, scope="livekit-agents")


def langwatch_request(asked: Plan) -> Written:
    return Written(
        "llm",
        {
            "langwatch.span.type": "llm",
            "langwatch.input": json.dumps({"type": "chat_messages", "value": user_message()}),
            "langwatch.output": json.dumps({"type": "chat_messages", "value": [chat_message(asked)]}),
            "langwatch.metrics": json.dumps({"prompt_tokens": 40}),
        },
    )


def langwatch_call(asked: Planned) -> Written:
    return Written(
        asked.tool,
        {
            "langwatch.span.type": "tool",
            "langwatch.input": json.dumps({"type": "json", "value": asked.arguments}),
            "langwatch.output": json.dumps({"type": "text", "value": asked.result}),
        },
    )


def langwatch_run() -> Written:
    given = json.dumps({"type": "text", "value": QUESTION})
    return Written("helper", {"langwatch.span.type": "agent", "langwatch.input": given})


def braintrust_request(asked: Plan) -> Written:
    return Written(
        "Chat Completion",
        {
            "braintrust.span_attributes": '{"type":"llm"}',
            "braintrust.input_json": json.dumps(user_message()),
            "braintrust.output_json": json.dumps([{"index": 0, "message": chat_message(asked)}]),
            "braintrust.metrics": json.dumps({"prompt_tokens": 40}),
        },
    )


def braintrust_call(asked: Planned) -> Written:
    return Written(
        asked.tool,
        {
            "braintrust.span_attributes": '{"type":"tool"}',
            "braintrust.input_json": json.dumps(asked.arguments),
            "braintrust.output_json": json.dumps(asked.result),
        },
    )


def agntcy_call(asked: Planned) -> Written:
    return Written(
        f"{asked.tool}.tool",
        {
            "ioa_observe.span.kind": "tool",
            "ioa_observe.entity.name": asked.tool,
            "ioa_observe.entity.input": json.dumps({"args": [], "kwargs": asked.arguments}),
            "ioa_observe.entity.output": json.dumps(asked.result),
        },
    )


def codex_request(asked: Plan) -> Written:
    del asked  # responses are not recorded
    return Written("try_run_sampling_request", {"gen_ai.usage.input_tokens": 40})


def codex_call(asked: Planned) -> Written:
    attributes: Mapping[str, object] = {"tool_name": asked.tool, "call_id": asked.call_id, "aborted": False}
    return Written(asked.tool, attributes)


SDK_WRITERS = {
    "vercel ai": Writer(lambda: vercel_run("ai.generateText"), vercel_request, vercel_call),
    "vercel ai 4": Writer(lambda: vercel_run("ai.streamText"), vercel_4_request, vercel_call),
    "claude code": Writer(
        lambda: Written("claude_code.interaction", {"user_prompt": QUESTION}),
        claude_request,
        claude_call,
        requests_ids=False,
        requests_words=False,
    ),
    "spring ai": Writer(
        lambda: Written(
            "spring_ai chat_client", {"gen_ai.operation.name": "framework", "spring.ai.kind": "chat_client"}
        ),
        spring_request,
        spring_call,
        requests_ids=False,
        requests_words=False,
        knows_the_last=False,
    ),
    "mlflow": Writer(mlflow_run, mlflow_request, mlflow_call, ids=False),
    "genkit": Writer(genkit_run, genkit_request, genkit_call, ids=False),
    "gemini cli": Writer(
        gemini_run,
        gemini_request,
        gemini_call,
        cycle=lambda _: Written("schedule_tool_calls", {"gen_ai.operation.name": "schedule_tool_calls"}),
    ),
    "agentops": Writer(
        lambda: Written("Helper.agent", {"agentops.span.kind": "agent", "operation.name": "Helper"}),
        agentops_request,
        agentops_call,
        ids=False,
    ),
    "gen_ai.span.kind": Writer(
        lambda: Written("helper", {"gen_ai.span.kind": "AGENT", "input.value": QUESTION}), kind_request, kind_call
    ),
    "mastra": Writer(mastra_run, mastra_request, mastra_call),
    "livekit": Writer(livekit_run, livekit_request, livekit_call),
    "livekit before pii": Writer(
        lambda: livekit_run(""), lambda asked: livekit_request(asked, ""), lambda asked: livekit_call(asked, "")
    ),
    "langwatch": Writer(langwatch_run, langwatch_request, langwatch_call, ids=False),
    "braintrust": Writer(
        lambda: Written("helper", {"braintrust.span_attributes": '{"type":"task"}'}),
        braintrust_request,
        braintrust_call,
        ids=False,
        run_is_a_turn=False,
    ),
    "agntcy": Writer(
        lambda: Written("helper.agent", {"ioa_observe.span.kind": "agent", "ioa_observe.entity.name": "helper"}),
        kind_request,
        agntcy_call,
        ids=False,
    ),
    "codex": Writer(
        lambda: Written("session_task.turn", {"codex.turn.token_usage.input_tokens": 120}),
        codex_request,
        codex_call,
        requests_ids=False,
        requests_words=False,
        has_contents=False,
        knows_the_last=False,
    ),
}
