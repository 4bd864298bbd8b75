"""
Runs of openai-agents with several agents, and concurrent runs.

Runs with ``--framework agents``, and with the oldest version that the module claims.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from agents import (
    Agent,
    Model,
    ModelResponse,
    OpenAIResponsesModel,
    Runner,
    Usage,
    function_tool,
    set_trace_processors,
)
from agents.mcp import MCPServerStdio
from frameworks import provider
from frameworks.scenarios import ANSWER, BURST, ROUNDS, THREE, Toolbox
from openai import AsyncOpenAI
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from otel_parallelism import Settings
from otel_parallelism.instrumentation.frameworks import agents, mcp, openai
from otel_parallelism.instrumentation.hooks.patching import PATCHING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from conftest import Kit

TESTS = Path(__file__).parent.parent
IDS = [request.id for request in THREE]
set_trace_processors([])


@pytest.fixture(scope="module")
def url() -> str:
    return provider.start() + "/v1"


@pytest.fixture
def patched(make_kit: Any) -> Iterator[Kit]:
    kit: Kit = make_kit(Settings(read_only=("get_*",)))
    PATCHING.start([agents.FRAMEWORK, mcp.FRAMEWORK, openai.FRAMEWORK])
    yield kit
    PATCHING.stop()


@pytest.fixture
async def client(url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=url, api_key="none") as made:
        yield made


class Scripted(Model):
    """A custom model that gives the answers in order: lists of calls (name, arguments), or none."""

    def __init__(self, *answers: Sequence[tuple[str, str]]) -> None:
        self.answers = list(answers)
        self.model = "scripted"

    async def get_response(self, *_: Any, **__: Any) -> ModelResponse:
        asked = self.answers.pop(0)
        output: list[Any] = [
            ResponseFunctionToolCall(
                arguments=arguments, call_id=f"call_{name}_{number}", name=name, type="function_call"
            )
            for number, (name, arguments) in enumerate(asked)
        ]
        if not asked:
            text = ResponseOutputText(annotations=[], text=ANSWER, type="output_text", logprobs=[])
            output = [
                ResponseOutputMessage(id="m", content=[text], role="assistant", status="completed", type="message")
            ]
        return ModelResponse(output=output, usage=Usage(requests=1, input_tokens=7), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


def helper(model: Any) -> Agent[Any]:
    return Agent(name="helper", model=model, tools=[function_tool(tool) for tool in Toolbox().asynchronous()])


async def test_concurrent_runs_keep_their_own_calls(patched: Kit, client: AsyncOpenAI) -> None:
    agent = helper(OpenAIResponsesModel("stub", client))
    answers = await asyncio.gather(Runner.run(agent, BURST), Runner.run(agent, ROUNDS))
    assert [answer.final_output for answer in answers] == [ANSWER, ANSWER]
    burst, rounds = sorted(patched.reports, key=lambda report: report.steps)
    assert ([call.call_id for call in burst.turn.calls], burst.verdict) == (IDS, "parallel")
    assert [call.call_id for call in rounds.turn.calls] == [call_id + "_alone" for call_id in IDS]
    assert (rounds.verdict, rounds.cause) == ("sequential", "model")


async def test_agent_as_a_tool_is_a_call_with_a_turn_inside(patched: Kit, client: AsyncOpenAI) -> None:
    asked = ("ask_helper", f'{{"input": "{BURST}"}}')
    model = Scripted([asked, asked], [])
    tool = helper(OpenAIResponsesModel("stub", client)).as_tool("ask_helper", "Ask the helper.")
    await Runner.run(Agent(name="chief", model=model, tools=[tool]), "Ask twice.")
    chief = next(report for report in patched.reports if report.turn.agent == "chief")
    inner = [report for report in patched.reports if report.turn.agent == "helper"]
    assert [call.tool for call in chief.turn.calls if not call.scope] == ["ask_helper", "ask_helper"]
    assert (chief.calls, chief.steps, chief.peak_concurrency) == (2, 2, 2)
    assert all(call.proved for call in chief.turn.calls if not call.scope)
    assert [(report.calls, report.steps, report.verdict) for report in inner] == [(3, 2, "parallel")] * 2


async def test_handoff_continues_the_turn_and_is_not_a_call(patched: Kit) -> None:
    news = ("get_news", '{"topic": "robots"}')
    second = helper(Scripted([news, news], []))
    first = Agent(
        name="first",
        model=Scripted([("get_weather", '{"city": "Oslo"}')], [("transfer_to_helper", "{}")]),
        tools=[function_tool(Toolbox().asynchronous()[0])],
        handoffs=[second],
    )
    result = await Runner.run(first, "Go on.")
    assert result.final_output == ANSWER
    (report,) = patched.reports
    assert report.turn.agent == "first"
    assert [call.tool for call in report.turn.calls] == ["get_weather", "get_news", "get_news"]
    assert (report.calls, report.steps) == (3, 4)
    assert [call.round for call in report.turn.calls] == [0, 1, 1]


async def test_requests_of_a_custom_model_are_recorded(patched: Kit) -> None:
    model = Scripted([("get_weather", '{"city": "Oslo"}'), ("get_news", '{"topic": "robots"}')], [])
    await Runner.run(helper(model), "Both.")
    (report,) = patched.reports
    assert [step.requested for step in report.turn.steps] == [("call_get_weather_0", "call_get_news_1"), ()]
    assert all(call.proved for call in report.turn.calls)


async def test_cancelled_streamed_run_ends_its_turn(patched: Kit, client: AsyncOpenAI) -> None:
    streamed = Runner.run_streamed(helper(OpenAIResponsesModel("stub", client)), BURST)
    async for event in streamed.stream_events():
        if event.type == "run_item_stream_event" and event.name == "tool_called":
            streamed.cancel()
    for _ in range(50):
        if patched.reports:
            break
        await asyncio.sleep(0.02)
    (report,) = patched.reports
    assert report.turn.agent == "helper"


async def test_annotations_of_a_server_apply_to_the_calls_of_the_agent(patched: Kit) -> None:
    command = {"command": sys.executable, "args": ["-m", "frameworks.agents.annotated_server"], "cwd": TESTS}
    again = ("get_receipt", '{"order": "7"}')
    model = Scripted([("get_token", "{}"), again], [again], [])
    async with MCPServerStdio(params=command) as server:
        await Runner.run(Agent(name="clerk", model=model, mcp_servers=[server]), "A token and a receipt.")
    (report,) = patched.reports
    known = [(call.tool, call.effect, call.effect_source, call.error) for call in report.turn.calls]
    # The first writes in spite of its name; the result of the second says that it failed.
    assert sorted(known) == [
        ("get_receipt", "read", "framework", True),
        ("get_receipt", "read", "framework", True),
        ("get_token", "write", "framework", False),
    ]
    assert report.findings == ()


def test_run_without_an_event_loop(patched: Kit) -> None:
    model = Scripted([("get_weather", '{"city": "Oslo"}'), ("get_news", '{"topic": "robots"}')], [])
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        assert Runner.run_sync(helper(model), "Both.").final_output == ANSWER
    finally:
        # The framework keeps its event loop open for later runs.
        asyncio.set_event_loop(None)
        loop.close()
    (report,) = patched.reports
    assert (report.calls, report.verdict) == (2, "parallel")
