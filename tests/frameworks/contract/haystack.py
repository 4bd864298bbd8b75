"""Haystack's ``Agent`` against a local server that speaks OpenAI's protocol, with tools of both kinds."""

from __future__ import annotations

import asyncio
import inspect
import os
from typing import TYPE_CHECKING, Any

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

from haystack.components.agents import Agent as HaystackAgent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import Tool, create_tool_from_function
from haystack.utils import Secret

from frameworks import scenarios
from frameworks.behaviour import Behaviour, Dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import TracerProvider

FOUR_AT_MOST = Dispatch(ten_peak=4, ten_cause="limit")

BEHAVIOUR = Behaviour(
    modules=("haystack",), distribution="haystack-ai", asynchronous=FOUR_AT_MOST, blocking=FOUR_AT_MOST
)


class Agent:
    """An agent: awaited with async tools, run in a thread with blocking ones."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        agent = HaystackAgent(
            chat_generator=OpenAIChatGenerator(
                model="stub", api_base_url=f"{self.url}/v1", api_key=Secret.from_token("none")
            ),
            system_prompt=scenarios.SYSTEM,
            tools=[wrapped(tool) for tool in tools],
        )
        messages = [ChatMessage.from_user(prompt)]
        try:
            if inspect.iscoroutinefunction(tools[0]):
                return said(await agent.run_async(messages, streaming_callback=noted if stream else None))
            return said(await asyncio.to_thread(agent.run, messages, noted_at_once if stream else None))
        finally:
            await agent.close_async()
            agent.close()


async def noted(chunk: Any) -> None:
    """Ignore a piece of a streamed answer."""


def noted_at_once(chunk: Any) -> None:
    """Ignore a piece of a streamed answer."""


def wrapped(tool: Callable[..., Any]) -> Tool:
    return create_tool_from_function(tool)


def said(result: dict[str, Any]) -> str:
    text: str = result["last_message"].text
    return text


def openinference(provider: TracerProvider) -> None:
    from openinference.instrumentation.haystack import HaystackInstrumentor

    HaystackInstrumentor().instrument(tracer_provider=provider)


def native(provider: TracerProvider) -> None:
    from haystack.tracing import enable_tracing
    from haystack_integrations.tracing.opentelemetry import OpenTelemetryTracer

    enable_tracing(OpenTelemetryTracer(provider.get_tracer("haystack")))


BESIDE = {"openinference": openinference, "native": native}
