"""Collects the reports of the turns that end in this process, and in child processes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import otel_parallelism
from otel_parallelism.instrumentation.hooks.patching import PATCHING
from otel_parallelism.instrumentation.hooks.targets import TARGETS, stale_references
from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor
from otel_parallelism.model import Analysis, Coverage, Report
from otel_parallelism.processes.following import MOST_REPORTS, light_report
from otel_parallelism.reports.parts.wording import counted
from otel_parallelism.settings import DISABLED, SDK_DISABLED, Settings, is_switched_off, variable_of
from otel_parallelism.tracing.install import usable_settings

from .child_processes import ChildReports, FollowedProcesses

if TYPE_CHECKING:
    from collections.abc import Iterator


class Watch:
    """
    Activates the instrumentation and keeps the report of each turn that ends afterwards.

    At most ``MOST_REPORTS`` reports are kept; further turns are counted. Reports are kept without the arguments and
    results of their calls: no renderer shows these, and keeping them would keep the program's objects alive.

    Args:
        follow: Whether turns of child processes are reported too. `close` must then be called.

    Raises:
        ValueError: An environment variable has an invalid value for its setting.
    """

    def __init__(self, *, follow: bool = False) -> None:
        """Activate the instrumentation and subscribe to reports."""
        self._reports: list[Report] = []
        self._dropped = 0
        instrumentor = ParallelismInstrumentor()
        if not instrumentor.is_instrumented_by_opentelemetry:  # which is the case under opentelemetry-instrument
            Settings.from_environment()  # raises; the instrumentation itself uses the default of an invalid setting
            # An analysis in a thread would slow the calls of the next turn, which are measured too. Child processes
            # read the variable as well.
            os.environ.setdefault(variable_of("turn_end_budget"), "inf")
            instrumentor.instrument()
        unsubscribe = otel_parallelism.subscribe(self._keep)
        self._read = ChildReports()
        self._children: FollowedProcesses | None = None
        settings = usable_settings()
        if follow and not settings.disabled:
            self._children = FollowedProcesses(everything=bool(settings.targets), forked=unsubscribe)

    def analysis(self) -> Analysis:
        """Return the analysis of the turns that have ended so far, in order of start."""
        otel_parallelism.wait_for_reports()
        own = self._reports.copy()
        if self._children is not None:
            self._read = self._children.read(MOST_REPORTS - len(own))
        reports = sorted((*own, *self._read.reports), key=_order)
        return Analysis(tuple(reports), _sum(otel_parallelism.coverage(), self._read.coverage))

    def open_turns(self) -> int:
        """Return the number of turns that are open in child processes; call it in one thread only."""
        return 0 if self._children is None else self._children.open_turns()

    def close(self) -> None:
        """Follow no further child processes, and delete what they have written."""
        if self._children is not None:
            self._children.close()

    def missing(self) -> Iterator[str]:
        """Yield one line for each reason why the report omits turns."""
        if is_switched_off():
            yield f"nothing is recorded: {DISABLED} or {SDK_DISABLED} is true"
        yield from _past_targets()
        children = self._read
        if self._children is not None and self._children.unfollowed:
            number = counted(self._children.unfollowed, "child process")
            yield f"{number} of Python not followed: started without our PYTHONPATH, or with -I, -E or -S"
        if omitted := self._dropped + children.omitted:
            yield f"{counted(omitted, 'later turn')} omitted from the report"
        if children.still_open:
            open_turns = counted(children.still_open, "turn")
            yield f"{open_turns} of {counted(children.processes, 'child process')} not ended and not in the report"
        if still_open := len(otel_parallelism.live_turns()):
            yield f"{counted(still_open, 'turn')} still open and not in the report"

    def _keep(self, report: Report) -> None:
        if len(self._reports) >= MOST_REPORTS:
            self._dropped += 1
        else:
            self._reports.append(light_report(report))


def _order(report: Report) -> tuple[int, str, str]:
    return (report.turn.start_ns, report.turn.trace_id, report.turn.span_id)


def _sum(one: Coverage, other: Coverage) -> Coverage:
    return Coverage(
        one.calls + other.calls,
        one.calls_without_turn + other.calls_without_turn,
        one.spans + other.spans,
        one.anomalies + other.anomalies,
    )


def _past_targets() -> Iterator[str]:
    """Yield one line for each target that was never imported, and each place that holds an unwrapped function."""
    for title in TARGETS.titles:
        if PATCHING.states.get(title) == "waiting":
            yield f"target {title!r}: the module was never imported; functions of a script are in __main__"
    for reference in stale_references(TARGETS.wrapped):
        yield f"{reference.place} is the unwrapped {reference.target}: calls through it are not seen"
