from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conftest import Completed, Shell

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


def test_it_says_what_is_there_and_what_is_missing(shell: Shell) -> None:
    done = shell.finish(shell.start(shell.command("doctor")))
    text = done.stdout.decode()
    assert done.returncode == 1
    assert f"Python {sys.version.split()[0]}" in text
    assert "opentelemetry-sdk 1." in text
    assert "No tracer provider is set" in text
    assert "No meter provider is set" in text
    assert done.stderr == b""


def test_as_json(shell: Shell) -> None:
    done = shell.finish(shell.start(shell.command("doctor", "--json")))
    report = found(done)
    assert report["instrumented"] is True
    assert report["provider"] == "opentelemetry.trace.ProxyTracerProvider"
    assert report["packages"]["otel-parallelism"]
    assert len(report["problems"]) == 2


def test_under_opentelemetry_instrument_nothing_is_missing(shell: Shell) -> None:
    command = [str(INSTRUMENT), str(COMMAND), "doctor", "--json"]
    environment = {"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "console", "OTEL_LOGS_EXPORTER": "none"}
    done = shell.finish(shell.start(command, **environment))
    # The console exporters print what is exported when the process ends.
    report = json.JSONDecoder().raw_decode(done.stdout.decode())[0]
    assert report["problems"] == []
    assert done.returncode == 0
    assert report["provider"] == "opentelemetry.sdk.trace.TracerProvider"
    assert report["exporters"] == ["opentelemetry.sdk.trace.export.ConsoleSpanExporter"]
    assert any("ParallelismProcessor" in processor for processor in report["processors"])


def test_a_sampler_that_drops_spans_is_named_with_its_remedy(shell: Shell) -> None:
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


def test_targets_and_references_from_before(shell: Shell) -> None:
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
    assert "myapp.main.fetch is myapp.tools.fetch from before" in problems
    assert "'myapp.tools:pars*' matches no function" in problems
    assert "'no target' is not of the form module:function" in problems
    assert "'myapp.other:*': its module is not imported" in problems
    assert report["targets"]["myapp.tools:*"] == "switched on"


def test_targets_are_the_users_own_and_no_patch_that_is_named_alike(shell: Shell) -> None:
    shell.write("myapp.py", "def submit(job):\n    return job\n")
    done = shell.finish(shell.start(shell.command("doctor", "--json"), OTEL_PARALLELISM_TARGETS="myapp:submit"))
    assert found(done)["targets"] == {"myapp:submit": "waiting"}


def test_a_module_that_cannot_be_imported(shell: Shell) -> None:
    done = shell.finish(shell.start(shell.command("doctor", "--import", "no.such.module")))
    assert done.returncode == 2
    assert b"--import no.such.module: cannot be imported: ModuleNotFoundError" in done.stderr


def test_a_setting_that_cannot_be_read(shell: Shell) -> None:
    done = shell.finish(shell.start(shell.command("doctor"), OTEL_PARALLELISM_MAX_FINDINGS="many"))
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"OTEL_PARALLELISM_MAX_FINDINGS='many'" in done.stderr
