"""Stored spans whose caller's place is known, with the source of the program in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_parallelism import SpanRecord, analyze_spans
from otel_parallelism.model import CallFrame
from otel_parallelism.readers.source_folder import sources_in

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
async def main(urls):
    for url in urls:
        await fetch(url)


async def guarded():
    if await fetch("access"):
        await fetch("document")
"""


def spans(*lines: int) -> list[SpanRecord]:
    agent = {"gen_ai.operation.name": "invoke_agent"}
    found = [SpanRecord("t", "root", "", "invoke_agent", 0, len(lines) * 10**9, agent)]
    for at, line in enumerate(lines):
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "fetch",
            "agent.parallelism.effect": "read",
            "agent.parallelism.caller.file_path": "/srv/app/agent/program.py",
            "agent.parallelism.caller.line_number": line,
        }
        found.append(SpanRecord("t", f"c{at}", "root", "execute_tool fetch", at * 10**9, (at + 1) * 10**9, attributes))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "checkout" / "agent").mkdir(parents=True)
    (tmp_path / "checkout" / "agent" / "program.py").write_text(PROGRAM)
    (tmp_path / "outside.py").write_text(PROGRAM)
    return tmp_path / "checkout"


def test_loop_that_carries_nothing_over_can_run_together(folder: Path) -> None:
    (report,) = analyze_spans(spans(4, 4, 4), source=str(folder)).reports
    (finding,) = report.findings
    assert (finding.advice, finding.cause, len(finding.calls)) == ("recommended", "code", 3)
    assert finding.location is not None
    assert finding.location.line_number == 3


def test_without_source_nothing_is_recommended() -> None:
    (report,) = analyze_spans(spans(4, 4, 4)).reports
    assert not [finding for finding in report.findings if finding.advice == "recommended"]


def test_condition_ties_stored_calls(folder: Path) -> None:
    (report,) = analyze_spans(spans(8, 9), source=str(folder)).reports
    assert (report.findings, report.verdict) == ((), "serial_by_need")


@pytest.mark.parametrize("path", ["../outside.py", "/etc/passwd", "a\\..\\outside.py", "", "link.py"])
def test_nothing_outside_the_folder_is_read(folder: Path, path: str) -> None:
    (folder / "link.py").symlink_to(folder.parent / "outside.py")
    assert sources_in(str(folder))(CallFrame(path, 4)) is None


def test_paths_of_other_systems_are_found_by_their_last_parts(folder: Path) -> None:
    find = sources_in(str(folder))
    assert find(CallFrame("C:\\work\\agent\\program.py", 4)) is not None
    assert find(CallFrame("/home/me/agent/program.py", 4)) is not None


@pytest.mark.parametrize(("body", "advice"), [("self.token = 1", "potential"), ("return self.token", "recommended")])
def test_tool_whose_source_changes_something_is_not_known_to_read(folder: Path, body: str, advice: str) -> None:
    program = "from .tools import get_x, get_y\nasync def main():\n    a = await get_x()\n    return a, await get_y()\n"
    (folder / "agent" / "program.py").write_text(program)
    (folder / "agent" / "tools.py").write_text(f"async def get_x(self):\n    {body}\n")
    made = spans(3, 4)
    for span, tool in zip(made[1:], ("get_x", "get_y"), strict=True):
        del span.attributes["agent.parallelism.effect"]
        span.attributes["gen_ai.tool.name"] = tool
    (report,) = analyze_spans(made, source=str(folder)).reports
    (finding,) = report.findings
    assert finding.advice == advice
    assert advice == "recommended" or "whether get_x only reads is not known" in finding.evidence
