"""A web service for the demo: it listens on this machine only and takes a while over every request."""

from __future__ import annotations

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

DELAY_S: Final = 0.3


@contextlib.contextmanager
def serving() -> Iterator[int]:
    """Serve on a free port of 127.0.0.1 while the context is open, and give that port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _SlowAnswers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class _SlowAnswers(BaseHTTPRequestHandler):
    """Answers every GET with the path it was asked for, after a while."""

    def do_GET(self) -> None:
        time.sleep(DELAY_S)
        answer = f"all there is to know about {self.path.strip('/').replace('/', ' in ')}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: the demo's output is its report."""
