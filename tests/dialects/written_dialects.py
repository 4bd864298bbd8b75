"""One run's spans in each dialect: what writes a run, a model request and a call."""

from __future__ import annotations

import json

from .sdk_writers import SDK_WRITERS
from .writing import QUESTION, Planned, Writer, Written


def genai_request(asked: list[Planned]) -> Written:
    parts = [{"type": "tool_call", "id": a.call_id, "name": a.tool, "arguments": a.arguments} for a in asked]
    said = [{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}]
    output = [{"role": "assistant", "parts": parts or [{"type": "text", "content": "done"}]}]
    return Written(
        "chat stub",
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.usage.input_tokens": 40,
            "gen_ai.input.messages": json.dumps(said),
            "gen_ai.output.messages": json.dumps(output),
        },
    )


def genai_call(asked: Planned) -> Written:
    return Written(
        f"execute_tool {asked.tool}",
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": asked.tool,
            "gen_ai.tool.call.id": asked.call_id,
            "gen_ai.tool.call.arguments": json.dumps(asked.arguments),
            "gen_ai.tool.call.result": asked.result,
        },
    )


def genai_run() -> Written:
    said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}])
    return Written("invoke_agent helper", {"gen_ai.operation.name": "invoke_agent", "gen_ai.input.messages": said})


def strands_request(asked: list[Planned]) -> Written:
    uses = [{"toolUse": {"toolUseId": a.call_id, "name": a.tool, "input": a.arguments}} for a in asked]
    events = (
        ("gen_ai.user.message", {"content": json.dumps([{"text": QUESTION}])}),
        ("gen_ai.choice", {"message": json.dumps(uses or [{"text": "done"}])}),
    )
    return Written("chat", {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 40}, events)


def strands_call(asked: Planned) -> Written:
    events = (
        ("gen_ai.tool.message", {"content": json.dumps(asked.arguments), "id": asked.call_id}),
        ("gen_ai.choice", {"message": json.dumps([{"text": asked.result}]), "id": asked.call_id}),
    )
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": asked.tool,
        "gen_ai.tool.call.id": asked.call_id,
    }
    return Written(f"execute_tool {asked.tool}", attributes, events)


def strands_run() -> Written:
    events = (("gen_ai.user.message", {"content": json.dumps([{"text": QUESTION}])}),)
    return Written("invoke_agent helper", {"gen_ai.operation.name": "invoke_agent"}, events)


def openinference_request(asked: list[Planned]) -> Written:
    attributes: dict[str, object] = {
        "openinference.span.kind": "LLM",
        "llm.token_count.prompt": 40,
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": QUESTION,
        "llm.output_messages.0.message.role": "assistant",
    }
    for number, a in enumerate(asked):
        prefix = f"llm.output_messages.0.message.tool_calls.{number}.tool_call."
        attributes[prefix + "id"] = a.call_id
        attributes[prefix + "function.name"] = a.tool
    return Written("ChatCompletion", attributes)


def openinference_call(asked: Planned) -> Written:
    message = {"type": "tool", "data": {"content": asked.result, "tool_call_id": asked.call_id}}
    return Written(
        asked.tool,
        {
            "openinference.span.kind": "TOOL",
            "tool.name": asked.tool,
            "input.value": str(asked.arguments),
            "output.value": json.dumps(message),
        },
    )


def openinference_run() -> Written:
    given = json.dumps({"messages": [["user", QUESTION]]})
    return Written("LangGraph", {"openinference.span.kind": "CHAIN", "input.value": given})


def dspy_call(asked: Planned) -> Written:
    return Written(
        f"{asked.tool}.acall",
        {
            "openinference.span.kind": "TOOL",
            "input.value": json.dumps({"kwargs": asked.arguments}),
            "output.value": json.dumps(asked.result),
        },
        scope="openinference.instrumentation.dspy",
    )


def smolagents_run() -> Written:
    given = json.dumps({"task": QUESTION})
    return Written("helper.run", {"openinference.span.kind": "AGENT", "input.value": given})


def traceloop_call(asked: Planned) -> Written:
    envelope = {
        "input_str": str(asked.arguments),
        "tags": [],
        "metadata": {"langgraph_checkpoint_ns": "tools:158d6cb2"},
        "inputs": asked.arguments,
        "kwargs": {"tool_call_id": asked.call_id},
    }
    message = {"lc": 1, "kwargs": {"content": asked.result, "tool_call_id": asked.call_id, "status": "success"}}
    return Written(
        f"execute_tool {asked.tool}",
        {
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": asked.tool,
            "traceloop.entity.input": json.dumps(envelope),
            "traceloop.entity.output": json.dumps({"output": message, "kwargs": {}}),
        },
    )


def traceloop_run() -> Written:
    given = json.dumps({"inputs": {"messages": [["user", QUESTION]]}, "tags": [], "metadata": {}, "kwargs": {}})
    return Written("helper.workflow", {"traceloop.span.kind": "workflow", "traceloop.entity.input": given})


def langfuse_request(asked: list[Planned]) -> Written:
    calls = [{"name": a.tool, "args": a.arguments, "id": a.call_id, "type": "tool_call"} for a in asked]
    output = {"role": "assistant", "content": "" if calls else "done", "tool_calls": calls}
    return Written(
        "llm",
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.input": json.dumps([{"role": "user", "content": QUESTION}]),
            "langfuse.observation.output": json.dumps(output),
            "langfuse.observation.usage_details": '{"input": 40}',
        },
    )


def langfuse_call(asked: Planned) -> Written:
    return Written(
        asked.tool,
        {
            "langfuse.observation.type": "tool",
            "langfuse.observation.input": json.dumps(asked.arguments),
            "langfuse.observation.output": asked.result,
            "langfuse.observation.metadata.tool_call_id": json.dumps(asked.call_id),
        },
    )


def langfuse_run() -> Written:
    given = json.dumps({"args": [QUESTION], "kwargs": {}})
    return Written("helper", {"langfuse.observation.type": "agent", "langfuse.observation.input": given})


def langsmith_request(asked: list[Planned]) -> Written:
    calls = [{"name": a.tool, "args": a.arguments, "id": a.call_id, "type": "tool_call"} for a in asked]
    output = {"generations": [[{"text": "", "message": {"lc": 1, "kwargs": {"content": "", "tool_calls": calls}}}]]}
    human = {"lc": 1, "id": ["langchain", "schema", "messages", "HumanMessage"], "kwargs": {"content": QUESTION}}
    return Written(
        "ChatOpenAI",
        {
            "gen_ai.operation.name": "chat",
            "langsmith.span.kind": "llm",
            "gen_ai.usage.input_tokens": 40,
            "gen_ai.prompt": json.dumps({"messages": [[human]]}),
            "gen_ai.completion": json.dumps(output),
        },
    )


def langsmith_call(asked: Planned) -> Written:
    message = {"content": asked.result, "type": "tool", "tool_call_id": asked.call_id, "status": "success"}
    return Written(
        asked.tool,
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": asked.tool,
            "langsmith.span.kind": "tool",
            "gen_ai.prompt": json.dumps(asked.arguments),
            "gen_ai.completion": json.dumps({"output": message}, separators=(",", ":")),
        },
    )


def haystack_request(asked: list[Planned]) -> Written:
    content: list[object] = [
        {"tool_call": {"tool_name": a.tool, "arguments": a.arguments, "id": a.call_id, "extra": None}} for a in asked
    ]
    reply = {"role": "assistant", "meta": {"usage": {"prompt_tokens": 40}}, "content": content or [{"text": "done"}]}
    said = {"messages": [{"role": "user", "content": [{"text": QUESTION}]}]}
    prefix = "haystack.agent.step.llm."
    return Written(
        "haystack.agent.step.llm",
        {prefix + "input": json.dumps(said), prefix + "output": json.dumps({"replies": [reply]})},
    )


def haystack_call(asked: Planned) -> Written:
    return Written(
        "haystack.agent.step.tool",
        {
            "haystack.tool.name": asked.tool,
            "haystack.agent.step.tool.input": json.dumps(asked.arguments),
            "haystack.agent.step.tool.output": asked.result,
        },
    )


def haystack_run() -> Written:
    given = json.dumps({"messages": [{"role": "user", "content": [{"text": QUESTION}]}]})
    return Written("haystack.agent.run", {"haystack.agent.input": given})


ANSWER = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]}


def logfire_run() -> Written:
    return Written(
        "Agent run: {name!r}",
        {"logfire.msg_template": "Agent run: {name!r}", "logfire.msg": "Agent run: 'helper'", "name": "helper"},
    )


def logfire_cycle(number: int) -> Written:
    template = "Turn {turn} for agent helper"
    return Written(template, {"logfire.msg_template": template, "sdk_span_type": "turn", "turn": number})


def logfire_request(asked: list[Planned]) -> Written:
    calls = [{"type": "function_call", "call_id": a.call_id, "id": f"fc_{a.call_id}", "name": a.tool} for a in asked]
    template = "Responses API with {gen_ai.request.model!r}"
    return Written(
        template,
        {
            "logfire.msg_template": template,
            "gen_ai.operation.name": "chat",
            "gen_ai.usage.input_tokens": 40,
            "raw_input": json.dumps([{"role": "user", "content": QUESTION}]),
            "response": json.dumps({"object": "response", "output": calls or [ANSWER]}),
        },
    )


def logfire_call(asked: Planned) -> Written:
    template = "Function: {name}"
    return Written(
        template,
        {
            "logfire.msg_template": template,
            "name": asked.tool,
            "input": json.dumps(asked.arguments),
            "output": asked.result,
        },
    )


def laminar_request(asked: list[Planned]) -> Written:
    calls = [{"id": a.call_id, "function": {"name": a.tool, "arguments": json.dumps(a.arguments)}} for a in asked]
    return Written(
        "openai.chat",
        {
            "lmnr.span.type": "LLM",
            "gen_ai.usage.input_tokens": 40,
            "gen_ai.input.messages": json.dumps([{"role": "user", "content": QUESTION}]),
            "gen_ai.output.messages": json.dumps([{"message": {"role": "assistant", "tool_calls": calls}}]),
        },
    )


def laminar_call(asked: Planned) -> Written:
    return Written(
        asked.tool,
        {
            "lmnr.span.type": "TOOL",
            "lmnr.span.input": json.dumps(asked.arguments),
            "lmnr.span.output": json.dumps(asked.result),
        },
    )


def native_call(asked: Planned) -> Written:
    written = genai_call(asked)
    return written._replace(attributes={**written.attributes, "agent.parallelism.effect": "read"})


def mcp_call(asked: Planned) -> Written:
    return Written(f"MCP send tools/call {asked.tool}", {"mcp.method.name": "tools/call"})


def unrelated(_: list[Planned]) -> Written:
    return Written("POST", {"http.request.method": "POST"})


WRITERS = {
    "genai": Writer(genai_run, genai_request, genai_call),
    "strands": Writer(
        strands_run,
        strands_request,
        strands_call,
        cycle=lambda _: Written("execute_event_loop_cycle", {"gen_ai.operation.name": "execute_event_loop_cycle"}),
    ),
    "openinference": Writer(
        openinference_run,
        openinference_request,
        openinference_call,
        cycle=lambda _: Written("tools", {"openinference.span.kind": "CHAIN"}),
        run_is_a_turn=False,
    ),
    "dspy": Writer(openinference_run, unrelated, dspy_call, ids=False, has_steps=False, run_is_a_turn=False),
    "smolagents": Writer(
        smolagents_run,
        unrelated,
        openinference_call,
        cycle=lambda number: Written(f"Step {number + 1}", {"openinference.span.kind": "CHAIN"}),
        has_steps=False,
    ),
    "traceloop": Writer(
        traceloop_run,
        genai_request,
        traceloop_call,
        cycle=lambda _: Written(
            "execute_task tools", {"traceloop.span.kind": "task", "traceloop.entity.name": "tools"}
        ),
    ),
    "langfuse": Writer(langfuse_run, langfuse_request, langfuse_call),
    "langsmith": Writer(
        lambda: Written("helper", {"gen_ai.operation.name": "chain", "langsmith.span.kind": "chain"}),
        langsmith_request,
        langsmith_call,
        run_is_a_turn=False,
    ),
    "logfire": Writer(logfire_run, logfire_request, logfire_call, ids=False, cycle=logfire_cycle),
    "laminar": Writer(genai_run, laminar_request, laminar_call, ids=False),
    "openlit": Writer(
        genai_run,
        genai_request,
        genai_call,
        cycle=lambda _: Written(
            "invoke_agent tools",
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": "tools",
                "gen_ai.agent.id": "tools",
            },
            scope="openlit.instrumentation.langgraph",
        ),
    ),
    "native": Writer(genai_run, genai_request, native_call),
    "haystack": Writer(
        haystack_run,
        haystack_request,
        haystack_call,
        cycle=lambda number: Written("haystack.agent.step", {"haystack.agent.step": number}),
        ids=False,
    ),
    "mcp in a genai run": Writer(genai_run, genai_request, mcp_call, ids=False),
    **SDK_WRITERS,
}
