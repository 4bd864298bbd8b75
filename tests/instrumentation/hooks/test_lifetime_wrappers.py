from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_parallelism import agent_turn, names
from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, Returned, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.tracing.spans.kinds import Profiled, kind_of
from otel_parallelism.tracing.state.registry import REGISTRY
from tests.virtual_time import exactly

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from otel_parallelism.instrumentation.hooks.lifetimes import WrapperFactory
    from tests.conftest import Kit


def patched(function: Callable[..., Any], factory: WrapperFactory) -> Any:
    return Profiled(function, factory(kind_of(function)))


def described(_: Any, args: Any, kwargs: Any) -> CallFacts | None:
    name = argument(args, kwargs, 0, "name")
    return None if name == "nothing" else CallFacts(name, f"id_{name}", {"of": name})


def run_of(_: Any, args: Any, kwargs: Any) -> TurnFacts:
    return TurnFacts(kwargs.get("agent", "clerk"), "the user's words")


async def a_coroutine(name: str, takes: float = 0.05) -> str:
    await asyncio.sleep(takes)
    return f"result of {name}"


def a_function(name: str, takes: float = 0.05) -> str:
    time.sleep(takes)
    return f"result of {name}"


def a_function_that_returns_a_coroutine(name: str) -> Any:
    return a_coroutine(name)


def a_function_that_returns_a_task(name: str) -> asyncio.Future[str]:
    return asyncio.ensure_future(a_coroutine(name))


async def an_async_generator(name: str) -> AsyncIterator[str]:
    await asyncio.sleep(0.05)
    yield "first"
    yield f"result of {name}"


def a_generator(name: str) -> Iterator[str]:
    time.sleep(0.05)
    yield "first"
    yield f"result of {name}"


def a_function_that_returns_a_generator(name: str) -> Any:
    return a_generator(name)


def a_function_that_returns_an_async_generator(name: str) -> Any:
    return an_async_generator(name)


KINDS = (
    a_coroutine,
    a_function,
    a_function_that_returns_a_coroutine,
    a_function_that_returns_a_task,
    an_async_generator,
    a_generator,
    a_function_that_returns_a_generator,
    a_function_that_returns_an_async_generator,
)


async def used_up(result: Any) -> Any:
    """Return the final result of *result*, which may be a value, an awaitable or an iterator."""
    if hasattr(result, "__await__"):
        return await result
    if hasattr(result, "__anext__"):
        return [item async for item in result][-1]
    return list(result)[-1] if hasattr(result, "__next__") else result


@pytest.mark.parametrize("function", KINDS)
async def test_call_ends_with_its_result(kit: Kit, function: Any) -> None:
    tool = patched(function, tool_call_wrapper(described))
    with agent_turn("clerk") as turn:
        assert await used_up(tool("get_weather")) == "result of get_weather"
        await asyncio.sleep(0.03)
    assert turn.report is not None
    (call,) = turn.report.turn.calls
    assert (call.tool, call.call_id, call.error) == ("get_weather", "id_get_weather", False)
    assert call.duration_ns / 1e9 == exactly(0.05)
    assert (turn.report.turn.end_ns - turn.report.turn.start_ns) / 1e9 == exactly(0.08)
    (span,) = kit.calls()
    assert span.name == "execute_tool get_weather"
    assert span.attributes is not None
    assert span.attributes[names.TOOL_CALL_ID] == "id_get_weather"
    assert span.attributes[names.OPERATION_NAME] == "execute_tool"


@pytest.mark.parametrize("function", KINDS)
async def test_turn_ends_with_its_result(kit: Kit, function: Any) -> None:
    run = patched(function, turn_wrapper(run_of, title="run"))
    assert await used_up(run("answer")) == "result of answer"
    await asyncio.sleep(0)
    (report,) = kit.reports
    assert (report.turn.name, report.turn.agent) == ("clerk", "clerk")
    assert (report.turn.end_ns - report.turn.start_ns) / 1e9 == exactly(0.05)
    assert REGISTRY.turns == {}


def failing(function: Any) -> Any:
    """Return a function of the same kind as *function* that raises LookupError."""

    async def a_coroutine_fails(name: str) -> str:
        await asyncio.sleep(0)
        raise LookupError(name)

    def a_function_fails(name: str) -> str:
        raise LookupError(name)

    async def an_async_generator_fails(name: str) -> AsyncIterator[str]:
        yield "first"
        raise LookupError(name)

    def a_generator_fails(name: str) -> Iterator[str]:
        yield "first"
        raise LookupError(name)

    return {
        a_coroutine: a_coroutine_fails,
        a_function: a_function_fails,
        an_async_generator: an_async_generator_fails,
        a_generator: a_generator_fails,
    }[function]


@pytest.mark.parametrize("function", [a_coroutine, a_function, an_async_generator, a_generator])
async def test_error_of_the_function_reaches_the_caller(kit: Kit, function: Any) -> None:
    tool = patched(failing(function), tool_call_wrapper(described))
    run = patched(failing(function), turn_wrapper(run_of, title="run"))
    with agent_turn("clerk") as turn, pytest.raises(LookupError, match="get_weather"):
        await used_up(tool("get_weather"))
    with pytest.raises(LookupError, match="answer"):
        await used_up(run("answer"))
    assert turn.report is not None
    assert [call.error for call in turn.report.turn.calls] == [True]
    assert "LookupError" in kit.calls()[0].to_json()
    assert len(kit.reports) == 2


async def test_cancelled_call_counts_as_failed(kit: Kit) -> None:
    tool = patched(a_coroutine, tool_call_wrapper(described))
    with agent_turn("clerk") as turn:
        task = asyncio.ensure_future(tool("get_weather", takes=10))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert turn.report is not None
    assert [call.error for call in turn.report.turn.calls] == [True]


async def test_closed_generator_ends_its_turn(kit: Kit) -> None:
    run = patched(an_async_generator, turn_wrapper(run_of, title="run"))
    items = run("answer")
    assert await anext(items) == "first"
    assert len(REGISTRY.turns) == 1
    await items.aclose()
    assert REGISTRY.turns == {}
    assert len(kit.reports) == 1


async def test_span_is_not_current_between_steps_of_a_generator(kit: Kit) -> None:
    run = patched(an_async_generator, turn_wrapper(run_of, title="run"))
    with kit.tracer().start_as_current_span("the program's own") as own:
        async for _ in run("answer"):
            assert trace.get_current_span() is own


async def test_undescribed_or_suppressed_call_is_not_recorded(kit: Kit) -> None:
    tool = patched(a_coroutine, tool_call_wrapper(described))
    with agent_turn("clerk") as turn:
        assert await tool("nothing") == "result of nothing"
        with suppress_instrumentation():
            assert await tool("get_weather") == "result of get_weather"
    assert turn.report is not None
    assert turn.report.turn.calls == ()


async def test_failing_description_does_not_affect_the_program(make_kit: Any, caplog: pytest.LogCaptureFixture) -> None:
    from otel_parallelism.tracing import shield  # noqa: PLC0415

    kit = make_kit()
    kit.forgive()

    def broken(_: Any, __: Any, ___: Any) -> CallFacts:
        raise AttributeError

    def broken_reading(_: Any) -> Returned:
        raise KeyError

    with agent_turn("clerk") as turn:
        assert await patched(a_coroutine, tool_call_wrapper(broken))("one") == "result of one"
        assert await patched(a_coroutine, tool_call_wrapper(described, broken_reading))("two") == "result of two"
    assert turn.report is not None
    assert [call.tool for call in turn.report.turn.calls] == ["two"]
    assert len(shield.internal_errors()) == 2
    assert "internal error while describing a call" in caplog.text
    shield._counts.clear()


async def test_failed_result_counts_as_an_error(kit: Kit) -> None:
    def read(result: str) -> Returned:
        return Returned(result, failed="two" in result)

    tool = patched(a_coroutine, tool_call_wrapper(described, read))
    with agent_turn("clerk") as turn:
        assert await tool("one") == "result of one"
        assert await tool("two") == "result of two"
    assert turn.report is not None
    assert [call.error for call in turn.report.turn.calls] == [False, True]
    assert "result of two" not in kit.everything()


async def test_result_used_as_argument_is_a_dependency(kit: Kit) -> None:
    async def get_user(name: str) -> dict[str, str]:
        await asyncio.sleep(0.06)
        return {"content": f"the number of {name} is usr_77123"}

    def describe(_: Any, args: Any, kwargs: Any) -> CallFacts:
        return CallFacts(kwargs["tool"], "", {"of": args[0]})

    tool = patched(
        lambda of, tool: get_user(of), tool_call_wrapper(describe, lambda result: Returned(result["content"]))
    )
    with agent_turn("clerk", input="orders of Ada and Bob, please") as turn:
        await tool("Ada", tool="get_user")
        await tool("usr_77123", tool="get_orders")
        await tool("Bob", tool="get_user")
    assert turn.report is not None
    assert turn.report.verdict == "partly_sequential"
    assert turn.report.critical_path == exactly(2 / 3 * turn.report.makespan)
    assert "usr_77123" not in kit.everything()
    assert "Ada" not in kit.everything()


async def test_result_that_a_function_puts_into_its_argument_is_read(kit: Kit) -> None:
    async def invoke(context: dict[str, Any]) -> None:
        await asyncio.sleep(0.06)
        context["result"] = f"the number of {context['of']} is usr_77123"

    def describe(_: Any, args: Any, kwargs: Any) -> CallFacts:
        context = args[0]
        return CallFacts(context["tool"], "", {"of": context["of"]}, read=lambda: Returned(context["result"]))

    run = patched(invoke, tool_call_wrapper(describe))
    with agent_turn("clerk", input="orders of Ada, please") as turn:
        await run({"tool": "get_user", "of": "Ada"})
        await run({"tool": "get_orders", "of": "usr_77123"})
    assert turn.report is not None
    assert turn.report.verdict == "serial_by_need"
    assert kit.everything().count("usr_77123") == 0


class TestInsideAnotherInstrumentation:
    """A span of another instrumentation for the same call or turn is open: no second span is made."""

    async def test_call_adds_data_to_the_existing_span(self, kit: Kit) -> None:
        tool = patched(a_coroutine, tool_call_wrapper(described))
        tracer = kit.tracer()
        with agent_turn("clerk", input="run get_weather and get_news") as turn:
            for name in ("get_weather", "get_news"):
                attributes = {"openinference.span.kind": "TOOL", "tool.name": name}
                with tracer.start_as_current_span(name, attributes=attributes):
                    assert await tool(name) == f"result of {name}"
        assert turn.report is not None
        assert [(call.tool, call.call_id) for call in turn.report.turn.calls] == [
            ("get_weather", "id_get_weather"),
            ("get_news", "id_get_news"),
        ]
        assert [span.name for span in kit.calls()] == []
        assert turn.report.findings[0].advice == "recommended", "arguments and results were known"

    async def test_call_of_another_tool_inside_is_separate(self, kit: Kit) -> None:
        tool = patched(a_coroutine, tool_call_wrapper(described))
        attributes = {"openinference.span.kind": "TOOL", "tool.name": "plan_trip"}
        with agent_turn("clerk") as turn, kit.tracer().start_as_current_span("plan_trip", attributes=attributes):
            await tool("get_weather")
            await tool("get_news")
        assert turn.report is not None
        assert [(call.tool, bool(call.scope)) for call in turn.report.turn.calls] == [
            ("plan_trip", False),
            ("get_weather", True),
            ("get_news", True),
        ]
        assert len(kit.calls()) == 2

    async def test_two_wrappers_inside_are_one_call(self, kit: Kit) -> None:
        inner = patched(a_coroutine, tool_call_wrapper(described))

        async def outer(name: str) -> str:
            result: str = await inner(name)
            return result

        tool = patched(outer, tool_call_wrapper(described))
        attributes = {"openinference.span.kind": "TOOL", "tool.name": "get_weather"}
        with agent_turn("clerk") as turn, kit.tracer().start_as_current_span("get_weather", attributes=attributes):
            await tool("get_weather")
        assert turn.report is not None
        assert [call.tool for call in turn.report.turn.calls] == ["get_weather"]
        assert kit.calls() == []

    async def test_error_is_recorded(self, kit: Kit) -> None:
        tool = patched(failing(a_coroutine), tool_call_wrapper(described))
        attributes = {"openinference.span.kind": "TOOL", "tool.name": "get_weather"}
        with (
            agent_turn("clerk") as turn,
            pytest.raises(LookupError),
            kit.tracer().start_as_current_span(
                "x", attributes=attributes, record_exception=False, set_status_on_exception=False
            ),
        ):
            await tool("get_weather")
        assert turn.report is not None
        assert [call.error for call in turn.report.turn.calls] == [True]

    async def test_turn_of_a_named_scope_is_not_repeated(self, kit: Kit) -> None:
        run = patched(a_coroutine, turn_wrapper(run_of, title="run", scopes=("somebody.",)))
        attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "theirs"}
        tracer = kit.tracer()
        with tracer.start_as_current_span("invoke_agent theirs", attributes=attributes):
            await run("answer")
        with tracer.start_as_current_span("invoke_agent theirs", attributes=attributes):
            await run("answer")
            await run("again")
        assert [span.name for span in kit.spans] == [
            "invoke_agent theirs",
            "invoke_agent clerk",
            "invoke_agent theirs",
        ]

    async def test_turn_of_another_scope_encloses_ours(self, kit: Kit) -> None:
        run = patched(a_coroutine, turn_wrapper(run_of, title="run", scopes=("another.",)))
        with kit.tracer().start_as_current_span("run", attributes={"gen_ai.operation.name": "invoke_agent"}):
            await run("answer")
        assert [span.name for span in kit.spans] == ["invoke_agent clerk", "run"]


async def test_nested_wrappers_of_one_call_are_one_call(kit: Kit) -> None:
    inner = patched(a_coroutine, tool_call_wrapper(described))

    async def outer(name: str) -> str:
        result: str = await inner(name)
        return result

    tool = patched(outer, tool_call_wrapper(described))
    with agent_turn("clerk") as turn:
        await tool("get_weather")
    assert turn.report is not None
    assert [call.tool for call in turn.report.turn.calls] == ["get_weather"]
    assert len(kit.calls()) == 1


async def test_inner_wrapper_adds_effect_and_failure_to_the_call(kit: Kit) -> None:
    def annotated(_: Any, args: Any, __: Any) -> CallFacts:
        return CallFacts(args[0], effect="write")

    inner = patched(
        a_coroutine, tool_call_wrapper(annotated, lambda result: Returned(result, failed="broken" in result))
    )

    async def outer(name: str) -> str:
        result: str = await inner(name)
        return result

    tool = patched(outer, tool_call_wrapper(described))
    with agent_turn("clerk") as turn:
        await tool("get_token")
        await tool("get_broken")
    assert turn.report is not None
    known = [(call.effect, call.effect_source, call.error) for call in turn.report.turn.calls]
    assert known == [("write", "framework", False), ("write", "framework", True)]
    stored = [(span.attributes[names.EFFECT], span.status.is_ok) for span in kit.calls()]
    assert stored == [("write", True), ("write", False)]


async def test_blocking_calls_that_start_together_are_serialized_by_the_loop(kit: Kit) -> None:
    async def block(name: str) -> str:
        time.sleep(0.06)  # noqa: ASYNC251 - that is what is shown
        return name

    tool = patched(block, tool_call_wrapper(described))
    with agent_turn("clerk") as turn:
        await asyncio.gather(*(tool(name) for name in ("get_one", "get_two", "get_three")))
    assert turn.report is not None
    assert [finding.cause for finding in turn.report.findings] == ["blocking"]
