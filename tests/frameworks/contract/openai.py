"""
openai's tool runner over the responses protocol, against a local server that speaks it.

Clients from before it had one: a loop by hand over chat completions, its tools and its turn marked as a program would.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from openai import AsyncOpenAI, OpenAI
from otel_parallelism import agent_turn, profiled

from frameworks import scenarios
from frameworks.behaviour import ONE_BY_ONE, Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.trace import TracerProvider

HAS_RUNNER = find_spec("openai.lib.responses_tool_runner") is not None
BEHAVIOUR = Behaviour(
    modules=("openai",),
    distribution="openai",
    asynchronous=ONE_BY_ONE,
    blocking=ONE_BY_ONE,
    fails=HAS_RUNNER,
    by_hand=not HAS_RUNNER,
    functions=HAS_RUNNER,  # those of the loop by hand are declared to read
)


class Runner:
    """An agent on the tool runner; the async runner for async tools."""

    def __init__(self, url: str) -> None:
        self.url = url + "/v1"

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        params: Any = {"model": "stub", "instructions": scenarios.SYSTEM, "input": prompt}
        if not inspect.iscoroutinefunction(tools[0]):
            return await asyncio.to_thread(self._run_blocking, tools, params, stream=stream)
        from openai.lib.responses_tool_runner import AsyncRegisteredFunction, AsyncResponsesToolRunner

        functions = [AsyncRegisteredFunction(described(tool), called(tool)) for tool in tools]
        async with AsyncOpenAI(base_url=self.url, api_key="none") as client:
            runner = AsyncResponsesToolRunner(functions=functions)
            return (await runner.run(client, params, stream=stream)).output_text

    def _run_blocking(self, tools: Sequence[Callable[..., Any]], params: Any, *, stream: bool) -> str:
        from openai.lib.responses_tool_runner import RegisteredFunction, ResponsesToolRunner

        functions = [RegisteredFunction(described(tool), called(tool)) for tool in tools]
        with OpenAI(base_url=self.url, api_key="none") as client:
            runner = ResponsesToolRunner(functions=functions)
            return runner.run(client, params, stream=stream).output_text


class ByHand:
    """An agent that is a hand-written loop."""

    def __init__(self, url: str) -> None:
        self.url = url + "/v1"

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        marked = {tool.__name__: profiled(effect="read")(tool) for tool in tools}
        params: dict[str, Any] = {"model": "stub", "tools": [chat_function(tool) for tool in tools], "stream": stream}
        if not inspect.iscoroutinefunction(tools[0]):
            return await asyncio.to_thread(self._run_blocking, marked, params, prompt)
        messages: list[Any] = [{"role": "user", "content": prompt}]
        async with AsyncOpenAI(base_url=self.url, api_key="none") as client:
            with agent_turn("by hand", input=prompt):
                while True:
                    answer = await client.chat.completions.create(**params, messages=messages)
                    text, calls = joined([chunk async for chunk in answer]) if stream else whole(answer)
                    if not calls:
                        return text
                    messages.append({"role": "assistant", "tool_calls": calls})
                    for call in calls:
                        try:
                            result = await marked[call["function"]["name"]](**json.loads(call["function"]["arguments"]))
                        except ValueError as error:
                            result = str(error)
                        messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})

    def _run_blocking(self, marked: dict[str, Any], params: dict[str, Any], prompt: str) -> str:
        messages: list[Any] = [{"role": "user", "content": prompt}]
        with OpenAI(base_url=self.url, api_key="none") as client, agent_turn("by hand", input=prompt):
            while True:
                answer = client.chat.completions.create(**params, messages=messages)
                text, calls = joined(list(answer)) if params["stream"] else whole(answer)
                if not calls:
                    return text
                messages.append({"role": "assistant", "tool_calls": calls})
                for call in calls:
                    try:
                        result = marked[call["function"]["name"]](**json.loads(call["function"]["arguments"]))
                    except ValueError as error:
                        result = str(error)
                    messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


Agent = Runner if HAS_RUNNER else ByHand


def whole(completion: Any) -> tuple[str, list[dict[str, Any]]]:
    """Return the text of an answer and its requested calls."""
    message = completion.choices[0].message
    return message.content or "", [call.model_dump() for call in message.tool_calls or ()]


def joined(chunks: list[Any]) -> tuple[str, list[dict[str, Any]]]:
    """Return the same for a streamed answer; this server sends each call whole."""
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    calls = [call.model_dump(exclude={"index"}) for delta in deltas for call in delta.tool_calls or ()]
    return "".join(delta.content or "" for delta in deltas), calls


def chat_function(tool: Callable[..., Any]) -> dict[str, Any]:
    """Return a tool in the form of chat completions."""
    function = described(tool)
    return {"type": function.pop("type"), "function": function}


def described(tool: Callable[..., Any]) -> Any:
    """Return a tool in the form of the protocol; each has one text argument."""
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
    """Return a tool in the form of the runner, which calls it with one dictionary."""
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


BESIDE = {"openinference": openinference, "traceloop": traceloop, "genai": genai} if HAS_RUNNER else {}
