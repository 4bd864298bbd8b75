"""AutoGen's AssistantAgent with its client for chat completions, against a local server."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient

from frameworks import scenarios
from frameworks.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autogen_agentchat.base import TaskResult
    from opentelemetry.trace import TracerProvider

BEHAVIOUR = Behaviour(modules=("autogen_agentchat",), distribution="autogen-agentchat")


class Agent:
    """An assistant, in a loop that has a thread for each of ten blocking tools."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(10))
        model = OpenAIChatCompletionClient(
            model="stub",
            base_url=f"{self.url}/v1",
            api_key="none",
            model_info={
                "vision": False,
                "function_calling": True,
                "json_output": False,
                "structured_output": False,
                "family": "unknown",
            },
        )
        agent = AssistantAgent(
            "helper",
            model,
            system_message=scenarios.SYSTEM,
            tools=list(tools),
            max_tool_iterations=10,
            model_client_stream=stream,
        )
        try:
            if not stream:
                return said(await agent.run(task=prompt))
            return said([item async for item in agent.run_stream(task=prompt)][-1])
        finally:
            await model.close()


def said(result: TaskResult) -> str:
    return result.messages[-1].to_text()


def openinference(provider: TracerProvider) -> None:
    from openinference.instrumentation.autogen_agentchat import AutogenAgentChatInstrumentor

    AutogenAgentChatInstrumentor().instrument(tracer_provider=provider)


BESIDE = {"openinference": openinference}
