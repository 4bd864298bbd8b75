"""Another instrumentation that makes spans of the same runs, calls and requests does not change the results."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.context import Context
from opentelemetry.trace import set_span_in_context

from otel_parallelism import agent_turn
from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.tracing.spans.kinds import Profiled, kind_of
from otel_parallelism.tracing.spans.model_request import ModelRequest
from otel_parallelism.tracing.state.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Span

    from tests.conftest import Kit

THEIRS = "another.instrumentation"


class OtherInstrumentation:
    """An instrumentation that chooses the parents of its spans itself and attaches no span to the context."""

    def __init__(self, kit: Kit, *, attributes_at_start: bool) -> None:
        self.tracer = kit.tracer(THEIRS)
        self.at_start = attributes_at_start

    def begin(self, name: str, parent: Span | None, **attributes: str) -> tuple[Span, dict[str, str]]:
        said = {key.replace("__", "."): value for key, value in attributes.items()}
        context = None if parent is None else set_span_in_context(parent, Context())
        return self.tracer.start_span(name, context, attributes=said if self.at_start else None), said

    def end(self, begun: tuple[Span, dict[str, str]]) -> None:
        span, said = begun
        span.set_attributes(said)
        span.end()


@pytest.fixture(params=[True, False], ids=["attributes at start", "attributes at end"])
def other(request: pytest.FixtureRequest, kit: Kit) -> OtherInstrumentation:
    return OtherInstrumentation(kit, attributes_at_start=request.param)


def patched(function: Callable[..., Any], how: Any) -> Any:
    return Profiled(function, how(kind_of(function)))


def run_of(_: Any, args: Any, __: Any) -> TurnFacts:
    return TurnFacts(args[0], None, frozenset({THEIRS}))


def agents(other: OtherInstrumentation) -> Any:
    """An agent that sends one model request, then runs two calls together; one call of ``chief`` runs ``helper``."""

    async def ask(parent: Span) -> None:
        begun = other.begin("model", parent, openinference__span__kind="LLM")
        await asyncio.sleep(0.02)
        other.end(begun)

    async def call(name: str, call_id: str, parent: Span) -> None:
        begun = other.begin(
            name, parent, openinference__span__kind="TOOL", tool__name=name, tool_call__id=call_id, input__value="{}"
        )
        await asyncio.sleep(0.06)
        if name == "ask_helper":
            await run("helper", begun[0])
        other.end(begun)

    async def answer(name: str, parent: Span | None = None) -> None:
        begun = other.begin(f"{name} run", parent, openinference__span__kind="AGENT", agent__name=name)
        node = other.begin("node", begun[0], openinference__span__kind="CHAIN")
        await asked(node[0])
        tools = ("get_weather", "ask_helper") if name == "chief" else ("get_weather", "get_news")
        await asyncio.gather(*(tool(each, f"{name}_{each}", node[0]) for each in tools))
        other.end(node)
        other.end(begun)

    asked = patched(ask, lifetime_wrapper(lambda *_: ModelRequest("stub")))
    tool = patched(call, tool_call_wrapper(lambda _, args, __: CallFacts(args[0], args[1], {"of": "all"})))
    run = patched(answer, turn_wrapper(run_of, title="run"))
    return run


async def test_run_with_two_spans_is_one_turn(kit: Kit, other: OtherInstrumentation) -> None:
    await agents(other)("helper")
    (report,) = kit.reports
    assert report.turn.name == "helper"
    assert sorted(call.call_id for call in report.turn.calls) == ["helper_get_news", "helper_get_weather"]
    assert all(call.task for call in report.turn.calls), "data that only we have is kept"
    assert (report.steps, report.peak_concurrency, report.coverage) == (1, 2, 1.0)
    assert REGISTRY.turns == {}


async def test_run_inside_a_call_has_its_own_calls(kit: Kit, other: OtherInstrumentation) -> None:
    await agents(other)("chief")
    helper, chief = kit.reports
    assert [(report.turn.name, report.calls, report.steps) for report in kit.reports] == [
        ("helper", 2, 1),
        ("chief", 2, 1),
    ]
    assert len(helper.turn.calls) == len(chief.turn.calls) == 2
    assert not any(call.scope for call in chief.turn.calls)


async def test_concurrent_runs_keep_their_own_calls(kit: Kit, other: OtherInstrumentation) -> None:
    run = agents(other)
    await asyncio.gather(run("helper"), run("helper"))
    assert [(report.calls, report.steps, report.peak_concurrency) for report in kit.reports] == [(2, 1, 2)] * 2


async def test_run_of_the_other_instrumentation_alone_is_a_turn(kit: Kit, other: OtherInstrumentation) -> None:
    await agents(other)("helper")
    with agent_turn("by hand"):
        begun = other.begin("theirs", None, openinference__span__kind="AGENT", agent__name="theirs")
        call = other.begin("get_weather", begun[0], openinference__span__kind="TOOL", tool__name="get_weather")
        other.end(call)
        other.end(begun)
    assert [report.turn.name for report in kit.reports] == ["helper", "theirs"]


class PauseError(Exception):
    """The base of the exceptions by which a framework pauses a run."""


class InputNeededError(PauseError):
    """A pause to wait for input."""


@pytest.mark.parametrize(("error", "failed"), [(InputNeededError, False), (LookupError, True)])
async def test_pause_is_not_a_failure(kit: Kit, error: type[Exception], *, failed: bool) -> None:
    async def body(name: str) -> None:
        raise error

    tool = patched(body, tool_call_wrapper(lambda _, args, __: CallFacts(args[0], pauses=("PauseError",))))

    async def answer() -> None:
        await tool("ask_user")

    run = patched(answer, turn_wrapper(lambda *_: TurnFacts("clerk", pauses=("PauseError",)), title="run"))
    with pytest.raises(error):
        await run()
    (report,) = kit.reports
    assert [call.error for call in report.turn.calls] == [failed]
    assert {span.status.is_ok for span in kit.spans} == {not failed}


async def test_text_of_arguments_does_not_hide_an_object_among_them(kit: Kit, other: OtherInstrumentation) -> None:
    """A call that receives an object may depend on its content, even if the other span shows only text arguments."""

    async def body(_: str, call_id: str) -> str:
        begun = other.begin(
            "get_summary",
            span,
            openinference__span__kind="TOOL",
            tool__name="get_summary",
            tool_call__id=call_id,
            input__value='{"of": "all"}',
            output__value="nothing",
        )
        await asyncio.sleep(0.1)
        other.end(begun)
        return "nothing"

    handed = object()
    tool = patched(
        body, tool_call_wrapper(lambda _, args, __: CallFacts(args[0], args[1], {"of": "all", "state": handed}))
    )
    with agent_turn("clerk") as turn:
        span = turn.span
        await tool("get_summary", "one")
        await tool("get_summary", "two")
    assert turn.report is not None
    assert [call.arguments.whole for call in turn.report.turn.calls if call.arguments] == [False, False]
    assert [finding.advice for finding in turn.report.findings] == ["potential"]
