"""What the MCP server offers: plain functions over the files of one folder. They read, and change nothing."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

import msgspec

from otel_parallelism.cli.code.linted_file import lint_file
from otel_parallelism.cli.code.python_files import python_files
from otel_parallelism.cli.fixing.program_source import ProgramSource
from otel_parallelism.cli.fixing.proposals import propose
from otel_parallelism.cli.fixing.recorded_texts import recorded_texts
from otel_parallelism.cli.fixing.reported_findings import findings_of
from otel_parallelism.cli.traces.span_inputs import expanded
from otel_parallelism.errors import UnreadableError
from otel_parallelism.fleet.fleet_sums import FleetSums
from otel_parallelism.model import Analysis, Coverage
from otel_parallelism.readers.any_format import read_spans
from otel_parallelism.readers.parsing.skipped_errors import SkippedFiles
from otel_parallelism.reports.fleet_json import render_fleet_json
from otel_parallelism.reports.json import render_json
from otel_parallelism.reports.parts.faults import faults_of
from otel_parallelism.reports.text import render_text
from otel_parallelism.scale.file_analysis import HowToAnalyze, analyze_in_one_process
from otel_parallelism.settings import Settings
from otel_parallelism.shown_names import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from otel_parallelism.model import SpanRecord

MOST_SHOWN: Final = 20
"""The most turns, findings or messages in one answer: an answer is read by a model."""
_WIDTH: Final = 100
_NO_CHANGE: Final = "No change is proposed."
_SHOWN_OF_A_TURN: Final = (
    "trace_id",
    "span_id",
    "agent",
    "duration",
    "calls",
    "ratio",
    "efficiency",
    "efficiency_floor",
    "verdict",
    "cause",
    "avoidable",
    "avoidable_potential",
    "notes",
)


class FolderTools:
    """
    Answers questions about the files of the folder *root*.

    A path in a question is relative to *root* or absolute. What is not inside *root* is not read, whatever a link says.
    Answers hold names, times and places, and no arguments or results of calls.
    """

    def __init__(self, root: Path) -> None:
        """Remember the folder, without its links."""
        self._root = root.resolve()

    def analyze_file(self, path: str) -> dict[str, Any]:
        """
        Find the tool calls of agents that ran one after another and could have run in parallel.

        Args:
            path: A file or folder of stored spans, in any format that ``otel-parallelism analyze`` reads.

        Returns:
            ``totals`` over all turns; ``findings``, numbered from 1, with what each costs in seconds (``recommended``
            is sure, ``potential`` is not); ``turns`` with the largest avoidable time; and ``skipped``, what could not
            be read.
        """
        analysis, skipped = self._analysis(path)
        document = json.loads(render_json(analysis))
        turns = sorted(document["turns"], key=lambda turn: -(turn["avoidable"] + turn["avoidable_potential"]))
        found = document["findings"]
        return {
            "totals": document["totals"],
            "findings": [{"finding": number, **one} for number, one in enumerate(found[:MOST_SHOWN], 1)],
            "findings_left_out": max(0, len(found) - MOST_SHOWN),
            "turns": [{key: turn[key] for key in _SHOWN_OF_A_TURN} for turn in turns[:MOST_SHOWN]],
            "turns_left_out": max(0, len(turns) - MOST_SHOWN),
            "skipped": skipped,
        }

    def slowest_patterns(self, path: str, top: int = 5) -> dict[str, Any]:
        """
        Find the repeated chains of calls that cost most over many turns.

        Args:
            path: As for ``analyze_file``.
            top: How many patterns, 1 to 20.

        Returns:
            ``patterns``, those that lose most seconds first; ``top``, what mending the first three would save; and
            ``skipped``, what could not be read.
        """
        analysis, skipped = self._analysis(path)
        sums = FleetSums()
        for report in analysis.reports:
            sums.add(report)
        sums.add_coverage(analysis.coverage)
        shown = sums.fleet_report(("agent",), min(max(1, top), MOST_SHOWN), None, 0)
        document = json.loads(render_fleet_json(shown))
        return {"patterns": document["patterns"], "top": document["top"], "skipped": skipped}

    def explain_finding(self, path: str, finding: int | str = 1) -> str:
        """
        Explain one finding: the timeline of the turn in which it costs most, the reasons, the cause and the remedy.

        Args:
            path: As for ``analyze_file``.
            finding: The number or the id that ``analyze_file`` gives the finding.
        """
        analysis, _ = self._analysis(path)
        number = _number(analysis, finding)
        fault = faults_of(analysis.reports)[number - 1]
        report = analysis.reports[fault.worst - 1]
        reasons = "".join(f"  reason: {reason}\n" for reason in fault.finding.evidence)
        told = render_text(
            Analysis((report,), Coverage(calls=report.calls)), width=_WIDTH, ascii_only=True, base=str(self._root)
        )
        return f"{told}\nFinding {number} [fix {fault.name}]: {' -> '.join(fault.finding.calls)}\n{reasons}"

    def lint_path(self, path: str) -> dict[str, Any]:
        """
        Find awaits in Python source that need not wait for each other, and calls that block the event loop.

        Args:
            path: A Python file or a folder of them.

        Returns:
            ``findings`` with path, lines, kind and message; ``fixable`` ones are rewritten by ``propose_fix``. Files
            that cannot be read are in ``skipped``.
        """
        findings: list[Any] = []
        skipped: list[str] = []
        for name in python_files([str(self._inside(path))]):
            try:
                findings += lint_file(self._regular_file(name)).result.findings
            except UnreadableError as error:
                skipped.append(printable(str(error)))
        return {
            "findings": [msgspec.to_builtins(one) | {"path": printable(one.path)} for one in findings[:MOST_SHOWN]],
            "findings_left_out": max(0, len(findings) - MOST_SHOWN),
            "skipped": skipped[:MOST_SHOWN],
        }

    def propose_fix(self, path: str, finding: int | str = 1) -> str:
        """
        Propose a change that mends a finding. Nothing is written.

        Args:
            path: A Python file, to rewrite what the lint finds there; or stored spans, as for ``analyze_file``.
            finding: For spans, the number or the id that ``analyze_file`` gives the finding.

        Returns:
            A unified diff, where the change is sure; otherwise what to do by hand, and why there is no diff.
        """
        if path.endswith(".py"):
            return self._rewrite(path)
        analysis, _ = self._analysis(path)
        number = _number(analysis, finding)
        found = findings_of(analysis)[number - 1]

        def recorded(texts: Collection[str]) -> Collection[str]:
            spans = self._spans(path, Settings.from_environment(), lambda _: None)
            return recorded_texts(spans, found.trace_id, texts)

        proposal = propose(found, ProgramSource(self._root), recorded)
        if proposal.file is not None:
            return f"{found.finding.recommendation}\n\n{proposal.diff()}"
        return f"{proposal.text or _NO_CHANGE}\n\nThere is no diff: {proposal.reason}.\n"

    def _rewrite(self, path: str) -> str:
        file = lint_file(self._regular_file(path))
        left = [f"{one.path}:{one.line}: {one.message}" for one in file.result.findings if not one.fixable]
        told = file.diff() or "Nothing in this file is rewritten: no rewrite surely changes no result.\n"
        return told + "".join(f"{one}\n" for one in left[:MOST_SHOWN])

    def _analysis(self, path: str) -> tuple[Analysis, list[str]]:
        """Return the analysis of the spans at *path*, and what could not be read."""
        settings = Settings.from_environment()
        skipped: list[str] = []

        def skip(error: UnreadableError) -> None:
            if len(skipped) < MOST_SHOWN:
                skipped.append(printable(str(error)))

        return analyze_in_one_process(self._spans(path, settings, skip), HowToAnalyze(settings)), skipped

    def _spans(self, path: str, settings: Settings, skip: Callable[[UnreadableError], None]) -> Iterator[SpanRecord]:
        """Return the spans at *path*; whether that is inside the folder is checked at once."""
        return self._spans_in(expanded([str(self._inside(path))]), settings, skip)

    def _spans_in(
        self, files: Sequence[str], settings: Settings, skip: Callable[[UnreadableError], None]
    ) -> Iterator[SpanRecord]:
        """
        Yield the spans of those *files* that can be read and are inside the folder.

        Raises:
            UnreadableError: There is none.
        """
        unread = SkippedFiles(skip)
        for file in files:
            try:
                yield from read_spans(self._regular_file(file), lambda _: None, skip, settings)
                unread.read()
            except UnreadableError as error:
                unread.add(error)
        unread.close()

    def _regular_file(self, path: str) -> str:
        """
        Return the name of the file at *path*, which can be read without waiting.

        Raises:
            UnreadableError: It is not inside the folder, or is no file.
        """
        found = self._inside(path)
        if not os.path.isfile(found):  # noqa: PTH113 - as below
            raise UnreadableError(path, None, "it is a folder without files, or a pipe", "a file")
        return str(found)

    def _inside(self, path: str) -> Path:
        """
        Return the file or folder at *path*.

        Raises:
            UnreadableError: It is not inside the folder, or does not exist.
        """
        try:
            found = (self._root / path).resolve()
        except (OSError, RuntimeError, ValueError):  # before Python 3.13, links in a circle are a RuntimeError
            raise UnreadableError(path, None, "it is no path", "a file or a folder") from None
        if not found.is_relative_to(self._root):
            raise UnreadableError(path, None, "it is outside of the served folder", f"a path inside {self._root}")
        if not os.path.exists(found):  # noqa: PTH110 - Path.exists raises if a name is too long
            raise UnreadableError(path, None, "it does not exist", "a file or a folder")
        return found


def _number(analysis: Analysis, wanted: int | str) -> int:
    """
    Return the number of the finding with the number or the id *wanted*.

    Raises:
        UnreadableError: There is none.
    """
    faults = faults_of(analysis.reports)
    numbers = {fault.name: number for number, fault in reversed(list(enumerate(faults, 1)))}
    number = numbers.get(str(wanted), wanted)
    if isinstance(number, str) and number.isdecimal() and len(number) <= len(str(len(faults))):
        number = int(number)
    if not isinstance(number, int) or not 1 <= number <= len(faults):
        expected = (
            f"a number from 1 to {len(faults)}, or an id" if faults else "no question about one: nothing was found"
        )
        raise UnreadableError(f"finding {wanted}", None, "there is no such finding", expected)
    return number
