"""LlamaIndex's ``FunctionAgent`` against a local server that speaks OpenAI's protocol; its model streams or not."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI
from openai import DefaultAsyncHttpxClient

from frameworks import scenarios
from frameworks.behaviour import Behaviour, Dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import TracerProvider

FOUR_AT_MOST = Dispatch(ten_peak=4, ten_cause="limit")

BEHAVIOUR = Behaviour(
    modules=("llama_index",), distribution="llama-index-core", asynchronous=FOUR_AT_MOST, blocking=FOUR_AT_MOST
)


class Agent:
    """An agent that is always awaited; it runs blocking tools in threads."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        async with DefaultAsyncHttpxClient() as client:
            agent = FunctionAgent(
                name="helper",
                system_prompt=scenarios.SYSTEM,
                llm=OpenAI(model="gpt-4o", api_base=f"{self.url}/v1", api_key="none", async_http_client=client),
                tools=[wrapped(tool) for tool in tools],
                streaming=stream,
            )
            handler = agent.run(prompt)
            try:
                if stream:
                    async for _ in handler.stream_events():
                        pass
                return str(await handler)
            except asyncio.CancelledError:
                await handler.cancel_run()
                raise


def wrapped(tool: Callable[..., Any]) -> FunctionTool:
    if inspect.iscoroutinefunction(tool):
        return FunctionTool.from_defaults(async_fn=tool)
    return FunctionTool.from_defaults(tool)


def openinference(provider: TracerProvider) -> None:
    from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

    LlamaIndexInstrumentor().instrument(tracer_provider=provider)


def traceloop(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.llamaindex import LlamaIndexInstrumentor

    LlamaIndexInstrumentor().instrument(tracer_provider=provider)


def genai(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.genai.llama_index import LlamaIndexInstrumentor

    LlamaIndexInstrumentor().instrument(tracer_provider=provider)


BESIDE = {"openinference": openinference, "traceloop": traceloop, "genai": genai}


def tool_schemas(function: Any) -> list[Any]:
    """Return what llama-index makes of *function*."""
    metadata = FunctionTool.from_defaults(function).metadata
    return [metadata.name, metadata.description, metadata.get_parameters_dict(), metadata.to_openai_tool()]
