from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.dialects.parsing.messages import requested_ids, run_input, user_words
from otel_parallelism.model import DeveloperText

OUTPUTS = {
    "parts": [{"role": "assistant", "parts": [{"type": "tool_call", "id": "a", "name": "t", "arguments": {}}] * 2}],
    "chat": {"choices": [{"message": {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "t"}}]}}]},
    "responses": {
        "output": [{"type": "reasoning"}, {"type": "function_call", "id": "fc_0", "call_id": "a", "name": "t"}]
    },
    "anthropic": {"role": "assistant", "content": [{"type": "text", "text": "so"}, {"type": "tool_use", "id": "a"}]},
    "bedrock": [{"text": "so"}, {"toolUse": {"toolUseId": "a", "name": "t", "input": {"id": "not this"}}}],
    "gemini": {"candidates": [{"content": {"role": "model", "parts": [{"functionCall": {"id": "a", "name": "t"}}]}}]},
    "langchain": {
        "generations": [
            [{"message": {"lc": 1, "kwargs": {"content": "", "tool_calls": [{"id": "a", "type": "tool_call"}]}}}]
        ]
    },
    "haystack": {"replies": [{"role": "assistant", "content": [{"tool_call": {"tool_name": "t", "id": "a"}}]}]},
    "pydantic": [{"parts": [{"part_kind": "tool-call", "tool_call_id": "a"}], "kind": "response"}],
    "ai sdk": [
        {"role": "assistant", "content": [{"type": "tool-call", "toolCallId": "a", "toolName": "t", "input": {}}]}
    ],
    "ai sdk result": {"text": "", "toolCalls": [{"toolCallId": "a", "toolName": "t", "args": {}}]},
    "without content": {"finish_reason": "tool_calls", "message": {"tool_calls": [{"id": "a", "type": "function"}]}},
    "double": {"role": "assistant", "message": json.dumps({"tool_calls": [{"id": "a", "function": {"name": "t"}}]})},
}


@pytest.mark.parametrize("form", OUTPUTS)
def test_ids_are_found_in_every_form_of_output(form: str) -> None:
    assert requested_ids(json.dumps(OUTPUTS[form])) == ("a",)
    assert requested_ids(OUTPUTS[form]) == ("a",)


_IDS = st.sampled_from(("a", "b", "", None, 3))
_TEXTS = st.sampled_from(("so", "", '{"type": "tool_call", "id": "c"}', "[1]", None))
_PARTS = st.one_of(
    st.fixed_dictionaries({"type": st.just("tool_call")}, optional={"id": _IDS, "name": _TEXTS, "arguments": _TEXTS}),
    st.fixed_dictionaries({"type": st.sampled_from(("text", "reasoning"))}, optional={"content": _TEXTS, "id": _IDS}),
    st.fixed_dictionaries(
        {"type": st.sampled_from(("tool_use", "tool_call_response", "x_call"))}, optional={"id": _IDS}
    ),
    st.fixed_dictionaries({"toolUse": st.fixed_dictionaries({"toolUseId": _IDS})}, optional={"type": _TEXTS}),
)
_ANSWERS = st.lists(
    st.fixed_dictionaries(
        {"role": st.just("assistant"), "parts": st.lists(_PARTS, max_size=3)},
        optional={
            "finish_reason": _TEXTS,
            "name": _TEXTS,
            "content": _TEXTS,
            "tool_calls": st.lists(_PARTS, max_size=1),
        },
    ),
    max_size=2,
)


@given(_ANSWERS)
def test_json_of_the_standard_form_asks_for_what_its_data_asks_for(said: list[dict[str, object]]) -> None:
    marked = [*said, {"role": "assistant", "parts": [{"type": "tool_call", "id": "z"}]}]
    assert requested_ids(json.dumps(marked)) == requested_ids(marked)


def test_an_answer_asks_for_nothing() -> None:
    assert requested_ids('[{"role": "assistant", "parts": [{"type": "text", "content": "done"}]}]') == ()
    assert requested_ids('{"choices":[{"message":{"role":"assistant","content":"done"}}]}') == ()


@pytest.mark.parametrize(
    "output",
    [
        "assistant: done",
        '["get_weather", "get_stock"]',
        '[{"role": "assistant", "parts": [{"type": "tool_call", "id": "a"}, {"type": "tool_c',
        '[{"role": "assistant", "parts": [{"type": "tool_call", "name": "no id"}]}]',
        '{"role": "assistant", "tool_calls": [{"type": "function"}]}',
        '[{"role": "assistant", "parts": ["[Scrubbed due to \'auth\']"]}]',
        '{"role": "assistant", "content": "Thought: …\\nAction: get_weather\\nAction Input: Oslo"}',
        '{"role": "assistant", "content": "[[ ## next_tool_name ## ]]\\nget_weather"}',
        "",
    ],
)
def test_what_was_not_seen_is_not_known(output: str) -> None:
    assert requested_ids(output) is None


def test_several_outputs_are_one_answer() -> None:
    first, second = OUTPUTS["parts"], {"role": "assistant", "tool_calls": [{"id": "b", "function": {"name": "t"}}]}
    assert requested_ids(first, second) == ("a", "b")
    assert requested_ids() is None


INPUTS = {
    "parts": [
        {"role": "system", "parts": [{"type": "text", "content": "be brief"}]},
        {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "a", "arguments": {"city": "Oslo"}}]},
        {"role": "user", "parts": [{"type": "tool_call_response", "id": "a", "result": "rain"}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "a", "response": "rain"}]},
    ],
    "plain": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "rain"}],
    "blocks": [
        {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "tool_result", "content": "rain"}]}
    ],
    "strands": [{"role": "user", "content": '[{"text": "hi"}, {"toolResult": {"content": [{"text": "rain"}]}}]'}],
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "hi"}, {"function_response": {"response": "rain"}}]}]},
    "request": {"model": "m", "messages": [{"role": "user", "content": "hi"}], "tools": [{"name": "t"}]},
    "responses": [{"role": "user", "content": "hi"}, {"type": "function_call_output", "output": "rain"}],
    "langchain": {
        "messages": [
            [
                {"lc": 1, "id": ["langchain", "schema", "messages", "HumanMessage"], "kwargs": {"content": "hi"}},
                {"lc": 1, "id": ["langchain", "schema", "messages", "AIMessage"], "kwargs": {"content": "rain"}},
            ]
        ]
    },
    "typed": {"messages": [{"type": "human", "data": {"content": "hi"}}, {"type": "ai", "data": {"content": "rain"}}]},
    "pairs": {"messages": [["system", "be brief"], ["user", "hi"]]},
    "haystack": {"messages": [{"role": "user", "content": [{"text": "hi"}]}]},
    "system": {"system": [{"type": "text", "text": "be brief"}], "messages": [{"role": "user", "content": "hi"}]},
    "instructions": {"model": "m", "instructions": "be brief", "input": "hi"},
    "config": {
        "config": {"systemInstruction": {"parts": [{"text": "be brief"}]}},
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
    },
    "told": [
        {"role": "user", "content": "hi"},
        {"role": "user", "content": "Tool result: rain"},
        {"role": "user", "content": "Observation: rain"},
        {"role": "user", "content": "Result of get_weather: rain"},
    ],
    "events": [
        {"event.name": "gen_ai.user.message", "content": "hi"},
        {"event.name": "gen_ai.choice", "content": "rain"},
    ],
}


@pytest.mark.parametrize("form", INPUTS)
def test_only_the_words_of_user_and_developer_are_taken(form: str) -> None:
    for found in (user_words(json.dumps(INPUTS[form])), user_words(INPUTS[form])):
        assert [word for word in found if not isinstance(word, DeveloperText)] == ["hi"]
        texts = [word for word in found if isinstance(word, DeveloperText)]
        assert texts == (["be brief"] if form in {"parts", "pairs", "system", "instructions", "config"} else [])


def test_a_prompt_that_is_no_message_says_nothing_about_the_user() -> None:
    assert user_words('{"prompt": "rain"}') == []
    assert user_words("rain") == []
    assert user_words('[{"role": "user", "parts": [{"type": "text"}]}]') == [""]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("hi", ["hi"]),
        ('{"task": "hi", "stream": false, "images": null}', ["hi", False]),
        ('{"args": [["a", "b"]], "kwargs": {"question": "hi"}}', ["a", "b", "hi"]),
        ('{"inputs": {"messages": [["user", "hi"]]}, "tags": [], "metadata": {"run": "4297657b"}}', ["hi"]),
        ('{"messages": [{"role": "user", "content": "hi"}, {"role": "tool", "content": "rain"}]}', ["hi"]),
        ('{"input_args": {"question": "hi"}}', ["hi"]),
    ],
)
def test_a_run_was_given_everything_in_its_input(given: str, words: list[object]) -> None:
    assert run_input(given) == words
