"""Tests with real frameworks; each framework has its own environment, such as ``tox -e framework-anthropic-latest``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from frameworks.forgiven import FILTERS

from otel_parallelism import Report, subscribe
from otel_parallelism.instrumentation.catalogue import FRAMEWORKS as CATALOGUE
from otel_parallelism.instrumentation.doctor.inspection import version_of
from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONTRACTS = Path(__file__).parent / "contract"
FRAMEWORKS = sorted(path.stem for path in CONTRACTS.glob("*.py"))
ALL_FRAMEWORKS = ("contract", "beside", "circumstances", "tool_schemas", "zero_code")
"""The tests that run for every framework."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the framework to test."""
    parser.addoption(
        "--framework",
        type=named,
        help="a module in tests/frameworks/contract, or the environment named after it",
    )


def named(environment: str) -> str:
    """Return the framework that an environment is for."""
    return environment.removeprefix("framework-").removesuffix("-oldest").removesuffix("-latest")


def pytest_configure(config: pytest.Config) -> None:
    """Ignore the known warnings of the framework's own code."""
    for line in FILTERS.get(config.getoption("--framework", None) or "", ()):
        config.addinivalue_line("filterwarnings", line)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore the tests of other frameworks: those of NAME are in ``test_NAME.py`` and ``test_NAME_….py``."""
    framework = config.getoption("--framework", None)
    name = collection_path.stem.removeprefix("test_")
    if name in ALL_FRAMEWORKS:
        return None if framework else True
    own = {one for one in FRAMEWORKS if name == one or name.startswith(f"{one}_")}
    return True if own and framework != max(own, key=len) else None


AGENTS = Path(__file__).parent / "agents"
MODEL_TIME_S = 0.05
WANTED = (
    ("get_weather", {"city": "Lisbon"}),
    ("search_flights", {"destination": "Porto"}),
    ("list_hotels", {"area": "Sintra"}),
)


@dataclass(frozen=True)
class Outcome:
    """The output of a program, the report of its turns, and the spans that it exported."""

    stdout: str
    report: dict[str, Any]
    spans: list[dict[str, Any]]

    @property
    def own_spans(self) -> list[tuple[str, dict[str, Any]]]:
        """Return name and attributes of each exported span, in order of start, without our attributes."""
        return [
            (span["name"], {key: value for key, value in span["attributes"].items() if "parallelism" not in key})
            for span in sorted(self.spans, key=lambda span: str(span["start_time"]))
        ]

    def exported(self, turn: Mapping[str, Any]) -> dict[str, Any]:
        """Return the exported span of a *turn* of the report."""
        (span,) = [span for span in self.spans if span["context"]["span_id"] == f"0x{turn['span_id']}"]
        return span


class Agent:
    """An agent script that is run directly or under ``otel-parallelism run``."""

    def __init__(self, script: Path, directory: Path) -> None:
        self.script = script
        self.directory = directory
        self.environment = dict(os.environ)

    def run(self, how: str, *, traced: bool = True) -> Outcome:
        """Run it under ``otel-parallelism run``; with *traced* it has its own provider and export."""
        report = self.directory / "report.json"
        command = Path(sys.executable).with_name("otel-parallelism")
        return self._run(how, str(command), "run", "--format", "json", "--output", str(report), traced=traced)

    def run_plainly(self, how: str) -> Outcome:
        """Run it directly."""
        return self._run(how, sys.executable, traced=True)

    def _run(self, how: str, *command: str, traced: bool) -> Outcome:
        spans, report = self.directory / "spans.jsonl", self.directory / "report.json"
        spans.unlink(missing_ok=True)
        report.unlink(missing_ok=True)
        arguments = [*command, str(self.script), how, *([str(spans)] if traced else [])]
        done = subprocess.run(  # noqa: S603 - the command is ours
            arguments, env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        # The command says on stderr where it has written the report.
        assert [line for line in done.stderr.splitlines() if not line.endswith(f"written to {report}")] == []
        return Outcome(
            done.stdout,
            json.loads(report.read_text()) if report.exists() else {},
            [json.loads(line) for line in spans.read_text().splitlines()] if traced else [],
        )


class MessagesApi(BaseHTTPRequestHandler):
    """
    The Messages protocol with a model that follows a script.

    The model ``burst`` requests three calls in one response, ``rounds`` one call in each of three.
    """

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        time.sleep(MODEL_TIME_S)
        body = json.dumps(self.message(request)).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def message(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the model's next response."""
        blocks = [block for message in request["messages"] for block in message["content"] if isinstance(block, dict)]
        # A request that continues a thread contains only new messages; ids count the earlier results.
        earlier = request.get("thread", {}).get("previous_message_id", "msg_0")
        done = int(earlier.removeprefix("msg_")) + sum(block["type"] == "tool_result" for block in blocks)
        asked = WANTED[done:] if request["model"] == "burst" else WANTED[done : done + 1]
        content: list[dict[str, Any]] = [
            {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": arguments}
            for number, (name, arguments) in enumerate(asked, start=done)
        ]
        return {
            "id": f"msg_{done}",
            "type": "message",
            "role": "assistant",
            "model": request["model"],
            "content": content or [{"type": "text", "text": "Yes, go."}],
            "stop_reason": "tool_use" if asked else "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 100 + 50 * done, "output_tokens": 20},
        }

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the standard library's
        """Keep the test's output clean."""


@pytest.fixture
def reports() -> Iterator[list[Report]]:
    """Return a list that receives the reports of turns, while everything is patched."""
    collected: list[Report] = []
    ParallelismInstrumentor().instrument()
    unsubscribe = subscribe(collected.append)
    yield collected
    unsubscribe()
    ParallelismInstrumentor().uninstrument()


@pytest.fixture
def messages_api() -> Iterator[str]:
    """Return the address of a server that speaks the Messages protocol."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), MessagesApi)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def anthropic_agent(messages_api: str, tmp_path: Path) -> Agent:
    """Return the agent of anthropic's tool runner, with a local model server."""
    agent = Agent(AGENTS / "anthropic_agent.py", tmp_path)
    agent.environment |= {"ANTHROPIC_BASE_URL": messages_api, "ANTHROPIC_API_KEY": "none"}
    return agent


@pytest.fixture
def strands_agent(tmp_path: Path) -> Agent:
    """Return the agent of strands."""
    return Agent(AGENTS / "strands_agent.py", tmp_path)


def pytest_report_header() -> list[str]:
    """Return the installed versions of the frameworks."""
    installed = {one.distribution: version_of(one.distribution) for one in CATALOGUE}
    return [f"{name} {version}" for name, version in installed.items() if version]
