"""Microsoft's Agent Framework beyond the contract: pools with few threads, streams that are not read."""

from __future__ import annotations

import asyncio
import gc
import inspect
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    Content,
    FunctionInvocationLayer,
    Message,
    observability,
)
from agent_framework.openai import OpenAIChatCompletionClient
from frameworks import provider, scenarios
from openai import AsyncOpenAI

from otel_parallelism.tracing.state.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism import Report


class Scripted(FunctionInvocationLayer[Any], BaseChatClient[Any]):
    """A custom client that gives the answers in order."""

    def __init__(self, *answers: list[Content], **configuration: Any) -> None:
        super().__init__(function_invocation_configuration=configuration)
        self.answers = list(answers)

    async def _inner_get_response(self, **_: Any) -> ChatResponse:
        return ChatResponse(messages=[Message(role="assistant", contents=self.answers.pop(0))])


@pytest.fixture(params=["its spans", "ours"])
def spans(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return whether the spans are ours or the framework's."""
    found: str = request.param
    if found == "ours":
        observability.disable_instrumentation()
    yield found
    observability.enable_instrumentation(force=True)


def get_weather(city: str) -> str:
    """Tell the weather."""
    time.sleep(scenarios.TAKES)
    return scenarios.weather(city)


async def with_agent(use: Any) -> None:
    async with AsyncOpenAI(base_url=f"{provider.start()}/v1", api_key="none") as connection:
        client = OpenAIChatCompletionClient(model="stub", async_client=connection)
        await use(client.as_agent(name="helper", instructions=scenarios.SYSTEM, tools=[get_weather]))


def test_waiting_for_a_thread_is_not_parallel_work(reports: list[Report], spans: str) -> None:
    async def use(agent: Any) -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
        await agent.run(scenarios.TEN)

    asyncio.run(with_agent(use))
    (report,) = reports
    assert report.calls == 10
    if spans == "ours":
        # Our spans start with the functions.
        assert report.peak_concurrency == 2
        assert report.ratio == pytest.approx(2, rel=0.2)
        assert [finding.cause for finding in report.findings] == ["limit"]
    else:
        # The framework's spans start earlier; the wait at their start has been measured.
        assert report.effective_ratio == pytest.approx(2, rel=0.2)
        assert report.verdict == "contended"


def test_unread_stream_leaves_no_turn_open(reports: list[Report], spans: str) -> None:
    async def use(agent: Any) -> None:
        stream = agent.run(scenarios.BURST, stream=True)
        assert len(REGISTRY.turns) == 1
        coroutine = stream._stream_source
        del stream
        gc.collect()
        coroutine.close()

    asyncio.run(with_agent(use))
    gc.collect()
    assert not REGISTRY.turns


async def get_stock(symbol: str) -> str:
    """Tell the price of a stock."""
    await asyncio.sleep(scenarios.TAKES)
    return scenarios.stock(symbol)


@pytest.mark.parametrize("tool", [get_weather, get_stock])
def test_calls_that_are_serialized_on_request_do_not_count_as_blocking(
    reports: list[Report], spans: str, tool: Any
) -> None:
    (name,) = inspect.signature(tool).parameters
    calls = [
        Content.from_function_call(call_id=f"call_{at}", name=tool.__name__, arguments={name: f"some {at}"})
        for at in range(3)
    ]
    client = Scripted(calls, [Content.from_text("done")], allow_concurrent_invocation=False)

    assert asyncio.run(Agent(client=client, name="helper", tools=[tool]).run("Three.")).text == "done"
    (report,) = reports
    assert (report.calls, report.peak_concurrency, report.cause) == (3, 1, "dispatch")
