"""google-adk beyond the contract: calls without ids, and agents as tools."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pydantic
import pytest
from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm, LlmRequest, LlmResponse
from google.adk.runners import InMemoryRunner
from google.adk.tools.agent_tool import AgentTool
from google.genai import types

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from otel_parallelism import Report

TAKES = 0.15


class Once(BaseLlm):
    """A model that requests the calls once, without ids, and then answers."""

    asks: list[tuple[str, dict[str, Any]]]

    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        await asyncio.sleep(0.01)
        parts = [part for content in llm_request.contents for part in content.parts or []]
        if any(part.function_response is not None for part in parts):
            asked = [types.Part(text="Done.")]
        else:
            asked = [types.Part(function_call=types.FunctionCall(name=name, args=args)) for name, args in self.asks]
        yield LlmResponse(
            content=types.Content(role="model", parts=asked),
            usage_metadata=types.GenerateContentResponseUsageMetadata(prompt_token_count=80, candidates_token_count=20),
        )


async def get_weather(city: str) -> str:
    """Tell the weather."""
    await asyncio.sleep(TAKES)
    return f"rain in {city}"


def get_time(city: str) -> str:
    """Tell the time."""
    return f"noon in {city}"


async def run(agent: LlmAgent) -> None:
    runner = InMemoryRunner(agent=agent, app_name="desk")
    session = await runner.session_service.create_session(app_name="desk", user_id="someone")
    message = types.Content(role="user", parts=[types.Part(text="Go on.")])
    async for _ in runner.run_async(user_id="someone", session_id=session.id, new_message=message):
        pass


def cities(*names: str) -> list[tuple[str, dict[str, Any]]]:
    return [("get_weather", {"city": name}) for name in names]


def test_ids_from_the_framework_prove_the_round(reports: list[Report]) -> None:
    asyncio.run(
        run(LlmAgent(name="clerk", model=Once(model="stub", asks=cities("Oslo", "Turin")), tools=[get_weather]))
    )
    (report,) = reports
    assert (report.calls, report.steps, report.verdict) == (2, 2, "parallel")
    for call in report.turn.calls:
        assert call.proved
        assert call.call_id.startswith("adk-")


def test_call_that_ends_the_run_has_the_requested_id(reports: list[Report]) -> None:
    async def get_nothing(city: str) -> str:
        """Tell nothing."""
        await asyncio.sleep(TAKES)
        raise LookupError(city)

    asks = [("get_nothing", {"city": "Oslo"}), *cities("Turin")]
    clerk = LlmAgent(name="clerk", model=Once(model="stub", asks=asks), tools=[get_nothing, get_weather])
    with pytest.raises(LookupError):
        asyncio.run(run(clerk))
    (report,) = reports
    assert [call.tool for call in report.turn.calls] == ["get_nothing", "get_weather"]
    assert all(call.proved and call.call_id.startswith("adk-") for call in report.turn.calls)


class Answer(pydantic.BaseModel):
    """The form of the agent's answer."""

    words: str


def test_structured_answer_is_not_a_call(reports: list[Report]) -> None:
    asks = [*cities("Oslo", "Turin"), ("set_model_response", {"words": "Rain."})]
    clerk = LlmAgent(name="clerk", model=Once(model="stub", asks=asks), tools=[get_weather], output_schema=Answer)
    asyncio.run(run(clerk))
    (report,) = reports
    assert [call.tool for call in report.turn.calls] == ["get_weather", "get_weather"]


# The framework's AgentTool uses a deprecated argument of its runner.
@pytest.mark.filterwarnings("ignore:The `plugins` argument is deprecated:DeprecationWarning")
def test_agent_as_a_tool_is_a_call_with_a_turn_inside(reports: list[Report]) -> None:
    helper = LlmAgent(
        name="helper", description="Helps.", model=Once(model="stub", asks=cities("Oslo", "Turin")), tools=[get_weather]
    )
    asks: list[tuple[str, dict[str, Any]]] = [("helper", {"request": "one"}), ("helper", {"request": "two"})]
    asyncio.run(run(LlmAgent(name="clerk", model=Once(model="stub", asks=asks), tools=[AgentTool(agent=helper)])))

    *inner, outer = reports
    assert [(report.turn.agent, report.calls, report.verdict) for report in inner] == [("helper", 2, "parallel")] * 2
    assert (outer.turn.agent, outer.calls, outer.verdict) == ("clerk", 2, "parallel")
    assert [call.tool for call in outer.turn.calls if not call.scope] == ["helper", "helper"]
