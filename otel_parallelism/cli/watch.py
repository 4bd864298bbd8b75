"""The turns that end in this process, kept for the report at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

import otel_parallelism
from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor
from otel_parallelism.model import Analysis, Report
from otel_parallelism.reports.parts.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_REPORTS: Final = 10_000


class Watch:
    """
    Installs and patches everything and keeps the report of every turn that ends from then on.

    Turns past ``MOST_REPORTS`` are counted and not kept. A report is kept without what its calls were given and
    returned: nothing shows that, and holding it would keep the program's data alive.

    Raises:
        ValueError: An environment variable cannot be read as its setting.
    """

    def __init__(self) -> None:
        """Start watching."""
        self._reports: list[Report] = []
        self._dropped = 0
        instrumentor = ParallelismInstrumentor()
        if not instrumentor.is_instrumented_by_opentelemetry:  # as it is under opentelemetry-instrument
            instrumentor.instrument()
        otel_parallelism.subscribe(self._keep)

    def analysis(self) -> Analysis:
        """Return what was seen so far, turns in order of start."""
        reports = sorted(self._reports, key=lambda report: (report.turn.start_ns, report.turn.span_id))
        return Analysis(tuple(reports), otel_parallelism.coverage())

    def missing(self) -> Iterator[str]:
        """Yield what the report cannot show, in one line each."""
        if self._dropped:
            yield f"{counted(self._dropped, 'later turn')} left out of the report"
        if still_open := len(otel_parallelism.live_turns()):
            yield f"{counted(still_open, 'turn')} still open, and not in the report"

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
