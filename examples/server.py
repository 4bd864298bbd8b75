"""
A local server that speaks the protocols of Anthropic's messages and of OpenAI's chat completions and responses.

    python examples/server.py COMMAND…

runs COMMAND with the clients' environment variables pointing at the server. Its model asks for three tools in one
response and answers when it has their results. Like the real services, it refuses a call without a result and a result
without a call.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

WANTED = (
    ("get_weather", {"city": "Lisbon"}),
    ("search_flights", {"destination": "Porto"}),
    ("list_hotels", {"area": "Sintra"}),
)
IDS = tuple(f"call_{number}" for number in range(len(WANTED)))


class RefusedError(Exception):
    """The request is invalid for the provider."""


def messages(request: dict[str, Any]) -> dict[str, Any]:
    """Return Anthropic's next message."""
    last = request["messages"][-1]
    results = [block for block in last["content"] if isinstance(block, dict) and block["type"] == "tool_result"]
    check([block["tool_use_id"] for block in results], asked=len(request["messages"]) > 1)
    content = (
        [{"type": "text", "text": said([str(block["content"]) for block in results])}]
        if results
        else [
            {"type": "tool_use", "id": call_id, "name": name, "input": arguments}
            for call_id, (name, arguments) in zip(IDS, WANTED, strict=True)
        ]
    )
    return {
        "id": "msg",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": content,
        "stop_reason": "end_turn" if results else "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": 20},
    }


def chat(request: dict[str, Any]) -> dict[str, Any]:
    """Return OpenAI's next chat completion."""
    results = [message for message in request["messages"] if message["role"] == "tool"]
    asked = any(message["role"] == "assistant" for message in request["messages"])
    check([message["tool_call_id"] for message in results], asked=asked)
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    if results:
        message["content"] = said([message["content"] for message in results])
    else:
        message["tool_calls"] = [
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for call_id, (name, arguments) in zip(IDS, WANTED, strict=True)
        ]
    reason = "stop" if results else "tool_calls"
    return {
        "id": "chatcmpl",
        "object": "chat.completion",
        "created": 0,
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }


def responses(request: dict[str, Any]) -> dict[str, Any]:
    """Return OpenAI's next response."""
    results = [item for item in request["input"] if item.get("type") == "function_call_output"]
    asked = any(item.get("type") == "function_call" for item in request["input"])
    check([item["call_id"] for item in results], asked=asked)
    text = {"type": "output_text", "text": said([item["output"] for item in results]), "annotations": []}
    output: list[dict[str, Any]] = (
        [{"id": "msg", "type": "message", "role": "assistant", "status": "completed", "content": [text]}]
        if results
        else [
            {
                "id": f"fc_{call_id}",
                "type": "function_call",
                "call_id": call_id,
                "name": name,
                "arguments": json.dumps(given),
            }
            for call_id, (name, given) in zip(IDS, WANTED, strict=True)
        ]
    )
    return {
        "id": "resp",
        "object": "response",
        "created_at": 0,
        "status": "completed",
        "model": request["model"],
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def check(answered: list[str], *, asked: bool) -> None:
    """Check that each call has its result, in the order of the calls."""
    if asked and answered != list(IDS):
        raise RefusedError(f"results for {answered}, asked for {list(IDS)}")


def said(results: list[str]) -> str:
    """Return the model's answer."""
    return " ".join(results)


WAYS = {"/v1/messages": messages, "/v1/chat/completions": chat, "/v1/responses": responses}


class Provider(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer a request of any of the three protocols."""
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        try:
            status, answer = 200, WAYS[self.path.partition("?")[0]](request)
        except RefusedError as error:
            status, answer = 400, {"error": {"type": "invalid_request_error", "message": str(error)}}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the standard library's
        """Print nothing."""


@contextlib.contextmanager
def environment() -> Iterator[dict[str, str]]:
    """Run a server, and yield the environment variables that point the clients at it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield {
            **os.environ,
            "ANTHROPIC_BASE_URL": address,
            "ANTHROPIC_API_KEY": "none",
            "OPENAI_BASE_URL": f"{address}/v1",
            "OPENAI_API_KEY": "none",
        }
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


if __name__ == "__main__":
    with environment() as variables:
        sys.exit(subprocess.run(sys.argv[1:], env=variables, check=False).returncode)  # noqa: S603 - as asked
