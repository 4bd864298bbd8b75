"""The words and the tables of a fleet's report, which text and HTML share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_parallelism.shown_names import shown_name, shown_text

from .wording import counted, is_or_are, relative, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otel_parallelism.model.fleet_types import FleetGroup, FleetReport, Grouping, Onset, Pattern, Savings, Spread

HEADINGS: Final[Mapping[Grouping, str]] = {
    "agent": "By agent",
    "tool": "By tool",
    "cause": "By cause",
    "place": "By place",
    "day": "By day",
}
_MINUTE: Final = 60
_HOUR: Final = 3_600
_HUNDRED: Final = 100
_DIGITS: Final = ((10, 0), (0.1, 1))
"""Decimals of a percentage by its least value."""
_NEARLY: Final = 0.005
_SHOWN_TOOLS: Final = 5
_NO_VALUE: Final = "-"
COLUMNS: Final = (
    "Efficiency and ratio are medians, with the 10th and the 90th percentile of the ratio. Worst tenth is the 10th "
    "percentile of the efficiency."
)
"""What the columns of `group_columns` mean."""


def long_time(value: float) -> str:
    """
    Return *value*, in seconds, in the unit that reads best.

    >>> long_time(1.5), long_time(600), long_time(11_160), long_time(3_600_000)
    ('1.50 s', '10.0 min', '3.1 h', '1,000 h')
    """
    if value < 2 * _MINUTE:
        return seconds(value)
    if value < 2 * _HOUR:
        return f"{value / _MINUTE:,.1f} min"
    hours = value / _HOUR
    return f"{hours:,.1f} h" if hours < _HUNDRED else f"{hours:,.0f} h"


def percent(share: float) -> str:
    """
    Return *share* as a percentage.

    >>> percent(0.934), percent(0.0421), percent(0.0), percent(0.0004)
    ('93 %', '4.2 %', '0 %', '0.04 %')
    """
    hundredths = share * _HUNDRED
    digits = next((digits for least, digits in _DIGITS if hundredths >= least), 2)
    return f"{hundredths:.{digits}f} %" if hundredths else "0 %"


def fleet_headline(report: FleetReport) -> str:
    """Return one line: the turns, the days, and the time lost."""
    total = report.total
    if not total.turns:
        return f"No turn found: {counted(report.spans, 'span')}; analyze says what is missing"
    days = report.first_day if report.first_day == report.last_day else f"{report.first_day} to {report.last_day}"
    lost = f"{long_time(total.lost)} of {long_time(total.duration)} lost" if total.lost else "nothing known to be lost"
    cost = _tokens_and_money(total.tokens, total.cached_tokens, total.money)
    perhaps = f", perhaps {long_time(total.perhaps)}{' more' if total.lost else ''}" if total.perhaps else ""
    parts = (counted(total.turns, "turn"), days, lost + (f" and {cost}" if cost else "") + perhaps)
    return " · ".join(part for part in parts if part)


def calls_not_counted(report: FleetReport) -> str:
    """Return a sentence on the calls in no turn; empty if there are none."""
    number = report.calls_without_turn
    return f"{counted(number, 'call')} in no turn {is_or_are(number)} not counted." if number else ""


def fleet_next_step(savings: Savings) -> str:
    """Return one line: what fixing the first patterns would have saved; empty without any."""
    if not savings.patterns:
        return ""
    which = "one" if savings.patterns == 1 else {2: "two", 3: "three"}[savings.patterns]
    cost = _tokens_and_money(savings.tokens, savings.cached_tokens, savings.money)
    saved = f"{long_time(savings.lost)} ({percent(savings.share)} of all turns' time)" + (
        f" and {cost}" if cost else ""
    )
    return f"Fixing the first {which} would have saved {saved}."


def response_line(total: FleetGroup) -> str:
    """Return one line on how many calls the model's responses ask for; empty if no response is known."""
    if total.calls_per_response is None or total.several_share is None:
        return ""
    return (
        f"{counted(total.responses, 'model response')} with calls: {total.calls_per_response:.2f} calls each, "
        f"{percent(total.several_share)} with more than one"
    )


def pattern_chain(pattern: Pattern) -> str:
    """Return the calls of *pattern* as an arrow for a chain, and as a list for calls without an order."""
    names = [shown_name(name) for name in pattern.calls]
    if len(names) > _SHOWN_TOOLS:
        names = [*names[: _SHOWN_TOOLS - 1], f"{len(names) - _SHOWN_TOOLS + 1} more"]
    chain = (" → " if pattern.kind == "sequential_chain" else ", ").join(names)
    if len(pattern.calls) == 1:
        chain = {"repeated_call": f"{chain} again", "sequential_chain": f"{chain} → {chain}"}.get(pattern.kind, chain)
    return f"{shown_name(pattern.around)}: {chain}" if pattern.around else chain


def pattern_line(pattern: Pattern) -> str:
    """Return one line: the calls, the turns, the time lost, and the cause."""
    lost = long_time(pattern.lost)
    parts = (
        pattern_chain(pattern),
        counted(pattern.turns, "turn"),
        lost if pattern.advice == "recommended" else f"perhaps {lost}",
        f"`{pattern.cause}`",
        _tokens_and_money(pattern.tokens or None, pattern.cached_tokens or None, pattern.money),
    )
    return " · ".join(part for part in parts if part)


def pattern_remarks(pattern: Pattern, base: str = "") -> Iterator[str]:
    """Yield what else is known of *pattern*: the agent, the place, the day it began, and the advice."""
    agent = shown_name(pattern.agent)
    location = pattern.location
    at = "" if location is None else relative(shown_text(f"{location.file_path}:{location.line_number}"), base)
    days = pattern.first_day if pattern.first_day == pattern.last_day else f"{pattern.first_day} to {pattern.last_day}"
    when = onset_words(pattern.onset) if pattern.onset is not None else f"seen {days}"
    trace = f"trace {shown_name(pattern.trace_id)}"
    worst = f"most in {trace} ({seconds(pattern.worst)})" if pattern.turns > 1 else trace
    yield " · ".join(part for part in (agent, at, when, worst) if part)
    if pattern.recommendation:
        yield f"→ {relative(shown_text(pattern.recommendation), base)}"


def onset_words(onset: Onset) -> str:
    """Return when a pattern began or ended, and the shares of the agent's turns before and after."""
    day = onset.day if onset.day == onset.latest else f"{onset.day} to {onset.latest}"
    return f"{onset.change} {day} ({percent(onset.before)} → {percent(onset.after)} of its turns)"


def group_columns(groups: Sequence[FleetGroup], grouping: Grouping, base: str = "") -> dict[str, list[str]]:
    """Return the columns of the table of *groups*; those without any value are left out."""
    columns = {
        grouping: [relative(shown_text(group.name), base) for group in groups],
        "turns": [f"{group.turns:,}" for group in groups],
        "lost": [long_time(group.lost) if group.lost else _NO_VALUE for group in groups],
        "perhaps": [long_time(group.perhaps) if group.perhaps else _NO_VALUE for group in groups],
        "tokens": [f"{group.tokens:,}" if group.tokens else _NO_VALUE for group in groups],
        "money": [f"{group.money:,.2f}" if group.money else _NO_VALUE for group in groups],
        "efficiency": [_range(group, "p50") for group in groups],
        "worst tenth": [_range(group, "p10") for group in groups],
        "ratio": [_middle(group.ratio) for group in groups],
        "calls/response": [_decimals(group.calls_per_response) for group in groups],
        "several calls": [
            _NO_VALUE if group.several_share is None else percent(group.several_share) for group in groups
        ],
    }
    return {name: column for name, column in columns.items() if set(column) != {_NO_VALUE}}


def _range(group: FleetGroup, name: str) -> str:
    """Return a percentile of the efficiency, from that of the floor up where the floor is visibly lower."""
    high, low = group.efficiency, group.efficiency_floor
    if high is None:
        return _NO_VALUE
    most = getattr(high, name)
    least = most if low is None else min(getattr(low, name), most)
    return f"{most:.2f}" if most - least <= _NEARLY else f"{least:.2f}–{most:.2f}"


def _middle(spread: Spread | None) -> str:
    return _NO_VALUE if spread is None else f"{spread.p50:.2f} ({spread.p10:.2f}–{spread.p90:.2f})"


def _decimals(value: float | None) -> str:
    return _NO_VALUE if value is None else f"{value:.2f}"


def _tokens_and_money(tokens: int | None, cached: int | None, money: float | None) -> str:
    if not tokens:
        return ""
    inside = [f"{cached:,} of them cached"] if cached else []
    if money:
        inside.append(f"costing {money:,.2f}")
    return f"{counted(tokens, 'input token')}" + (f" ({', '.join(inside)})" if inside else "")
