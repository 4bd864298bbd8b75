"""The words and the tables of a comparison, which text and HTML share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_parallelism.shown_names import shown_name

from .fleet_rows import long_time, onset_words, pattern_chain, percent
from .wording import counted, is_or_are, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otel_parallelism.model.comparison_types import (
        AgentComparison,
        Comparison,
        Difference,
        Measure,
        PatternChange,
        PatternFate,
        Prediction,
    )
    from otel_parallelism.model.fleet_types import Pattern

MEASURE_NAMES: Final[Mapping[Measure, str]] = {
    "efficiency": "efficiency",
    "lost": "time lost a turn",
    "duration": "duration of a turn",
    "tokens": "input tokens a turn",
    "calls_per_response": "calls per response",
}
FATES: Final[Mapping[PatternFate, str]] = {
    "gone": "Gone",
    "new": "New",
    "changed": "Changed",
    "unchanged": "Unchanged",
    "unsure": "On one side only, in too few turns to be sure",
}
_SECONDS: Final = frozenset({"lost", "duration"})
_NO_VALUE: Final = "-"
_NAMED: Final = 5


def comparison_headline(comparison: Comparison) -> str:
    """Return one line: the turns of each side, and whether the second one is worse."""
    if comparison.turns_after is None:
        return f"{counted(comparison.turns_before, 'turn')} · {_days_found(comparison)}"
    turns = _sides(comparison.turns_before, comparison.turns_after)
    worse = [one.agent for one in comparison.agents if any(each.worse for each in one.differences)]
    new = [change for change in comparison.changes if change.fate == "new" and change.pattern.advice == "recommended"]
    parts = [f"worse: {_names(worse)}"] if worse else []
    parts += [counted(len(new), "new pattern")] if new else []
    if not parts:
        better = [one.agent for one in comparison.agents if any(is_better(each) for each in one.differences)]
        parts = [f"better: {_names(better)}" if better else _nothing_sure(comparison)]
    return f"{turns} · {' · '.join(parts)}"


def _nothing_sure(comparison: Comparison) -> str:
    if not comparison.agents:
        return "no agent has turns on both sides"
    return "no sure difference" if comparison.intervals else "too few turns of each agent to tell"


def _names(names: Sequence[str]) -> str:
    """Return the first few of *names*."""
    return ", ".join(shown_name(name) for name in names[:_NAMED]) + (" …" if len(names) > _NAMED else "")


def is_better(difference: Difference) -> bool:
    """Return whether a difference is sure and good."""
    if not difference.sure or difference.measure == "calls_per_response":
        return False
    return difference.difference > 0 if difference.measure == "efficiency" else difference.difference < 0


def agents_to_show(comparison: Comparison) -> tuple[list[AgentComparison], int]:
    """Return the agents with a sure difference, worse ones first, and how many others there are; all of a few."""
    sure = [one for one in comparison.agents if any(each.sure for each in one.differences)]
    shown = sure or list(comparison.agents[:1])
    shown.sort(key=lambda one: (not any(each.worse for each in one.differences), one.agent))
    return shown, len(comparison.agents) - len(shown)


def agent_heading(one: AgentComparison) -> str:
    """Return the agent with its numbers of turns."""
    return f"{shown_name(one.agent)} · {_sides(one.turns_before, one.turns_after)}"


def _sides(before: int, after: int) -> str:
    """Return the numbers of turns of the two sides in words."""
    return f"{counted(before, 'turn')} before, {after:,} after"


def difference_columns(differences: Sequence[Difference]) -> dict[str, list[str]]:
    """Return the columns of the table of one agent's differences."""
    return {
        "mean": [MEASURE_NAMES[each.measure] for each in differences],
        "before": [_value(each.measure, each.before) for each in differences],
        "after": [_value(each.measure, each.after) for each in differences],
        "difference": [_value(each.measure, each.difference, sign=True) for each in differences],
        "interval": [_interval(each) for each in differences],
        "": [_judgement(each) for each in differences],
    }


def prediction_line(one: Prediction) -> str:
    """Return the predicted saving beside the measured one."""
    interval = f"{seconds_with_sign(one.low)} to {seconds_with_sign(one.high)}"
    words = {
        "held": "the prediction held",
        "less": "less than predicted",
        "more": "more than predicted",
        "unsure": "too few turns to tell",
    }[one.outcome]
    what = "the pattern that is gone" if one.patterns == 1 else f"the {one.patterns} patterns that are gone"
    return (
        f"Fixing {what} was predicted to save {seconds(one.predicted)} a turn. A turn takes {seconds(abs(one.came))} "
        f"{'less' if one.came >= 0 else 'more'} (saved: {interval}): {words}."
    )


def changes_by_fate(comparison: Comparison) -> Iterator[tuple[str, list[PatternChange]]]:
    """Yield a heading and the patterns below it, for each fate that occurs."""
    for fate, heading in FATES.items():
        found = [change for change in comparison.changes if change.fate == fate]
        if found:
            yield heading, found


def change_line(change: PatternChange) -> str:
    """Return one pattern with its shares of turns."""
    pattern = change.pattern
    lost = long_time(pattern.lost) if pattern.advice == "recommended" else f"perhaps {long_time(pattern.lost)}"
    now = "" if change.now is None else f"now `{change.now.cause}`, {change.now.advice}"
    shares = f"{percent(change.before)} → {percent(change.after)} of the turns with its calls"
    parts = (pattern_chain(pattern), shown_name(pattern.agent), f"`{pattern.cause}`", lost, shares, now)
    return " · ".join(part for part in parts if part)


def dated_line(pattern: Pattern) -> str:
    """Return one pattern with the day on which it began or ended."""
    when = "" if pattern.onset is None else onset_words(pattern.onset)
    return f"{pattern_chain(pattern)} · {shown_name(pattern.agent)} · `{pattern.cause}` · {when}"


def comparison_remarks(comparison: Comparison) -> Iterator[str]:
    """Yield what the reader has to know beside the numbers."""
    for names, side in ((comparison.only_before, "before"), (comparison.only_after, "after")):
        if names:
            yield f"Only {side}: {_names(names)}."
    if left_out := comparison.turns_left_out:
        yield f"{counted(left_out, 'turn')} of further agents {is_or_are(left_out)} not compared."
    if comparison.intervals:
        several = comparison.intervals > 1
        what = f"All {comparison.intervals:,} intervals hold together" if several else "The interval holds"
        yield f"{what} with {percent(comparison.confidence)} confidence."


def seconds_with_sign(value: float) -> str:
    """
    Return *value* in seconds with its sign.

    >>> seconds_with_sign(-0.5), seconds_with_sign(0.5)
    ('-0.50 s', '0.50 s')
    """
    return f"-{seconds(-value)}" if value < 0 else seconds(value)


def _days_found(comparison: Comparison) -> str:
    if not comparison.dated:
        return "the days show no pattern that began or ended"
    return f"{counted(len(comparison.dated), 'pattern')} with a day on which it began or ended"


def _value(measure: Measure, value: float, *, sign: bool = False) -> str:
    if measure in _SECONDS:
        text = seconds_with_sign(value)
    else:
        text = f"{value:,.0f}" if measure == "tokens" else f"{value:.2f}"
    return f"+{text}" if sign and value > 0 else text


def _interval(each: Difference) -> str:
    if each.low is None or each.high is None:
        return _NO_VALUE
    return f"{_value(each.measure, each.low, sign=True)} to {_value(each.measure, each.high, sign=True)}"


def _judgement(each: Difference) -> str:
    """Return what is claimed: nothing where the interval includes 0, but how many turns would be enough."""
    if each.worse:
        return "worse"
    if is_better(each):
        return "better"
    if each.sure:
        return "differs"
    if each.low is None:
        return "too few turns"
    if not each.difference:
        return "the same"
    return f"unsure; {each.needed:,} turns each would do" if each.needed else "unsure"
