"""Collects the turns that end while a test runs."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor
from otel_parallelism.model import Analysis
from otel_parallelism.reports.text import render_text
from otel_parallelism.tracing.install import coverage, subscribe, wait_for_reports
from otel_parallelism.tracing.state.registry import REGISTRY
from otel_parallelism.tracing.state.turn_end.source_files import source_file

from .dispatching.recorder import DispatchRecorder
from .unit_reports import JUDGED, unit_reports

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from otel_parallelism.model import Report

    from .replaying.replay import Replay

_SHORTEST_SAVING_S = 0.001
"""What calls of stubs can save is short: findings are reported from this many seconds on."""


class CapturedTurns:
    """
    The reports on the turns that ended during a test.

    No global provider is set or replaced. Frameworks that are imported are patched at the first capture of the process,
    as by ``opentelemetry-instrument``, and stay patched until `release`.

    Attributes:
        undecided: Why turns passed although their structure could not be judged, a sentence for each.
    """

    def __init__(self, *, structure: bool = True, folder: Path | None = None) -> None:
        """
        Args:
            structure: Whether to record what the demand ``structure=True`` needs to know.
            folder: The folder that recordings are looked for in; the current one if None.
        """
        self._folder = folder
        self._turns: list[Report] = []
        self.undecided: list[str] = []
        self._recorder: DispatchRecorder | None = DispatchRecorder() if structure else None
        self._unsubscribe: Callable[[], None] | None = None
        self._outside_before = 0

    @property
    def turns(self) -> list[Report]:
        """One report for each turn, in the order in which the turns ended."""
        wait_for_reports()
        return self._turns

    @property
    def turn(self) -> Report:
        """
        The report on the only turn.

        Raises:
            AssertionError: There were no turns, or several; the message says how many, and what to do.
        """
        if len(self.turns) != 1:
            raise AssertionError(f"expected one agent turn: {self.number_of_turns()}")
        return self.turns[0]

    @property
    def calls_outside_turns(self) -> int:
        """The number of tool calls that ran outside every turn, and so are in no report."""
        return coverage().calls_without_turn - self._outside_before

    def number_of_turns(self) -> str:
        """Return how many turns ended, in words, and what to do if calls belong to no turn."""
        found = f"{len(self.turns)} turns ended" if self.turns else "no agent turn ended"
        outside = self.calls_outside_turns
        if not outside:
            return found
        calls = "1 tool call" if outside == 1 else f"{outside} tool calls"
        return f"{found}; {calls} ran outside every turn: run the agent inside of `with agent_turn(...)`"

    def text(self, *, width: int = 100) -> str:
        """Return the reports as text with lines of at most *width* characters."""
        return render_text(Analysis(tuple(self.turns), coverage()), width=width)

    def replay(self, recording: str | os.PathLike[str]) -> Replay:
        """
        Return a model that gives the responses of a recorded trace again, to be used in a ``with`` statement.

        Args:
            recording: A file of spans with the contents of model responses, in any format that ``analyze`` reads. A
                relative name is that of a file beside the test's.

        Raises:
            UnreadableError: The file cannot be read, holds no model request, or a response was not captured in full.
        """
        __tracebackhide__ = True
        from .replaying.replay import Replay  # noqa: PLC0415 - most tests replay nothing

        return Replay(Path(recording) if self._folder is None else self._folder / recording)

    def start(self) -> None:
        """Forget the turns so far, and capture those that end from now on."""
        instrumentor = ParallelismInstrumentor()
        if not instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.instrument()
            shortest = min(REGISTRY.settings.min_avoidable, _SHORTEST_SAVING_S)
            settings = msgspec.structs.replace(REGISTRY.settings, min_avoidable=shortest, turn_end_budget=inf)
            REGISTRY.configure(settings)
            _STARTED.append(instrumentor)
        self.stop()
        wait_for_reports()  # on turns that ended before
        self._turns, self.undecided = [], []
        self._outside_before = coverage().calls_without_turn
        if self._recorder is not None:
            self._recorder.start()
        self._unsubscribe = subscribe(self._add)

    def stop(self) -> None:
        """Capture no more turns; those captured stay."""
        if self._unsubscribe is None:
            return
        wait_for_reports()
        self._unsubscribe()
        self._unsubscribe = None
        if self._recorder is not None:
            self._recorder.stop()
        for report in self._turns:
            JUDGED.remove(report)

    def _add(self, report: Report) -> None:
        self._turns.append(report)
        if self._recorder is not None:
            JUDGED.add(report, unit_reports(report, REGISTRY.settings, source_file), self.undecided)


_STARTED: list[ParallelismInstrumentor] = []


def release() -> None:
    """Undo what the first capture did to the process; do nothing if the program itself had instrumented it."""
    while _STARTED:
        _STARTED.pop().uninstrument()
