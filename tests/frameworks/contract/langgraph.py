"""langgraph as LangChain's ``create_agent`` makes it, against a local server that speaks OpenAI's protocol."""

from __future__ import annotations

import asyncio
import inspect
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from langchain.agents import create_agent
from langchain_core.tools import StructuredTool, tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_openai import ChatOpenAI
from openai import DefaultAsyncHttpxClient, DefaultHttpxClient

from frameworks import scenarios
from frameworks.behaviour import Behaviour, Dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import TracerProvider

THREADS = ThreadPoolExecutor()._max_workers
"""How many tools of a sync graph run at once: the default number of threads in a pool of Python."""

BEHAVIOUR = Behaviour(
    modules=("langchain_core", "langgraph"),
    distribution="langgraph",
    blocking=Dispatch(ten_peak=min(THREADS, 10), ten_cause="limit" if THREADS < 10 else None),
)


class Agent:
    """An agent: awaited with async tools, run in a thread with blocking ones."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        # The run has its own clients, because those that LangChain makes outlive the event loop.
        async with DefaultAsyncHttpxClient() as client:
            with DefaultHttpxClient() as blocking_client:
                model = ChatOpenAI(
                    model="stub",
                    base_url=f"{self.url}/v1",
                    api_key="none",
                    http_client=blocking_client,
                    http_async_client=client,
                    streaming=stream,
                )
                agent = create_agent(
                    model, tools=[structured(tool) for tool in tools], system_prompt=scenarios.SYSTEM, name="helper"
                )
                given = {"messages": [{"role": "user", "content": prompt}]}
                if inspect.iscoroutinefunction(tools[0]):
                    return await run(agent, given, stream=stream)
                return await asyncio.to_thread(run_blocking, agent, given, stream=stream)


async def run(agent: Any, given: dict[str, Any], *, stream: bool) -> str:
    if not stream:
        return said(await agent.ainvoke(given))
    state: Any = None
    async for mode, item in agent.astream(given, stream_mode=["messages", "values"]):
        state = item if mode == "values" else state
    return said(state)


def run_blocking(agent: Any, given: dict[str, Any], *, stream: bool) -> str:
    if not stream:
        return said(agent.invoke(given))
    state: Any = None
    for mode, item in agent.stream(given, stream_mode=["messages", "values"]):
        state = item if mode == "values" else state
    return said(state)


def structured(tool: Callable[..., Any]) -> StructuredTool:
    if inspect.iscoroutinefunction(tool):
        return StructuredTool.from_function(coroutine=tool)
    return StructuredTool.from_function(tool)


def said(state: Any) -> str:
    text: str = state["messages"][-1].content
    return text


def openinference(provider: TracerProvider) -> None:
    from openinference.instrumentation.langchain import LangChainInstrumentor

    LangChainInstrumentor().instrument(tracer_provider=provider)


def traceloop(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.langchain import LangchainInstrumentor

    LangchainInstrumentor().instrument(tracer_provider=provider)


def genai(provider: TracerProvider) -> None:
    from opentelemetry.instrumentation.genai.langchain import LangChainInstrumentor

    LangChainInstrumentor().instrument(tracer_provider=provider)


BESIDE = {"openinference": openinference, "traceloop": traceloop, "genai": genai}


def tool_schemas(function: Any) -> list[Any]:
    """Return what langchain makes of *function*, in each of the ways that it makes tools."""
    if inspect.iscoroutinefunction(function):
        structured = StructuredTool.from_function(coroutine=function)
    else:
        structured = StructuredTool.from_function(function, parse_docstring=function.__name__ == "weather")
    made: Any = tool(function)
    shown: Any = [(one.name, one.description, one.args_schema.model_json_schema()) for one in (made, structured)]
    return [*shown, convert_to_openai_tool(made), convert_to_openai_tool(function), made.func is None]
