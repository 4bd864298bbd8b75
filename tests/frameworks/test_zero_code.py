"""``opentelemetry-instrument python agent.py``: the result arrives at a real OTLP receiver, on the turn's span."""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frameworks.scenarios import ANSWER
from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings

from otel_parallelism import names

if TYPE_CHECKING:
    import pytest
    from frameworks.behaviour import Behaviour, Dispatch

TESTS = Path(__file__).parent.parent
TIMEOUT_S = 120
OTHERS = sorted({entry.name for entry in entry_points(group="opentelemetry_instrumentor")} - {"parallelism"})


async def test_the_result_is_on_the_turns_span(request: pytest.FixtureRequest) -> None:
    name = request.config.getoption("--framework")
    behaviour: Behaviour = importlib.import_module(f"frameworks.contract.{name}").BEHAVIOUR
    dispatch: Dispatch | None = behaviour.asynchronous or behaviour.blocking
    assert dispatch is not None

    output, spans = await exported(name)

    assert ANSWER in output
    turns = [found for span in spans if names.RATIO in (found := attributes(span))]
    # What only wraps a turn, as a crew does its only agent, has that one's result.
    assert len({(turn[names.RATIO], turn[names.CALLS]) for turn in turns}) == 1, [span.name for span in spans]
    turn = turns[0]
    assert turn[names.CALLS] == 3
    assert turn[names.COVERAGE] == 1.0
    assert turn[names.PEAK_CONCURRENCY] == dispatch.peak
    assert turn[names.VERDICT] == ("parallel" if dispatch.cause is None else "sequential")
    assert turn.get(names.CAUSE) == dispatch.cause


async def exported(name: str) -> tuple[str, list[Any]]:
    """What the program prints, and the spans that reach the receiver."""
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
        await asyncio.sleep(0.2)  # the stream hands over what has arrived
        task.cancel()
    return output.decode(), spans


def attributes(span: Any) -> dict[str, Any]:
    """The attributes of a protobuf span that hold one value."""
    return {
        pair.key: getattr(pair.value, kind)
        for pair in span.attributes
        if (kind := pair.value.WhichOneof("value")) not in {None, "array_value"}
    }
