"""An HTTP server on this machine that answers as the model providers do, with recorded responses."""

from __future__ import annotations

import json
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from .anthropic_protocol import message, message_events
from .openai_protocols import chat_completion, chat_completion_events, response_events, response_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .recorded_responses import RecordedResponse

    Whole = Callable[[RecordedResponse, int, str], dict[str, Any]]
    Events = Callable[[dict[str, Any]], Iterator[str]]
    Choose = Callable[[dict[str, Any]], tuple[RecordedResponse, int] | str]

_POLL_S = 0.02
"""How often the server looks whether it is to be closed."""

PROTOCOLS: dict[str, tuple[Whole, Events]] = {
    "/chat/completions": (chat_completion, chat_completion_events),
    "/responses": (response_object, response_events),
    "/messages": (message, message_events),
}
"""By the end of a path: what makes a whole answer, and the events of a stream of it."""


class ReplayServer:
    """
    Answers requests in a thread of its own until it is closed.

    Attributes:
        url: The address without a path.
    """

    def __init__(self, choose: Choose) -> None:
        """
        Args:
            choose: Returns the response to a request and its number, from the body of the request; or why there is
                none, in one sentence.
        """
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, choose))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=partial(self._server.serve_forever, _POLL_S), name="replayed-model", daemon=True
        )
        self._thread.start()
        self.url: str = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop answering, and wait until the thread has ended."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Answers one request, and closes the connection."""

    def __init__(self, choose: Choose, *connection: Any) -> None:
        self._choose = choose
        super().__init__(*connection)  # answers, too

    def do_POST(self) -> None:
        """Answer with the next response, whole or as events."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = self.path.partition("?")[0].rstrip("/")
        protocol = next((known for end, known in PROTOCOLS.items() if path.endswith(end)), None)
        if protocol is None:
            self._refuse(404, f"{path} is not replayed; {', '.join(PROTOCOLS)} are")
            return
        try:
            asked = json.loads(body)
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            self._refuse(400, "the request's body is no JSON object")
            return
        found = self._choose(asked)
        if isinstance(found, str):
            self._refuse(400, found)
            return
        whole, events = protocol
        answer = whole(*found, str(asked.get("model") or "replayed"))
        if asked.get("stream") is True:
            self._send(200, "text/event-stream", "".join(events(answer)))
        else:
            self._send(200, "application/json", json.dumps(answer, ensure_ascii=False))

    def do_GET(self) -> None:
        """Refuse: only responses of a model are replayed."""
        self._refuse(404, f"{self.path} is not replayed; only requests to a model are")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server uses
        """Print nothing."""

    def _refuse(self, status: int, why: str) -> None:
        """Answer with an error that the clients of both providers understand, and that they do not try again."""
        error = {"type": "invalid_request_error", "message": why, "code": None, "param": None}
        self._send(status, "application/json", json.dumps({"type": "error", "error": error}, ensure_ascii=False))

    def _send(self, status: int, kind: str, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
