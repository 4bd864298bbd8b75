"""The OpenAI Agents SDK over the responses protocol, against a local server that speaks it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from agents import Agent as HelperAgent
from agents import OpenAIResponsesModel, RunConfig, Runner, function_tool, set_trace_processors
from agents.function_schema import function_schema
from openai import AsyncOpenAI

from frameworks import scenarios
from frameworks.behaviour import PARALLEL, Behaviour, Dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.trace import TracerProvider

THREADS = (os.cpu_count() or 1) + 4
"""The size of asyncio's default pool, with up to 28 processors."""

IN_THREADS = Dispatch(ten_peak=min(10, THREADS), ten_cause="limit" if len(scenarios.CITIES) > THREADS else None)
BEHAVIOUR = Behaviour(
    modules=("agents", "openai"),
    distribution="openai-agents",
    asynchronous=PARALLEL,
    blocking=IN_THREADS,
)

# The framework's own exporter would send traces to its vendor.
set_trace_processors([])


class Agent:
    """An agent with function tools, whose errors become results for the model."""

    def __init__(self, url: str) -> None:
        self.url = url + "/v1"

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        async with AsyncOpenAI(base_url=self.url, api_key="none") as client:
            agent = HelperAgent(
                name="helper",
                instructions=scenarios.SYSTEM,
                model=OpenAIResponsesModel("stub", client),
                tools=[function_tool(tool) for tool in tools],
            )
            if not stream:
                return str((await Runner.run(agent, prompt, run_config=RunConfig())).final_output)
            streamed = Runner.run_streamed(agent, prompt)
            async for _ in streamed.stream_events():
                pass
            return str(streamed.final_output)


def openinference(provider: TracerProvider) -> None:
    from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

    OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)


def traceloop(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.openai_agents import OpenAIAgentsInstrumentor

    OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)


BESIDE = {"openinference": openinference, "traceloop": traceloop}


def tool_schemas(function: Any) -> list[Any]:
    """Return what the SDK makes of *function*, in each of the ways that it makes tools."""
    schema = function_schema(function, strict_json_schema=False)
    made = function_tool(function, strict_mode=False)
    shown = schema.name, schema.description, schema.params_json_schema, str(schema.signature), schema.takes_context
    return [*shown, made.name, made.description, made.params_json_schema]
