"""Agno against a local server: ``arun`` for async tools, ``run`` for blocking ones."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from agno.agent import Agent as AgnoAgent
from agno.models.openai import OpenAIChat
from agno.run.agent import RunOutput
from openai import AsyncOpenAI, OpenAI

from frameworks import scenarios
from frameworks.behaviour import ONE_BY_ONE, PARALLEL, Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.trace import TracerProvider

BEHAVIOUR = Behaviour(modules=("agno",), distribution="agno", asynchronous=PARALLEL, blocking=ONE_BY_ONE)


class Agent:
    """An agent without storage."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        if not inspect.iscoroutinefunction(tools[0]):
            return await asyncio.to_thread(self._run_blocking, prompt, tools, stream=stream)
        async with AsyncOpenAI(base_url=f"{self.url}/v1", api_key="none") as client:
            agent = helper(OpenAIChat(id="stub", async_client=client), tools)
            if not stream:
                return said(await agent.arun(prompt))
            async for event in agent.arun(prompt, stream=True, yield_run_output=True):
                last = event
            return said(last)

    def _run_blocking(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool) -> str:
        with OpenAI(base_url=f"{self.url}/v1", api_key="none") as client:
            agent = helper(OpenAIChat(id="stub", client=client), tools)
            if not stream:
                return said(agent.run(prompt))
            *_, last = agent.run(prompt, stream=True, yield_run_output=True)
            return said(last)


def helper(model: OpenAIChat, tools: Sequence[Callable[..., Any]]) -> AgnoAgent:
    return AgnoAgent(name="helper", model=model, instructions=scenarios.SYSTEM, tools=list(tools), telemetry=False)


def said(output: Any) -> str:
    assert isinstance(output, RunOutput)
    return str(output.content)


def openinference(provider: TracerProvider) -> None:
    from openinference.instrumentation.agno import AgnoInstrumentor

    AgnoInstrumentor().instrument(tracer_provider=provider)


def traceloop(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.agno import AgnoInstrumentor

    AgnoInstrumentor().instrument(tracer_provider=provider)


def genai(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.genai.agno import AgnoInstrumentor

    AgnoInstrumentor().instrument(tracer_provider=provider)


BESIDE = {"openinference": openinference, "traceloop": traceloop, "genai": genai}
