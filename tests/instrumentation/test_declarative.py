"""OpenTelemetry's declarative configuration file sets our options and our sampler."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

pytest.importorskip("opentelemetry.configuration", reason="this OpenTelemetry reads no declarative file")
pytestmark = pytest.mark.process

INSTRUMENT = Path(sys.executable).with_name("opentelemetry-instrument")
FILE = """
file_format: "1.0"
tracer_provider:
  processors:
    - simple:
        exporter:
          console:
  sampler:
    parallelism:
instrumentation/development:
  python:
    parallelism:
      max_findings: 3
      read_only: ["run_*"]
      targets: ["tools:*"]
"""
PROGRAM = """
import asyncio
import tools
from opentelemetry import trace
from otel_parallelism import agent_turn
from otel_parallelism.tracing.state.registry import REGISTRY

async def main():
    with agent_turn("clerk") as turn:
        await tools.fetch(1)
    print([call.tool for call in turn.report.turn.calls], turn.span.get_span_context().trace_flags.sampled)

asyncio.run(main())
print(REGISTRY.settings.max_findings, REGISTRY.settings.read_only)
print(trace.get_tracer_provider().sampler.get_description())
"""


def run(folder: Path, **environment: str) -> list[str]:
    folder.joinpath("otel.yaml").write_text(dedent(FILE))
    folder.joinpath("tools.py").write_text("async def fetch(key):\n    return key\n")
    folder.joinpath("agent.py").write_text(PROGRAM)
    done = subprocess.run(  # noqa: S603 - our own
        [str(INSTRUMENT), sys.executable, "agent.py"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "OTEL_CONFIG_FILE": "otel.yaml", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_file_sets_options_and_sampler(tmp_path: Path) -> None:
    lines = run(tmp_path)
    assert "3 ('run_*',)" in lines
    assert "['fetch'] True" in lines
    assert lines[-1].startswith("RecordingSampler{ParentBased{")
    assert any('"agent.parallelism.calls": 1' in line for line in lines)


def test_dropped_spans_are_measured_but_not_exported(tmp_path: Path) -> None:
    lines = run(tmp_path, OTEL_TRACES_SAMPLER_ARG="always_off")
    assert "['fetch'] False" in lines
    assert lines[-1] == "RecordingSampler{AlwaysOffSampler}"
    assert not any("trace_id" in line for line in lines)
