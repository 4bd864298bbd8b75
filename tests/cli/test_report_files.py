"""Which reports are written where: ``--format`` and ``--output``, and the options of earlier versions."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Folder, Invoke, Shell

STARTS = {
    "text": "No turn found",
    "json": '{\n  "schema_version": 1,',
    "html": "<!doctype html>",
    "trace-event": '{\n "traceEvents"',
    "sarif": '{\n  "$schema"',
    "junit": '<?xml version="1.0"',
    "prompt": "# Using tools in parallel",
}
FILES = ("--html", "page.html", "--trace-event", "events.json")


@pytest.fixture
def spans(invoke: Invoke) -> Path:
    return invoke.write("spans.jsonl", '{"resourceSpans": []}')


def form(text: str) -> str:
    """Return the form of a report by how it starts."""
    (found,) = [form for form, start in STARTS.items() if text.lower().startswith(start.lower())]
    return found


def titles(place: Folder) -> list[str]:
    """Return the titles of the turns in the page."""
    page = (place.folder / "page.html").read_text(encoding="utf-8")
    [text] = re.findall(r'<script type="application/json" id="document">(.*?)</script>', page)
    document = json.loads(text)
    return [document["strings"][turn["title"]] for turn in document["turns"]]


def processes(place: Folder) -> list[str]:
    """Return the names of the processes among the trace events: one for each turn."""
    events = json.loads((place.folder / "events.json").read_text(encoding="utf-8"))["traceEvents"]
    return [event["args"]["name"] for event in events if event["name"] == "process_name"]


@pytest.mark.parametrize("chosen", STARTS)
def test_every_form_can_go_to_standard_output_and_to_a_file(invoke: Invoke, spans: Path, chosen: str) -> None:
    done = invoke("analyze", spans, "--format", chosen)
    assert (form(done.stdout.decode()), done.stderr, done.returncode) == (chosen, b"", 0)
    done = invoke("analyze", spans, "--format", chosen, "-o", "report")
    assert (done.stdout, done.returncode) == (b"", 0)
    assert re.fullmatch(rb"[\w ]+ written to report\n", done.stderr)
    assert form((invoke.folder / "report").read_text(encoding="utf-8")) == chosen


@pytest.mark.parametrize(
    ("arguments", "stdout", "files"),
    [
        ("", "text", {}),
        ("-o -", "text", {}),
        ("-o a.json", "", {"a.json": "json"}),
        (
            "-o a.HTML -o b.trace.json -o c.md -o d",
            "",
            {"a.HTML": "html", "b.trace.json": "trace-event", "c.md": "prompt", "d": "text"},
        ),
        ("--format json -o a -o b.html", "", {"a": "json", "b.html": "html"}),
        ("--format json --format html -o a -o b", "", {"a": "json", "b": "html"}),
        ("-o a -o b --format json --format html", "", {"a": "json", "b": "html"}),
        ("--format html --format json -o a", "json", {"a": "html"}),
        ("--format json --format text -o - -o a.json", "json", {"a.json": "text"}),
        ("-o a.json --html b --trace-event c", "", {"a.json": "json", "b": "html", "c": "trace-event"}),
        ("--html a --trace-event b", "text", {"a": "html", "b": "trace-event"}),
        ("--prompt", "prompt", {}),
        ("--prompt --output a", "", {"a": "prompt"}),
    ],
)
def test_formats_are_paired_with_outputs(
    invoke: Invoke, spans: Path, arguments: str, stdout: str, files: dict[str, str]
) -> None:
    done = invoke("analyze", spans, *arguments.split())
    assert done.returncode == 0
    assert (form(done.stdout.decode()) if done.stdout else "") == stdout
    written = {path.name: path.read_text(encoding="utf-8") for path in invoke.folder.iterdir() if path != spans}
    assert {name: form(text) for name, text in written.items()} == files
    assert sorted(line.rpartition(" ")[2] for line in done.stderr.decode().splitlines()) == sorted(files)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--format json --format html", "only one report can go to standard output"),
        ("--format json -o - -o -", "only one report can go to standard output"),
        ("-o a -o ./a", "two reports cannot be written to one file"),
        ("--html -", "this option needs a file"),
        ("--trace-event -", "this option needs a file"),
        ("-o spans.jsonl", "spans.jsonl is an input and cannot be an output too."),
        ("--html spans.jsonl", "spans.jsonl is an input and cannot be an output too."),
        ("-o no/such/folder", "'no/such/folder': No such file or directory"),
        ("-o .", "'.': Is a directory"),
        ("--color sometimes", "Invalid value for '--color'"),
    ],
)
def test_reports_that_cannot_be_written_are_usage_errors(
    invoke: Invoke, spans: Path, arguments: str, message: str
) -> None:
    before = spans.read_bytes()
    done = invoke("analyze", "spans.jsonl", *arguments.split())
    assert (done.stdout, done.returncode) == (b"", 2)
    assert message in " ".join(done.stderr.decode().split())
    assert spans.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "environment", "coloured"),
    [
        ("", {}, False),
        ("", {"FORCE_COLOR": "1"}, True),
        ("", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("--color always", {"NO_COLOR": "1"}, True),
        ("--color never", {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colours_follow_the_option_then_the_environment(
    invoke: Invoke, spans: Path, arguments: str, environment: dict[str, str], coloured: bool
) -> None:
    done = invoke("analyze", spans, *arguments.split(), **environment)
    assert (b"\x1b[" in done.stdout) == coloured


def test_file_has_no_colours(invoke: Invoke, spans: Path) -> None:
    invoke("analyze", spans, "--color", "always", "-o", "report.txt")
    assert "\x1b" not in (invoke.folder / "report.txt").read_text(encoding="utf-8")


def test_longer_file_is_replaced(invoke: Invoke, spans: Path) -> None:
    invoke.write("page.html", "x" * 200_000)
    assert invoke("analyze", spans, *FILES).returncode == 0
    assert titles(invoke) == processes(invoke) == []
    assert (invoke.folder / "page.html").read_text(encoding="utf-8").endswith("</html>\n")


def test_output_is_opened_before_the_program_runs(invoke: Invoke, agent: Callable[[str], Path]) -> None:
    agent("print('ran')")
    done = invoke("run", "-o", "no/such/folder", "agent.py")
    assert (done.stdout, done.returncode) == (b"", 2)
    assert b"No such file or directory" in done.stderr


@pytest.mark.process
def test_run_writes_several_reports(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent("asyncio.run(one_by_one())\nasyncio.run(together())")
    done = shell("run", *FILES, "agent.py")
    assert done.returncode == 0
    assert done.stderr == b"HTML report written to page.html\ntrace events written to events.json\n"
    assert done.stdout.startswith(b"2 turns")
    assert titles(shell) == ["planner", "planner"]
    assert processes(shell) == ["1 · planner · sequential", "2 · planner · parallel"]
    page = (shell.folder / "page.html").read_text(encoding="utf-8")
    assert "asyncio.gather or a TaskGroup at agent.py:11." in page
    assert str(shell.folder) not in page


@pytest.mark.process
def test_program_may_change_the_working_folder(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent("import os, tempfile\nasyncio.run(together())\nos.chdir(tempfile.gettempdir())")
    assert shell("run", *FILES, "agent.py").returncode == 0
    assert titles(shell) == ["planner"]
