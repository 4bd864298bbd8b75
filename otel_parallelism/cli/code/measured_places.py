"""The seconds that reports of ``analyze --format json`` measured at places in the code, joined with lint's findings."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.cli.stored_report import stored_report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.lint.lint_findings import LintFinding


class MeasuredPlace(msgspec.Struct, frozen=True):
    """A place in the code, and how many seconds its calls could have saved in all turns of a report."""

    file_path: str
    line_number: int
    avoidable_s: float


class _Place(msgspec.Struct):
    file_path: str
    line_number: int


class _ReportedFinding(msgspec.Struct):
    avoidable: float
    location: _Place | None = None


class _ReportedFindings(msgspec.Struct):
    findings: list[_ReportedFinding]


def measured_places(name: str) -> list[MeasuredPlace]:
    """
    Return the places of the findings in the JSON report called *name*.

    Raises:
        UnreadableError: The file cannot be read, is not such a report, or has a newer schema.
    """
    expected = "a report of analyze --format json"
    report = stored_report(name, _ReportedFindings, expected)
    return [
        MeasuredPlace(one.location.file_path, one.location.line_number, one.avoidable)
        for one in report.findings
        if one.location is not None
    ]


def ranked(findings: Sequence[LintFinding], places: Sequence[MeasuredPlace]) -> list[LintFinding]:
    """
    Return *findings* with the seconds that were measured on their lines, the largest sums first.

    A place belongs to the file of a finding that has the most of the last parts of its path. Where two files have the
    same number of them, it belongs to none.
    """
    sums = [0.0] * len(findings)
    by_path: dict[str, list[int]] = {}
    for at, finding in enumerate(findings):
        by_path.setdefault(finding.path, []).append(at)
    by_file_name: dict[str, list[str]] = {}
    for path in by_path:
        by_file_name.setdefault(_file_name(path), []).append(path)
    for place in places:
        closest = _closest(place.file_path, by_file_name.get(_file_name(place.file_path), []))
        for at in by_path.get(closest or "", ()):
            if findings[at].line <= place.line_number <= findings[at].end_line:
                sums[at] += place.avoidable_s
    order = sorted(range(len(findings)), key=lambda at: -sums[at])
    return [msgspec.structs.replace(findings[at], measured_s=round(sums[at], 3)) for at in order]


def _closest(path: str, names: Sequence[str]) -> str | None:
    common = {name: _common_parts(path, name) for name in names}
    most = max(common.values(), default=0)
    best = [name for name, number in common.items() if number == most]
    return best[0] if most and len(best) == 1 else None


def _common_parts(one: str, other: str) -> int:
    """
    Return how many of their last parts two paths have in common.

    >>> _common_parts("/srv/shop/page.py", "src/shop/page.py"), _common_parts("a/b.py", "a/c.py")
    (2, 0)
    """
    pairs = zip(*(reversed(_parts(path)) for path in (one, other)), strict=False)
    number = 0
    for first, second in pairs:
        if first != second:
            break
        number += 1
    return number


def _file_name(path: str) -> str:
    return "".join(_parts(path)[-1:])


def _parts(path: str) -> tuple[str, ...]:
    return PurePosixPath(path.replace("\\", "/")).parts
