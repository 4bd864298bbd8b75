"""What a test demands of the turns of an agent, and in which way they fail it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.analysis.findings.silencing import is_silenced
from otel_parallelism.errors import SettingError
from otel_parallelism.model import Analysis, Coverage, Report
from otel_parallelism.reports.parts.summary import turn_title
from otel_parallelism.reports.parts.wording import counted as counted_noun
from otel_parallelism.reports.parts.wording import seconds
from otel_parallelism.reports.text import render_text

from .unit_reports import JUDGED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.model import Finding

WIDTH: Final = 100
"""Characters of a line of a report."""
_UNJUDGED: Final = {
    "unseen": "no tool call was seen, although the model asked for some",
    "negligible": "its calls are too short to judge: demand structure=True, or let the stubs of its tools wait for "
    "some milliseconds",
    "contended": "its calls held one another up, so no efficiency can be given",
}


class Judgement(msgspec.Struct, frozen=True):
    """
    Whether a turn fulfils a demand.

    Attributes:
        report: The report that was judged: with ``structure=True``, the one with calls of one second.
        failures: A clause for each part of the demand that the turn fails.
        unknown: Why it is not known whether it fails; empty if it is known.
    """

    report: Report
    failures: tuple[str, ...] = ()
    unknown: str = ""


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a turn must fulfil.

    Attributes:
        min_efficiency: The lowest efficiency, from 0 to 1; None for any.
        max_avoidable: The most seconds that findings with the advice ``recommended`` may cost.
        allow: Findings that do not count, written as in the setting ``silence``: ``tool`` (glob), ``tool+tool``,
            ``cause:model`` or ``agent:name`` (glob).
        structure: Whether every call counts as one second, so that order and dependence alone are judged.

    Raises:
        SettingError: A value has a wrong type or is out of range; the message names it.
    """

    min_efficiency: float | None = None
    max_avoidable: float = 0.0
    allow: tuple[str, ...] = ()
    structure: bool = False

    def __post_init__(self) -> None:
        """Check every value; a list in ``allow`` becomes a tuple."""
        least, most = self.min_efficiency, self.max_avoidable
        allow: object = self.allow
        if least is not None and not (_is_number(least) and 0 <= least <= 1):
            raise SettingError(f"min_efficiency={least!r}: expected a number from 0 to 1")
        if not (_is_number(most) and most >= 0):
            raise SettingError(f"max_avoidable={most!r}: expected a number of seconds, at least 0")
        if isinstance(allow, str) or not isinstance(allow, Sequence) or not all(isinstance(one, str) for one in allow):
            raise SettingError(f"allow={allow!r}: expected a list of patterns, such as ['cause:model']")
        if not isinstance(self.structure, bool):
            raise SettingError(f"structure={self.structure!r}: expected True or False")
        msgspec.structs.force_setattr(self, "allow", tuple(allow))

    def judge(self, report: Report) -> Judgement:
        """Return whether the turn of *report* fulfils the demand."""
        if not self.structure:
            return Judgement(report, tuple(self._failures(report)))
        found = JUDGED.of(report)
        if found.together is None or found.apart is None:
            return Judgement(report, unknown=found.unknown)
        failures = tuple(self._failures(found.together))
        # Where the turn passes in either case, what is not known does not matter.
        doubtful = not failures and found.unknown and any(self._failures(found.apart))
        return Judgement(found.together, failures, found.unknown if doubtful else "")

    def _failures(self, report: Report) -> Iterator[str]:
        """Yield a clause for each demand that *report* fails."""
        counted = [one for one in report.findings if one.advice == "recommended" and not self._allows(one, report)]
        avoidable = min(report.avoidable, sum(one.avoidable for one in counted))
        if avoidable > self.max_avoidable:
            yield self._avoidable(avoidable, report)
        if report.verdict in _UNJUDGED:
            yield _UNJUDGED[report.verdict]
        elif self.min_efficiency is not None and report.makespan:
            # Efficiency is the share of the time in calls that is not avoidable.
            efficiency = report.efficiency if len(counted) == _recommended(report) else 1 - avoidable / report.makespan
            if efficiency is not None and efficiency < self.min_efficiency:
                yield f"its efficiency is {efficiency:.2f}, and {self.min_efficiency:g} is the least allowed"

    def _avoidable(self, avoidable: float, report: Report) -> str:
        if not self.structure:
            return f"{seconds(avoidable)} could be saved, and {seconds(self.max_avoidable)} are allowed"
        needed = report.makespan - avoidable
        clause = f"it takes as long as {counted_noun(round(report.makespan), 'call')}, and {needed:g} would do"
        return f"{clause}; {self.max_avoidable:g} more are allowed" if self.max_avoidable else clause

    def _allows(self, finding: Finding, report: Report) -> bool:
        calls = {call.span_id: call for call in report.turn.calls}
        members = [calls[span_id] for span_id in finding.span_ids if span_id in calls]
        return bool(self.allow) and is_silenced(members, finding.cause, report.turn.agent, self.allow)


def assert_parallel(
    *turns: Report,
    min_efficiency: float | None = None,
    max_avoidable: float = 0.0,
    allow: Sequence[str] = (),
    structure: bool = False,
) -> None:
    """
    Check that the tool calls of *turns* ran together where they could.

    With ``structure=True`` a turn passes if it is not known whether its calls were asked for together. A warning says
    so, unless the test captured the turn: then the last lines of pytest's output do.

    Args:
        turns: The reports on the turns, at least one.
        min_efficiency: The lowest efficiency that a turn may have, from 0 to 1; None for any.
        max_avoidable: The most seconds that recommended findings may cost in one turn.
        allow: Findings that do not count, written as in the setting ``silence``.
        structure: Whether every call counts as one second, so that order and dependence alone are judged, for tools
            that return at once. What calls were given and returned is known only during the test that ran them.

    Raises:
        AssertionError: A turn fails; the message has its timeline, its findings and the lines of code to change.
        SettingError: An argument has a wrong type or is out of range.
        TypeError: One of *turns* is no report.
    """
    __tracebackhide__ = True
    demand = Demand(
        min_efficiency=min_efficiency,
        max_avoidable=max_avoidable,
        allow=allow,  # type: ignore[arg-type] # a list becomes a tuple
        structure=structure,
    )
    if not turns:
        raise AssertionError("no agent turn was given")
    wrong = next((one for one in turns if not isinstance(one, Report)), None)
    if wrong is not None:
        raise TypeError(f"assert_parallel takes reports, such as those in parallelism.turns, not {wrong!r}")
    judged = [demand.judge(report) for report in turns]
    for report, judgement in zip(turns, judged, strict=True):
        if judgement.unknown and not JUDGED.note(report, unknown_text(judgement)):
            warnings.warn(unknown_text(judgement), stacklevel=2)
    text = failure_text(judged, base=str(Path.cwd()))
    if text:
        raise AssertionError(text)


def failure_text(judged: Sequence[Judgement], *, base: str) -> str:
    """
    Return why turns fail, followed by the reports on those that do; an empty string if none does.

    Names of files in the folder *base* are shown relative to it.
    """
    failed = [one for one in judged if one.failures]
    if not failed:
        return ""
    reasons = [f"{turn_title(one.report)}: {'; '.join(one.failures)}" for one in failed]
    analysis = Analysis(tuple(one.report for one in failed), Coverage())
    return "\n".join([*reasons, "", render_text(analysis, width=WIDTH, base=base)])


def unknown_text(judgement: Judgement) -> str:
    """Return a sentence that says that a turn was not judged, and why."""
    return f"{turn_title(judgement.report)} was not judged: {judgement.unknown}"


def _recommended(report: Report) -> int:
    return sum(one.advice == "recommended" for one in report.findings)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value  # noqa: PLR0124 - NaN
