"""The dashboard on the tables in ClickHouse that ``otel-parallelism clickhouse-sql --hourly`` makes."""

from __future__ import annotations

from typing import Any

import clickhouse_panels
import clickhouse_times
from grafana_foundation_sdk.builders import dashboard as make
from grafana_foundation_sdk.models import dashboard
from kit import CLICKHOUSE, CLICKHOUSE_UID, COLUMNS, Board, choice, prose, source_choice

from otel_parallelism.scale.clickhouse.undecided import REASONS

HOW_TO_READ = """\
Ratio, work and times are those of `analyze`, for every turn that SQL can decide. **Turns without numbers** are in no \
other number; their reasons are below, and `analyze` and `fleet` have their numbers.

**Efficiency** and **time lost** depend on which call needs which result, and SQL does not work that out. They are \
known only of turns whose result the plugin *recorded* on their span, and there too as a range, *at least* to *at \
most*. Of all *other* turns only bounds are known: the efficiency lies anywhere between its bound and 100 %, and the \
time lost anywhere between nothing and *at most*. So only a good lower end is green, and only a bad upper end is red.

The sums are those of whole hours. The hour in which the time range begins is not shown, and the last hour follows \
half an hour after its end. Turns inside turns are turns of their own.
"""


def board() -> Board:
    """Return the whole dashboard."""
    made = Board(
        "Agent parallelism in ClickHouse",
        CLICKHOUSE_UID,
        "How parallel the tool calls of AI agents run, from the tables that otel-parallelism clickhouse-sql --hourly "
        "makes in ClickHouse.",
        ["agents", "otel-parallelism", "clickhouse"],
    )
    made.made.time("now-24h", "now").refresh("30m")
    made.variables(_variables())
    made.row(8, (COLUMNS, prose("How to read this", HOW_TO_READ)))
    made.row(5, *((4, panel) for panel in clickhouse_panels.headline()))
    made.section("Agents and tools")
    made.row(10, (COLUMNS, clickhouse_panels.agents()))
    made.row(9, (COLUMNS, clickhouse_panels.tools()))
    made.section("Over time")
    made.row(9, (12, clickhouse_times.ratio_by_agent()), (12, clickhouse_times.efficiency()))
    made.row(9, (12, clickhouse_times.turns()), (12, clickhouse_times.work_and_wall()))
    made.section("What SQL leaves out")
    made.row(9, (12, clickhouse_times.reasons()), (12, clickhouse_panels.undecided_hours()))
    made.row(9, (COLUMNS, prose("What the reasons mean", _reasons())))
    single = (clickhouse_panels.single_turns(), clickhouse_panels.chains())
    made.collapsed_section("Single turns: these queries read the spans", 10, *single)
    return made


def _variables() -> list[Any]:
    databases = "SELECT DISTINCT database FROM system.tables WHERE name = 'parallelism_by_hour' ORDER BY database"
    agents = "SELECT DISTINCT agent FROM ${database}.parallelism_by_hour\nWHERE $__timeFilter(hour) ORDER BY agent"
    return [
        source_choice("grafana-clickhouse-datasource"),
        make.QueryVariable("database")
        .label("Database")
        .description("The database of the Collector's table, in which the views were made.")
        .datasource(CLICKHOUSE)
        .query(_asked(databases))
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC),
        choice("agent", "gen_ai.agent.name of the turn, or the turn's name.", _asked(agents), CLICKHOUSE, ""),
    ]


def _asked(text: str) -> dict[str, object]:
    return {"editorType": "sql", "rawSql": text, "refId": "ClickHouseVariableQueryEditor-VariableQuery"}


def _reasons() -> str:
    """Return the reasons as Markdown, with what they mean."""
    return "\n".join(f"- **{name}**: {meaning}" for name, meaning in REASONS.items())
