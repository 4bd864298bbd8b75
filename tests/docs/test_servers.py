"""``otel-parallelism run`` with real servers that start worker processes, stopped as their users stop them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.process

TIMEOUT_S = 120
START_S = 60
REQUESTS = 12
TOOLS = """
    import asyncio
    from otel_parallelism import agent_turn, profiled

    @profiled(effect="read")
    async def search(query):
        await asyncio.sleep(0.1)
        return query

    async def answer():
        async with agent_turn("request"):
            await search("x")
            await search("y")
"""
ASGI = """
    async def app(scope, receive, send):
        if scope["type"] == "http":
            await answer()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"ok"})
"""
WSGI = """
    def app(environ, start_response):
        asyncio.run(answer())
        start_response("200 OK", [])
        return [b"ok"]
"""
TASKS = """
    from celery import Celery

    app = Celery("tasks", broker="filesystem://")
    app.conf.broker_transport_options = {
        "data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control",
    }

    @app.task
    def work():
        asyncio.run(answer())
        with open("done", "a") as file:
            file.write("x")
"""


class Program:
    """A program under ``run``, in a folder of its own with its own folder for temporary files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        self.environment = {**kept, "TMPDIR": str(self.temporary)}

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / "errors").open("wb") as errors:
            return subprocess.Popen(  # noqa: S603 - what the tests themselves wrote
                [sys.executable, *command],
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )

    def run(self, *command: str) -> subprocess.Popen[bytes]:
        return self.start("-m", "otel_parallelism", "run", "-o", "report.json", *command)

    def turns(self, process: subprocess.Popen[bytes]) -> Any:
        """Stop *process* and return the turns of its report; nothing else is left."""
        process.send_signal(signal.SIGTERM)
        status = process.wait(TIMEOUT_S)
        errors = (self.folder / "errors").read_text()
        assert status == 0, errors
        assert "JSON report written to report.json" in errors
        assert [path.name for path in self.temporary.iterdir() if path.name.startswith("otel")] == []
        return json.loads((self.folder / "report.json").read_bytes())["turns"]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def send_requests(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait for the server at *port* and send it requests, four at a time."""
    end = time.monotonic() + START_S
    while True:
        assert process.poll() is None
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.1)
    answers: list[bytes] = []

    def some() -> None:
        for _ in range(REQUESTS // 4):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=START_S) as response:
                answers.append(response.read())

    threads = [threading.Thread(target=some) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [b"ok"] * REQUESTS


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("server", "source", "options"),
    [
        ("uvicorn", ASGI, "--workers 2 --lifespan off --port {port}"),
        ("gunicorn", WSGI, "--workers 2 --bind 127.0.0.1:{port}"),
    ],
    ids=["uvicorn", "gunicorn"],
)
def test_server_with_workers_gives_one_report(program: Program, server: str, source: str, options: str) -> None:
    pytest.importorskip(server)
    (program.folder / "app.py").write_text(dedent(TOOLS) + dedent(source))
    port = free_port()
    process = program.run("-m", server, "app:app", *options.format(port=port).split())
    try:
        send_requests(process, port)
        turns = program.turns(process)
    finally:
        process.kill()
        process.wait()
    assert [(turn["agent"], turn["calls"]) for turn in turns] == [("request", 2)] * REQUESTS
    assert {finding["location"]["line_number"] for turn in turns for finding in turn["findings"]} == {13}


def test_celery_worker_gives_one_report(program: Program) -> None:
    pytest.importorskip("celery")
    (program.folder / "tasks.py").write_text(dedent(TOOLS) + dedent(TASKS))
    for name in ("queue", "control"):
        (program.folder / name).mkdir()
    sender = program.start("-c", "import tasks\nfor _ in range(3): tasks.work.delay()")
    assert sender.wait(TIMEOUT_S) == 0
    process = program.run("-m", "celery", "-A", "tasks", "worker", "--concurrency", "2")
    try:
        end = time.monotonic() + START_S
        done = program.folder / "done"
        while not done.exists() or done.read_text() != "xxx":
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.1)
        turns = program.turns(process)
    finally:
        process.kill()
        process.wait()
    assert [(turn["agent"], turn["calls"]) for turn in turns] == [("request", 2)] * 3
