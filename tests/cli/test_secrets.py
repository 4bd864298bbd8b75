"""Neither a token, nor a password, nor a value of a file stands in anything that the command prints."""

from __future__ import annotations

import json
import random
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from otel_parallelism.instrumentation.doctor.endpoints import unreachable_endpoints
from tests.amounts import THOROUGH, some_of
from tests.readers.test_any_format import a_trace
from tests.readers.written_formats import BINARY, WRITERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Invoke

TOKEN = "glsa_canary7f3a91_12345678"  # noqa: S105 - of this test only
OTHER = "s3cr3t-0f-0th3rs"
CANARY = "canary-7f3a91-sings"
FEATHER = "7f3a91"


@contextmanager
def echoing(how: str) -> Iterator[str]:
    """Serve a host that sends back the header with the token; yield its address."""

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = str(self.headers["Authorization"])
            answers = {"refuses": (403, "No"), "moves": (302, "Moved"), "has a reason": (500, said)}
            status, reason = answers.get(how, (400, "Bad") if how.startswith("answers ") else (200, "OK"))
            self.send_response(status, reason)
            body: Any = {"message": f"no access for {said}"}
            if how == "answers in part":
                body = {"message": f"invalid key {said[:30]}…"}
            if how == "answers in capitals":
                body = {"message": f"invalid key {said.upper()}"}
            if how == "answers an address":
                body = {"message": f"no access for {quote(said, safe='')}"}
            if how == "has sources":
                body = [{"uid": said, "name": said, "type": "prometheus"}, {"uid": "1", "name": said, "type": "tempo"}]
            text = said.encode() if how in {"is no JSON", "has a reason"} else json.dumps(body).encode()
            if how == "moves":
                self.send_header("Location", f"http://me:{OTHER}@127.0.0.1:1/?token={said}&other={OTHER}#{OTHER}")
            if how == "breaks off":
                self.send_header("Content-Length", str(len(text) + 9))
            else:
                self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET  # noqa: N815 - the name that the server calls

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "how",
    [
        "refuses",
        "moves",
        "has a reason",
        "has sources",
        "is no JSON",
        "answers",
        "answers in part",
        "answers in capitals",
        "answers an address",
        "breaks off",
        "is gone",
    ],
)
def test_no_message_has_the_token(invoke: Invoke, how: str) -> None:
    with echoing(how) as url:
        if how != "is gone":
            done = invoke("dashboards", "--url", url, "--datasource", "prometheus=none", GRAFANA_TOKEN=TOKEN)
    if how == "is gone":
        done = invoke("dashboards", "--url", url, GRAFANA_TOKEN=TOKEN)
    assert done.returncode == 2
    assert done.stderr
    said = (done.stdout + done.stderr).decode().lower()
    assert FEATHER not in said
    assert OTHER not in said


@pytest.mark.parametrize("how", ["http_proxy", "https_proxy"])
def test_no_message_has_the_password_of_a_proxy(invoke: Invoke, how: str) -> None:
    url = how.replace("_proxy", "://grafana.invalid/")
    done = invoke("dashboards", "--url", url, **{how: f"http:/me:{OTHER}@host", "no_proxy": ""})
    assert done.returncode == 2
    assert b"malformed" in done.stderr
    assert OTHER not in done.stderr.decode()


@pytest.mark.parametrize(
    "url",
    [
        "https://me:{}@host/",
        "https://:{}@host/",
        "https://me:{}@ho\u2100st/",
        "https://me:{}@[host/",
        "https://host/?a={}",
        "ftp://me:{}@host",
        "ftp://host/#{}",
        "https://host/#{}",
    ],
)
def test_no_message_has_what_may_be_a_password_in_an_address(invoke: Invoke, url: str) -> None:
    done = invoke("dashboards", "--url", url.format(TOKEN))
    assert done.returncode == 2
    assert FEATHER not in done.stderr.decode()


def test_a_token_in_place_of_an_address_is_not_shown(invoke: Invoke) -> None:
    done = invoke("dashboards", "--url", TOKEN, GRAFANA_TOKEN=TOKEN)
    assert done.returncode == 2
    assert FEATHER not in done.stderr.decode()


@pytest.mark.parametrize(
    "url", ["http://me:{}@127.0.0.1:1/v1", "http://127.0.0.1:1/v1?key={}", "http://127.0.0.1:1/v1#{}"]
)
def test_doctor_names_an_endpoint_without_its_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url.format(TOKEN))
    assert [name for name, _ in unreachable_endpoints([])] == ["127.0.0.1:1"]


def sung(value: Any, choose: random.Random) -> Any:
    """Return JSON data with one value, or a key, replaced by the canary, at any depth."""
    if isinstance(value, dict) and value and choose.random() < 0.95:
        key = choose.choice(list(value))
        if choose.random() < 0.1:
            return {**{name: item for name, item in value.items() if name != key}, CANARY: value[key]}
        return {**value, key: sung(value[key], choose)}
    if isinstance(value, list) and value and choose.random() < 0.95:
        at = choose.randrange(len(value))
        return [*value[:at], sung(value[at], choose), *value[at + 1 :]]
    return choose.choice((CANARY, [CANARY], {CANARY: CANARY}, f"2026-{CANARY}", f"0x{CANARY}"))


@pytest.mark.many
@pytest.mark.slow
def test_no_error_about_a_file_has_a_value_of_it(invoke: Invoke) -> None:
    choose = random.Random(4)  # noqa: S311 - not a secret
    said = 0
    amount = 12 if THOROUGH else 1
    for name, write in some_of(WRITERS.items(), every=3):
        content = write(a_trace(3))
        if name in BINARY:
            broken = [content.replace(b"execute_tool", CANARY.encode()[:12])]
        else:
            lines = content.decode()
            try:
                documents = [json.loads(lines)]
            except ValueError:
                documents = [json.loads(line) for line in lines.splitlines() if line.startswith("{") and line != "{"]
            broken = [
                "\n".join(json.dumps(sung(document, choose)) for document in documents).encode() for _ in range(amount)
            ]
            broken += [text[: choose.randrange(len(text) + 1)] for text in broken]
        for number, text in enumerate(broken):
            (invoke.folder / f"{number}.json").write_bytes(text or b"{")
            done = invoke("analyze", f"{number}.json")
            said += bool(done.stderr)
            assert FEATHER not in done.stderr.decode(), text
    assert said > (8 if THOROUGH else 2) * amount
