"""
Reports on turns in which every call counts as one second, so that tests with instant mocks judge order alone.

Two reports are made of each turn. Where it is not known whether the program asked for calls together, they run together
in one report and apart in the other. Only what both show is certain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.schedule.unit_lengths import with_unit_lengths
from otel_parallelism.model import Report
from otel_parallelism.settings import Settings
from otel_parallelism.shown_names import shown_name

if TYPE_CHECKING:
    from otel_parallelism.model import Turn
    from otel_parallelism.source.call_stacks import Sources

NOTE: Final = "structure=True: every call counts as one second, so that order and dependence alone are judged"
_MOST_PAIRS: Final = 3


class UnitReports(msgspec.Struct, frozen=True):
    """
    What a turn would be with calls of one second.

    Attributes:
        together: The report if calls whose order is not known ran together; None if none can be made.
        apart: The report if they ran one after another.
        unknown: A clause that says what is not known; empty if everything is.
    """

    together: Report | None
    apart: Report | None
    unknown: str = ""


def unit_reports(report: Report, settings: Settings | None = None, sources: Sources | None = None) -> UnitReports:
    """
    Return the reports on the turn of *report* with calls of one second.

    Args:
        report: The report on a turn whose contents can still be read.
        settings: Patterns of tools, and which findings to silence; the defaults if None.
        sources: Returns the parsed file of a function that made a call; None if no source is at hand.
    """
    settings = Settings() if settings is None else settings
    one = with_unit_lengths(report.turn)
    if not one.whole:
        return UnitReports(None, None, "it has too many calls to compare")
    together = _analyzed(one.turn, settings, sources)
    if not one.undecided:
        return UnitReports(together, together)
    other = with_unit_lengths(report.turn, apart=True)
    named = [f"{shown_name(a)} and {shown_name(b)}" for a, b in one.undecided[:_MOST_PAIRS]]
    more = len(one.undecided) - len(named)
    listed = ", ".join(named) + (f" and {more} more pairs" if more else "")
    return UnitReports(
        together,
        _analyzed(other.turn, settings, sources),
        f"it is not known whether the program asked for these together: {listed}",
    )


def _analyzed(turn: Turn, settings: Settings, sources: Sources | None) -> Report:
    found = analyze(turn, settings, None, sources, measured=False)
    return msgspec.structs.replace(found, notes=(NOTE, *found.notes))


class Judged:
    """
    The reports with calls of one second on the turns of running tests.

    What calls were given and returned is let go when a turn ends, so they are made at that time.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Report, UnitReports, list[str]]] = {}

    def add(self, report: Report, found: UnitReports, notes: list[str]) -> None:
        """Keep what was *found* about the turn of *report*; *notes* takes what a test should say of it."""
        self._known[id(report)] = (report, found, notes)

    def remove(self, report: Report) -> None:
        """Forget what was found about the turn of *report*."""
        self._known.pop(id(report), None)

    def of(self, report: Report) -> UnitReports:
        """Return what was found about the turn of *report*; for a turn of no running test, it is found now."""
        known = self._known.get(id(report))
        return unit_reports(report) if known is None else known[1]

    def note(self, report: Report, text: str) -> bool:
        """Add *text* to what the test that ran the turn says; return False if no running test did."""
        known = self._known.get(id(report))
        if known is not None and text not in known[2]:
            known[2].append(text)
        return known is not None


JUDGED: Final = Judged()
"""The turns of the tests that run in this process."""
