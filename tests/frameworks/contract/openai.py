"""openai's tool runner over the responses protocol, against a local server that speaks it."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from openai import AsyncOpenAI, OpenAI
from openai.lib.responses_tool_runner import (
    AsyncRegisteredFunction,
    AsyncResponsesToolRunner,
    RegisteredFunction,
    ResponsesToolRunner,
)

from frameworks import scenarios
from frameworks.behaviour import ONE_BY_ONE, Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.trace import TracerProvider

BEHAVIOUR = Behaviour(
    modules=("openai",), distribution="openai", asynchronous=ONE_BY_ONE, blocking=ONE_BY_ONE, fails=True
)


class Agent:
    """An agent that runs on the tool runner, the async one for async tools."""

    def __init__(self, url: str) -> None:
        self.url = url + "/v1"

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        params: Any = {"model": "stub", "instructions": scenarios.SYSTEM, "input": prompt}
        if not inspect.iscoroutinefunction(tools[0]):
            return await asyncio.to_thread(self._run_blocking, tools, params, stream=stream)
        functions = [AsyncRegisteredFunction(described(tool), called(tool)) for tool in tools]
        async with AsyncOpenAI(base_url=self.url, api_key="none") as client:
            runner = AsyncResponsesToolRunner(functions=functions)
            return (await runner.run(client, params, stream=stream)).output_text

    def _run_blocking(self, tools: Sequence[Callable[..., Any]], params: Any, *, stream: bool) -> str:
        functions = [RegisteredFunction(described(tool), called(tool)) for tool in tools]
        with OpenAI(base_url=self.url, api_key="none") as client:
            runner = ResponsesToolRunner(functions=functions)
            return runner.run(client, params, stream=stream).output_text


def described(tool: Callable[..., Any]) -> Any:
    """A tool as the protocol tells it; each takes one text."""
    names = list(inspect.signature(tool).parameters)
    return {
        "type": "function",
        "name": tool.__name__,
        "description": inspect.getdoc(tool),
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {name: {"type": "string"} for name in names},
            "required": names,
            "additionalProperties": False,
        },
    }


def called(tool: Callable[..., Any]) -> Callable[[dict[str, Any]], Any]:
    """A tool as the runner calls it: with one dictionary."""
    if not inspect.iscoroutinefunction(tool):
        return lambda arguments: tool(**arguments)

    async def execute(arguments: dict[str, Any]) -> Any:
        return await tool(**arguments)

    return execute


def openinference(provider: TracerProvider) -> None:
    from openinference.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=provider)


def traceloop(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=provider)


def genai(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=provider)


BESIDE = {"openinference": openinference, "traceloop": traceloop, "genai": genai}
