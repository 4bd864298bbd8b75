"""Traces of services are read through their APIs: by id or time, all pages, and with the token in no message."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from otel_parallelism import Settings, analyze_spans, clock
from otel_parallelism.readers import UnreadableError
from otel_parallelism.readers.any_format import read_spans
from tests.amounts import some_of
from tests.readers.services.trace_services import ANSWERS, TOKEN, Server, old_tempo_answer, serving
from tests.readers.test_any_format import BEGAN_NS, a_trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.model import SpanRecord

pytestmark = pytest.mark.many

S = 10**9
COUNT = 5


def traces(count: int = COUNT, apart_ns: int = 60 * S) -> dict[str, list[SpanRecord]]:
    """Return *count* traces, so long *apart*; the first begins at BEGAN_NS."""
    found = {}
    for seed in range(count):
        spans = [
            msgspec.structs.replace(
                span, start_ns=span.start_ns + seed * apart_ns, end_ns=span.end_ns + seed * apart_ns
            )
            for span in a_trace(seed)
        ]
        found[spans[0].trace_id] = spans
    return found


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "wall_ns", lambda: BEGAN_NS + 600 * S)
    for name in ("TEMPO_TOKEN", "JAEGER_TOKEN", "PHOENIX_API_KEY", "LANGFUSE_SECRET_KEY"):
        monkeypatch.setenv(name, TOKEN)
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", "pk-lf-1")
    monkeypatch.setattr("otel_parallelism.readers.services.langfuse_api._PAGE", 2)
    for name in ("TEMPO_USER", "TEMPO_ORG_ID", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module", params=some_of(ANSWERS, every=2))
def shared(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(request.param, traces()) as running:
        yield running


@pytest.fixture
def server(shared: Server) -> Server:
    shared.asked.clear()
    shared.moved_to, shared.raw, shared.busy = "", None, []
    return shared


def ids(url: str, **more: Any) -> set[str]:
    return {span.trace_id for span in read_spans(url, **more)}


def problem(url: str, **more: Any) -> str:
    with pytest.raises(UnreadableError) as caught:
        list(read_spans(url, **more))
    assert TOKEN not in str(caught.value)
    return str(caught.value)


def test_all_traces_of_a_period_are_read(server: Server) -> None:
    expected = {trace: len(spans) for trace, spans in server.traces.items()}
    found: dict[str, int] = {}
    for span in read_spans(f"{server.address}?since=1h"):
        found[span.trace_id] = found.get(span.trace_id, 0) + 1
    if "langfuse" in server.address:  # a trace without one root becomes a span too
        found = {trace: min(count, expected[trace]) for trace, count in found.items()}
    assert found == expected


def test_a_period_leaves_out_what_is_before_and_after_it(server: Server) -> None:
    first, second, *_ = server.traces
    between = f"since={BEGAN_NS + 30 * S}&until={BEGAN_NS + 90 * S}"
    assert ids(f"{server.address}?{between}") == {second}
    assert ids(f"{server.address}?since=10m&until=9m") == {first}
    assert "there are no traces in this period" in problem(f"{server.address}?since=30d&until=29d")


def test_traces_are_read_by_their_ids(server: Server) -> None:
    first, second, *_ = server.traces
    assert ids(f"{server.address}?trace={first}&trace={second}") == {first, second}
    unknown = "f" * 32
    skipped: list[UnreadableError] = []
    assert ids(f"{server.address}?trace={first}&trace={unknown}", skip=skipped.append) == {first}
    assert [f"there is no trace {unknown}" in str(error) for error in skipped] == [True]
    assert "there is no trace" in problem(f"{server.address}?trace={unknown}")
    assert "none of these traces is there" in problem(f"{server.address}?trace={unknown}", skip=skipped.append)


def test_what_is_read_is_what_a_file_has(server: Server) -> None:
    if "langfuse" in server.address:
        pytest.skip("its observations have other attributes")
    (trace,) = random.Random(2).sample(sorted(server.traces), 1)  # noqa: S311 - not a secret
    got, expected = (
        [json.loads(report.to_json())["turns"] for report in analyze_spans(spans).reports]
        for spans in (read_spans(f"{server.address}?trace={trace}"), server.traces[trace])
    )
    assert got == expected != []


def test_more_traces_than_the_limit_are_told(server: Server) -> None:
    skipped: list[UnreadableError] = []
    found = ids(f"{server.address}?since=1h&limit=2", skip=skipped.append)
    if "phoenix" in server.address:  # its pages have spans of several traces
        assert len(found) >= 2
    else:
        assert found == set(list(server.traces)[:2])
    assert ["there are more than 2 traces; limit= reads more" in str(error) for error in skipped] == [True]


def test_a_wrong_token_is_refused_and_shown_nowhere(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TEMPO_TOKEN", "JAEGER_TOKEN", "PHOENIX_API_KEY", "LANGFUSE_SECRET_KEY"):
        monkeypatch.setenv(name, "another-secret-token")
    said = problem(server.address)
    assert "401 Invalid credentials: ***" in said
    assert "another" not in said
    assert any(name in said for name in ("TEMPO_TOKEN", "JAEGER_TOKEN", "PHOENIX_API_KEY", "LANGFUSE_SECRET_KEY"))


def test_redirects_stay_on_the_server(server: Server) -> None:
    here = server.address.partition("://")[2].removesuffix("/sub")
    server.moved_to = "/sub" + {"tempo": "/api/search?q=%7B%7D&limit=9&start=0&end=4000000000"}.get(
        server.address.partition("+")[0], ""
    )
    if server.address.startswith("tempo"):
        assert ids(server.address) == set(server.traces)
    server.moved_to = f"http://localhost:{here.rpartition(':')[2]}/elsewhere?{TOKEN}=1"
    server.asked.clear()
    assert "moved to http://localhost:" in problem(server.address)
    assert len(server.asked) == 1


def test_an_answer_of_another_kind_is_called_so(server: Server) -> None:
    for raw in (b"<html>Log in</html>", b"[1, 2]", b"", b"\0\xff", b"[" * 100_000):
        server.raw = raw
        assert "the answer is no JSON object" in problem(server.address)
    server.raw = b'{"data": {"a": [1]}, "traces": 5, "meta": []}'
    assert "there are no traces in this period" in problem(server.address)
    server.raw = b" " * 5_000
    assert "longer than 4,000 bytes; OTEL_PARALLELISM_MAX_LINE_BYTES raises" in problem(
        server.address, settings=Settings(max_line_bytes=4_000)
    )


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between requests; they take no time."""
    found: list[float] = []
    monkeypatch.setattr(clock, "sleep_s", found.append)
    return found


def test_a_busy_server_is_asked_again(server: Server, waits: list[float]) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    server.busy = [(429, "7"), (503, soon), (429, "86400"), (503, None)]
    assert ids(server.address) == set(server.traces)
    given, until, capped, backoff = waits
    assert (given, capped) == (7, 60)
    assert 25 < until <= 30
    assert 4 <= backoff <= 8


def test_waits_grow_where_the_server_names_none(server: Server, waits: list[float]) -> None:
    server.busy = [(429, None), (503, "soon"), (503, "Thu, 01 Jan 1970 00:00:00 GMT"), (503, "9" * 5_000)]
    assert ids(server.address) == set(server.traces)
    assert all(2.0**n / 2 <= wait <= 2.0**n for n, wait in enumerate(waits))
    assert len(waits) == 4


def test_a_server_that_stays_busy_is_told(server: Server, waits: list[float]) -> None:
    server.busy = [(429, "90")] * 9
    said = problem(server.address)
    assert "429 busy, *** after 5 tries; the server asks for a wait of 90 s" in said
    assert (len(server.asked), waits) == (5, [60] * 4)
    server.busy = [(500, None)] * 2
    assert "500 busy, ***;" in problem(server.address)
    assert (len(server.busy), len(waits)) == (1, 4)


@pytest.mark.parametrize("kind", ["tempo", "jaeger"])
def test_a_part_with_as_many_traces_as_an_answer_has_is_searched_in_halves(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(f"otel_parallelism.readers.services.{kind}_api._PAGE", 4)
    many = traces(12, 2 * S)
    with serving(kind, {trace: spans[:1] for trace, spans in many.items()}) as server:
        assert ids(f"{server.address}?since={BEGAN_NS - S}&until={BEGAN_NS + 40 * S}") == set(many)
        assert 5 < len(server.asked) < 60


def test_old_tempo_and_a_tenant_with_basic_authentication(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving("tempo", traces(1)) as server:
        server.answer = old_tempo_answer
        assert len(ids(f"{server.address}?service=checkout&since=1h")) == 1
        assert server.asked[0][1]["q"] == '{resource.service.name="checkout"}'
        monkeypatch.setenv("TEMPO_USER", "123")
        monkeypatch.setenv("TEMPO_ORG_ID", "shop")
        server.authorization = "Basic MTIzOnNlY3JldC10b2tlbi0xMjM0NTY3ODkw"
        assert len(ids(f"{server.address}?q={{}}&since=1h")) == 1
        assert set(server.tenants) == {None, "shop"}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://example.com/traces", "https://: there is no such kind of address; expected a file, or one of cl"),
        ("http://example.com/traces", "http://: there is no such kind of address; expected a file, or one of click"),
        ("tempo+ftp://example.com", "not http or https after the +"),
        ("tempo://", "the address has no server"),
        ("tempo://[broken", "tempo://: the address is broken"),
        (f"tempo://user:{TOKEN}@example.com", "tempo://example.com: the address has a user or a password"),
        (f"tempo://example.com?token={TOKEN}", "token is no parameter of this address"),
        (f"tempo://example.com?{TOKEN}=1", "it has an unknown parameter of this address"),
        (f"tempo://example.com?since={TOKEN}", "since is not a time; expected a time such as"),
        ("tempo://example.com?until=9e19", "until is not a time"),
        ("tempo://example.com?since=1h&until=2h", "since is not before until"),
        ("tempo://example.com?trace=../secret", "trace is not the id of a trace"),
        ("jaeger://example.com?limit=0", "limit is not a number of traces"),
    ],
)
def test_a_wrong_address_is_refused(url: str, said: str) -> None:
    assert said in problem(url)


def test_a_token_that_no_header_can_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPO_TOKEN", f"{TOKEN}\nX-Other: 1")
    assert "TEMPO_TOKEN has line ends or characters outside ASCII" in problem("tempo+http://127.0.0.1:1")


def test_a_server_that_is_not_there() -> None:
    assert "GET /api/services: [Errno 111] Connection refused; expected" in problem("jaeger+http://127.0.0.1:1")


def test_a_proxy_is_used_where_the_environment_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with serving("jaeger", traces(1)) as server:
        here = server.address.partition("://")[2].removesuffix("/sub")
        monkeypatch.setenv("http_proxy", f"http://user:p%40ss@{here}")
        assert len(ids("jaeger+http://jaeger.invalid/sub?service=checkout")) == 1
        assert server.asked
        monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")
        assert "http_proxy has no address of a proxy" in problem("jaeger+http://jaeger.invalid")
