"""Panels on ClickHouse with the numbers of the whole time range: head, agents, tools, and single turns."""

from __future__ import annotations

from typing import Any

from kit import (
    BAD_EFFICIENCY,
    GOOD_EFFICIENCY,
    GREEN,
    ORANGE,
    RED,
    YELLOW,
    number,
    properties,
    rows,
    sql,
    thresholds,
)

CHOSEN = "WHERE $__timeFilter(hour) AND $__conditionalAll(agent IN (${agent:singlequote}), $agent)"
BY_HOUR = f"FROM ${{database}}.parallelism_by_hour\n{CHOSEN}"
TOOLS_BY_HOUR = f"FROM ${{database}}.parallelism_tools_by_hour\n{CHOSEN}"
RATIO = "sum(work) / nullIf(sum(makespan), 0)"
LOST = "if(sum(recorded) > 0, sum(avoidable), NULL)"
PERHAPS = "if(sum(recorded) > 0, sum(avoidable_potential), NULL)"
LOST_AT_MOST = "if(sum(turns) > sum(undecided) + sum(recorded), sum(avoidable_at_most), NULL)"
NO_TURNS = "No turns in these hours"
NO_RECORDED = "No turn has a recorded result"
NO_OTHERS = "No other turn has a bound"

LEAST_STEPS: tuple[tuple[float | None, str], ...] = ((None, "text"), (GOOD_EFFICIENCY, GREEN))
"""Colours of a lower end: a low one says nothing."""
MOST_STEPS: tuple[tuple[float | None, str], ...] = ((None, RED), (BAD_EFFICIENCY, ORANGE), (GOOD_EFFICIENCY, "text"))
"""Colours of an upper end: a high one says nothing."""


def quantile(share: float, states: str) -> str:
    """Return a quantile of the column *states*, NULL if there are no values: the 0.1, 0.5 or 0.9 quantile."""
    place = (0.1, 0.5, 0.9).index(share) + 1
    merged = f"quantilesTDigestMerge(0.1, 0.5, 0.9)({states})[{place}]"
    return f"if(isNaN({merged}), NULL, {merged})"


def headline() -> list[Any]:
    """Return the numbers of the head."""
    share = "sum(undecided) / nullIf(sum(turns), 0)"
    recorded = f"{quantile(0.5, 'efficiency_floors')} AS `at least`, {quantile(0.5, 'efficiencies')} AS `at most`"
    lost = f"{LOST} AS `certain`, {PERHAPS} AS `perhaps more`, {LOST_AT_MOST} AS `others, at most`"
    return [
        number(
            "Turns",
            "How many turns started in these hours, also those without numbers. Turns inside turns count too.",
            sql("A", f"SELECT sum(turns) AS turns\n{BY_HOUR}\nHAVING turns > 0"),
            "short",
            NO_TURNS,
        )
        .thresholds(thresholds((None, "text")))
        .decimals(0),
        number(
            "Turns without numbers",
            "Share of the turns that SQL leaves to `analyze` and `fleet`. They are in no other number here; if they "
            "are many, the numbers are those of the rest.",
            sql("A", f"SELECT {share} AS `without numbers`\n{BY_HOUR}"),
            "percentunit",
            NO_TURNS,
        )
        .thresholds(thresholds((None, "text"), (0.1, YELLOW), (0.5, ORANGE)))
        .decimals(0),
        number(
            "Ratio of all calls",
            "Summed time of the calls ÷ summed time from the first start to the last end in each turn. It has no "
            "colour: 1 is as it should be where each call needs the one before.",
            sql("A", f"SELECT {RATIO} AS ratio\n{BY_HOUR}"),
            "none",
            NO_TURNS,
        )
        .thresholds(thresholds((None, "text")))
        .decimals(2),
        _ranged(
            number(
                "Recorded efficiency, median",
                "Of the turns whose result the plugin recorded: the efficiency lies between the two values, because "
                "the spans do not show all that depends on what. Only a good lower end is green, only a bad upper end "
                "is red.",
                sql("A", f"SELECT {recorded}\n{BY_HOUR}"),
                "percentunit",
                NO_RECORDED,
            )
        ),
        number(
            "Other turns' efficiency, at least",
            "Median of a bound, for the turns without a recorded result: their efficiency lies between it and 100 %. "
            "It follows from the longest call alone, so a low value says nothing.",
            sql("A", f"SELECT {quantile(0.5, 'efficiency_bounds')} AS `at least`\n{BY_HOUR}"),
            "percentunit",
            NO_OTHERS,
        )
        .thresholds(thresholds(*LEAST_STEPS))
        .decimals(0),
        number(
            "Time lost",
            "What running independent calls together would have saved in the turns with a recorded result, for "
            "certain and perhaps. `others, at most` is a bound for the other turns, which may have lost nothing.",
            sql("A", f"SELECT {lost}\n{BY_HOUR}"),
            "s",
            NO_TURNS,
        )
        .thresholds(thresholds((None, "text")))
        .decimals(1)
        .override_by_name("certain", properties(thresholds=_steps((None, "text"), (0.001, ORANGE)))),
    ]


def _steps(*steps: tuple[float | None, str]) -> dict[str, Any]:
    """Return thresholds in the form that an override takes."""
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in steps]}


def _ranged(panel: Any) -> Any:
    """Return a panel with the two ends of an efficiency, coloured apart."""
    panel.thresholds(thresholds((None, "text"))).decimals(0)
    panel.override_by_name("at least", properties(thresholds=_steps(*LEAST_STEPS)))
    return panel.override_by_name("at most", properties(thresholds=_steps(*MOST_STEPS)))


def agents() -> Any:
    """Return the table of agents."""
    columns = {
        "Agent": "agent",
        "Time lost": LOST,
        "Perhaps more": PERHAPS,
        "Others, at most": LOST_AT_MOST,
        "Efficiency, at least": quantile(0.5, "efficiency_floors"),
        "Efficiency, at most": quantile(0.5, "efficiencies"),
        "Others' efficiency, at least": quantile(0.5, "efficiency_bounds"),
        "Ratio": RATIO,
        "Ratio, median": quantile(0.5, "ratios"),
        "Turns": "sum(turns)",
        "Recorded": "sum(recorded) / sum(turns)",
        "Without numbers": "sum(undecided) / sum(turns)",
        "Calls": "sum(calls)",
        "Calls' share of the turns": "sum(busy) / nullIf(sum(duration), 0)",
    }
    panel = _table(
        "Agents by time lost",
        "One row an agent: first those that certainly lost most, then those that may have. Efficiency and time lost "
        "are those of turns with a recorded result, given as ranges; `Others` are the bounds of the other turns. "
        "An empty cell means that nothing is known.",
        f"{_columns(columns)}\n{BY_HOUR}\nGROUP BY agent\n"
        "ORDER BY `Time lost` DESC NULLS LAST, `Others, at most` DESC NULLS LAST, agent LIMIT 200",
        NO_TURNS,
    )
    seconds = {"unit": "s", "decimals": 1}
    text = {"custom__cellOptions": {"type": "color-text"}, "unit": "percentunit"}
    panel.override_by_name("Agent", properties(custom__minWidth=160))
    panel.override_by_name(
        "Time lost",
        properties(
            **seconds,
            thresholds=_steps((None, "text"), (0.001, ORANGE)),
            custom__cellOptions=text["custom__cellOptions"],
        ),
    )
    for name in ("Perhaps more", "Others, at most"):
        panel.override_by_name(name, properties(**seconds))
    for name in ("Efficiency, at least", "Others' efficiency, at least"):
        panel.override_by_name(name, properties(**text, thresholds=_steps(*LEAST_STEPS)))
    panel.override_by_name("Efficiency, at most", properties(**text, thresholds=_steps(*MOST_STEPS)))
    for name in ("Ratio", "Ratio, median"):
        panel.override_by_name(name, properties(unit="none", decimals=2))
    for name in ("Recorded", "Without numbers", "Calls' share of the turns"):
        panel.override_by_name(name, properties(unit="percentunit"))
    return panel


def tools() -> Any:
    """Return the table of tools."""
    columns = {
        "Tool": "tool",
        "Time": "sum(duration)",
        "Calls": "sum(calls)",
        "Median": quantile(0.5, "durations"),
        "Slowest tenth": quantile(0.9, "durations"),
        "Turns": "sum(turns)",
        "Agents": "uniqExact(agent)",
    }
    panel = _table(
        "Tools by time taken",
        "The calls of turns with numbers, not calls inside calls; sub-agents are called by their name. Half of a "
        "tool's calls are faster than `Median`, a tenth is slower than `Slowest tenth`; both are estimates. Time "
        "taken is not time lost.",
        f"{_columns(columns)}\n{TOOLS_BY_HOUR}\nGROUP BY tool\nORDER BY `Time` DESC, tool LIMIT 50",
        "No calls in these hours",
    )
    panel.override_by_name("Tool", properties(custom__minWidth=160))
    for name in ("Time", "Median", "Slowest tenth"):
        panel.override_by_name(name, properties(unit="s", decimals=2))
    return panel


def undecided_hours() -> Any:
    """Return the table of hours and agents with turns without numbers."""
    reasons = (
        "arrayMap((reason, number) -> concat(reason, ': ', toString(number)), mapKeys(reasons), mapValues(reasons))"
    )
    columns = {
        "Hour": "hour",
        "Agent": "agent",
        "Without numbers": "undecided",
        "Turns": "turns",
        "Reasons": f"arrayStringConcat({reasons}, ', ')",
    }
    panel = _table(
        "Hours with turns without numbers",
        "Of these turns nothing is known here. `analyze` reads their traces from ClickHouse and has their numbers.",
        f"{_columns(columns)}\n{BY_HOUR} AND undecided > 0\nORDER BY undecided DESC, hour DESC, agent LIMIT 200",
        "All turns of these hours have numbers, or there are none",
    )
    return panel.override_by_name("Reasons", properties(unit="string", custom__minWidth=200))


def single_turns() -> Any:
    """Return the table of single turns, which reads the spans of the time range."""
    columns = {
        "Start": "start",
        "Agent": "agent",
        "Trace": "TraceId",
        "Time lost": "avoidable",
        "Perhaps more": "avoidable_potential",
        "Others, at most": "avoidable_at_most",
        "Verdict": "verdict",
        "Efficiency, at least": "coalesce(efficiency_floor, efficiency_at_least)",
        "Efficiency, at most": "efficiency",
        "Ratio": "ratio",
        "Peak": "peak_concurrency",
        "Calls": "calls",
        "Do": "recommendation",
    }
    panel = _table(
        "Turns by time lost, one by one",
        "Turns with numbers: first those that certainly lost most, as the plugin recorded it, then the others by what "
        "they may have lost at most. The query classifies all spans of the time range: choose a short one.",
        f"{_columns(columns)}\n"
        "FROM ${database}.parallelism_turns(since = $__fromTime, until = $__toTime)\n"
        "WHERE undecided = '' AND $__conditionalAll(agent IN (${agent:singlequote}), $agent)\n"
        "ORDER BY avoidable DESC NULLS LAST, avoidable_at_most DESC NULLS LAST, start, SpanId LIMIT 100",
        "No turn with numbers in this time",
    )
    text = {"custom__cellOptions": {"type": "color-text"}, "unit": "percentunit"}
    panel.override_by_name("Efficiency, at least", properties(**text, thresholds=_steps(*LEAST_STEPS)))
    panel.override_by_name("Efficiency, at most", properties(**text, thresholds=_steps(*MOST_STEPS)))
    for name in ("Time lost", "Perhaps more", "Others, at most"):
        panel.override_by_name(name, properties(unit="s", decimals=2))
    panel.override_by_name("Ratio", properties(unit="none", decimals=2))
    return panel.override_by_name("Do", properties(unit="string", custom__minWidth=300, custom__wrapText=True))


def chains() -> Any:
    """Return the table of chains of single turns, which reads the spans of the time range."""
    columns = {
        "Start": "start",
        "Agent": "agent",
        "Trace": "TraceId",
        "Saving": "saving",
        "One after another": "one_after_another",
        "Longest call": "longest",
        "Calls": "length",
        "Tools": "arrayStringConcat(tools, ', ')",
    }
    panel = _table(
        "Calls of one model response that ran one after another",
        "The model asked for these calls at once, and the program ran them one by one. `analyze` reports each of them "
        "with the same saving, and says whether it is sure. It reports more than these: calls of several responses, "
        "and turns whose spans alone do not show enough. Of turns with a recorded result, see the table above.",
        f"{_columns(columns)}\n"
        "FROM ${database}.parallelism_chains(since = $__fromTime, until = $__toTime)\n"
        "WHERE undecided = '' AND $__conditionalAll(agent IN (${agent:singlequote}), $agent)\n"
        "ORDER BY saving DESC, start, TurnSpanId LIMIT 100",
        "No such calls are known in this time",
    )
    for name in ("Saving", "One after another", "Longest call"):
        panel.override_by_name(name, properties(unit="s", decimals=2))
    return panel.override_by_name("Tools", properties(unit="string", custom__minWidth=300, custom__wrapText=True))


def _columns(columns: dict[str, str]) -> str:
    """Return the head of a query whose columns have titles; the expressions are by title."""
    return "SELECT " + ",\n  ".join(f"{text} AS `{title}`" for title, text in columns.items())


def _table(title: str, description: str, query: str, none: str) -> Any:
    return (
        rows(title, description, [sql("A", query)], none)
        .unit("short")
        .decimals(0)
        .thresholds(thresholds((None, "text")))
    )
