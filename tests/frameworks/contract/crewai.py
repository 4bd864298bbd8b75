"""CrewAI against a local server: ``kickoff_async`` for async tools, ``kickoff`` for blocking ones."""

from __future__ import annotations

import asyncio
import inspect
import os
from typing import TYPE_CHECKING, Any

# Its own telemetry and tracing would use the network and prompt the user.
os.environ["CREWAI_DISABLE_TELEMETRY"] = "true"
os.environ["CREWAI_TRACING_ENABLED"] = "false"

# Ten calls in eight threads could save 50 ms with two more threads, about the minimum that is reported.
os.environ["OTEL_PARALLELISM_MIN_AVOIDABLE"] = "0.02"

from crewai import LLM, Crew, Task
from crewai import Agent as CrewAgent
from crewai.tools import tool

from frameworks import scenarios
from frameworks.behaviour import Behaviour, Dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.trace import TracerProvider

POOL = Dispatch(3, None, 8, "limit", own_loops=True)
"""At most eight threads; an async tool is run there by ``asyncio.run``."""

# Work in threads continues when the awaiting task is cancelled.
BEHAVIOUR = Behaviour(modules=("crewai",), distribution="crewai", asynchronous=POOL, blocking=POOL, cancels=False)


class Agent:
    """A crew of one agent that has one task."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        llm = LLM(model="openai/gpt-4o", base_url=f"{self.url}/v1", api_key="none")
        agent = CrewAgent(
            role="helper",
            goal="Answer.",
            backstory=scenarios.SYSTEM,
            llm=llm,
            tools=[tool(each) for each in tools],
        )
        task = Task(description=prompt, expected_output="An answer.", agent=agent)
        crew = Crew(name="helpers", agents=[agent], tasks=[task], stream=stream)
        try:
            if not inspect.iscoroutinefunction(tools[0]):
                return await asyncio.to_thread(run_blocking, crew)
            output = await crew.kickoff_async()
            if stream:
                async for _ in output:
                    pass
                output = output.result
            return str(output.raw)
        finally:
            # CrewAI leaves its clients to the garbage collector.
            llm._client.close()
            await llm._async_client.close()


def run_blocking(crew: Crew) -> str:
    output = crew.kickoff()
    if crew.stream:
        for _ in output:
            pass
        output = output.result
    return str(output.raw)


def openinference(provider: TracerProvider) -> None:
    from openinference.instrumentation.crewai import CrewAIInstrumentor

    CrewAIInstrumentor().instrument(tracer_provider=provider)


def traceloop(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.crewai import CrewAIInstrumentor

    CrewAIInstrumentor().instrument(tracer_provider=provider)


BESIDE = {"openinference": openinference, "traceloop": traceloop}
