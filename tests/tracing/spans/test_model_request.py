from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from otel_parallelism import agent_turn, names
from otel_parallelism.model import Content
from otel_parallelism.tracing.spans.model_request import ModelRequest
from otel_parallelism.tracing.spans.tool_call import ToolCall, framework_tool
from tests.virtual_time import exactly

if TYPE_CHECKING:
    from tests.conftest import Kit


async def ask(*ids: str, tokens: int | None = None, known: bool = True) -> None:
    """A request that takes 20 ms and asks for calls of these ids."""
    request = ModelRequest("stub", "somebody", Content("the user's words"))
    request.enter()
    await asyncio.sleep(0.02)
    if known:
        request.answered(ids, tokens)
    request.end()


async def call(name: str, call_id: str) -> None:
    made = ToolCall(framework_tool(name), call_id, {"of": name})
    made.enter()
    await asyncio.sleep(0.06)
    made.end(f"result of {name}")


async def burst() -> Any:
    with agent_turn("clerk", input="words") as turn:
        await ask("a", "b", "c", tokens=100)
        for name in ("a", "b", "c"):
            await call(f"get_{name}", name)
        await ask(tokens=150)
    return turn.report


async def rounds() -> Any:
    with agent_turn("clerk", input="words") as turn:
        for number, name in enumerate(("a", "b", "c")):
            await ask(name, tokens=100 * (number + 1))
            await call(f"get_{name}", name)
        await ask(tokens=400)
    return turn.report


async def test_what_an_answer_asks_for_proves_the_round(kit: Kit) -> None:
    report = await burst()
    assert (report.steps, report.cause, report.verdict) == (2, "dispatch", "sequential")
    assert all(made.proved for made in report.turn.calls)
    span = kit.spans[0]
    assert (span.name, span.kind) == ("chat stub", trace.SpanKind.CLIENT)
    assert dict(span.attributes or {}) == {
        names.OPERATION_NAME: "chat",
        names.REQUEST_MODEL: "stub",
        names.PROVIDER_NAME: "somebody",
        names.REQUESTED: ("a", "b", "c"),
        names.INPUT_TOKENS: 100,
    }


async def test_rounds_of_one_are_the_models_and_cost_tokens(kit: Kit) -> None:
    report = await rounds()
    assert (report.steps, report.cause, report.avoidable_steps) == (4, "model", 2)
    assert report.avoidable_tokens == 2 * 250


@pytest.mark.parametrize("shape", [burst, rounds])
async def test_stored_they_tell_the_same(kit: Kit, shape: Any) -> None:
    live = await shape()
    (stored,) = kit.stored().reports
    assert [(made.tool, made.round, made.proved) for made in stored.turn.calls] == [
        (made.tool, made.round, made.proved) for made in live.turn.calls
    ]
    assert stored.steps == live.steps
    assert stored.avoidable_potential + stored.avoidable == exactly(live.avoidable)
    assert {finding.cause for finding in stored.findings} == {live.cause}


async def test_an_answer_that_is_not_known_proves_nothing(kit: Kit) -> None:
    with agent_turn("clerk") as turn:
        await ask(known=False)
        await asyncio.gather(call("get_a", "a"), call("get_b", "b"))
    assert turn.report is not None
    assert [(made.round, made.proved) for made in turn.report.turn.calls] == [(0, False)] * 2
    assert names.REQUESTED not in (kit.spans[0].attributes or {})


async def test_nested_requests_are_one_step_and_know_together(kit: Kit) -> None:
    with agent_turn("clerk") as turn:
        outer = ModelRequest("outer")
        outer.enter()
        await ask("a", "b", tokens=100)
        outer.end()
        await call("get_a", "a")
        await call("get_b", "b")
    assert turn.report is not None
    assert turn.report.steps == 1
    assert turn.report.cause == "dispatch"
    assert [span.name for span in kit.spans if span.name.startswith("chat")] == ["chat outer"]


async def test_a_span_of_somebody_elses_around_is_the_step(kit: Kit) -> None:
    with agent_turn("clerk") as turn:
        attributes = {"openinference.span.kind": "LLM"}
        with kit.tracer().start_as_current_span("LLM", attributes=attributes):
            await ask("a", "b", tokens=100)
        await call("get_a", "a")
        await call("get_b", "b")
    assert turn.report is not None
    assert (turn.report.steps, turn.report.cause) == (1, "dispatch")
    assert [span.name for span in kit.spans] == [
        "LLM",
        "execute_tool get_a",
        "execute_tool get_b",
        "invoke_agent clerk",
    ]


async def test_a_span_of_somebody_elses_inside_is_the_same_step(kit: Kit) -> None:
    with agent_turn("clerk") as turn:
        request = ModelRequest("stub")
        request.enter()
        attributes = {"openinference.span.kind": "LLM"}
        with kit.tracer().start_as_current_span("LLM", attributes=attributes):
            await asyncio.sleep(0.01)
        request.answered(("a",))
        request.end()
        await call("get_a", "a")
    assert turn.report is not None
    assert turn.report.steps == 1


async def test_outside_of_everything_there_is_no_span(kit: Kit) -> None:
    await ask("a")
    assert kit.spans == ()


async def test_inside_of_any_span_there_is_one(kit: Kit) -> None:
    with kit.tracer().start_as_current_span("request"):
        await ask("a")
    assert [span.name for span in kit.spans] == ["chat stub", "request"]


async def test_a_failed_request_says_so_and_not_why(kit: Kit) -> None:
    with agent_turn("clerk") as turn:
        request = ModelRequest("stub")
        request.enter()
        request.fail(ConnectionError("the key is sk-1234"))
    assert turn.report is not None
    span = kit.span("chat stub")
    assert (span.attributes or {})["error.type"] == "ConnectionError"
    assert "sk-1234" not in kit.everything()


async def test_a_request_inside_a_call_is_that_calls(kit: Kit) -> None:
    with agent_turn("clerk") as turn:
        made = ToolCall(framework_tool("get_summary"), "a")
        made.enter()
        await ask()
        made.end("short")
        await call("get_b", "b")
    assert turn.report is not None
    assert turn.report.steps == 0


async def test_its_span_is_current_while_it_runs_and_not_after(kit: Kit) -> None:
    with agent_turn("clerk") as turn:
        request = ModelRequest("stub")
        request.enter()
        assert trace.get_current_span() is not turn.span
        context = request.leave()
        assert trace.get_current_span() is turn.span
        assert trace.get_current_span(context) is not turn.span
        request.end()
        assert trace.get_current_span() is turn.span


async def test_what_is_known_of_others_spans_is_written_on_them(kit: Kit) -> None:
    tracer = kit.tracer("another.instrumentation")
    with agent_turn("clerk") as turn:
        with tracer.start_as_current_span("chat", attributes={names.OPERATION_NAME: "chat", "own": "value"}):
            await ask("a", "b")
        for name in ("a", "b"):
            attributes = {names.OPERATION_NAME: "execute_tool", names.TOOL_NAME: f"do_{name}"}
            with tracer.start_as_current_span("tool", attributes=attributes):
                made = ToolCall(framework_tool(f"do_{name}", "read"), name, {})
                made.enter()
                await asyncio.sleep(0.06)
                made.end("done")
    chat, first, *_ = (dict(span.attributes or {}) for span in kit.spans)
    assert (chat[names.REQUESTED], chat["own"]) == (("a", "b"), "value")
    assert (first[names.EFFECT], first[names.TOOL_CALL_ID]) == ("read", "a")
    (stored,) = kit.stored().reports
    assert turn.report is not None
    assert (stored.verdict, stored.cause, stored.avoidable) == (
        turn.report.verdict,
        turn.report.cause,
        turn.report.avoidable,
    )
    assert stored.cause == "dispatch"


async def test_full_span_of_another_instrumentation_keeps_its_attributes(kit: Kit) -> None:
    many = {f"key{at}": at for at in range(127)}
    with (
        agent_turn("clerk"),
        kit.tracer().start_as_current_span("chat", attributes={names.OPERATION_NAME: "chat", **many}),
    ):
        await ask("a")
    chat = dict(kit.spans[0].attributes or {})
    assert names.REQUESTED not in chat
    assert chat[names.OPERATION_NAME] == "chat"
