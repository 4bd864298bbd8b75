"""No name in the spans makes a runner of continuous integration act on the log that a command prints."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Invoke

S: Final = 1_000_000_000
_COMMANDS: Final = (
    "::add-mask::production",
    "  ::set-output name=a::b",
    "##[add-matcher]matcher.json",
    "look up ##vso[task.setvariable variable=path]/home ##teamcity[buildStatus]",
    "a long name that is wrapped ::stop-commands::token " + "::error::no " * 12,
)
_GIVEN: Final = (
    ("analyze",),
    ("analyze", "--show-silenced"),
    ("analyze", "--fail-under-efficiency", "1", "--strict"),
    ("analyze", "--format", "json"),
    ("analyze", "--format", "html"),
    ("analyze", "--format", "trace-event"),
    ("analyze", "--format", "prompt"),
    ("analyze", "--format", "sarif"),
    ("analyze", "--format", "junit"),
    ("analyze", "--format", "spans"),
    ("fleet",),
    ("fleet", "--format", "json"),
    ("fleet", "--format", "html"),
    ("compare",),
    ("compare", "--format", "json"),
    ("compare", "--format", "html"),
    ("fix",),
)


def commands(log: bytes) -> list[str]:
    """Return the lines of *log* that a runner acts on."""
    acts = re.compile(r"\s*::|.*##\w*\[")
    return [line for line in re.split("[\r\n]+", log.decode()) if acts.match(line)]


def spans(name: str) -> str:
    """Return OTLP JSON of a turn with three calls in a row, in which all names are *name*."""
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}
    made = [_span("a", "", (1, 14), name, agent)]
    for at in range(3):
        call = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": f"{name} get_{at}",
            "agent.parallelism.caller.file_path": f"{name}.py",
            "agent.parallelism.caller.line_number": at + 1,
        }
        made.append(_span(f"b{at}", "a", (2 + 3 * at, 5 + 3 * at), name, call))
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": name}}]}
    scope = {"scope": {"name": name}, "spans": made}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]})


def _span(span: str, parent: str, between: tuple[int, int], name: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        "traceId": "1" * 32,
        "spanId": f"{span:0>16}",
        "parentSpanId": f"{parent:0>16}" if parent else "",
        "name": name,
        "startTimeUnixNano": str(between[0] * S),
        "endTimeUnixNano": str(between[1] * S),
        "attributes": [{"key": key, "value": _value(value)} for key, value in attributes.items()],
    }


def _value(value: str | int) -> dict[str, str]:
    return {"stringValue" if isinstance(value, str) else "intValue": str(value)}


@pytest.fixture(params=range(len(_COMMANDS)), ids=["mask", "output", "old", "others", "wrapped"])
def name(request: pytest.FixtureRequest) -> str:
    return _COMMANDS[request.param]


def test_names_are_no_commands(invoke: Invoke, name: str) -> None:
    file = invoke.write("spans.json", spans(name))
    for command, *options in _GIVEN:
        for width in ("40", "57", "100"):
            done = invoke(command, file, *options, COLUMNS=width)
            assert (done.stdout, done.returncode) != (b"", 2), done.stderr
            assert not commands(done.stdout + b"\n" + done.stderr), (command, options, width)


def test_json_has_the_names_as_they_are(invoke: Invoke, name: str) -> None:
    file = invoke.write("spans.json", spans(name))
    written = [invoke.folder / f"turns.{suffix}" for suffix in ("json", "jsonl", "sarif")]
    invoke("analyze", file, *(part for path in written for part in ("-o", path)))
    report, log, results = (json.loads(path.read_bytes()) for path in written)
    [turn] = report["turns"]
    assert turn["agent"] == name
    assert turn["findings"][0]["calls"] == [f"{name} get_{at}" for at in range(3)]
    assert log["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] == name
    assert len(results["runs"][0]["results"]) == 1


@pytest.mark.parametrize("command", ["analyze", "fleet", "compare", "fix", "lint", "sessions --spans"])
def test_names_of_files_are_no_commands(invoke: Invoke, command: str) -> None:
    for given in ("::error::no", "##[error]no", "::add-mask:"):
        done = invoke(*command.split(), given)
        assert done.returncode == 2
        assert done.stderr
        assert not commands(done.stdout + b"\n" + done.stderr)


def test_lint_prints_annotations_but_no_other_command(invoke: Invoke, tmp_path: Path) -> None:
    source = "import time\n\nasync def poll():\n    time.sleep(1)\n"
    file = invoke.write("::debug:", source)
    assert file.parent == tmp_path
    for form in ("text", "json", "sarif"):
        done = invoke("lint", file.name, "--format", form)
        assert done.returncode == 1
        assert not commands(done.stdout + b"\n" + done.stderr)
    [line] = invoke("lint", file.name, "--format", "github").stdout.decode().splitlines()
    assert line.startswith("::warning file=%3A%3Adebug%3A,line=4,endLine=4,title=otel-parallelism blocking_call::")
