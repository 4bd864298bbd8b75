"""Microsoft's Agent Framework with its client for chat completions, against a local server."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from agent_framework.openai import OpenAIChatCompletionClient
from openai import AsyncOpenAI

from frameworks import scenarios
from frameworks.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import TracerProvider

BEHAVIOUR = Behaviour(modules=("agent_framework",), distribution="agent-framework-core")


class Agent:
    """An agent, in a loop that has a thread for each of ten blocking tools."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(10))
        async with AsyncOpenAI(base_url=f"{self.url}/v1", api_key="none") as connection:
            client = OpenAIChatCompletionClient(model="stub", async_client=connection)
            agent = client.as_agent(name="helper", instructions=scenarios.SYSTEM, tools=list(tools))
            if not stream:
                return str((await agent.run(prompt)).text)
            answer = agent.run(prompt, stream=True)
            async for _ in answer:
                pass
            return str((await answer.get_final_response()).text)


def content(provider: TracerProvider) -> None:
    from agent_framework.observability import enable_instrumentation

    enable_instrumentation(enable_sensitive_data=True)


def openinference(provider: TracerProvider) -> None:
    from openinference.instrumentation.agent_framework import AgentFrameworkToOpenInferenceProcessor

    provider.add_span_processor(AgentFrameworkToOpenInferenceProcessor())


BESIDE = {"content": content, "openinference": openinference}
