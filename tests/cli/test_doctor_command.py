from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Completed, Shell

pytestmark = pytest.mark.process

INSTRUMENT = Path(sys.executable).with_name("opentelemetry-instrument")
COMMAND = Path(sys.executable).with_name("otel-parallelism")
TOOLS = """
    async def fetch(key):
        return key

    def parse(text):
        return text
"""


def found(done: Completed) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def test_text_lists_versions_and_problems(shell: Shell) -> None:
    done = shell.finish(shell.start(shell.command("doctor")))
    text = done.stdout.decode()
    assert done.returncode == 1
    assert f"Python {sys.version.split()[0]}" in text
    assert "opentelemetry-sdk 1." in text
    assert "No tracer provider is set" in text
    assert "No meter provider is set" in text
    assert "Patches: by this command, for the check." in text
    assert done.stderr == b""


def test_json_holds_the_whole_examination(shell: Shell) -> None:
    done = shell.finish(shell.start(shell.command("doctor", "--json")))
    report = found(done)
    assert (report["instrumented"], report["instrumented_by"]) == (True, "doctor")
    assert report["provider"] == "opentelemetry.trace.ProxyTracerProvider"
    assert report["packages"]["otel-parallelism"]
    assert len(report["problems"]) == 2


def test_no_problems_under_opentelemetry_instrument(shell: Shell) -> None:
    command = [str(INSTRUMENT), str(COMMAND), "doctor", "--json"]
    environment = {"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "console", "OTEL_LOGS_EXPORTER": "none"}
    done = shell.finish(shell.start(command, **environment))
    # The console exporters print what is exported when the process ends.
    report = json.JSONDecoder().raw_decode(done.stdout.decode())[0]
    assert report["problems"] == []
    assert report["instrumented_by"] == "program"
    assert done.returncode == 0
    assert report["provider"] == "opentelemetry.sdk.trace.TracerProvider"
    assert report["exporters"] == ["opentelemetry.sdk.trace.export.ConsoleSpanExporter"]
    assert any("ParallelismProcessor" in processor for processor in report["processors"])


def test_sampler_that_drops_spans_is_a_problem(shell: Shell) -> None:
    environment = {"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "console", "OTEL_LOGS_EXPORTER": "none"}
    command = [str(INSTRUMENT), str(COMMAND), "doctor", "--json"]
    ratio = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}
    done = shell.finish(shell.start(command, **environment, **ratio))
    (problem,) = json.JSONDecoder().raw_decode(done.stdout.decode())[0]["problems"]
    assert "OTEL_TRACES_SAMPLER=parallelism" in problem

    remedy = {"OTEL_TRACES_SAMPLER": "parallelism", "OTEL_TRACES_SAMPLER_ARG": "traceidratio,0.1"}
    done = shell.finish(shell.start(command, **environment, **remedy))
    report = json.JSONDecoder().raw_decode(done.stdout.decode())[0]
    assert (report["problems"], report["sampler"]) == ([], "RecordingSampler{TraceIdRatioBased{0.1}}")


def test_targets_and_stale_references_are_problems(shell: Shell) -> None:
    shell.write("myapp/tools.py", TOOLS)
    shell.write("myapp/main.py", "from myapp.tools import fetch\n")
    shell.write(
        "pyproject.toml",
        """
        [tool.otel-parallelism]
        targets = ["myapp.tools:*", "myapp.tools:pars*", "no target", "myapp.other:*"]
        """,
    )
    done = shell.finish(shell.start(shell.command("doctor", "--json", "--import", "myapp.main")))
    report = found(done)
    problems = "\n".join(report["problems"])
    assert "myapp.main.fetch is the unwrapped myapp.tools.fetch" in problems
    assert "'myapp.tools:pars*' matches no function" in problems
    assert "'no target' is not of the form module:function" in problems
    assert "'myapp.other:*': its module is not imported" in problems
    assert report["targets"]["myapp.tools:*"] == "switched on"


def test_target_is_not_confused_with_a_patch_of_the_same_name(shell: Shell) -> None:
    shell.write("myapp.py", "def submit(job):\n    return job\n")
    done = shell.finish(shell.start(shell.command("doctor", "--json"), OTEL_PARALLELISM_TARGETS="myapp:submit"))
    assert found(done)["targets"] == {"myapp:submit": "waiting"}


def test_endpoint_that_refuses_connections_is_a_problem(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = f"http://127.0.0.1:{server.getsockname()[1]}"
        environment = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": answering}
        done = shell.finish(shell.start(shell.command("doctor", "--json"), **environment))
        assert "OTLP endpoint" not in "".join(found(done)["problems"])
    done = shell.finish(shell.start(shell.command("doctor", "--json"), **environment))
    (problem,) = [each for each in found(done)["problems"] if "OTLP endpoint" in each]
    assert f"The OTLP endpoint {answering} does not answer" in problem


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("OTEL_SDK_DISABLED", "true", "OpenTelemetry's SDK is off"),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "requests, parallelism", "does not activate it"),
        ("OTEL_PARALLELISM_EVIDENCE", "off", "Evidence is off"),
        ("OTEL_PARALLELISM_DISABLED", "true", "nothing is recorded"),
    ],
)
def test_variable_that_switches_something_off_is_a_problem(
    shell: Shell, variable: str, value: str, expected: str
) -> None:
    done = shell.finish(shell.start(shell.command("doctor", "--json"), **{variable: value}))
    (problem,) = [each for each in found(done)["problems"] if expected in each]
    assert variable in problem


def test_module_that_cannot_be_imported_is_an_error(shell: Shell) -> None:
    done = shell.finish(shell.start(shell.command("doctor", "--import", "no.such.module")))
    assert done.returncode == 2
    assert b"--import no.such.module: cannot be imported: ModuleNotFoundError" in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("OTEL_PARALLELISM_MAX_FINDINGS", "many", "OTEL_PARALLELISM_MAX_FINDINGS='many'"),
        ("OTEL_PARALLELISM_MAX_FINDING", "3", "is it OTEL_PARALLELISM_MAX_FINDINGS?"),
    ],
)
def test_wrong_or_misspelt_variable_is_a_problem(shell: Shell, variable: str, value: str, expected: str) -> None:
    done = shell.finish(shell.start(shell.command("doctor", "--json"), **{variable: value}))
    (problem,) = [each for each in found(done)["problems"] if expected in each]
    assert variable in problem
    assert done.returncode == 1


def test_misspelt_key_is_a_problem(shell: Shell) -> None:
    shell.write("pyproject.toml", "[tool.otel-parallelism]\nmax_finding = 3\n")
    done = shell.finish(shell.start(shell.command("doctor", "--json")))
    (problem,) = [each for each in found(done)["problems"] if "pyproject.toml" in each]
    assert "'max_finding'" in problem


def test_nothing_is_patched_while_disabled(shell: Shell) -> None:
    done = shell.finish(shell.start(shell.command("doctor", "--json"), OTEL_PARALLELISM_DISABLED="true"))
    report = found(done)
    assert (report["instrumented"], report["instrumented_by"], report["targets"]) == (False, "", {})
