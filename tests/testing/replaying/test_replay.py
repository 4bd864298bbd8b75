"""What the server answers, in every protocol, and what becomes of programs that ask for something else."""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import urllib3

from otel_parallelism.errors import UnreadableError
from otel_parallelism.testing.captured_turns import CapturedTurns
from otel_parallelism.testing.replaying.replay import Replay

FIXTURES = Path(__file__).parents[2] / "fixtures" / "spans"
RECORDED = FIXTURES / "pydantic_ai-native.jsonl"
DELEGATING = FIXTURES / "langgraph_delegating-genai.jsonl"
ANSWER = "Here is all that you asked for."
CALLS = [
    ("call_weather", "get_weather", {"city": "Oslo"}),
    ("call_stock", "get_stock", {"symbol": "ACME"}),
    ("call_news", "get_news", {"topic": "robots"}),
]
JSON = dict[str, Any]


def post(address: str, **body: Any) -> Any:
    """Return the answer to a request: JSON, or the data of the events of a stream in order."""
    with urllib3.PoolManager(retries=False) as pool:
        answer = pool.request("POST", address, json={"model": "model-1", **body})
        kind, text = answer.headers["content-type"], answer.data.decode()
    if kind == "text/event-stream":
        found = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
        return [json.loads(data) for data in found if data != "[DONE]"]
    return {"status": answer.status, **json.loads(text)}


@pytest.fixture
def replayed() -> Any:
    with Replay(RECORDED) as found:
        yield found


def test_chat_completions(replayed: Replay) -> None:
    asked = post(f"{replayed.base_url}/v1/chat/completions", messages=[])
    (choice,) = asked["choices"]
    assert (asked["model"], asked["object"], choice["finish_reason"]) == ("model-1", "chat.completion", "tool_calls")
    assert choice["message"]["content"] is None
    calls = [(call["id"], call["function"]) for call in choice["message"]["tool_calls"]]
    assert [(name, call["name"], json.loads(call["arguments"])) for name, call in calls] == CALLS
    (choice,) = post(f"{replayed.base_url}/chat/completions", messages=[])["choices"]
    assert choice == {"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}


def test_streamed_chat_completions(replayed: Replay) -> None:
    chunks = post(f"{replayed.base_url}/chat/completions", messages=[], stream=True)
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
    assert [(call["index"], call["id"], call["function"]["name"]) for call in calls] == [
        (at, call_id, name) for at, (call_id, name, _) in enumerate(CALLS)
    ]
    chunks = post(f"{replayed.base_url}/chat/completions", messages=[], stream=True)
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == ANSWER


def test_responses(replayed: Replay) -> None:
    asked = post(f"{replayed.base_url}/v1/responses", input="?")
    assert asked["status"] == "completed"  # of the body, which has the same key
    output = [(item["call_id"], item["name"], json.loads(item["arguments"])) for item in asked["output"]]
    assert output == CALLS
    (message,) = post(f"{replayed.base_url}/v1/responses", input="?")["output"]
    assert [part["text"] for part in message["content"]] == [ANSWER]


def test_streamed_responses(replayed: Replay) -> None:
    events = post(f"{replayed.base_url}/responses", input="?", stream=True)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert [item["call_id"] for item in done] == [call_id for call_id, *_ in CALLS]
    assert events[-1]["response"]["output"] == done
    events = post(f"{replayed.base_url}/responses", input="?", stream=True)
    assert [event["delta"] for event in events if event["type"] == "response.output_text.delta"] == [ANSWER]


def test_anthropic_messages(replayed: Replay) -> None:
    asked = post(f"{replayed.base_url}/v1/messages", messages=[])
    assert [(block["id"], block["name"], block["input"]) for block in asked["content"]] == CALLS
    assert asked["stop_reason"] == "tool_use"
    asked = post(f"{replayed.base_url}/v1/messages", messages=[])
    assert (asked["content"], asked["stop_reason"]) == ([{"type": "text", "text": ANSWER}], "end_turn")


def test_streamed_anthropic_messages(replayed: Replay) -> None:
    events = post(f"{replayed.base_url}/v1/messages", messages=[], stream=True)
    begun = [event["content_block"] for event in events if event["type"] == "content_block_start"]
    pieces = [event["delta"]["partial_json"] for event in events if event["type"] == "content_block_delta"]
    given = [json.loads(piece) for piece in pieces]
    assert [(one["id"], one["name"], found) for one, found in zip(begun, given, strict=True)] == CALLS
    assert (events[0]["type"], events[-1]["type"]) == ("message_start", "message_stop")


def test_environment_leads_to_the_server_inside_the_block_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a real key")
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)
    monkeypatch.setenv("NO_PROXY", "example.com")
    before = dict(os.environ)
    with Replay(RECORDED) as replayed:
        assert os.environ["OPENAI_BASE_URL"] == os.environ["OPENAI_API_BASE"] == f"{replayed.base_url}/v1"
        assert os.environ["ANTHROPIC_BASE_URL"] == replayed.base_url
        assert os.environ["OPENAI_API_KEY"] == os.environ["ANTHROPIC_API_KEY"] == "replayed"
        assert os.environ["NO_PROXY"] == "example.com,127.0.0.1"
    assert dict(os.environ) == before
    assert replayed.base_url == ""


def test_asking_for_too_many_responses_fails_the_program_and_the_block() -> None:
    message = f"{RECORDED} has 10 model responses, and the program asked for 11"

    def program() -> None:
        with Replay(RECORDED) as replayed:
            for _ in range(10):
                assert post(f"{replayed.base_url}/v1/messages", messages=[])["type"] == "message"
            refused = post(f"{replayed.base_url}/v1/messages", messages=[])
            assert (refused["status"], refused["type"]) == (400, "error")
            assert refused["error"]["message"] == message

    with pytest.raises(AssertionError, match=re.escape(message)):
        program()


def test_error_of_the_program_is_not_hidden() -> None:
    def program() -> None:
        with Replay(RECORDED) as replayed:
            for _ in range(11):
                post(f"{replayed.base_url}/v1/messages", messages=[])
            raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        program()


def test_requests_are_kept_and_a_block_can_be_entered_again() -> None:
    replay = Replay(RECORDED)
    for _ in range(2):
        with replay as replayed:
            post(f"{replayed.base_url}/chat/completions", messages=[{"role": "user", "content": "first"}])
            post(f"{replayed.base_url}/responses", input="second")
        words = [one.get("messages", one.get("input")) for one in replayed.requests]
        assert words == [[{"role": "user", "content": "first"}], "second"]
    assert len(replay.responses) == 10


def test_agents_that_ask_at_the_same_time_get_their_own_responses() -> None:
    """The recorded agent asked two others at once; each of them is told its own question."""

    def agent(question: str) -> list[Any]:
        said = []
        while True:
            asked = post(f"{replayed.base_url}/chat/completions", messages=[{"role": "user", "content": question}])
            message = asked["choices"][0]["message"]
            if not message.get("tool_calls"):
                return [*said, message["content"]]
            said.append([call["function"]["name"] for call in message["tool_calls"]])

    with Replay(DELEGATING) as replayed:
        first = post(f"{replayed.base_url}/chat/completions", messages=[])["choices"][0]["message"]
        questions = [json.loads(call["function"]["arguments"])["question"] for call in first["tool_calls"]]
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(agent, questions))
    assert both == [
        [["get_weather", "get_stock", "get_news"], ANSWER],
        [["get_weather"], ["get_stock"], ["get_news"], ANSWER],
    ]


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/v1/embeddings", b"{}", 404, "/v1/embeddings is not replayed; /chat/completions, /responses, /messages are"),
        ("/v1/messages", b"[]", 400, "the request's body is no JSON object"),
        ("/v1/messages", b"no JSON", 400, "the request's body is no JSON object"),
    ],
)
def test_other_requests_are_refused(replayed: Replay, path: str, body: bytes, status: int, message: str) -> None:
    with urllib3.PoolManager(retries=False) as pool:
        answer = pool.request("POST", replayed.base_url + path, body=body)
        assert (answer.status, json.loads(answer.data)["error"]["message"]) == (status, message)
        answer = pool.request("GET", f"{replayed.base_url}/v1/models")
        assert answer.status == 404
    assert replayed.requests == []


def test_recordings_stand_beside_the_test(tmp_path: Path) -> None:
    (tmp_path / "turn.jsonl").write_bytes(RECORDED.read_bytes())
    captured = CapturedTurns(folder=tmp_path)
    assert len(captured.replay("turn.jsonl").responses) == 10
    assert len(captured.replay(RECORDED).responses) == 10
    with pytest.raises(UnreadableError, match=r"other\.jsonl"):
        captured.replay("other.jsonl")
