from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Invoke, Shell


@pytest.mark.process
def test_installed_command_equals_python_m(shell: Shell) -> None:
    command = shutil.which("otel-parallelism", path=str(Path(sys.executable).parent))
    assert command is not None
    for argument in ("--help", "--version"):
        done = shell.finish(shell.start([command, argument]))
        assert (done.stdout, done.returncode) == (shell(argument).stdout, 0)
    assert shell("--version").stdout.decode().split() == ["otel-parallelism,", "version", version("otel-parallelism")]


@pytest.mark.process
def test_help_names_every_command_without_heavy_imports(shell: Shell) -> None:
    assert all(word in shell("--help").stdout.decode() for word in ("analyze", "dashboards", "demo", "run"))
    code = """
import json, sys
from otel_parallelism.cli import main
sys.argv[1:] = ["--help"]
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)))
"""
    loaded = json.loads(shell.python("-c", code).stdout.splitlines()[-1])
    heavy = {
        "rich",
        "http.server",
        "opentelemetry.exporter",
        "otel_parallelism.readers.otlp_json",
    }
    assert heavy.isdisjoint(loaded)


@pytest.mark.process
def test_interrupted_program_ends_by_the_signal(shell: Shell) -> None:
    shell.write("script.py", "raise KeyboardInterrupt\n")
    done = shell("run", "script.py")
    plain = shell.python("script.py")
    assert done.returncode == plain.returncode < 0
    assert done.stderr == plain.stderr


@pytest.mark.process
def test_interrupted_command_ends_by_the_signal(shell: Shell) -> None:
    pipe = shell.folder / "spans.jsonl"
    os.mkfifo(pipe)
    process = shell.start(shell.command("analyze", pipe))
    with pipe.open("wb"):  # opens when the command reads
        process.send_signal(signal.SIGINT)
        done = shell.finish(process)
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"", -signal.SIGINT)


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["demo", "extra"],
        ["run"],
        ["run", "--no-such-option", "x.py"],
        ["run", "--output", "no/such/folder", "agent.py"],
        ["run", "--fail-under-efficiency", "2", "agent.py"],
        ["run", "--format", "xml", "agent.py"],
    ],
)
def test_usage_errors_have_status_2(invoke: Invoke, arguments: list[str]) -> None:
    done = invoke(*arguments)
    assert (done.stdout, done.returncode) == (b"", 2)
    assert b"Error: " in done.stderr


@pytest.mark.parametrize(
    ("arguments", "instead"),
    [
        ("python x.py --fast", "x.py --fast"),
        (f"{sys.executable} -X dev -m package", "-m package"),
        ("python3", "SCRIPT"),
        ("python -c pass", "SCRIPT"),
    ],
)
def test_interpreter_in_place_of_a_script_gets_a_hint(invoke: Invoke, arguments: str, instead: str) -> None:
    done = invoke("run", *arguments.split())
    assert (done.stdout, done.returncode) == (b"", 2)
    assert done.stderr.decode().endswith(f"is an interpreter, not a script; run: otel-parallelism run {instead}\n")


@pytest.mark.process
def test_demo_reports_its_sequential_chain(shell: Shell) -> None:
    done = shell("demo")
    assert (done.stderr, done.returncode) == (b"", 0)
    lines = done.stdout.decode().splitlines()
    text = " ".join(" ".join(lines).split())
    assert Path(lines[0]).name == "demo_agent.py"
    assert lines[1].startswith("sends five requests to http://127.0.0.1:")
    assert lines[3].startswith("2 turns · 1 sequential: 1.")
    assert "Turn 1 · one by one · sequential: " in text
    assert "Turn 2 · together · parallel: " in text
    assert (
        "weather, museums, restaurants, trains, events ran one after another: the code calls one, then the next."
        in text
    )
    assert "Cost: 1.2" in text
    line = 1 + Path(lines[0]).read_text().splitlines().index("        return [await tool(city) for tool in tools]")
    assert f"Start with turn 1 (one by one) at demo_agent.py:{line}: 5 calls" in text
    assert f"asyncio.gather or a TaskGroup at demo_agent.py:{line}." in text
    ratios = [float(part.split()[0]) for part in text.split("ratio ")[1:]]
    assert ratios == [pytest.approx(1, abs=0.1), pytest.approx(5, abs=0.5)]


@pytest.mark.process
def test_demo_with_invalid_setting(shell: Shell) -> None:
    done = shell("demo", OTEL_PARALLELISM_MIN_AVOIDABLE="soon")
    assert (done.stdout, done.returncode) == (b"", 2)
    assert done.stderr.startswith(b"OTEL_PARALLELISM_MIN_AVOIDABLE='soon': ")


@pytest.mark.process
def test_demo_needs_neither_telemetry_nor_network(shell: Shell) -> None:
    done = shell("demo", OTEL_TRACES_EXPORTER="none", http_proxy="http://127.0.0.1:9", all_proxy="http://127.0.0.1:9")
    assert done.returncode == 0
    assert done.stdout.decode().splitlines()[3].startswith("2 turns · 1 sequential: 1.2")
