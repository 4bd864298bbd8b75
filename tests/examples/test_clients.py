from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from anthropic import beta_async_tool
from anthropic.types import TextBlock, ToolUseBlock

from otel_parallelism import run_tools
from otel_parallelism.execution import prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    Output = Callable[..., list[str]]

ANSWER = "Sunny in Lisbon. Two flights to Porto. Three hotels in Sintra."


def test_anthropic_agent(output: Output) -> None:
    # No span tells of the model's requests, and the same code runs where the model asks for one call at a time.
    assert output("anthropic_agent.py", server=True) == [
        f"one_by_one: ratio 1.0, possibly_sequential: {ANSWER}",
        f"together: ratio 3.0, parallel: {ANSWER}",
    ]


def test_openai_agent(output: Output) -> None:
    assert output("openai_agent.py", server=True) == [
        f"chat_one_by_one: ratio 1.0, possibly_sequential: {ANSWER}",
        f"chat_together: ratio 3.0, parallel: {ANSWER}",
        f"responses_together: ratio 3.0, parallel: {ANSWER}",
    ]


def test_tools_made_with_anthropics_own_decorator() -> None:
    @beta_async_tool
    async def get_weather(city: str) -> str:
        """Tell the weather in a city."""
        return f"Sunny in {city}."

    asked = ToolUseBlock(type="tool_use", id="a", name="get_weather", input={"city": "Lisbon"})
    assert asyncio.run(run_tools([TextBlock(type="text", text="Let me see."), asked], [get_weather])) == [
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "Sunny in Lisbon.", "is_error": False},
            ],
        }
    ]
    by_name = "- These only read, judging by their names, so safe together in any number: get_weather."
    assert prompt([get_weather]).splitlines()[-1] == by_name
    declared = prompt([get_weather], effects={"get_weather": "read"})
    assert declared.splitlines()[-1] == "- Safe together, in any number: get_weather."
