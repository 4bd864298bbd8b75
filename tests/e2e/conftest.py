from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

TIMEOUT_S = 60


class Receiver:
    """A real OTLP receiver on a free port, with what it has received."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self.spans: list[Any] = []
        self.metrics: list[Any] = []

    def span(self, name: str) -> Any:
        (found,) = [span for span in self.spans if span.name == name]
        return found

    async def settle(self, spans: int) -> None:
        """Wait until that many spans have arrived."""
        async with asyncio.timeout(TIMEOUT_S):
            while len(self.spans) < spans:  # noqa: ASYNC110 - the receiver's stream has no event to wait for
                await asyncio.sleep(0.02)

    async def run(self, *command: str, **environment: str) -> str:
        """Run a program that exports to this receiver, and return its output."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**kept, "OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint, **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
        assert (process.returncode, errors.decode()) == (0, "")
        return output.decode()


def attributes(item: Any) -> dict[str, Any]:
    """Return the attributes of a protobuf span, event or point as plain values."""
    return {pair.key: _plain(pair.value) for pair in item.attributes}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(part) for part in value.array_value.values]
    return getattr(value, kind)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Receiver(port)
    settings = OtelTapHttpProtobufReceiverSettings(
        http_port=port,
        listen_on_all_interfaces=False,
        print_traces_as_ndjson=False,
        print_logs_as_ndjson=False,
        print_metrics_as_ndjson=False,
    )
    async with OtelTapHttpProtobufReceiver(settings) as tap:

        async def keep(stream: Any, kept: list[Any]) -> None:
            async for item in stream:
                kept.append(item)  # noqa: PERF401 - as they come, not when the stream ends

        tasks = [
            asyncio.create_task(keep(tap.stream_traces(), made.spans)),
            asyncio.create_task(keep(tap.stream_metrics(), made.metrics)),
        ]
        yield made
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], str]:
    """Write a program and return its path."""

    def write(text: str) -> str:
        path = tmp_path / "program.py"
        path.write_text(dedent(text))
        return str(path)

    return write


PYTHON = sys.executable
INSTRUMENT = str(Path(sys.executable).with_name("opentelemetry-instrument"))
