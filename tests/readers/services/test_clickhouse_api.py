"""ClickHouse is asked through clickhouse-connect; where chdb is installed, ClickHouse's own SQL answers."""

from __future__ import annotations

import io
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from otel_parallelism import analyze_spans, clock
from otel_parallelism.readers import UnreadableError
from otel_parallelism.readers.any_format import read_spans
from otel_parallelism.readers.services.http_pool import PatientPool
from tests.readers.test_any_format import BEGAN_NS, a_trace
from tests.readers.written_formats import clickhouse_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.model import SpanRecord

PASSWORD = "secret-password-123"  # noqa: S105 - of these servers only
PERIOD = f"since={BEGAN_NS - 10**9}&until={BEGAN_NS + 10**9}"
TABLE = """CREATE TABLE otel.otel_traces (
  Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String, TraceState String,
  SpanName LowCardinality(String), SpanKind LowCardinality(String), ServiceName LowCardinality(String),
  ResourceAttributes Map(LowCardinality(String), String), ScopeName String, ScopeVersion String,
  SpanAttributes Map(LowCardinality(String), String), Duration UInt64, StatusCode LowCardinality(String),
  StatusMessage String,
  Events Nested(Timestamp DateTime64(9), Name LowCardinality(String), Attributes Map(LowCardinality(String), String)),
  Links Nested(TraceId String, SpanId String, TraceState String, Attributes Map(LowCardinality(String), String))
) ENGINE = MergeTree ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))"""


def read(url: str) -> tuple[list[SpanRecord], list[str]]:
    skipped: list[str] = []
    return list(read_spans(url, skip=lambda error: skipped.append(str(error)))), skipped


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A stand-in for clickhouse-connect, with the spans of one trace."""
    found = SimpleNamespace(asked=[], content=clickhouse_json(a_trace(1)), error=None)

    def get_client(**how: Any) -> Any:
        assert isinstance(how.pop("pool_mgr"), PatientPool)
        assert how.pop("query_retries") == 0
        found.how = how
        return SimpleNamespace(raw_query=query, raw_stream=lambda *args, **how: io.BytesIO(query(*args, **how)))

    def query(text: str, *, parameters: Any, fmt: str) -> Any:
        if found.error:
            raise found.error
        found.asked.append((text, parameters))
        return b"01\n02\n03\n"[: 3 * parameters["limit"]] if fmt == "TabSeparated" else found.content

    monkeypatch.setitem(sys.modules, "clickhouse_connect", SimpleNamespace(get_client=get_client))
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", PASSWORD)
    monkeypatch.delenv("CLICKHOUSE_USER", raising=False)
    return found


def test_what_is_asked(client: SimpleNamespace) -> None:
    expected = len(a_trace(1))
    spans, skipped = read(f"clickhouse://db.example.com/otel?{PERIOD}&table=traces&service=it's&limit=2")
    assert (len(spans), len(skipped)) == (expected, 1)
    assert "there are more than 2 traces" in skipped[0]
    assert client.how == {
        "host": "db.example.com",
        "port": 8443,
        "secure": True,
        "username": "default",
        "password": PASSWORD,
        "database": "otel",
    }
    assert all("FROM traces WHERE" in text and "%(service)s" in text for text, _ in client.asked)
    assert [values["limit"] for _, values in client.asked] == [3, 2]
    assert len(read("clickhouse+http://db.example.com:1234?trace=01&trace=02")[0]) == 2 * expected
    assert (client.how["port"], client.how["secure"], client.how["database"]) == (1234, False, "default")


def test_errors_have_neither_the_password_nor_the_query(
    client: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, said in (
        (RuntimeError(f"HTTP 500 Code: 60. DB::Exception: SELECT '{PASSWORD}'"), "error 60 of ClickHouse"),
        (OSError(f"{PASSWORD} refused"), "OSError"),
    ):
        client.error = error
        for url in ("clickhouse://db.example.com?since=1h", "clickhouse://db.example.com?trace=01"):
            with pytest.raises(
                UnreadableError, match=f"clickhouse://db.example.com: {said}; expected a server"
            ) as caught:
                read(url)
            assert PASSWORD not in str(caught.value)
    client.error, client.content = None, b""
    with pytest.raises(UnreadableError, match="none of these traces is there"):
        read("clickhouse://db.example.com?trace=01")
    with pytest.raises(UnreadableError, match="table is not the name of a table"):
        read("clickhouse://db.example.com?table=a;drop")
    monkeypatch.setitem(sys.modules, "clickhouse_connect", None)
    with pytest.raises(UnreadableError, match=r'pip install "otel-parallelism\[clickhouse\]"'):
        read("clickhouse://db.example.com?trace=01")


BUSY: list[int] = []  # the next answers of the server


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """ClickHouse's HTTP interface in front of chdb, with four traces."""
    pytest.importorskip(
        "clickhouse_connect", reason="clickhouse-connect is not installed (dependency group clickhouse)"
    )
    session = pytest.importorskip(
        "chdb.session", reason="chdb is not installed (dependency group clickhouse)"
    ).Session()
    for text in ("CREATE DATABASE IF NOT EXISTS otel", "DROP TABLE IF EXISTS otel.otel_traces", TABLE):
        session.query(text)
    for seed in range(4):
        session.query("INSERT INTO otel.otel_traces FORMAT JSONEachRow\n" + clickhouse_json(a_trace(seed)).decode())

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if BUSY:
                self.send_response(BUSY.pop())
                self.send_header("Retry-After", "7")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            asked = parse_qs(urlsplit(self.path).query)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            text = asked["query"][-1] if "query" in asked else body
            form = re.search(r"FORMAT (\w+)\s*$", text)
            text = text[: form.start()] if form else text
            text = re.sub(r"FROM (\w*traces\b)", r"FROM otel.\1", text)
            try:
                status, said = 200, session.query(text, form[1] if form else "TabSeparated").bytes()
            except Exception as error:  # noqa: BLE001 - as a server does
                status, said = 404, str(error).encode()
            self.send_response(status)
            self.send_header("X-ClickHouse-Summary", "{}")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST  # noqa: N815 - the name that the library calls

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"clickhouse+http://127.0.0.1:{http.server_address[1]}/otel"
        http.shutdown()
        thread.join()
        session.close()


def test_clickhouse_itself_answers(server: str) -> None:
    spans, skipped = read(f"{server}?{PERIOD}&service=checkout")
    assert (len(spans), skipped) == (sum(len(a_trace(seed)) for seed in range(4)), [])
    spans, skipped = read(f"{server}?{PERIOD}&limit=2")
    assert (len({span.trace_id for span in spans}), len(skipped)) == (2, 1)
    got = [report.to_json() for report in analyze_spans(read(f"{server}?trace={1:032x}")[0]).reports]
    assert got == [report.to_json() for report in analyze_spans(a_trace(0)).reports] != []
    for url, said in (
        (f"{server}?trace=ff", "none of these traces is there"),
        (f"{server}?since=1h&service=it's", "there are no traces in this period"),
        (f"{server}?table=other_traces", "error 60 of ClickHouse"),
    ):
        with pytest.raises(UnreadableError, match=said):
            read(url)


def test_a_busy_clickhouse_is_asked_again(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(clock, "sleep_s", waits.append)
    BUSY.extend([503, 429])
    assert read(f"{server}?trace={1:032x}")[0]
    assert waits == [7, 7]
    BUSY.extend([503] * 5)
    with pytest.raises(UnreadableError, match="503 Service Unavailable after 5 tries; the server asks"):
        read(f"{server}?{PERIOD}")
    assert (waits, BUSY) == ([7] * 6, [])
