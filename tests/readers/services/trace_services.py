"""
Servers that speak the parts of Tempo's, Jaeger's, Langfuse's and Phoenix's APIs that reading traces takes.

They hold spans of one seeded generator, answer in the shapes of the services' own documentation, page as these do, and
note what they were asked.
"""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.readers.written_formats import data_frame, jaeger, tempo, tempo_v2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_parallelism.model import SpanRecord

TOKEN = "secret-token-1234567890"  # noqa: S105 - of these servers only
Answer = tuple[int, Any]


class Server:
    """The state of one server: its traces by their ids, and what it was asked."""

    def __init__(
        self, traces: dict[str, list[SpanRecord]], answer: Callable[[Server, str, dict[str, str]], Answer]
    ) -> None:
        self.traces = traces
        self.answer = answer
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.authorization = f"Bearer {TOKEN}"
        self.tenants: list[str | None] = []
        self.moved_to = ""
        self.raw: bytes | None = None
        self.busy: list[tuple[int, str | None]] = []  # the next answers, with their Retry-After
        self.address = ""

    def in_period(self, start_ns: float, end_ns: float) -> list[str]:
        begun = {trace: min(span.start_ns for span in spans) for trace, spans in self.traces.items()}
        return sorted((trace for trace, at in begun.items() if start_ns <= at < end_ns), key=begun.__getitem__)


def tempo_answer(server: Server, path: str, asked: dict[str, str]) -> Answer:
    if path == "/api/search":
        found = server.in_period(int(asked["start"]) * 1e9, int(asked["end"]) * 1e9)
        told = [{"traceID": trace.lstrip("0"), "rootServiceName": "checkout", "durationMs": 5} for trace in found]
        return 200, {"traces": told[-int(asked["limit"]) :], "metrics": {"inspectedBytes": "1"}}
    *version, _, trace = path.removeprefix("/api/").split("/")
    spans = server.traces.get(trace.rjust(32, "0"))
    if spans is None:
        return 404, b"trace not found"
    return (200, tempo_v2(spans)) if version else (200, tempo(spans))


def old_tempo_answer(server: Server, path: str, asked: dict[str, str]) -> Answer:
    return (404, b"404 page not found\n") if path.startswith("/api/v2") else tempo_answer(server, path, asked)


def jaeger_answer(server: Server, path: str, asked: dict[str, str]) -> Answer:
    if path == "/api/services":
        return 200, {"data": ["checkout", "jaeger-query"], "total": 2, "limit": 0, "offset": 0, "errors": None}
    if path == "/api/traces":
        found = server.in_period(int(asked["start"]) * 1e3, int(asked["end"]) * 1e3)[-int(asked["limit"]) :]
        return 200, jaeger([span for trace in found for span in server.traces[trace]])
    spans = server.traces.get(path.rpartition("/")[2])
    if spans is None:
        return 404, {"data": None, "errors": [{"code": 404, "msg": "trace not found"}]}
    return 200, jaeger(spans)


def _iso(at_ns: float) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def langfuse_answer(server: Server, path: str, asked: dict[str, str]) -> Answer:
    if path == "/api/public/traces":
        start, end = (datetime.fromisoformat(asked[key]).timestamp() * 1e9 for key in ("fromTimestamp", "toTimestamp"))
        found, page, limit = server.in_period(start, end), int(asked["page"]), int(asked["limit"])
        told = [
            {"id": trace, "name": "ask", "observations": ["o"]} for trace in found[(page - 1) * limit : page * limit]
        ]
        meta = {"page": page, "limit": limit, "totalItems": len(found), "totalPages": -(-len(found) // limit)}
        return 200, {"data": told, "meta": meta}
    trace = path.rpartition("/")[2]
    if trace not in server.traces:
        return 404, {"message": "Trace not found within authorized project", "error": "LangfuseNotFoundError"}
    observations = [
        {
            "id": span.span_id,
            "traceId": trace,
            "type": "TOOL" if "tool" in span.name else "AGENT" if "agent" in span.name else "GENERATION",
            "name": span.name,
            "startTime": _iso(span.start_ns),
            "endTime": _iso(span.end_ns),
            "parentObservationId": span.parent_id or None,
            "level": "DEFAULT",
        }
        for span in server.traces[trace]
    ]
    return 200, {"id": trace, "name": "ask", "observations": observations}


def phoenix_answer(server: Server, path: str, asked: dict[str, str]) -> Answer:
    if path != "/v1/projects/default/spans":
        return 404, {"detail": "Project not found"}
    start, end = (
        datetime.fromisoformat(asked[key]).timestamp() * 1e9 if key in asked else None
        for key in ("start_time", "end_time")
    )
    found = server.in_period(start or 0, end or 1e20)
    spans = [span for trace in found for span in server.traces[trace]]
    first = int(asked.get("cursor", "0"))
    size = 20  # smaller than what is asked for, so that there are pages
    rows = [
        {
            "id": "x",
            "name": row["name"],
            "context": {"trace_id": row["context.trace_id"], "span_id": row["context.span_id"]},
            "span_kind": row["span_kind"],
            "parent_id": row["parent_id"],
            "start_time": row["start_time"],
            "end_time": row["end_time"],
            "status_code": row["status_code"],
            "attributes": {k.removeprefix("attributes."): v for k, v in row.items() if k.startswith("attributes.")},
            "events": [],
        }
        for row in (json.loads(data_frame(spans[first : first + size])) if spans[first : first + size] else [])
    ]
    return 200, {"data": rows, "next_cursor": str(first + size) if first + size < len(spans) else None}


ANSWERS = {
    "tempo": tempo_answer,
    "jaeger": jaeger_answer,
    "langfuse": langfuse_answer,
    "phoenix": phoenix_answer,
}


@contextmanager
def serving(kind: str, traces: dict[str, list[SpanRecord]]) -> Iterator[Server]:
    """Run a server of the *kind* with *traces*, on this machine."""
    server = Server(traces, ANSWERS[kind])
    if kind == "langfuse":
        server.authorization = "Basic " + base64.b64encode(f"pk-lf-1:{TOKEN}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/sub")
            asked = {key: values[-1] for key, values in parse_qs(parts.query).items()}
            server.asked.append((path, asked))
            server.tenants.append(self.headers.get("X-Scope-OrgID"))
            after = None
            if server.moved_to:
                status, said = 307, b""
            elif server.busy:
                (status, after), said = server.busy.pop(0), {"message": f"busy, {self.headers.get('Authorization')}"}
            elif self.headers.get("Authorization") != server.authorization:
                status, said = 401, {"message": f"Invalid credentials: {self.headers.get('Authorization')}"}
            else:
                status, said = (200, server.raw) if server.raw is not None else server.answer(server, path, asked)
            text = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            if server.moved_to:
                self.send_header("Location", server.moved_to)
                server.moved_to = server.moved_to if "://" in server.moved_to else ""
            if after is not None:
                self.send_header("Retry-After", after)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        server.address = f"{kind}+http://127.0.0.1:{http.server_address[1]}/sub"
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
