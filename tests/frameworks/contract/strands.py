"""Strands against a local server; blocking tools run in threads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from strands import Agent as StrandsAgent
from strands import tool
from strands.models.openai import OpenAIModel

from frameworks import scenarios
from frameworks.behaviour import Behaviour, Dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.trace import TracerProvider

THREADS = (os.cpu_count() or 1) + 4
"""The event loop's own pool."""

BEHAVIOUR = Behaviour(
    modules=("strands",),
    distribution="strands-agents",
    blocking=Dispatch(3, None, min(10, THREADS), "limit" if THREADS < 10 else None),
)


class Agent:
    """An agent whose model is an HTTP server."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        agent = StrandsAgent(
            name="helper",
            model=OpenAIModel(client_args={"base_url": f"{self.url}/v1", "api_key": "none"}, model_id="stub"),
            system_prompt=scenarios.SYSTEM,
            tools=[tool(each) for each in tools],
            callback_handler=None,
        )
        if not stream:
            return str(await agent.invoke_async(prompt)).strip()
        async for event in agent.stream_async(prompt):
            last = event
        return str(last["result"]).strip()


def openinference(provider: TracerProvider) -> None:
    from openinference.instrumentation.strands_agents import StrandsAgentsToOpenInferenceProcessor

    provider.add_span_processor(StrandsAgentsToOpenInferenceProcessor())


BESIDE = {"openinference": openinference}
