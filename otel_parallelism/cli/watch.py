"""Collects the reports of the turns that end in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

import otel_parallelism
from otel_parallelism.instrumentation.hooks.patching import PATCHING
from otel_parallelism.instrumentation.hooks.targets import TARGETS, stale_references
from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor
from otel_parallelism.model import Analysis, Report
from otel_parallelism.reports.parts.wording import counted
from otel_parallelism.settings import DISABLED, SDK_DISABLED, Settings, is_switched_off

from .child_processes import ChildProcesses

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_REPORTS: Final = 10_000


class Watch:
    """
    Activates the instrumentation and keeps the report of each turn that ends afterwards.

    At most ``MOST_REPORTS`` reports are kept; further turns are counted. Reports are kept without the arguments and
    results of their calls: no renderer shows these, and keeping them would keep the program's objects alive.

    Raises:
        ValueError: An environment variable has an invalid value for its setting.
    """

    def __init__(self) -> None:
        """Activate the instrumentation and subscribe to reports."""
        self._reports: list[Report] = []
        self._dropped = 0
        self._children = ChildProcesses()
        instrumentor = ParallelismInstrumentor()
        if not instrumentor.is_instrumented_by_opentelemetry:  # which is the case under opentelemetry-instrument
            Settings.from_environment()  # raises; the instrumentation itself uses the default of an invalid setting
            instrumentor.instrument()
        otel_parallelism.subscribe(self._keep)

    def analysis(self) -> Analysis:
        """Return the analysis of the turns that have ended so far, in order of start."""
        reports = sorted(self._reports, key=lambda report: (report.turn.start_ns, report.turn.span_id))
        return Analysis(tuple(reports), otel_parallelism.coverage())

    def missing(self) -> Iterator[str]:
        """Yield one line for each reason why the report omits turns."""
        if is_switched_off():
            yield f"nothing is recorded: {DISABLED} or {SDK_DISABLED} is true"
        yield from _past_targets()
        if self._children.count:
            yield f"{counted(self._children.count, 'child process')} of Python, whose turns are not in the report"
        if self._dropped:
            yield f"{counted(self._dropped, 'later turn')} omitted from the report"
        if still_open := len(otel_parallelism.live_turns()):
            yield f"{counted(still_open, 'turn')} still open and not in the report"

    def _keep(self, report: Report) -> None:
        if len(self._reports) >= MOST_REPORTS:
            self._dropped += 1
            return
        turn = report.turn
        light = msgspec.structs.replace(
            turn,
            calls=tuple(msgspec.structs.replace(call, arguments=None, result=None) for call in turn.calls),
            steps=tuple(msgspec.structs.replace(step, messages=None) for step in turn.steps),
            inputs=(),
        )
        self._reports.append(msgspec.structs.replace(report, turn=light))


def _past_targets() -> Iterator[str]:
    """Yield one line for each target that was never imported, and each place that holds an unwrapped function."""
    for title in TARGETS.titles:
        if PATCHING.states.get(title) == "waiting":
            yield f"target {title!r}: the module was never imported; functions of a script are in __main__"
    for reference in stale_references(TARGETS.wrapped):
        yield f"{reference.place} is the unwrapped {reference.target}: calls through it are not seen"
