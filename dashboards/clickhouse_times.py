"""Panels on ClickHouse with a value for each hour: ratio, efficiency, turns, time, and reasons."""

from __future__ import annotations

from typing import Any

from clickhouse_panels import BY_HOUR, CHOSEN, NO_TURNS, RATIO, quantile
from kit import BLUE, GREY, lines, properties, sql_over_time, stacked

NO_EFFICIENCY = "No turn with a recorded efficiency or a bound"


def _each_hour(columns: str) -> Any:
    return sql_over_time(
        "A", f"SELECT $__timeInterval(hour) AS time,\n  {columns}\n{BY_HOUR}\nGROUP BY time ORDER BY time"
    )


def ratio_by_agent() -> Any:
    """Return the ratio of each agent's calls."""
    columns = f"SELECT $__timeInterval(hour) AS time, agent,\n  {RATIO} AS ratio"
    query = f"{columns}\n{BY_HOUR}\nGROUP BY time, agent ORDER BY time"
    panel = lines(
        "Ratio by agent",
        "Summed time of each agent's calls ÷ summed time from the first start to the last end in each turn; 1 = one "
        "after another. Turns without numbers are left out.",
        [sql_over_time("A", query)],
        "none",
        NO_TURNS,
    )
    return panel.display_name("${__field.labels.agent}").interval("1h").min(0).decimals(2)


def efficiency() -> Any:
    """Return the medians of the ends of the efficiencies."""
    panel = lines(
        "Efficiency, medians",
        "Of the turns with a recorded result, the efficiency lies between the two solid lines. Of the other turns "
        "only the dashed bound is known: they lie anywhere between it and 100 %.",
        [
            _each_hour(
                f"{quantile(0.5, 'efficiencies')} AS `recorded, at most`,\n"
                f"  {quantile(0.5, 'efficiency_floors')} AS `recorded, at least`,\n"
                f"  {quantile(0.5, 'efficiency_bounds')} AS `others, at least`"
            )
        ],
        "percentunit",
        NO_EFFICIENCY,
    )
    dashed = {"fill": "dash", "dash": [6, 6]}
    for name, colour in (("recorded, at most", BLUE), ("recorded, at least", BLUE), ("others, at least", GREY)):
        panel.override_by_name(name, properties(color={"mode": "fixed", "fixedColor": colour}))
    panel.override_by_name(
        "recorded, at most", properties(custom__fillBelowTo="recorded, at least", custom__fillOpacity=15)
    )
    panel.override_by_name("others, at least", properties(custom__lineStyle=dashed, custom__lineWidth=1))
    return panel.interval("1h").min(0).max(1).decimals(0)


def turns() -> Any:
    """Return the turns by what is known of them."""
    panel = stacked(
        "Turns by what is known",
        "`recorded result`: efficiency and time lost are known, perhaps as a range. `measured only`: ratio and times "
        "are known, and a bound of the efficiency. `without numbers`: nothing is known here.",
        [
            _each_hour(
                "sum(recorded) AS `recorded result`,\n"
                "  sum(turns) - sum(undecided) - sum(recorded) AS `measured only`,\n"
                "  sum(undecided) AS `without numbers`"
            )
        ],
        "short",
        NO_TURNS,
    )
    for name, colour in (("recorded result", BLUE), ("measured only", "light-blue"), ("without numbers", GREY)):
        panel.override_by_name(name, properties(color={"mode": "fixed", "fixedColor": colour}))
    return panel.interval("1h").decimals(0)


def work_and_wall() -> Any:
    """Return the time of calls and of turns."""
    return (
        lines(
            "Work and wall time",
            "Sums over the turns with numbers. `turns`: how long they lasted. `calls, wall time`: from the first "
            "call's start to the last one's end. `calls, any open`: while any call ran. `work`: the calls' durations "
            "added up. Work above the wall time means that calls ran together.",
            [
                _each_hour(
                    "sum(duration) AS turns,\n  sum(makespan) AS `calls, wall time`,\n"
                    "  sum(busy) AS `calls, any open`,\n  sum(work) AS work"
                )
            ],
            "s",
            NO_TURNS,
        )
        .interval("1h")
        .min(0)
        .decimals(1)
    )


def reasons() -> Any:
    """Return the turns without numbers by reason."""
    query = (
        "SELECT $__timeInterval(hour) AS time, reason,\n  sum(number) AS turns\n"
        "FROM ${database}.parallelism_by_hour\n"
        f"ARRAY JOIN mapKeys(reasons) AS reason, mapValues(reasons) AS number\n{CHOSEN}\n"
        "GROUP BY time, reason ORDER BY time"
    )
    panel = stacked(
        "Turns without numbers, by reason",
        "Why SQL leaves turns to `analyze` and `fleet`. The text below says what the reasons mean.",
        [sql_over_time("A", query)],
        "short",
        "All turns of these hours have numbers, or there are none",
    )
    return panel.display_name("${__field.labels.reason}").interval("1h").decimals(0)
