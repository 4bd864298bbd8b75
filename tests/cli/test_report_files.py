"""``--html`` and ``--trace-event``: files beside the report, on real processes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Folder, Invoke, Shell

FILES = ("--html", "page.html", "--trace-event", "events.json")


def shown(place: Folder) -> list[str]:
    """Return the titles of the turns in the page."""
    page = (place.folder / "page.html").read_text(encoding="utf-8")
    [document] = re.findall(r'<script type="application/json" id="document">(.*?)</script>', page)
    told = json.loads(document)
    return [told["strings"][turn["title"]] for turn in told["turns"]]


def processes(place: Folder) -> list[str]:
    events = json.loads((place.folder / "events.json").read_text(encoding="utf-8"))["traceEvents"]
    return [event["args"]["name"] for event in events if event["name"] == "process_name"]


@pytest.mark.process
def test_run_writes_both_beside_its_report(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent("asyncio.run(one_by_one())\nasyncio.run(together())")
    done = shell("run", *FILES, "agent.py")
    assert (done.stderr, done.returncode) == (b"", 0)
    assert done.stdout.startswith(b"2 turns")
    assert shown(shell) == ["planner", "planner"]
    assert processes(shell) == ["1 · planner · sequential", "2 · planner · parallel"]
    page = (shell.folder / "page.html").read_text(encoding="utf-8")
    assert "asyncio.gather or a TaskGroup at agent.py:11." in page
    assert str(shell.folder) not in page


def test_analyze_writes_both_in_place_of_what_was_there(invoke: Invoke) -> None:
    invoke.write("spans.jsonl", '{"resourceSpans": []}')
    invoke.write("page.html", "x" * 200_000)
    done = invoke("analyze", "spans.jsonl", *FILES, "--output", "report.txt")
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"", 0)
    assert shown(invoke) == processes(invoke) == []
    assert (invoke.folder / "page.html").read_text(encoding="utf-8").endswith("</html>\n")


@pytest.mark.process
def test_a_program_may_go_elsewhere_meanwhile(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent("import os, tempfile\nasyncio.run(together())\nos.chdir(tempfile.gettempdir())")
    assert shell("run", *FILES, "agent.py").returncode == 0
    assert shown(shell) == ["planner"]


@pytest.mark.parametrize("option", ["--html", "--trace-event"])
def test_standard_output_is_the_reports(invoke: Invoke, option: str) -> None:
    invoke.write("spans.jsonl", "")
    done = invoke("analyze", "spans.jsonl", option, "-")
    assert done.returncode == 2
    assert b"this one needs a file" in done.stderr


@pytest.mark.parametrize("option", ["--html", "--trace-event"])
def test_an_input_is_never_written_over(invoke: Invoke, option: str) -> None:
    path = invoke.write("spans.jsonl", "kept")
    done = invoke("analyze", "spans.jsonl", option, "spans.jsonl")
    assert done.returncode == 2
    assert done.stderr == f"spans.jsonl: it is to be read, and cannot be {option} too\n".encode()
    assert path.read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize("option", ["--html", "--trace-event"])
def test_a_file_that_cannot_be_written_is_told_before_the_program_runs(
    invoke: Invoke, agent: Callable[[str], Path], option: str
) -> None:
    agent("print('ran')")
    done = invoke("run", option, "no/such/folder", "agent.py")
    assert (done.stdout, done.returncode) == (b"", 2)
    assert b"No such file or directory" in done.stderr
