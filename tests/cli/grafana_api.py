"""
A server that speaks the part of Grafana's HTTP API that importing dashboards takes, on this machine.

Answers and errors have the shapes of Grafana 12, as its API reference and its source have them; it keeps what it is
given.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "glsa_abcdefgh_12345678"  # noqa: S105 - of this server only
SOURCES = [
    {"id": 1, "uid": "prom-1", "name": "Prometheus", "type": "prometheus", "isDefault": True},
    {"id": 2, "uid": "prom-2", "name": "Mimir", "type": "prometheus", "isDefault": False},
    {"id": 3, "uid": "tempo-1", "name": "Tempo", "type": "tempo", "isDefault": False},
    {"id": 4, "uid": "loki-1", "name": "Loki", "type": "loki", "isDefault": False},
]
Answer = tuple[int, Any]


class Api:
    """The state of one Grafana: what it holds, and what it was asked."""

    def __init__(self) -> None:
        self.sources: list[dict[str, Any]] = list(SOURCES)
        self.folders: dict[str, str] = {}
        self.dashboards: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.denied: set[str] = set()
        self.broken: bytes | None = None
        self.url = ""

    def answer(self, method: str, path: str, token: str | None, body: Any) -> Answer:
        """Return the status and the body of the answer."""
        self.asked.append(f"{method} {path}")
        return self._forbidden(method, path, token) or self._done(method, path, body)

    def _forbidden(self, method: str, path: str, token: str | None) -> Answer | None:
        if token is None:
            return 401, {"extra": None, "message": "Unauthorized", "messageId": "auth.unauthorized", "statusCode": 401}
        if token != TOKEN:
            return 401, {"extra": None, "message": "Invalid API key", "messageId": "api-key.invalid", "statusCode": 401}
        if f"{method} {path}" in self.denied:
            said = "You'll need additional permissions to perform this action."
            return 403, {"accessErrorId": "ACE0123456789", "message": said, "title": "Access denied"}
        return None

    def _done(self, method: str, path: str, body: Any) -> Answer:
        if (method, path) == ("GET", "/api/datasources"):
            return 200, self.sources
        if (method, path) == ("GET", "/api/folders"):
            listed = enumerate(self.folders.items(), 1)
            return 200, [{"id": number, "uid": uid, "title": title} for number, (uid, title) in listed]
        if (method, path) == ("POST", "/api/folders"):
            return self._make_folder(body)
        if (method, path) == ("POST", "/api/dashboards/db"):
            return self._save(body)
        return 404, {"message": "Not found"}

    def _make_folder(self, body: Any) -> Answer:
        title = body.get("title", "")
        if not title:
            return 400, {"message": "folder title cannot be empty"}
        uid = f"f{len(self.folders) + 1}"
        self.folders[uid] = title
        return 200, {"id": 1, "uid": uid, "title": title, "url": f"/dashboards/f/{uid}/x", "version": 1}

    def _save(self, body: Any) -> Answer:
        board, folder = body["dashboard"], body.get("folderUid", "")
        if not board.get("title"):
            return 400, {"message": "Dashboard title cannot be empty", "status": "empty-name"}
        if folder and folder not in self.folders:
            return 404, {"message": "folder not found", "status": "not-found"}
        there = self.dashboards.get(board["uid"])
        if not body["overwrite"]:
            if there is not None and board.get("version", 0) != there["version"]:
                return 412, {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}
            for uid, other in self.dashboards.items():
                if (other["title"], other["folder"]) == (board["title"], folder) and uid != board["uid"]:
                    said = "A dashboard with the same name in the folder already exists"
                    return 412, {"message": said, "status": "name-exists"}
        version = 1 if there is None else there["version"] + 1
        self.dashboards[board["uid"]] = {**board, "version": version, "folder": folder}
        shown = {"slug": board["uid"], "uid": board["uid"], "url": f"/d/{board['uid']}/{board['uid']}"}
        return 200, {"id": 1, "folderUid": folder, "status": "success", "version": version, **shown}


@contextmanager
def serving(moved_to: str | None = None) -> Iterator[Api]:
    """Serve an empty Grafana, or one that sends everybody to *moved_to*."""
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._respond("GET")

        def do_POST(self) -> None:
            self._respond("POST")

        def _respond(self, method: Literal["GET", "POST"]) -> None:
            parts = urlsplit(self.path)
            assert set(parse_qs(parts.query)) <= {"limit"}
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            if moved_to is not None:
                api.asked.append(f"{method} {parts.path}")
                self.send_response(301)
                self.send_header("Location", moved_to)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            bearer = self.headers.get("Authorization")
            status, said = api.answer(method, parts.path, bearer and bearer.removeprefix("Bearer "), body)
            text = api.broken if api.broken is not None else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        api.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
