"""
Runs a framework's agent under ``opentelemetry-instrument`` and collects its spans with an OTLP receiver.

``python -m frameworks.receiving FRAMEWORK`` prints the span of the turn in the form of the documentation.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings

from otel_parallelism import names

TESTS = Path(__file__).parent.parent
TIMEOUT_S = 120
SETTLES_S = 0.2
"""Seconds within which the receiver returns what has arrived."""

OTHERS = sorted({entry.name for entry in entry_points(group="opentelemetry_instrumentor")} - {"parallelism"})


async def exported(name: str) -> tuple[str, list[Any]]:
    """Return the output of the program, and the spans that reach the receiver."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = OtelTapHttpProtobufReceiverSettings(
        http_port=port,
        listen_on_all_interfaces=False,
        print_traces_as_ndjson=False,
        print_logs_as_ndjson=False,
        print_metrics_as_ndjson=False,
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    spans: list[Any] = []
    async with OtelTapHttpProtobufReceiver(settings) as tap:

        async def keep() -> None:
            async for span in tap.stream_traces():
                spans.append(span)  # noqa: PERF401 - as they come

        task = asyncio.create_task(keep())
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("opentelemetry-instrument")),
            sys.executable,
            "-m",
            "frameworks.plain",
            name,
            cwd=TESTS,
            env={
                **kept,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_LOGS_EXPORTER": "none",
                "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": ",".join(OTHERS),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
        assert process.returncode == 0, errors.decode()
        await asyncio.sleep(SETTLES_S)
        task.cancel()
    return output.decode(), spans


def attributes(span: Any) -> dict[str, Any]:
    """Return the attributes of a protobuf span that hold a single value."""
    return {
        pair.key: getattr(pair.value, kind)
        for pair in span.attributes
        if (kind := pair.value.WhichOneof("value")) not in {None, "array_value"}
    }


def turns_of(spans: list[Any]) -> list[Any]:
    """Return the spans that carry the result of a turn."""
    return [span for span in spans if names.RATIO in attributes(span)]


def shown(turn: Any) -> str:
    """Return the name of the *turn*'s span and our attributes on it, one per line."""
    found = {key: value for key, value in attributes(turn).items() if key.startswith(names.PREFIX)}
    width = max(map(len, found))
    return "\n".join((turn.name, *(f"  {key:<{width}}  {_short(value)}" for key, value in found.items())))


def _short(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    for each in turns_of(asyncio.run(exported(sys.argv[1]))[1]):
        print(shown(each))
