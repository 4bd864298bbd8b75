"""
The sums of each hour in tables of their own, which refreshable materialized views keep up to date.

Spans of one turn arrive in any order and in several inserts, the turn's own span last, and some of them twice. So
nothing can be added up when spans are inserted: a turn is complete only some time after its end. Each refresh works out
the last hours anew and appends them with its time; of each hour only the rows of the latest refresh count. A late span
corrects its hour, a refresh that was missed or ran twice changes nothing, and a turn is counted once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .turn_query import calls_query, turns_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.settings import Settings

HOURLY_VIEW: Final = "parallelism_by_hour"
TOOLS_VIEW: Final = "parallelism_tools_by_hour"
HOURS: Final = 6
"""How many whole hours each refresh works out anew."""

_HOURLY_TABLE: Final = "parallelism_hours"
_TOOLS_TABLE: Final = "parallelism_tool_hours"
_QUANTILES: Final = "quantilesTDigest(0.1, 0.5, 0.9)"
_REFRESH: Final = "REFRESH EVERY 1 HOUR OFFSET 30 MINUTE APPEND"
_SINCE: Final = f"toDateTime64(toStartOfHour(now()) - INTERVAL {HOURS} HOUR, 9)"
_UNTIL: Final = "toDateTime64(toStartOfHour(now()), 9)"

# Of turns without a recorded result. Where SQL has no bound, nothing but the makespan bounds the time lost.
_LEAST_EFFICIENCY: Final = "coalesce(turn.efficiency_at_least, if(turn.makespan > 0, 0., NULL))"
_MOST_AVOIDABLE: Final = "coalesce(turn.avoidable_at_most, turn.makespan, 0.)"
_QUANTILES_OF: Final = {
    "ratios": "turn.ratio",
    "efficiencies": "turn.efficiency",
    "efficiency_floors": "turn.efficiency_floor",
    "efficiency_bounds": f"if(turn.verdict IS NULL, {_LEAST_EFFICIENCY}, NULL)",
}
"""The columns with quantiles, and the values of turns that they are of."""

_HOURLY_COLUMNS: Final = {
    "hour": "DateTime('UTC')",
    "agent": "LowCardinality(String)",
    "turns": "UInt64",
    "undecided": "UInt64",
    "recorded": "UInt64",
    "calls": "UInt64",
    "duration": "Float64",
    "work": "Float64",
    "makespan": "Float64",
    "busy": "Float64",
    "avoidable": "Float64",
    "avoidable_potential": "Float64",
    "avoidable_at_most": "Float64",
    **dict.fromkeys(_QUANTILES_OF, f"AggregateFunction({_QUANTILES}, Float64)"),
    "reasons": "Map(String, UInt64)",
    "refreshed": "DateTime64(3, 'UTC')",
}
_TOOLS_COLUMNS: Final = {
    "hour": "DateTime('UTC')",
    "agent": "LowCardinality(String)",
    "tool": "LowCardinality(String)",
    "turns": "UInt64",
    "calls": "UInt64",
    "duration": "Float64",
    "durations": f"AggregateFunction({_QUANTILES}, Float64)",
    "refreshed": "DateTime64(3, 'UTC')",
}


def hourly_statements(table: str, database: str, settings: Settings) -> Iterator[tuple[str, str]]:
    """
    Yield the statements that make tables, refreshes and views, each after a sentence that says what it is for.

    Args:
        table: The Collector's table.
        database: The database in front of all names, with a dot, or an empty text.
        settings: What counts as a call, and the bounds.
    """
    for name, view, columns, keys, query in (
        (_HOURLY_TABLE, HOURLY_VIEW, _HOURLY_COLUMNS, "hour, agent", hourly_query),
        (_TOOLS_TABLE, TOOLS_VIEW, _TOOLS_COLUMNS, "hour, agent, tool", tools_query),
    ):
        described = ",\n".join(f"  {column} {kind}" for column, kind in columns.items())
        yield (
            f"The sums of each hour, by {keys.removeprefix('hour, ')}; later refreshes replace earlier ones.",
            f"""CREATE TABLE IF NOT EXISTS {database}{name} (
{described}
) ENGINE = ReplacingMergeTree(refreshed) PARTITION BY toYYYYMM(hour) ORDER BY ({keys})""",
        )
        yield (
            "The latest sums of each hour: those of the last refresh that worked it out.",
            f"""CREATE OR REPLACE VIEW {database}{view} AS
SELECT * FROM {database}{name}
WHERE (hour, refreshed) IN (SELECT hour, max(refreshed) FROM {database}{name} GROUP BY hour)""",
        )
        yield (
            f"Works out the last {HOURS} whole hours anew, every hour.",
            f"""CREATE MATERIALIZED VIEW IF NOT EXISTS {database}{name}_refresh
{_REFRESH} TO {database}{name} AS
{query(table, _SINCE, _UNTIL, settings)}""",
        )


def hourly_query(table: str, since: str, until: str, settings: Settings) -> str:
    """
    Return a query of the sums over the turns of each agent that started in each hour of a time range.

    ``undecided`` turns count in ``turns`` and in no other sum. ``avoidable`` and ``avoidable_potential`` are the sums
    of what the plugin recorded on the spans of ``recorded`` turns, ``avoidable_at_most`` that of the others' bounds, or
    of their makespans where they have none. Times are in seconds.
    ``efficiencies`` and ``efficiency_floors`` are those of recorded turns, ``efficiency_bounds`` the others' bounds.
    ``reasons`` has the number of undecided turns by reason. The arguments are those of `calls_query`.
    """
    quantiles = ",\n  ".join(f"{_quantiles_of(value)} AS {name}" for name, value in _QUANTILES_OF.items())
    return f"""SELECT toStartOfHour(turn.start, 'UTC') AS hour, turn.agent AS agent,
  count() AS turns, countIf(turn.undecided != '') AS undecided, countIf(turn.verdict IS NOT NULL) AS recorded,
  sum(ifNull(turn.calls, 0)) AS calls, sumIf(turn.duration, turn.undecided = '') AS duration,
  sum(ifNull(turn.work, 0)) AS work, sum(ifNull(turn.makespan, 0)) AS makespan, sum(ifNull(turn.busy, 0)) AS busy,
  sum(ifNull(turn.avoidable, 0)) AS avoidable, sum(ifNull(turn.avoidable_potential, 0)) AS avoidable_potential,
  sum(if(turn.verdict IS NULL, {_MOST_AVOIDABLE}, 0.)) AS avoidable_at_most,
  {quantiles},
  sumMapIf(map(turn.undecided, toUInt64(1)), turn.undecided != '') AS reasons,
  now64(3) AS refreshed
FROM (
{turns_query(table, since, until, settings)}
) AS turn GROUP BY hour, agent"""


def _quantiles_of(value: str) -> str:
    """Return the state of the quantiles of a value of turns that may be NULL."""
    state = _QUANTILES.replace("quantilesTDigest", "quantilesTDigestStateIf")
    return f"{state}(ifNull({value}, 0.), {value} IS NOT NULL)"


def tools_query(table: str, since: str, until: str, settings: Settings) -> str:
    """
    Return a query of the sums over the calls of each tool, by the hour in which their turn started and its agent.

    Only calls of the turns themselves count, not calls inside calls, and only those of turns that are decided.
    The arguments are those of `calls_query`.
    """
    state = _QUANTILES.replace("quantilesTDigest", "quantilesTDigestState")
    return f"""SELECT toStartOfHour(call.turn_start, 'UTC') AS hour, call.agent AS agent, call.tool AS tool,
  uniqExact(call.TraceId, call.TurnSpanId) AS turns, count() AS calls, sum(call.duration) AS duration,
  {state}(call.duration) AS durations,
  now64(3) AS refreshed
FROM (
{calls_query(table, since, until, settings)}
) AS call GROUP BY hour, agent, tool"""
