"""The providers' own clients with a replayed model: what they receive, and what is seen of a turn with them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest
from anthropic import Anthropic, BadRequestError
from openai import AsyncOpenAI, OpenAI

from otel_parallelism import agent_turn, profiled, run_tools
from otel_parallelism.testing.captured_turns import CapturedTurns, release
from otel_parallelism.testing.demands import Demand
from otel_parallelism.testing.replaying.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDED = Path(__file__).parents[1] / "fixtures" / "spans" / "strands-native.jsonl"
ANSWER = "Here is all that you asked for."
IDS = ["call_weather", "call_stock", "call_news"]
ASKED: Any = [{"role": "user", "content": "?"}]


@pytest.fixture
def replayed() -> Iterator[Replay]:
    with Replay(RECORDED) as found:
        yield found


@pytest.mark.usefixtures("replayed")
def test_openai_chat_completions() -> None:
    client = OpenAI()
    (choice,) = client.chat.completions.create(model="m", messages=ASKED).choices
    assert [call.id for call in choice.message.tool_calls or ()] == IDS
    chunks = client.chat.completions.create(model="m", messages=ASKED, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == ANSWER


@pytest.mark.usefixtures("replayed")
def test_openai_responses() -> None:
    client = OpenAI()
    asked = client.responses.create(model="m", input="?")
    assert [item.call_id for item in asked.output if item.type == "function_call"] == IDS
    with client.responses.stream(model="m", input="?") as stream:
        assert stream.get_final_response().output_text == ANSWER


@pytest.mark.usefixtures("replayed")
def test_anthropic_messages() -> None:
    client = Anthropic()
    asked = client.messages.create(model="m", max_tokens=9, messages=ASKED)
    assert [block.id for block in asked.content if block.type == "tool_use"] == IDS
    with client.messages.stream(model="m", max_tokens=9, messages=ASKED) as stream:
        assert stream.get_final_text() == ANSWER


def test_clients_do_not_ask_again_when_no_response_is_left() -> None:
    def program() -> None:
        with Replay(RECORDED) as replayed:
            for _ in replayed.responses:
                Anthropic().messages.create(model="m", max_tokens=9, messages=ASKED)
            with pytest.raises(BadRequestError, match="has 10 model responses, and the program asked for 11"):
                Anthropic().messages.create(model="m", max_tokens=9, messages=ASKED)
            with pytest.raises(openai.BadRequestError, match="has 10 model responses, and the program asked for 12"):
                OpenAI().chat.completions.create(model="m", messages=ASKED)

    with pytest.raises(AssertionError, match="asked for 12"):
        program()


@profiled(effect="read")
async def get_weather(city: str) -> str:
    return f"rain in {city}"


@profiled(effect="read")
async def get_stock(symbol: str) -> str:
    return f"{symbol} falls"


@profiled(effect="read")
async def get_news(topic: str) -> str:
    return f"nothing new about {topic}"


TOOLS: dict[str, Any] = {"get_weather": get_weather, "get_stock": get_stock, "get_news": get_news}


async def agent(*, together: bool) -> str:
    """Run an agent whose tools return at once, until the model asks for none."""
    messages: list[Any] = [*ASKED]
    async with AsyncOpenAI() as client:
        with agent_turn("agent"):
            while True:
                asked = await client.chat.completions.create(model="m", messages=messages)
                message = asked.choices[0].message
                if not message.tool_calls:
                    return message.content or ""
                messages.append(message)
                if together:
                    messages += await run_tools(message, TOOLS)
                    continue
                for call in message.tool_calls:
                    assert call.type == "function"
                    content = await TOOLS[call.function.name](**json.loads(call.function.arguments))
                    messages.append({"role": "tool", "tool_call_id": call.id, "content": content})


@pytest.mark.parametrize("together", [True, False])
def test_turn_with_a_replayed_model_and_tools_that_return_at_once(*, together: bool) -> None:
    captured = CapturedTurns()
    captured.start()
    try:
        with captured.replay(RECORDED):
            assert asyncio.run(agent(together=together)) == ANSWER
        found = Demand(structure=True).judge(captured.turn)
    finally:
        captured.stop()
        release()
    assert found.report.steps == 2
    if together:
        assert (found.failures, found.unknown, found.report.verdict) == ((), "", "parallel")
        return
    assert found.failures == ("it takes as long as 3 calls, and 1 would do",)
    (finding,) = found.report.findings
    assert finding.cause == "dispatch"
    assert finding.location is not None
    assert finding.location.file_path == __file__


def test_agents_of_one_turn_that_run_beside_one_another() -> None:
    """Their models are asked by turns, so their rounds follow one another; no calls of the one wait for the other's."""

    async def both(questions: list[str]) -> None:
        with agent_turn("both"):
            await asyncio.gather(*(ask_until_answered(question) for question in questions))

    async def ask_until_answered(question: str) -> None:
        messages: list[Any] = [{"role": "user", "content": question}]
        async with AsyncOpenAI() as client:
            while True:
                asked = await client.chat.completions.create(model="m", messages=messages)
                message = asked.choices[0].message
                if not message.tool_calls:
                    return
                messages += [message, *await run_tools(message, TOOLS)]

    captured = CapturedTurns()
    captured.start()
    try:
        with captured.replay(RECORDED.with_name("langgraph_delegating-genai.jsonl")):
            message = OpenAI().chat.completions.create(model="m", messages=ASKED).choices[0].message
            asked = [call.function.arguments for call in message.tool_calls or () if call.type == "function"]
            asyncio.run(both([json.loads(arguments)["question"] for arguments in asked]))
        found = Demand(structure=True).judge(captured.turn)
    finally:
        captured.stop()
        release()
    assert found.failures == ()
    # One asks for three calls at once, the other for one at a time.
    starts = sorted((call.start_ns - found.report.turn.start_ns) // 10**9 for call in found.report.turn.calls)
    assert starts == [0, 0, 0, 0, 1, 2]
