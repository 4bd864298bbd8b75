"""The numbers of a turn that the HTML page shows, each with a label and a meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism import names

from . import summary
from .wording import counted, efficiency_range, seconds, two_decimals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_parallelism.model import Report

_NEARLY: Final = 0.005
_MEANINGS: Final = {each.key: each.meaning for each in names.TURN_ATTRIBUTES}


class TurnMeasure(msgspec.Struct, frozen=True):
    """A number: its short label, the attribute that has it (an empty string if none has), and its meaning."""

    label: str
    attribute: str
    meaning: str


def measures_of(report: Report) -> Iterator[tuple[int, str]]:
    """Yield the position in ``MEASURES`` and the text of each number that *report* has."""
    for at, (_, text) in enumerate(_ROWS):
        if shown := text(report):
            yield at, shown


def _emitted(label: str, attribute: str, text: Callable[[Report], str]) -> tuple[TurnMeasure, Callable[[Report], str]]:
    return TurnMeasure(label, attribute, _MEANINGS[attribute]), text


def _ratio(value: float | None) -> str:
    return "" if value is None else two_decimals(value)


def _less(value: float | None, than: float | None) -> str:
    """Return *value* as text if it is visibly less than *than*; otherwise an empty string."""
    return two_decimals(value) if value is not None and than is not None and than - value > _NEARLY else ""


def _whole(number: int | None) -> str:
    return f"{number:,}" if number else ""


def _of_calls(report: Report, value: float | None) -> str:
    return seconds(value) if report.calls and value is not None else ""


_ROWS: Final = (
    _emitted("Efficiency", names.EFFICIENCY, efficiency_range),
    _emitted("Avoidable", names.AVOIDABLE, lambda r: seconds(r.avoidable) if summary.has_avoidable(r) else ""),
    _emitted(
        "Perhaps avoidable",
        names.AVOIDABLE_POTENTIAL,
        lambda r: seconds(r.avoidable_potential) if summary.may_have_avoidable(r) else "",
    ),
    _emitted("Ratio", names.RATIO, lambda r: _ratio(r.ratio)),
    _emitted("Achievable ratio", names.ACHIEVABLE_RATIO, lambda r: _ratio(r.achievable_ratio)),
    _emitted("Effective ratio", names.EFFECTIVE_RATIO, lambda r: _less(r.effective_ratio, r.ratio)),
    _emitted("Calls", names.CALLS, lambda r: f"{r.calls:,}"),
    _emitted("Makespan", names.MAKESPAN, lambda r: _of_calls(r, r.makespan)),
    (
        TurnMeasure(
            "Critical path",
            "",
            "how long the calls would take if each started when the calls that it depends on have ended: the time that "
            "remains after every safe improvement",
        ),
        lambda r: _of_calls(r, r.critical_path),
    ),
    _emitted("Work", names.WORK, lambda r: _of_calls(r, r.work)),
    _emitted("Busy", names.BUSY, lambda r: _of_calls(r, r.busy)),
    _emitted("Peak", names.PEAK_CONCURRENCY, lambda r: _whole(r.peak_concurrency)),
    _emitted(
        "Longest chain",
        names.MAX_CHAIN_LENGTH,
        lambda r: counted(r.max_chain_length, "call") if r.max_chain_length else "",
    ),
    (
        TurnMeasure("Model time", "", "sum of the durations of the turn's model requests"),
        lambda r: seconds(r.think) if r.steps else "",
    ),
    (TurnMeasure("Model steps", "", "model requests of the turn itself"), lambda r: _whole(r.steps)),
    _emitted("Avoidable steps", names.AVOIDABLE_STEPS, lambda r: _whole(r.avoidable_steps)),
    (
        TurnMeasure(
            "Avoidable tokens",
            "",
            "input tokens of the model requests saved if independent calls were requested together",
        ),
        lambda r: _whole(r.avoidable_tokens),
    ),
    (
        TurnMeasure("Avoidable cached tokens", "", "those of them that would have been read from the provider's cache"),
        lambda r: _whole(r.avoidable_cached_tokens),
    ),
    _emitted("Coverage", names.COVERAGE, lambda r: two_decimals(r.coverage) if r.coverage < 1 else ""),
)
MEASURES: Final = tuple(measure for measure, _ in _ROWS)
"""All numbers that the page can show, the most important first."""
