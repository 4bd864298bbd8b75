"""
Runs graphs of shapes that the contract does not cover, and prints the measurements of each as JSON.

Usage: ``python -m frameworks.agents.langgraph_shapes OTHER``, in the directory ``tests``; *OTHER* is one of
the other instrumentations in the contract of langgraph, or ``none``. The model is a stub: the user's message contains
the calls that it requests, as a JSON list of rounds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

from frameworks.contract import langgraph as contract
from langchain.agents import create_agent
from langchain.agents.middleware import ToolRetryMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import StructuredTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode, tools_condition
from langgraph.types import Command, interrupt
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from otel_parallelism import Report, agent_turn, coverage, subscribe
from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor
from otel_parallelism.tracing.state.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

TAKES = 0.15


class Scripted(BaseChatModel):
    """A model that requests the calls in the last user message, one round at a time."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: list[Any], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        time.sleep(0.02)
        last = max(index for index, message in enumerate(messages) if isinstance(message, HumanMessage))
        rounds = json.loads(messages[last].content)
        results = sum(isinstance(message, ToolMessage) for message in messages[last:])
        wanted: list[Any] = []
        for asked in rounds:
            if results <= 0:
                wanted = asked
                break
            results -= len(asked)
        calls = [
            {"name": name, "args": arguments, "id": f"call_{last}_{results}_{number}", "type": "tool_call"}
            for number, (name, arguments) in enumerate(wanted)
        ]
        return ChatResult(generations=[ChatGeneration(message=AIMessage("" if calls else "Done.", tool_calls=calls))])


@tool
async def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    await asyncio.sleep(TAKES)
    return f"rain in {city}"


@tool
def get_stock(symbol: str) -> str:
    """Tell the price of a stock."""
    time.sleep(TAKES)
    return f"{symbol} is up"


@tool
async def get_summary(of: str, state: Annotated[dict[str, Any], InjectedState]) -> str:
    """Sum up the conversation in the injected state."""
    await asyncio.sleep(TAKES)
    return f"{of}: {len(state['messages'])}"


@tool
def ask_user(question: str) -> str:
    """Ask the user."""
    return str(interrupt(question))


def said(*rounds: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": json.dumps(rounds)}]}


TWO = [("get_weather", {"city": "Oslo"}), ("get_weather", {"city": "Turin"})]
MIXED = [*TWO, ("get_stock", {"symbol": "ACME"})]


async def delegating() -> None:
    """Run an agent that asks another agent two questions at once."""
    helper = create_agent(Scripted(), tools=[get_weather], name="helper")

    async def ask_helper(question: str) -> str:
        """Ask the helper."""
        state = await helper.ainvoke({"messages": [{"role": "user", "content": question}]})
        answer: str = state["messages"][-1].content
        return answer

    chief = create_agent(Scripted(), tools=[StructuredTool.from_function(coroutine=ask_helper)], name="chief")
    question = json.dumps([TWO])
    await chief.ainvoke(said([("ask_helper", {"question": question}), ("ask_helper", {"question": question})]))


def own_graph(tools: list[Any]) -> Any:
    """Build a graph by hand, with one node for all calls of a response."""
    model = Scripted()

    async def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("model", ask)
    builder.add_node("tools", ToolNode(tools))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    builder.add_edge("tools", "model")
    return builder.compile()


async def tool_node() -> None:
    """Run all calls of a response in one node: an async tool, and a blocking one, which LangChain runs in a thread."""
    await own_graph([get_weather, get_stock]).ainvoke(said(MIXED))


async def tool_node_with_a_limit() -> None:
    """Run with a limit on nodes, which does not apply to the calls inside a node."""
    await own_graph([get_weather, get_stock]).ainvoke(said(MIXED), {"max_concurrency": 1})


async def agent_with_a_limit() -> None:
    """Run an agent, which has a node for each call."""
    agent = create_agent(Scripted(), tools=[get_weather, get_stock], name="helper")
    await agent.ainvoke(said(MIXED), {"max_concurrency": 1})


async def subgraphs() -> None:
    """Run a graph of two graphs: one without calls, and an agent."""

    def prepare(state: MessagesState) -> dict[str, Any]:
        return {}

    plain = StateGraph(MessagesState)
    plain.add_node("prepare", prepare)
    plain.add_edge(START, "prepare")
    outer = StateGraph(MessagesState)
    outer.add_node("preparation", plain.compile())
    outer.add_node("helper", create_agent(Scripted(), tools=[get_weather], name="helper"))
    outer.add_edge(START, "preparation")
    outer.add_edge("preparation", "helper")
    await outer.compile().ainvoke(said(TWO))


async def two_at_once() -> None:
    """Run one agent for two users concurrently."""
    agent = create_agent(Scripted(), tools=[get_weather], name="helper")
    await asyncio.gather(agent.ainvoke(said(TWO)), agent.ainvoke(said(TWO)))


async def abandoned() -> None:
    """Run a stream that is not read to its end."""
    agent = create_agent(Scripted(), tools=[get_weather], name="helper")
    stream = agent.astream(said(TWO), stream_mode="updates")
    results = 0
    async for update in stream:
        # Each call has an update of its own; a call that has not ended when the stream is left is cancelled.
        results += "tools" in update
        if results == len(TWO):
            break
    await stream.aclose()


async def interrupted() -> None:
    """Run a tool that interrupts the run to ask the user; the answer is a second turn."""
    agent = create_agent(Scripted(), tools=[ask_user], name="helper", checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    await agent.ainvoke(said([("ask_user", {"question": "Sure?"})]), config)
    await agent.ainvoke(Command(resume="yes"), config)


async def tried_again() -> None:
    """Run a failing tool under a middleware that retries it for the same requested call."""
    attempts = iter((True, True, False))

    @tool
    async def get_train(to: str) -> str:
        """Tell when the next train goes."""
        await asyncio.sleep(TAKES)
        if next(attempts):
            raise ValueError(to)
        return f"09:39 to {to}"

    retries = ToolRetryMiddleware(max_retries=2, initial_delay=0, jitter=False)
    agent = create_agent(Scripted(), tools=[get_train, get_weather], name="helper", middleware=[retries])
    await agent.ainvoke(said([("get_train", {"to": "Turin"}), TWO[0]]))


async def left_streams() -> None:
    """Run a hand-written loop that reads each streamed answer partly and keeps the rest."""
    messages: list[Any] = [HumanMessage(json.dumps([[("get_weather", {"city": city})] for city in ("Oslo", "Turin")]))]
    held = []
    with agent_turn("by hand"):
        for _ in range(2):
            held.append(Scripted().astream(messages))
            answer = await anext(held[-1])
            messages.append(answer)
            messages += [await get_weather.ainvoke({**call, "type": "tool_call"}) for call in answer.tool_calls]
        await asyncio.sleep(TAKES)


async def handed_the_state() -> None:
    """Run a tool that receives the result of the call before it in the state."""
    agent = create_agent(Scripted(), tools=[get_weather, get_summary], name="helper")
    await agent.ainvoke(said([("get_weather", {"city": "Oslo"})], [("get_summary", {"of": "all"})]))


SHAPES: tuple[Callable[[], Awaitable[None]], ...] = (
    delegating,
    tool_node,
    tool_node_with_a_limit,
    agent_with_a_limit,
    subgraphs,
    two_at_once,
    abandoned,
    interrupted,
    tried_again,
    left_streams,
    handed_the_state,
)


def main(other: str) -> None:
    """Print a line for each shape."""
    provider = TracerProvider()
    trace.set_tracer_provider(provider)
    if other != "none":
        contract.BESIDE[other](provider)
    ParallelismInstrumentor().instrument()
    for shape in SHAPES:
        reports: list[Report] = []
        unsubscribe = subscribe(reports.append)
        lost = coverage().calls_without_turn
        asyncio.run(shape())  # type: ignore[arg-type] # all are coroutine functions
        unsubscribe()
        found = {
            "shape": shape.__name__,
            "turns": [measured(report) for report in reports],
            "lost": coverage().calls_without_turn - lost,
            "open": len(REGISTRY.turns),
        }
        print(json.dumps(found))


def measured(report: Report) -> dict[str, Any]:
    own = [call for call in report.turn.calls if not call.scope]
    return {
        "agent": report.turn.name,
        "tools": sorted(call.tool for call in own),
        "inner": len(report.turn.calls) - len(own),
        "errors": sum(call.error for call in report.turn.calls),
        "steps": report.steps,
        "peak": report.peak_concurrency,
        "verdict": report.verdict,
        "findings": [(finding.cause, finding.advice) for finding in report.findings],
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
