"""One trace told in each dialect: the same run, two rounds, three calls, and the same Turn out of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import pytest

from otel_parallelism.analysis.turns.normalize import normalize
from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, Passage, SpanEvent, SpanRecord, Step, Turn, TurnSpan
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MS = 1_000_000
QUESTION = "what is new in Oslo?"


class Told(NamedTuple):
    """A span as a dialect tells it."""

    name: str
    attributes: Mapping[str, object]
    events: tuple[tuple[str, Mapping[str, object]], ...] = ()
    scope: str = ""


class Asked(NamedTuple):
    """One call of the story."""

    call_id: str
    tool: str
    arguments: dict[str, object]
    result: str
    start_ms: int
    end_ms: int


class Dialect(NamedTuple):
    """How a dialect tells a run, a model request, a call, and a step-like parent if it has one; what it leaves out."""

    run: Callable[[], Told]
    request: Callable[[list[Asked]], Told]
    call: Callable[[Asked], Told]
    cycle: Callable[[int], Told] | None = None
    ids: bool = True
    says_steps: bool = True
    run_is_a_turn: bool = True


FIRST = [
    Asked("call_0", "get_weather", {"city": "Oslo"}, "rain", 110, 210),
    Asked("call_1", "get_news", {"topic": "Oslo"}, "none", 112, 212),
]
SECOND = [Asked("call_2", "get_stock", {"symbol": "ACME"}, "41.27", 310, 410)]


def genai_request(asked: list[Asked]) -> Told:
    parts = [{"type": "tool_call", "id": a.call_id, "name": a.tool, "arguments": a.arguments} for a in asked]
    said = [{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}]
    output = [{"role": "assistant", "parts": parts or [{"type": "text", "content": "done"}]}]
    return Told(
        "chat stub",
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.usage.input_tokens": 40,
            "gen_ai.input.messages": json.dumps(said),
            "gen_ai.output.messages": json.dumps(output),
        },
    )


def genai_call(asked: Asked) -> Told:
    return Told(
        f"execute_tool {asked.tool}",
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": asked.tool,
            "gen_ai.tool.call.id": asked.call_id,
            "gen_ai.tool.call.arguments": json.dumps(asked.arguments),
            "gen_ai.tool.call.result": asked.result,
        },
    )


def genai_run() -> Told:
    said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}])
    return Told("invoke_agent helper", {"gen_ai.operation.name": "invoke_agent", "gen_ai.input.messages": said})


def strands_request(asked: list[Asked]) -> Told:
    uses = [{"toolUse": {"toolUseId": a.call_id, "name": a.tool, "input": a.arguments}} for a in asked]
    events = (
        ("gen_ai.user.message", {"content": json.dumps([{"text": QUESTION}])}),
        ("gen_ai.choice", {"message": json.dumps(uses or [{"text": "done"}])}),
    )
    return Told("chat", {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 40}, events)


def strands_call(asked: Asked) -> Told:
    events = (
        ("gen_ai.tool.message", {"content": json.dumps(asked.arguments), "id": asked.call_id}),
        ("gen_ai.choice", {"message": json.dumps([{"text": asked.result}]), "id": asked.call_id}),
    )
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": asked.tool,
        "gen_ai.tool.call.id": asked.call_id,
    }
    return Told(f"execute_tool {asked.tool}", attributes, events)


def strands_run() -> Told:
    events = (("gen_ai.user.message", {"content": json.dumps([{"text": QUESTION}])}),)
    return Told("invoke_agent helper", {"gen_ai.operation.name": "invoke_agent"}, events)


def openinference_request(asked: list[Asked]) -> Told:
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
    return Told("ChatCompletion", attributes)


def openinference_call(asked: Asked) -> Told:
    message = {"type": "tool", "data": {"content": asked.result, "tool_call_id": asked.call_id}}
    return Told(
        asked.tool,
        {
            "openinference.span.kind": "TOOL",
            "tool.name": asked.tool,
            "input.value": str(asked.arguments),
            "output.value": json.dumps(message),
        },
    )


def openinference_run() -> Told:
    given = json.dumps({"messages": [["user", QUESTION]]})
    return Told("LangGraph", {"openinference.span.kind": "CHAIN", "input.value": given})


def dspy_call(asked: Asked) -> Told:
    return Told(
        f"{asked.tool}.acall",
        {
            "openinference.span.kind": "TOOL",
            "input.value": json.dumps({"kwargs": asked.arguments}),
            "output.value": json.dumps(asked.result),
        },
        scope="openinference.instrumentation.dspy",
    )


def smolagents_run() -> Told:
    given = json.dumps({"task": QUESTION})
    return Told("helper.run", {"openinference.span.kind": "AGENT", "input.value": given})


def traceloop_call(asked: Asked) -> Told:
    envelope = {
        "input_str": str(asked.arguments),
        "tags": [],
        "metadata": {"langgraph_checkpoint_ns": "tools:158d6cb2"},
        "inputs": asked.arguments,
        "kwargs": {"tool_call_id": asked.call_id},
    }
    message = {"lc": 1, "kwargs": {"content": asked.result, "tool_call_id": asked.call_id, "status": "success"}}
    return Told(
        f"execute_tool {asked.tool}",
        {
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": asked.tool,
            "traceloop.entity.input": json.dumps(envelope),
            "traceloop.entity.output": json.dumps({"output": message, "kwargs": {}}),
        },
    )


def traceloop_run() -> Told:
    given = json.dumps({"inputs": {"messages": [["user", QUESTION]]}, "tags": [], "metadata": {}, "kwargs": {}})
    return Told("helper.workflow", {"traceloop.span.kind": "workflow", "traceloop.entity.input": given})


def langfuse_request(asked: list[Asked]) -> Told:
    calls = [{"name": a.tool, "args": a.arguments, "id": a.call_id, "type": "tool_call"} for a in asked]
    output = {"role": "assistant", "content": "" if calls else "done", "tool_calls": calls}
    return Told(
        "llm",
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.input": json.dumps([{"role": "user", "content": QUESTION}]),
            "langfuse.observation.output": json.dumps(output),
            "langfuse.observation.usage_details": '{"input": 40}',
        },
    )


def langfuse_call(asked: Asked) -> Told:
    return Told(
        asked.tool,
        {
            "langfuse.observation.type": "tool",
            "langfuse.observation.input": json.dumps(asked.arguments),
            "langfuse.observation.output": asked.result,
            "langfuse.observation.metadata.tool_call_id": json.dumps(asked.call_id),
        },
    )


def langfuse_run() -> Told:
    given = json.dumps({"args": [QUESTION], "kwargs": {}})
    return Told("helper", {"langfuse.observation.type": "agent", "langfuse.observation.input": given})


def langsmith_request(asked: list[Asked]) -> Told:
    calls = [{"name": a.tool, "args": a.arguments, "id": a.call_id, "type": "tool_call"} for a in asked]
    output = {"generations": [[{"text": "", "message": {"lc": 1, "kwargs": {"content": "", "tool_calls": calls}}}]]}
    human = {"lc": 1, "id": ["langchain", "schema", "messages", "HumanMessage"], "kwargs": {"content": QUESTION}}
    return Told(
        "ChatOpenAI",
        {
            "gen_ai.operation.name": "chat",
            "langsmith.span.kind": "llm",
            "gen_ai.usage.input_tokens": 40,
            "gen_ai.prompt": json.dumps({"messages": [[human]]}),
            "gen_ai.completion": json.dumps(output),
        },
    )


def langsmith_call(asked: Asked) -> Told:
    message = {"content": asked.result, "type": "tool", "tool_call_id": asked.call_id, "status": "success"}
    return Told(
        asked.tool,
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": asked.tool,
            "langsmith.span.kind": "tool",
            "gen_ai.prompt": json.dumps(asked.arguments),
            "gen_ai.completion": json.dumps({"output": message}, separators=(",", ":")),
        },
    )


def haystack_request(asked: list[Asked]) -> Told:
    content: list[object] = [
        {"tool_call": {"tool_name": a.tool, "arguments": a.arguments, "id": a.call_id, "extra": None}} for a in asked
    ]
    reply = {"role": "assistant", "meta": {"usage": {"prompt_tokens": 40}}, "content": content or [{"text": "done"}]}
    said = {"messages": [{"role": "user", "content": [{"text": QUESTION}]}]}
    prefix = "haystack.agent.step.llm."
    return Told(
        "haystack.agent.step.llm",
        {prefix + "input": json.dumps(said), prefix + "output": json.dumps({"replies": [reply]})},
    )


def haystack_call(asked: Asked) -> Told:
    return Told(
        "haystack.agent.step.tool",
        {
            "haystack.tool.name": asked.tool,
            "haystack.agent.step.tool.input": json.dumps(asked.arguments),
            "haystack.agent.step.tool.output": asked.result,
        },
    )


def haystack_run() -> Told:
    given = json.dumps({"messages": [{"role": "user", "content": [{"text": QUESTION}]}]})
    return Told("haystack.agent.run", {"haystack.agent.input": given})


def mcp_call(asked: Asked) -> Told:
    return Told(f"MCP send tools/call {asked.tool}", {"mcp.method.name": "tools/call"})


def untold(_: list[Asked]) -> Told:
    return Told("POST", {"http.request.method": "POST"})


DIALECTS = {
    "genai": Dialect(genai_run, genai_request, genai_call),
    "strands": Dialect(
        strands_run,
        strands_request,
        strands_call,
        cycle=lambda _: Told("execute_event_loop_cycle", {"gen_ai.operation.name": "execute_event_loop_cycle"}),
    ),
    "openinference": Dialect(
        openinference_run,
        openinference_request,
        openinference_call,
        cycle=lambda _: Told("tools", {"openinference.span.kind": "CHAIN"}),
        run_is_a_turn=False,
    ),
    "dspy": Dialect(openinference_run, untold, dspy_call, ids=False, says_steps=False, run_is_a_turn=False),
    "smolagents": Dialect(
        smolagents_run,
        untold,
        openinference_call,
        cycle=lambda number: Told(f"Step {number + 1}", {"openinference.span.kind": "CHAIN"}),
        says_steps=False,
    ),
    "traceloop": Dialect(
        traceloop_run,
        genai_request,
        traceloop_call,
        cycle=lambda _: Told("execute_task tools", {"traceloop.span.kind": "task", "traceloop.entity.name": "tools"}),
    ),
    "langfuse": Dialect(langfuse_run, langfuse_request, langfuse_call),
    "langsmith": Dialect(
        lambda: Told("helper", {"gen_ai.operation.name": "chain", "langsmith.span.kind": "chain"}),
        langsmith_request,
        langsmith_call,
        run_is_a_turn=False,
    ),
    "haystack": Dialect(
        haystack_run,
        haystack_request,
        haystack_call,
        cycle=lambda number: Told("haystack.agent.step", {"haystack.agent.step": number}),
        ids=False,
    ),
    "mcp in a genai run": Dialect(genai_run, genai_request, mcp_call, ids=False),
}


def trace(dialect: Dialect) -> list[SpanRecord]:
    """Tell the story: ask at 0 and 220, call at 110 and 310, answer at 420; everything inside one run of 500 ms."""
    spans: list[SpanRecord] = []

    def tell(told: Told, parent_id: str, start_ms: int, end_ms: int) -> str:
        spans.append(
            SpanRecord(
                trace_id="7" * 32,
                span_id=f"{len(spans) + 1:016x}",
                parent_id=parent_id,
                name=told.name,
                start_ns=start_ms * MS,
                end_ns=end_ms * MS,
                attributes=told.attributes,
                events=tuple(SpanEvent(*event) for event in told.events),
                instrumentation=told.scope,
            )
        )
        return spans[-1].span_id

    run = tell(dialect.run(), "", 0, 500)
    for number, (asked, start_ms) in enumerate(((FIRST, 0), (SECOND, 220), ([], 420))):
        parent = run
        if dialect.cycle is not None and asked:
            parent = tell(dialect.cycle(number), run, start_ms, asked[-1].end_ms + 2)
        tell(dialect.request(asked), parent, start_ms + 2, start_ms + 80)
        for call in asked:
            tell(dialect.call(call), parent, call.start_ms, call.end_ms)
    return spans


def turn_of(dialect: Dialect) -> Turn:
    (turn,) = normalize([classify(span) for span in trace(dialect)], Settings()).turns
    return turn


@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect_tells_the_same_observations(name: str) -> None:
    dialect = DIALECTS[name]
    seen = [classify(span) for span in trace(dialect)]
    calls = [one for one in seen if isinstance(one, Call)]
    assert [(call.tool, call.start_ns // MS, call.end_ns // MS) for call in calls] == [
        (asked.tool, asked.start_ms, asked.end_ms) for asked in FIRST + SECOND
    ]
    assert [call.call_id for call in calls] == (
        [asked.call_id for asked in FIRST + SECOND] if dialect.ids else ["", "", ""]
    )
    steps = [one for one in seen if isinstance(one, Step)]
    if dialect.says_steps:
        assert [step.requested for step in steps] == [("call_0", "call_1"), ("call_2",), ()]
        assert {step.input_tokens for step in steps} == {40}
        for step in steps:
            assert step.messages is not None
            assert step.messages.parse is not None
            assert step.messages.parse(step.messages.value) == [QUESTION]
    else:
        assert steps == []
    assert len([one for one in seen if isinstance(one, TurnSpan)]) == dialect.run_is_a_turn
    cycles = [one for one in seen if isinstance(one, Passage) and one.cycle]
    assert len(cycles) == (2 if dialect.cycle is not None else 0)


@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect_tells_the_same_contents(name: str) -> None:
    if name.startswith("mcp"):  # its spans hold none
        assert all(call.arguments is None for call in turn_of(DIALECTS[name]).calls)
        return
    for call, asked in zip(turn_of(DIALECTS[name]).calls, FIRST + SECOND, strict=True):
        for content, told in ((call.arguments, asked.arguments), (call.result, asked.result)):
            assert content is not None
            assert content.whole
            assert content.parse is not None
            assert content.parse(content.value) == told


@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect_gives_the_same_turn(name: str) -> None:
    dialect = DIALECTS[name]
    turn = turn_of(dialect)
    reference = turn_of(DIALECTS["genai"])
    assert (turn.start_ns, turn.end_ns, turn.coverage, turn.anomalies) == (0, 500 * MS, 1.0, 0)
    assert [(call.tool, call.scope, call.start_ns, call.end_ns) for call in turn.calls] == [
        (call.tool, call.scope, call.start_ns, call.end_ns) for call in reference.calls
    ]
    assert len(turn.steps) == (len(reference.steps) if dialect.says_steps else 0)
