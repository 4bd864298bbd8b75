"""One run of two rounds and three calls, written in each dialect, gives the same turn, live and stored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import asdict, replace
from opentelemetry.trace import Span, set_span_in_context

from otel_parallelism.analysis.turns.normalization import normalize
from otel_parallelism.dialects import DIALECTS, classify
from otel_parallelism.model import Call, Content, Observation, Passage, SpanEvent, SpanRecord, Step, Turn, TurnSpan
from otel_parallelism.settings import Settings
from tests.amounts import some_of

from .sdk_writers import SDK_WRITERS
from .writing import QUESTION, Planned, Writer, Written

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import TracerProvider

    from tests.conftest import Kit

MS = 1_000_000


FIRST = [
    Planned("call_0", "get_weather", {"city": "Oslo"}, "rain", 110, 210),
    Planned("call_1", "get_news", {"topic": "Oslo"}, "none", 112, 212),
]
SECOND = [Planned("call_2", "get_stock", {"symbol": "ACME"}, "41.27", 310, 410)]


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


def spans_of(dialect: Writer) -> list[SpanRecord]:
    """Return the spans of one run of 500 ms: requests at 0, 220 and 420 ms, calls at 110 and 310 ms."""
    spans: list[SpanRecord] = []

    def write(written: Written, parent_id: str, start_ms: int, end_ms: int) -> str:
        spans.append(
            SpanRecord(
                trace_id="7" * 32,
                span_id=f"{len(spans) + 1:016x}",
                parent_id=parent_id,
                name=written.name,
                start_ns=start_ms * MS,
                end_ns=end_ms * MS,
                attributes=written.attributes,
                events=tuple(SpanEvent(*event) for event in written.events),
                instrumentation=written.scope,
            )
        )
        return spans[-1].span_id

    run = write(dialect.run(), "", 0, 500)
    for number, (asked, start_ms) in enumerate(((FIRST, 0), (SECOND, 220), ([], 420))):
        parent = run
        if dialect.cycle is not None and asked:
            parent = write(dialect.cycle(number), run, start_ms, asked[-1].end_ms + 2)
        write(dialect.request(asked), parent, start_ms + 2, start_ms + 80)
        for call in asked:
            write(dialect.call(call), parent, call.start_ms, call.end_ms)
    return spans


def turn_of(dialect: Writer) -> Turn:
    (turn,) = normalize([classify(span) for span in spans_of(dialect)], Settings()).turns
    return turn


@pytest.mark.parametrize("name", WRITERS)
def test_every_dialect_gives_the_same_observations(name: str) -> None:
    dialect = WRITERS[name]
    seen = [classify(span) for span in spans_of(dialect)]
    calls = [one for one in seen if isinstance(one, Call)]
    assert [(call.tool, call.start_ns // MS, call.end_ns // MS) for call in calls] == [
        (asked.tool, asked.start_ms, asked.end_ms) for asked in FIRST + SECOND
    ]
    assert [call.call_id for call in calls] == (
        [asked.call_id for asked in FIRST + SECOND] if dialect.ids else ["", "", ""]
    )
    steps = [one for one in seen if isinstance(one, Step)]
    if dialect.has_steps:
        assert [step.requested for step in steps] == (
            [("call_0", "call_1"), ("call_2",), ()]
            if dialect.requests_ids
            else [None, None, () if dialect.knows_the_last else None]
        )
        assert {step.input_tokens for step in steps} == {40}
        for step in steps if dialect.requests_words else ():
            assert step.messages is not None
            assert step.messages.parse is not None
            assert step.messages.parse(step.messages.value) == [QUESTION]
    else:
        assert steps == []
    assert len([one for one in seen if isinstance(one, TurnSpan)]) == dialect.run_is_a_turn
    cycles = [one for one in seen if isinstance(one, Passage) and one.cycle]
    assert len(cycles) == (2 if dialect.cycle is not None else 0)


@pytest.mark.parametrize("name", WRITERS)
def test_the_end_of_a_span_does_not_change_what_it_is(name: str) -> None:
    for span in spans_of(WRITERS[name]):
        later = replace(span, end_ns=span.end_ns + 7)
        assert _shown(classify(later)) == _shown(replace(classify(span), end_ns=later.end_ns))


def _shown(observation: Observation) -> dict[str, object]:
    """Return the fields; what parses a content may be a new function for each."""
    fields = asdict(observation)
    return {key: value.value if isinstance(value, Content) else value for key, value in fields.items()}


@pytest.mark.many
@pytest.mark.parametrize("name", some_of(WRITERS, every=3))
def test_every_dialect_gives_the_same_contents(name: str) -> None:
    if name.startswith("mcp") or not WRITERS[name].has_contents:
        assert all(call.arguments is None for call in turn_of(WRITERS[name]).calls)
        return
    for call, asked in zip(turn_of(WRITERS[name]).calls, FIRST + SECOND, strict=True):
        for content, expected in ((call.arguments, asked.arguments), (call.result, asked.result)):
            assert content is not None
            assert content.whole
            assert content.parse is not None
            assert content.parse(content.value) == expected


@pytest.mark.parametrize("name", WRITERS)
def test_every_dialect_gives_the_same_turn(name: str) -> None:
    dialect = WRITERS[name]
    turn = turn_of(dialect)
    reference = turn_of(WRITERS["genai"])
    assert (turn.start_ns, turn.end_ns, turn.coverage, turn.anomalies) == (0, 500 * MS, 1.0, 0)
    assert [(call.tool, call.scope, call.start_ns, call.end_ns) for call in turn.calls] == [
        (call.tool, call.scope, call.start_ns, call.end_ns) for call in reference.calls
    ]
    assert len(turn.steps) == (len(reference.steps) if dialect.has_steps else 0)


@pytest.mark.parametrize("name", WRITERS)
def test_every_dialect_gives_the_same_turn_live(name: str, make_kit: Callable[[], Kit]) -> None:
    kit = make_kit()
    stored = turn_of(WRITERS[name])
    write_live(kit.provider, spans_of(WRITERS[name]))
    (report,) = kit.reports
    live = report.turn
    assert (live.start_ns, live.end_ns, live.coverage) == (stored.start_ns, stored.end_ns, stored.coverage)
    assert [(call.tool, call.start_ns, call.end_ns, call.call_id, call.round) for call in live.calls] == [
        (call.tool, call.start_ns, call.end_ns, call.call_id, call.round) for call in stored.calls
    ]
    assert [(step.start_ns, step.end_ns, step.requested) for step in live.steps] == [
        (step.start_ns, step.end_ns, step.requested) for step in stored.steps
    ]


def write_live(provider: TracerProvider, spans: list[SpanRecord]) -> None:
    """Start and end *spans* with *provider* in the order of their times."""
    moments = [(span.start_ns, 1, number, span) for number, span in enumerate(spans)]
    moments += [(span.end_ns, 0, -number, span) for number, span in enumerate(spans)]
    live: dict[str, Span] = {}
    for at_ns, starts, _, span in sorted(moments, key=lambda moment: moment[:3]):
        if starts:
            parent = live.get(span.parent_id)
            live[span.span_id] = provider.get_tracer(span.instrumentation or "tests").start_span(
                span.name,
                None if parent is None else set_span_in_context(parent),
                start_time=at_ns,
                attributes=span.attributes,  # type: ignore[arg-type] # every value here is one of OpenTelemetry's
            )
        else:
            for event in span.events:
                live[span.span_id].add_event(event.name, event.attributes, timestamp=at_ns)  # type: ignore[arg-type] # as above
            live[span.span_id].end(at_ns)


def test_every_dialect_has_a_writer() -> None:
    seen = [record for writer in WRITERS.values() for record in spans_of(writer)]
    seen.append(SpanRecord("7" * 32, "8" * 16, "", "human_approval", 0, 1, {}))
    seen.append(SpanRecord("7" * 32, "8" * 16, "", "retrieval", 0, 1, {"gen_ai.operation.name": "retrieval"}))
    for dialect in DIALECTS:
        assert any(dialect.describe(record) is not None for record in seen), dialect
