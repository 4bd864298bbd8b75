"""dspy's ReAct with a stub language model that answers in the form of the chat adapter."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import time
from typing import TYPE_CHECKING, Any

import dspy
from dspy import lm15

from frameworks import scenarios
from frameworks.behaviour import ONE_A_STEP, Behaviour

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from opentelemetry.trace import TracerProvider

# Prevents the download of a price list.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "true"

# One step says that all is known, one gives the answer. The model requests calls in text, without ids.
# A tool validates its arguments with a pydantic model that it creates for every call.
BEHAVIOUR = Behaviour(
    modules=("dspy",),
    distribution="dspy",
    asynchronous=ONE_A_STEP,
    blocking=ONE_A_STEP,
    ids=False,
    round_trip=0.02,
    steps_beside=2,
)


class Stub:
    """A language model that requests the calls of the scenario one by one."""

    def complete(self, request: lm15.Request) -> lm15.Response:
        time.sleep(scenarios.THINKING)
        return response(request)

    def stream(self, request: lm15.Request) -> Iterator[Any]:
        yield from lm15.response_to_events(self.complete(request))


class AsyncStub:
    """Return the same as `forward`, asynchronously."""

    async def complete(self, request: lm15.Request) -> lm15.Response:
        await asyncio.sleep(scenarios.THINKING)
        return response(request)

    async def stream(self, request: lm15.Request) -> AsyncIterator[Any]:
        for event in lm15.response_to_events(await self.complete(request)):
            yield event


def response(request: lm15.Request) -> lm15.Response:
    said = [str(request.system), *("".join(part.text for part in message.parts) for message in request.messages)]
    message = lm15.Message.assistant(answer(json.dumps(said)))
    return lm15.Response("1", "stub", message, "stop", lm15.Usage(100, 20))


def answer(said: str) -> str:
    if "## next_tool_name ##" not in said:
        scenarios.HEARD.append(said)
        return fields(reasoning="All is known.", answer=scenarios.ANSWER)
    done = said.count("[[ ## observation_")
    one_by_one = scenarios.ROUNDS in said
    asked = scenarios.asked_for(said, done if one_by_one else 0)
    # The script requests several calls at once; ReAct makes them one by one.
    asked = asked if one_by_one else asked[done : done + 1]
    name, arguments = (asked[0].name, asked[0].encoded) if asked else ("finish", "{}")
    return fields(next_thought="Go on.", next_tool_name=name, next_tool_args=arguments)


def fields(**values: str) -> str:
    return "\n\n".join(f"[[ ## {key} ## ]]\n{value}" for key, value in values.items()) + "\n\n[[ ## completed ## ]]\n"


class Agent:
    """A ReAct agent, run in a thread where its tools block."""

    def __init__(self, _: str) -> None:
        self.model = dspy.LM("openai/stub", engine=Stub(), async_engine=AsyncStub(), cache=False)

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        agent = dspy.ReAct("question -> answer", tools=list(tools), max_iters=12)
        with dspy.context(lm=self.model):
            if stream:
                program = dspy.streamify(agent, async_streaming=True, is_async_program=not self._blocks(tools))
                items = [item async for item in program(question=prompt)]
                return str(next(item.answer for item in items if isinstance(item, dspy.Prediction)))
            if self._blocks(tools):
                return str((await asyncio.to_thread(agent, question=prompt)).answer)
            return str((await agent.acall(question=prompt)).answer)

    def _blocks(self, tools: Sequence[Callable[..., Any]]) -> bool:
        return not inspect.iscoroutinefunction(tools[0])


def openinference(provider: TracerProvider) -> None:
    from openinference.instrumentation.dspy import DSPyInstrumentor

    DSPyInstrumentor().instrument(tracer_provider=provider)


def genai(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.genai.dspy import DSPyInstrumentor

    DSPyInstrumentor().instrument(tracer_provider=provider)


BESIDE = {"openinference": openinference, "genai": genai}
