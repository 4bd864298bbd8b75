"""anthropic's tool runner against a local server that speaks the Messages protocol."""

from __future__ import annotations

import asyncio
import inspect
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from anthropic import Anthropic, AsyncAnthropic, beta_async_tool, beta_tool

from frameworks import scenarios
from frameworks.behaviour import ONE_BY_ONE, Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.trace import TracerProvider

HAS_THREADS = "thread" in inspect.signature(Anthropic(api_key="none").beta.messages.tool_runner).parameters
UNTHREADED = {"thread": False} if HAS_THREADS else {}
"""The server is stateless: every request contains the whole conversation, as with older clients."""

BEHAVIOUR = Behaviour(modules=("anthropic",), distribution="anthropic", asynchronous=ONE_BY_ONE, blocking=ONE_BY_ONE)


class Agent:
    """An agent on the tool runner; the async runner for async tools."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        options: dict[str, Any] = {
            "model": "stub",
            "max_tokens": 1000,
            "system": scenarios.SYSTEM,
            "messages": [{"role": "user", "content": prompt}],
            "stream": stream,
            **UNTHREADED,
        }
        if not inspect.iscoroutinefunction(tools[0]):
            return await asyncio.to_thread(self._run_blocking, tools, options)
        async with AsyncAnthropic(base_url=self.url, api_key="none") as client:
            runner = client.beta.messages.tool_runner(tools=[beta_async_tool(tool) for tool in tools], **options)
            if stream:
                async for events in runner:
                    async for _ in events:
                        pass
            return said(await runner.until_done())

    def _run_blocking(self, tools: Sequence[Callable[..., Any]], options: dict[str, Any]) -> str:
        with Anthropic(base_url=self.url, api_key="none") as client:
            runner = client.beta.messages.tool_runner(tools=[beta_tool(tool) for tool in tools], **options)
            if options["stream"]:
                for events in runner:
                    for _ in events:
                        pass
            return said(runner.until_done())


def said(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def openinference(provider: TracerProvider) -> None:
    from openinference.instrumentation.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument(tracer_provider=provider)


def traceloop(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument(tracer_provider=provider)


def genai(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument(tracer_provider=provider)


BESIDE = {"openinference": openinference, "traceloop": traceloop, "genai": genai}
if find_spec("openinference") is None:
    BESIDE = {}
