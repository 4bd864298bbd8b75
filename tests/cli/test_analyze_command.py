"""``analyze`` with real files: its reports, its errors, and its output on a terminal."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import pty
import re
import subprocess
import termios
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Invoke, Shell

START_NS = 1_700_000_000_000_000_000
EFFICIENCY = re.compile(rb"efficiency 0\.3\d* is below 0\.9\n")


def span(number: int, operation: str, start_ms: int, end_ms: int, **attributes: str) -> dict[str, Any]:
    """Return a span of trace 1 as OTLP JSON; span 1 is the root."""
    pairs = {"gen_ai.operation.name": operation, **{key.replace("_", "."): text for key, text in attributes.items()}}
    return {
        "traceId": f"{1:032x}",
        "spanId": f"{number:016x}",
        "parentSpanId": "" if number == 1 else f"{1:016x}",
        "name": operation,
        "startTimeUnixNano": str(START_NS + start_ms * 1_000_000),
        "endTimeUnixNano": str(START_NS + end_ms * 1_000_000),
        "attributes": [
            {"key": key.replace("gen.ai", "gen_ai"), "value": {"stringValue": text}} for key, text in pairs.items()
        ],
    }


def line(*spans: dict[str, Any]) -> str:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"scope": {"name": "test"}, "spans": spans}]}]}) + "\n"


TURN = span(1, "invoke_agent", 0, 900, gen_ai_agent_name="clerk")
CALLS = [
    span(2 + at, "execute_tool", 300 * at, 300 * at + 300, gen_ai_tool_name=tool)
    for at, tool in enumerate(("get_prices", "get_stock", "get_news"))
]


@pytest.fixture
def spans(invoke: Invoke) -> Path:
    return invoke.write("spans.jsonl", line(*CALLS) + line(TURN))


@pytest.mark.parametrize("recompute", [True, False])
def test_recorded_result_is_shown_unless_recomputed(invoke: Invoke, recompute: bool) -> None:
    recorded = {"key": "agent.parallelism.verdict", "value": {"stringValue": "contended"}}
    turn = {**TURN, "attributes": [*TURN["attributes"], recorded]}
    options = ["--recompute"] if recompute else []
    done = invoke("analyze", invoke.write("spans.jsonl", line(turn, *CALLS)), "--format", "json", *options)
    (found,) = json.loads(done.stdout)["turns"]
    assert (found["verdict"] == "contended") is not recompute


def test_report_of_a_file(invoke: Invoke, spans: Path) -> None:
    done = invoke("analyze", spans, "--format", "json")
    assert (done.stderr, done.returncode) == (b"", 0)
    document = json.loads(done.stdout)
    assert document["coverage"] == {"calls": 3, "calls_without_turn": 0, "spans": 4, "anomalies": 0}
    [turn] = document["turns"]
    assert (turn["agent"], turn["calls"], turn["ratio"], turn["makespan"]) == ("clerk", 3, 1.0, 0.9)
    assert [call["tool"] for call in turn["slowest_calls"]] == ["get_prices", "get_stock", "get_news"]
    assert "get_prices" in invoke("analyze", spans).stdout.decode()


def test_several_files_are_one_input(invoke: Invoke) -> None:
    invoke.write("calls.jsonl", line(*CALLS))
    (invoke.folder / "turn.jsonl.gz").write_bytes(gzip.compress(line(TURN).encode()))
    document = json.loads(invoke("analyze", "turn.jsonl.gz", "calls.jsonl", "--format=json").stdout)
    assert [turn["calls"] for turn in document["turns"]] == [3]
    assert document["coverage"]["calls_without_turn"] == 0


def test_only_the_output_file_gets_the_report(invoke: Invoke, spans: Path) -> None:
    done = invoke("analyze", spans, "--output", "report.txt", PYTHONIOENCODING="ascii")
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"text report written to report.txt\n", 0)
    text = (invoke.folder / "report.txt").read_text(encoding="utf-8")
    assert text.startswith("1 turn · ")
    assert "█" in text


def test_output_file_is_replaced_only_by_a_report(invoke: Invoke, spans: Path) -> None:
    path = invoke.write("report.json", "x" * 100_000)
    assert invoke("analyze", "absent.jsonl", "--output", path).returncode == 2
    assert path.read_text() == "x" * 100_000
    assert invoke("analyze", spans, "--format", "json", "--output", path).returncode == 0
    assert len(json.loads(path.read_text())["turns"]) == 1


def test_dash_is_standard_output(invoke: Invoke, spans: Path) -> None:
    expected = invoke("analyze", spans)
    assert invoke("analyze", spans, "--output", "-").stdout == expected.stdout != b""


@pytest.mark.process
def test_output_can_be_a_pipe(shell: Shell, spans: Path) -> None:
    assert shell("analyze", spans, "--output", "/dev/stdout").stdout == shell("analyze", spans).stdout


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="no device here is full")
@pytest.mark.parametrize("option", ["--output", "-o", "--html", "--trace-event"])
def test_full_device_is_an_error_of_one_line(invoke: Invoke, spans: Path, option: str) -> None:
    done = invoke("analyze", spans, option, "/dev/full", "--fail-under-efficiency", "1")
    assert done.stderr.startswith(b"the report cannot be written: ")
    assert (done.stderr.count(b"\n"), done.returncode) == (1, 2)


@pytest.mark.process
def test_deleted_working_folder(shell: Shell, spans: Path) -> None:
    leave = "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')"
    script = f"import os, sys; {leave}; os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    done = shell.python("-c", script, "-m", "otel_parallelism", "analyze", spans)
    assert done.returncode == 0, done.stderr
    assert done.stdout == shell("analyze", spans).stdout


@pytest.mark.process
def test_standard_input(shell: Shell, spans: Path) -> None:
    expected = shell("analyze", spans).stdout
    for content in (spans.read_bytes(), gzip.compress(spans.read_bytes())):
        done = subprocess.run(  # noqa: S603 - our own command
            shell.command("analyze", "-"),
            input=content,
            capture_output=True,
            check=True,
            env=shell.environment,
            timeout=60,
        )
        assert done.stdout == expected
    done = shell("analyze", "-")
    assert (done.stderr[:29], done.returncode) == (b"standard input: it is empty; ", 2)


def test_efficiency_gate(invoke: Invoke) -> None:
    declared = [
        span(2 + at, "execute_tool", 300 * at, 300 * at + 300, gen_ai_tool_name="get_it", gen_ai_tool_call_id=f"c{at}")
        for at in range(3)
    ]
    parts = [{"type": "tool_call", "id": f"c{at}", "name": "get_it", "arguments": {}} for at in range(3)]
    step = span(9, "chat", 0, 0)
    output = {
        "key": "gen_ai.output.messages",
        "value": {"stringValue": json.dumps([{"role": "assistant", "parts": parts}])},
    }
    step["attributes"].append(output)
    invoke.write("spans.jsonl", line(TURN, step, *declared))
    done = invoke("analyze", "spans.jsonl", "--fail-under-efficiency", "0.9")
    assert done.returncode == 1
    assert done.stderr.startswith(b"turn 1 (clerk): ")
    assert EFFICIENCY.search(done.stderr)
    assert invoke("analyze", "spans.jsonl", "--fail-under-efficiency", "0.3").returncode == 0


def test_turns_without_efficiency_pass_the_gate(invoke: Invoke) -> None:
    invoke.write("spans.jsonl", line(TURN))
    done = invoke("analyze", "spans.jsonl", "--fail-under-efficiency", "1")
    assert (done.stderr, done.returncode) == (b"no turn has an efficiency to compare with 1\n", 0)


def test_strict_gate_compares_the_floor(invoke: Invoke, spans: Path) -> None:
    assert invoke("analyze", spans, "--fail-under-efficiency", "0.9").returncode == 0
    done = invoke("analyze", spans, "--fail-under-efficiency", "0.9", "--strict")
    assert (done.stderr, done.returncode) == (b"turn 1 (clerk): efficiency floor 0.333 is below 0.9\n", 1)
    done = invoke("analyze", spans, "--strict")
    assert done.returncode == 2
    assert b"--strict needs --fail-under-efficiency." in done.stderr


def test_gate_can_require_a_turn(invoke: Invoke, spans: Path) -> None:
    invoke.write("none.jsonl", line(CALLS[0]))
    assert invoke("analyze", "none.jsonl").returncode == 0
    done = invoke("analyze", "none.jsonl", "--fail-if-no-turns")
    assert (done.returncode, done.stderr.decode().splitlines()) == (1, ["no turn was found"])
    assert invoke("analyze", spans, "--fail-if-no-turns").returncode == 0


@pytest.mark.parametrize("threshold", ["nan", "-0.1", "1.01", "inf", "half", ""])
def test_threshold_is_a_number_from_0_to_1(invoke: Invoke, spans: Path, threshold: str) -> None:
    done = invoke("analyze", spans, "--fail-under-efficiency", threshold)
    assert (done.stdout, done.returncode) == (b"", 2)
    assert b"Invalid value for '--fail-under-efficiency'" in done.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "input.jsonl: there is no such file; expected "),
        ("", "input.jsonl: it is empty; expected "),
        ("{}\n{ not json }\n", "input.jsonl:2: "),
        ('{"resourceSpans": 5}\n', "input.jsonl:1: "),
        (line(TURN)[:-20], "input.jsonl:1: "),
    ],
)
def test_invalid_input_is_an_error_with_file_line_and_expectation(
    invoke: Invoke, content: str | None, message: str
) -> None:
    if content is not None:
        (invoke.folder / "input.jsonl").write_text(content)
    done = invoke("analyze", "input.jsonl", "--format", "json")
    assert (done.stdout, done.returncode) == (b"", 2)
    error = done.stderr.decode()
    assert error.startswith(message)
    assert "expected spans: an OTLP trace request" in error or "expected a file of spans" in error
    assert error.count("\n") == 1


def test_broken_line_is_named_and_skipped(invoke: Invoke) -> None:
    broken = '{"resourceSpans": 5}\n'
    (invoke.folder / "input.jsonl").write_text(line(TURN) + broken * 7 + line(TURN)[:-20])
    done = invoke("analyze", "input.jsonl", "--format", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["totals"]["turns"] == 1
    *errors, rest = done.stderr.decode().splitlines()
    assert [error.partition(": ")[0] for error in errors] == [f"input.jsonl:{number}" for number in range(2, 7)]
    assert rest == "3 more lines or values could not be read and were skipped"


@pytest.mark.parametrize("command", ["analyze", "fleet", "lint", "fix"])
def test_a_name_that_is_too_long_is_an_error(invoke: Invoke, command: str) -> None:
    done = invoke(command, "a" * 5_000)
    assert done.returncode == 2
    assert b"File name too long" in done.stderr


def test_an_empty_name_is_not_the_working_folder(invoke: Invoke) -> None:
    done = invoke("analyze", "")
    assert done.returncode == 2
    assert done.stderr == b"'': the name is empty; expected a file of spans\n"


def test_folders_and_patterns_stand_for_their_files(invoke: Invoke) -> None:
    (invoke.folder / "day" / "one").mkdir(parents=True)
    (invoke.folder / "day" / "one" / "a.jsonl").write_text(line(TURN))
    (invoke.folder / "day" / ".hidden").write_text("no spans")
    for argument in ("day", "day/*/*.jsonl"):
        done = invoke("analyze", argument, "--format", "json")
        assert (done.returncode, json.loads(done.stdout)["totals"]["turns"]) == (0, 1)
    assert b"no such file" in invoke("analyze", "night/*.jsonl").stderr
    (invoke.folder / "night").mkdir()
    empty = invoke("analyze", "night")
    assert (empty.returncode, empty.stderr) == (
        2,
        b"night: it is a directory; expected a file of spans, or a folder that has some\n",
    )
    (invoke.folder / "day" / "one" / "a.jsonl").rename(invoke.folder / "day" / "one" / "data.parquet")
    for name in ("meta.json", "index", "bloom-0"):
        (invoke.folder / "day" / "one" / name).write_text("{}")
    assert invoke("analyze", "day").returncode == 0


def test_invalid_setting_is_an_error(invoke: Invoke, spans: Path) -> None:
    done = invoke("analyze", spans, OTEL_PARALLELISM_MIN_AVOIDABLE="soon")
    assert (done.stdout, done.returncode) == (b"", 2)
    assert done.stderr.startswith(b"OTEL_PARALLELISM_MIN_AVOIDABLE='soon': ")


def test_file_is_required(invoke: Invoke) -> None:
    done = invoke("analyze")
    assert (done.stdout, done.returncode) == (b"", 2)
    assert b"Missing argument 'FILE...'" in done.stderr


@pytest.mark.process
def test_closed_pipe_is_no_crash(shell: Shell, spans: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = shell.start(shell.command("analyze", spans), stdout=write_end)
    os.close(write_end)
    done = shell.finish(process)
    assert (done.stderr, done.returncode) == (b"", 2)


def terminal(shell: Shell, *arguments: str | Path, **environment: str) -> str:
    """Run the command on a terminal of 60 columns and return all that it shows."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 60))
    shell.environment.pop("COLUMNS", None)
    process = shell.start(shell.command(*arguments), theirs, theirs, **{"TERM": "xterm", **environment})
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # reading fails when the last process closes the terminal
        while part := os.read(ours, 65536):
            shown += part
    os.close(ours)
    assert process.wait(60) == 0
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.process
def test_terminal_gets_colours_and_its_width(shell: Shell, spans: Path) -> None:
    shown = terminal(shell, "analyze", spans)
    assert "\x1b[" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(map(len, plain.splitlines())) == 60
    assert terminal(shell, "analyze", spans, NO_COLOR="1").count("\x1b") == 0
    assert terminal(shell, "analyze", spans, TERM="dumb").count("\x1b") == 0


@pytest.mark.process
def test_long_input_shows_a_progress_bar_on_a_terminal_only(shell: Shell) -> None:
    filler = span(5, "something", 0, 1, padding="x" * 100_000)
    path = shell.write("long.jsonl", line(TURN, *CALLS) + line(filler) * 90)
    shown = terminal(shell, "analyze", path, "--output", "report.txt")
    assert "reading" in shown
    done = shell("analyze", path, "--output", "report.txt")
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"text report written to report.txt\n", 0)


def test_unknown_vocabulary_is_named_and_can_be_declared(invoke: Invoke) -> None:
    own = [span(1, "run_agent", 0, 900), *(span(at, "fda.search", 100 * at, 100 * at + 90) for at in (2, 3))]
    for each in own:
        each["attributes"] = []
    spans = invoke.write("own.jsonl", line(*own))
    shown = " ".join(invoke("analyze", spans).stdout.decode().split())
    assert "No known vocabulary fits 3 spans" in shown
    assert "test: 2 × fda.search, 1 × run_agent" in shown
    assert "--call 'fda.*' --model 'llm*' --turn 'run_*'" in shown
    done = invoke("analyze", spans, "--call", "fda.*", "--turn", "run_*", "--format", "json")
    (turn,) = json.loads(done.stdout)["turns"]
    assert (turn["calls"], turn["name"]) == (2, "run_agent")
