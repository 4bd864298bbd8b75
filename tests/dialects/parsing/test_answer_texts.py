"""The texts of a model's answer, in the form of every provider and instrumentation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_parallelism.dialects.parsing.answer_texts import answer_texts

SAID = "It rains."
CALL = {"type": "function", "id": "1", "function": {"name": "get_weather", "arguments": "{}"}}
ANSWERS: dict[str, Any] = {
    "plain text": SAID,
    "GenAI parts": [{"role": "assistant", "parts": [{"type": "text", "content": SAID}], "finish_reason": "stop"}],
    "OpenAI chat": {"choices": [{"index": 0, "message": {"role": "assistant", "content": SAID, "tool_calls": [CALL]}}]},
    "OpenAI responses": {
        "output": [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Rain?"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": SAID}]},
        ]
    },
    "Anthropic": {
        "type": "message",
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Rain?"},
            {"type": "text", "text": SAID},
            {"type": "tool_use", "id": "1", "name": "get_weather", "input": {"text": "no text of the answer"}},
        ],
    },
    "Bedrock": {"output": {"message": {"role": "assistant", "content": [{"text": SAID}]}}},
    "Gemini": {"candidates": [{"content": {"role": "model", "parts": [{"text": SAID}]}}]},
    "LangChain": {
        "generations": [[{"text": SAID, "type": "ChatGeneration", "message": {"kwargs": {"content": SAID}}}]]
    },
    "Haystack": {"replies": [{"role": "assistant", "content": [{"text": SAID}]}]},
    "LangWatch": {"type": "json", "value": {"role": "assistant", "content": SAID}},
    "Braintrust": [{"role": "assistant", "content": SAID}],
    "reasoning part": [{"role": "assistant", "parts": [{"type": "reasoning", "content": "Rain?"}, {"content": SAID}]}],
    "question and answer": [{"role": "user", "content": "Does it rain?"}, {"role": "assistant", "content": SAID}],
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("encode", [lambda answer: answer, json.dumps], ids=["data", "JSON"])
def test_texts_of_every_form(answer: Any, encode: Any) -> None:
    if not isinstance(answer, str):
        answer = encode(answer)
    assert answer_texts({}, answer) == (SAID,)


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": SAID},
        {"gen_ai.completion.0.content": json.dumps([{"type": "text", "text": SAID}])},
        {"llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": SAID},
        {
            "llm.output_messages.0.message.content": SAID,
            "llm.output_messages.0.message.contents.0.message_content.text": SAID,
        },
        {"ai.response.text": SAID, "ai.response.finishReason": "stop"},
    ],
)
def test_attributes_that_hold_texts_alone_come_first(attributes: dict[str, object]) -> None:
    assert answer_texts(attributes, "assistant: It rains.") == (SAID,)


def test_json_that_a_model_wrote_is_a_text() -> None:
    written = '[{"city": "Oslo", "rain": true}]'
    assert answer_texts({}, [{"role": "assistant", "content": written}]) == (written,)


def test_several_texts_stand_in_order() -> None:
    parts = [{"type": "text", "content": "One."}, {"type": "tool_call", "id": "1", "name": "a"}, {"content": "Two."}]
    assert answer_texts({}, [{"role": "assistant", "parts": parts}]) == ("One.", "Two.")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "",
        [{"toolCallId": "1", "toolName": "get_weather", "input": "{}"}],
        {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [CALL]}}]},
        [{"role": "tool", "content": "a result"}],
    ],
)
def test_answers_without_text(answer: object) -> None:
    assert answer_texts({}, answer) == ()


def test_deep_nesting_ends() -> None:
    answer: Any = SAID
    for _ in range(200):
        answer = {"message": answer}
    assert answer_texts({}, answer) == ()
