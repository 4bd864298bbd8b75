"""Pydantic AI beyond the contract: delegation, concurrent agents, sequential tools."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import time
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic_ai import Agent, DeferredToolRequests
from pydantic_ai.exceptions import ApprovalRequired, CallDeferred
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.instrumented import InstrumentationSettings

from otel_parallelism import coverage, subscribe
from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism import Report

TAKES = 0.05
SWITCHES: list[Any] = [
    functools.partial(getattr(Agent, name), *arguments)
    for name, arguments in (
        ("parallel_tool_call_execution_mode", ["sequential"]),
        ("sequential_tool_calls", []),
    )
    if hasattr(Agent, name)
]
"""The framework's switch for sequential calls, under its old or its new name."""


class Seen:
    """The reports of the turns that ended, and the exported spans."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def report(self, name: str) -> Report:
        (found,) = [report for report in self.reports if report.turn.name == name]
        return found

    def names(self) -> list[str]:
        return [span.name for span in self.exporter.get_finished_spans()]


@pytest.fixture
def seen() -> Iterator[Seen]:
    made = Seen()
    ParallelismInstrumentor().instrument(tracer_provider=made.provider)
    unsubscribe = subscribe(made.reports.append)
    yield made
    unsubscribe()
    ParallelismInstrumentor().uninstrument()
    assert coverage().calls_without_turn == 0


def asking(*rounds: list[tuple[str, dict[str, Any]]]) -> FunctionModel:
    """Return a model that requests the calls of each round in one response, then answers."""

    def respond(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        done = sum(isinstance(message, ModelResponse) for message in messages)
        if done == len(rounds):
            return ModelResponse([TextPart("done")])
        return ModelResponse(
            [ToolCallPart(name, given, f"call_{done}_{at}") for at, (name, given) in enumerate(rounds[done])]
        )

    return FunctionModel(respond)


async def get_page(number: int) -> str:
    """Get a page."""
    await asyncio.sleep(TAKES)
    return f"text of page {number}"


PAGES = [("get_page", {"number": number}) for number in (1, 2, 3)]


async def test_agent_as_a_tool_is_a_call_with_a_turn_inside(seen: Seen) -> None:
    helper = Agent(asking(PAGES), name="helper", tools=[get_page])

    async def ask_helper(question: str) -> str:
        """Ask the helper."""
        return (await helper.run(question)).output

    asked = [("ask_helper", {"question": "first"}), ("ask_helper", {"question": "second"})]
    await Agent(asking(asked), name="chief", tools=[ask_helper]).run("both")

    chief = seen.report("chief")
    assert (chief.calls, chief.steps, chief.peak_concurrency) == (2, 2, 2)
    helpers = [report for report in seen.reports if report.turn.name == "helper"]
    assert [(report.calls, report.steps, report.peak_concurrency) for report in helpers] == [(3, 2, 3)] * 2


async def test_concurrent_agents_are_two_turns(seen: Seen) -> None:
    one = Agent(asking(PAGES), name="one", tools=[get_page])
    two = Agent(asking(PAGES[:1], PAGES[1:2]), name="two", tools=[get_page])
    await asyncio.gather(one.run("all"), two.run("one by one"))

    assert (seen.report("one").calls, seen.report("one").verdict) == (3, "parallel")
    assert (seen.report("two").calls, seen.report("two").cause) == (2, "model")


async def test_body_of_iter_runs_inside_the_turn(seen: Seen) -> None:
    agent = Agent(asking(PAGES), name="helper", tools=[get_page])
    manager = agent.iter("all")
    assert type(manager) is contextlib._AsyncGeneratorContextManager
    assert not seen.reports
    async with manager as run:
        async for _ in run:
            pass
    assert run.result is not None
    assert seen.report("helper").calls == 3


async def test_manager_that_is_not_entered_opens_no_turn(seen: Seen) -> None:
    Agent(asking(PAGES), name="helper", tools=[get_page]).iter("all")
    assert seen.reports == []
    assert seen.names() == []


async def test_error_in_the_body_of_iter_ends_the_turn(seen: Seen) -> None:
    error = KeyError("mine")
    with pytest.raises(KeyError) as raised:
        async with Agent(asking(PAGES), name="helper", tools=[get_page]).iter("all"):
            raise error
    assert raised.value is error
    assert seen.report("helper").calls == 0


@pytest.mark.skipif("sequential" not in inspect.signature(Agent.tool_plain).parameters, reason="came after 1.0")
async def get_page_blocking(number: int) -> str:
    """Get a page without letting the event loop go."""
    time.sleep(TAKES)  # noqa: ASYNC251 - what is tested
    return f"text of page {number}"


async def test_finding_names_the_tool_that_holds_the_loop(seen: Seen) -> None:
    pages = [("get_page_blocking", given) for _, given in PAGES]
    await Agent(asking(pages), name="helper", tools=[get_page_blocking]).run("all")
    (finding,) = seen.report("helper").findings
    assert finding.cause == "blocking"
    assert finding.location is not None
    assert finding.location.file_path == __file__
    assert finding.location.line_number == get_page_blocking.__code__.co_firstlineno


async def test_sequential_tools_are_not_advised_to_run_together(seen: Seen) -> None:
    agent = Agent(asking(PAGES), name="helper")
    agent.tool_plain(sequential=True)(get_page)
    await agent.run("all")

    report = seen.report("helper")
    assert report.peak_concurrency == 1
    assert {call.effect for call in report.turn.calls} == {"write"}
    assert not report.findings


@pytest.mark.skipif(not SWITCHES, reason="came after 1.0")
async def test_batch_that_is_serialized_on_request(seen: Seen) -> None:
    agent = Agent(asking(PAGES), name="helper", tools=[get_page])
    with SWITCHES[0]():
        await agent.run("all")
    report = seen.report("helper")
    # The program has asked for this order.
    assert (report.peak_concurrency, report.cause) == (1, "intended")
    assert report.findings == ()


async def test_call_with_wrong_arguments_has_failed(seen: Seen) -> None:
    wrong = [("get_page", {"number": "seven"}), ("get_page", {"number": 1})]
    await Agent(asking(wrong, [("get_page", {"number": 7})]), name="helper", tools=[get_page]).run("two")

    report = seen.report("helper")
    assert [(call.call_id, call.error) for call in report.turn.calls] == [
        ("call_0_0", True),
        ("call_0_1", False),
        ("call_1_0", False),
    ]


async def test_retry_of_a_refused_call_is_not_avoidable(seen: Seen) -> None:
    async def get_chapter(number: int) -> str:
        """Get a chapter."""
        await asyncio.sleep(3 * TAKES)
        return f"text of chapter {number}"

    wrong = [("get_chapter", {"number": "seven"}), ("get_chapter", {"number": 1})]
    again = [("get_chapter", {"number": 7})]
    await Agent(asking(wrong, again), name="helper", tools=[get_chapter]).run("two")

    report = seen.report("helper")
    # The model learns of the refusal only together with the result of the other call in the round.
    assert (report.calls, report.findings, report.avoidable) == (3, (), 0)


async def test_own_spans_of_the_framework_are_not_repeated(seen: Seen) -> None:
    Agent.instrument_all(InstrumentationSettings(tracer_provider=seen.provider, include_content=False))
    try:
        await Agent(asking(PAGES), name="helper", tools=[get_page]).run("all")
    finally:
        Agent.instrument_all(False)

    (report,) = seen.reports
    assert (report.calls, report.steps, report.verdict) == (3, 2, "parallel")
    # Known from the arguments of the framework's function; no span has it.
    assert all(call.call_id and call.arguments is not None for call in report.turn.calls)
    spans = seen.exporter.get_finished_spans()
    assert {span.instrumentation_scope.name for span in spans if span.instrumentation_scope} == {"pydantic-ai"}


@pytest.mark.parametrize(
    "beside", [False, pytest.param(True, marks=pytest.mark.skipif(not SWITCHES, reason="1.0 takes it for a failure"))]
)
@pytest.mark.parametrize("pause", [ApprovalRequired, CallDeferred])
async def test_deferred_call_has_not_failed(seen: Seen, pause: type[Exception], *, beside: bool) -> None:
    async def delete_page(number: int) -> str:
        """Delete a page."""
        raise pause

    asked = [*PAGES[:1], ("delete_page", {"number": 1})]
    agent = Agent(asking(asked), name="helper", tools=[get_page, delete_page], output_type=[str, DeferredToolRequests])
    Agent.instrument_all(InstrumentationSettings(tracer_provider=seen.provider) if beside else False)
    try:
        result = await agent.run("both")
    finally:
        Agent.instrument_all(False)

    assert isinstance(result.output, DeferredToolRequests)
    (report,) = seen.reports
    assert {call.tool: call.error for call in report.turn.calls} == {"get_page": False, "delete_page": False}
    if not beside:
        assert all(span.status.is_ok for span in seen.exporter.get_finished_spans())
