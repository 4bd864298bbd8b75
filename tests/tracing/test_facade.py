from __future__ import annotations

import subprocess
import sys

import pytest

import otel_parallelism

HEAVY = ("click", "rich", "grpc", "requests", "opentelemetry.exporter", "opentelemetry.distro", "google.protobuf")
FRAMEWORKS = ("anthropic", "openai", "agents", "langchain_core", "langgraph", "pydantic_ai", "mcp", "strands", "agno")


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - our own code
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.process
def test_import_loads_no_framework_no_command_line_and_no_exporter() -> None:
    loaded = python("import sys, otel_parallelism; print(*sys.modules)").split()
    assert "otel_parallelism.tracing.spans.decorator" in loaded
    assert [name for name in loaded if name.startswith((*HEAVY, *FRAMEWORKS))] == []


@pytest.mark.process
def test_import_asks_for_no_provider() -> None:
    code = "import otel_parallelism, opentelemetry.trace as t; print(t._TRACER_PROVIDER)"
    assert python(code).split() == ["None"]


def test_what_is_public_is_sorted_and_there() -> None:
    assert list(otel_parallelism.__all__) == sorted(otel_parallelism.__all__)
    for name in otel_parallelism.__all__:
        assert getattr(otel_parallelism, name).__module__.startswith("otel_parallelism.")
