"""The web server of the demo: it listens on this machine only and delays each response."""

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
    """Serve on a free port of 127.0.0.1 while the context is open; yields the port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _SlowAnswers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class _SlowAnswers(BaseHTTPRequestHandler):
    """Responds to each GET request with the words of its path, after ``DELAY_S`` seconds."""

    def do_GET(self) -> None:
        time.sleep(DELAY_S)
        response = f"information about {self.path.strip('/').replace('/', ' in ')}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(response)))
        self.end_headers()
        self.wfile.write(response)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Print nothing: the output of the demo is its report."""
