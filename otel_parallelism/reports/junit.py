"""Turns as test cases in JUnit's XML, which continuous integration shows: a turn that fails the gate is a failure."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final

from otel_parallelism.shown_names import shown_name, shown_text

from .parts.wording import VERDICTS, fix_location, observation, relative, seconds, tool_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_parallelism.model import Analysis, Report

_ILLEGAL: Final = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot have."""


def render_junit(analysis: Analysis, failures: Mapping[int, str], base: str = "") -> str:
    """
    Return one test suite with one test case for each turn, as XML.

    Args:
        analysis: What to report on.
        failures: Why turns fail the gate, by their number from 1; the number 0 stands for an input without turns.
        base: A folder; files in it are named relative to it.
    """
    numbered = enumerate(analysis.reports, 1)
    cases = [line for number, report in numbered for line in _case(number, report, failures, base)]
    if 0 in failures:
        cases += ['  <testcase classname="otel-parallelism" name="turns" time="0">']
        cases += [f"    {_failure(failures[0])}", "  </testcase>"]
    total = len(analysis.reports) + (0 in failures)
    time = sum(map(_duration, analysis.reports))
    counts = f'tests="{total}" failures="{len(failures)}" errors="0" time="{time:.3f}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites {counts}>",
        f'<testsuite name="otel-parallelism" {counts} skipped="0">',
        *cases,
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _case(number: int, report: Report, failures: Mapping[int, str], base: str) -> Iterator[str]:
    turn = report.turn
    agent = shown_name(turn.agent or turn.name) or "turn"
    name = f"turn {number}: {VERDICTS[report.verdict]}"
    yield f'  <testcase classname="{_text(agent)}" name="{_text(name)}" time="{_duration(report):.3f}">'
    if number in failures:
        yield f"    {_failure(failures[number])}"
    if report.findings:
        yield f"    <system-out>{_text(chr(10).join(_findings(report, base)))}</system-out>"
    yield "  </testcase>"


def _findings(report: Report, base: str) -> Iterator[str]:
    for finding in report.findings:
        place = fix_location(finding)
        happened = f"{tool_list(finding.calls)} {observation(finding)}: {seconds(finding.avoidable)}"
        yield relative(f"{finding.advice}: {happened}{f' at {place}' if place else ''}", base)
        if finding.recommendation:
            yield relative(f"  {shown_text(finding.recommendation)}", base)


def _failure(message: str) -> str:
    return f'<failure type="gate" message="{_text(message)}"/>'


def _duration(report: Report) -> float:
    return max(0, report.turn.end_ns - report.turn.start_ns) / 1e9


def _text(text: str) -> str:
    return escape(_ILLEGAL.sub("?", text))
