from __future__ import annotations

import socket
from threading import Event
from types import SimpleNamespace

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor

from otel_parallelism.instrumentation.doctor.endpoints import unreachable_endpoints
from otel_parallelism.instrumentation.doctor.pipeline import exporters_of, metric_exporters, span_processors


@pytest.fixture
def closed_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_exporter_to_a_closed_port_is_reported(closed_port: int, kind: str) -> None:
    endpoint = f"http://127.0.0.1:{closed_port}"
    exporter = OTLPSpanExporter(endpoint) if kind == "http" else GrpcExporter(endpoint)
    ((found, reason),) = unreachable_endpoints([exporter, exporter])
    assert str(closed_port) in found
    assert "refused" in reason
    exporter.shutdown()


def test_exporter_to_a_listening_port_is_not_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        exporter = OTLPSpanExporter(f"http://127.0.0.1:{server.getsockname()[1]}/v1/traces")
        assert list(unreachable_endpoints([exporter])) == []


def test_endpoint_behind_a_proxy_is_not_checked(closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.test:3128")
    exporter = SimpleNamespace(_endpoint=f"http://collector.test:{closed_port}")
    assert list(unreachable_endpoints([exporter])) == []


@pytest.mark.parametrize("endpoint", ["", "unix:///run/collector.sock", "collector", "http://[", "http://host:port"])
def test_endpoint_without_host_and_port_is_not_checked(endpoint: str) -> None:
    assert list(unreachable_endpoints([SimpleNamespace(_endpoint=endpoint)])) == []


def test_variables_name_endpoints_too(closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", f"http://127.0.0.1:{closed_port}/v1/metrics")
    ((found, _),) = unreachable_endpoints([])
    assert found == f"http://127.0.0.1:{closed_port}/v1/metrics"


def test_unreachable_host_costs_no_more_than_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    never = Event()

    def connect(*_: object) -> None:
        never.wait()
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    found = list(unreachable_endpoints([SimpleNamespace(_endpoint="http://collector.test:4318")], timeout_s=0.01))
    never.set()
    assert found == [("http://collector.test:4318", "no answer within 0.01 s")]


def test_exporters_are_found_in_the_providers() -> None:
    tracer_provider = TracerProvider(shutdown_on_exit=False)
    console, batched = ConsoleSpanExporter(), OTLPSpanExporter("http://127.0.0.1:9")
    tracer_provider.add_span_processor(SimpleSpanProcessor(console))
    processor = BatchSpanProcessor(batched)
    tracer_provider.add_span_processor(processor)
    assert exporters_of(span_processors(tracer_provider)) == (console, batched)
    metric_exporter = OTLPMetricExporter("http://127.0.0.1:9")
    reader = PeriodicExportingMetricReader(metric_exporter, export_interval_millis=float("inf"))
    meter_provider = MeterProvider([reader], shutdown_on_exit=False)
    assert metric_exporters(meter_provider) == (metric_exporter,)
    processor.shutdown()
    meter_provider.shutdown()
