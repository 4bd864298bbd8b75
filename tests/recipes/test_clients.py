from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Output = Callable[..., list[str]]

ANSWER = "Sunny in Lisbon. Two flights to Porto. Three hotels in Sintra."


def test_anthropic_agent(output: Output) -> None:
    assert output("anthropic_agent.py", server=True) == [
        f"one_by_one: ratio 1.0, sequential: {ANSWER}",
        f"together: ratio 3.0, parallel: {ANSWER}",
    ]


def test_openai_agent(output: Output) -> None:
    assert output("openai_agent.py", server=True) == [
        f"chat_one_by_one: ratio 1.0, sequential: {ANSWER}",
        f"chat_together: ratio 3.0, parallel: {ANSWER}",
        f"responses_together: ratio 3.0, parallel: {ANSWER}",
    ]
