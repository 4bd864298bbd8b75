"""smolagents' ToolCallingAgent, whose OpenAI model talks to a local server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from smolagents import FinalAnswerStep, OpenAIModel, ToolCallingAgent, tool

from frameworks import scenarios
from frameworks.behaviour import Behaviour, Dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.trace import TracerProvider

THREADS = 4
"""The default depends on the machine."""

BEHAVIOUR = Behaviour(
    modules=("smolagents",),
    distribution="smolagents",
    asynchronous=None,
    blocking=Dispatch(3, None, THREADS, "limit"),
    cancels=False,
)


class Agent:
    """An agent that calls tools by name; it has no async tools, and its runs cannot be cancelled."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        return await asyncio.to_thread(self._run, prompt, tools, stream=stream)

    def _run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool) -> str:
        model = OpenAIModel("stub", api_base=f"{self.url}/v1", api_key="none")
        agent = ToolCallingAgent(
            tools=[tool(each) for each in tools],
            model=model,
            name="helper",
            verbosity_level=0,
            stream_outputs=stream,
            max_tool_threads=THREADS,
        )
        agent.prompt_templates["system_prompt"] = scenarios.SYSTEM  # its own is long
        # smolagents leaves its client to the garbage collector.
        with model.client:
            if not stream:
                return str(agent.run(prompt))
            *_, last = agent.run(prompt, stream=True)
        assert isinstance(last, FinalAnswerStep)
        return str(last.output)


def openinference(provider: TracerProvider) -> None:
    from openinference.instrumentation.smolagents import SmolagentsInstrumentor

    SmolagentsInstrumentor().instrument(tracer_provider=provider)


def genai(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.genai.smolagents import SmolagentsInstrumentor

    SmolagentsInstrumentor().instrument(tracer_provider=provider)


BESIDE = {"openinference": openinference, "genai": genai}
