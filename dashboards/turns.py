"""The dashboard of single turns, from the traces in Tempo: which of them lose the most, and what they look like."""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders import dashboard as make
from kit import (
    CAUSE_COLOURS,
    PARALLELISM_UID,
    TEMPO,
    TURNS_UID,
    VERDICT_COLOURS,
    Board,
    choice,
    coloured,
    lines,
    plain_link,
    properties,
    prose,
    rows,
    search,
    source_choice,
    stacked,
    trace_metrics,
    transformation,
)

P = "span.agent.parallelism."
CHOSEN = 'resource.service.name =~ "$job" && span.gen_ai.agent.name =~ "$agent"'
JUDGED = f"{{ {CHOSEN} && {P}efficiency >= 0 }}"
LOSSES = f'{{ {CHOSEN} && {P}cause =~ "$cause" && {P}avoidable > 0 }}'
CONTENDED = f'{{ {CHOSEN} && {P}verdict = "contended" }}'
SHOWN = ("avoidable", "efficiency_floor", "efficiency", "ratio", "cause", "verdict", "calls", "recommendation")
NO_TURNS = "No turns in this time"
NO_LOSSES = "No turn lost time"
MOST = 200

HOW_TO_READ = """\
Every row is one turn of an agent: one request, up to its answer. **Lost** is the time that running independent calls \
together would have saved, **Do** says how. A click on a turn shows its trace below: calls that start where the last \
one ends, and need nothing from it, are what to look for. The dots on the graphs of the other dashboard lead to single \
traces too. Turns of agents without a name are not listed.
"""


def board() -> Board:
    """Return the whole dashboard."""
    made = Board(
        "Agent turns",
        TURNS_UID,
        "Single turns of AI agents, from traces: those that lose the most time first, with their cause and their "
        "trace.",
        ["agents", "otel-parallelism", "traces"],
    )
    made.variables(_variables())
    made.made.link(plain_link("All agents", PARALLELISM_UID))
    made.row(4, (24, prose("How to read this", HOW_TO_READ)))
    made.section("Turns that lose time")
    made.row(11, (24, _losing()))
    made.section("One turn")
    made.row(14, (24, _trace()))
    made.section("All turns, counted from traces")
    made.row(9, (8, _lost_by_cause()), (8, _efficiency()), (8, _verdicts()))
    made.section("Waiting inside calls")
    made.row(9, (24, _contended()))
    return made


def _variables() -> list[Any]:
    def values(label: str) -> dict[str, object]:
        return {"type": 1, "label": label, "refId": "TempoDatasourceVariableQueryEditor-VariableQuery"}

    return [
        source_choice("tempo"),
        choice("job", "service.name of the program.", values("service.name"), TEMPO, ".+"),
        choice("agent", "gen_ai.agent.name of the turn.", values("gen_ai.agent.name"), TEMPO, ".*"),
        choice(
            "cause",
            "Why the largest avoidable part of a turn was serial.",
            values("agent.parallelism.cause"),
            TEMPO,
            ".*",
        ),
        make.TextBoxVariable("trace").label("Trace").description("The ID of the trace shown below.").default_value(""),
    ]


def _select(spans: str) -> str:
    return f"{spans} | select({', '.join(['span.gen_ai.agent.name', *(P + name for name in SHOWN)])})"


def _table(title: str, description: str, spans: str, none: str) -> Any:
    """Return a table of turns, the largest avoidable time first."""
    panel = rows(title, description, [search("A", _select(spans), limit=MOST)], none).unit("short")
    key = "agent.parallelism."
    numbers = [key + name for name in ("avoidable", "efficiency_floor", "efficiency", "ratio", "calls")]
    panel.with_transformation(
        transformation(
            "convertFieldType",
            {
                "fields": {},
                "conversions": [{"targetField": name, "destinationType": "number"} for name in numbers],
            },
        )
    )
    titles = {
        "gen_ai.agent.name": "Agent",
        key + "avoidable": "Lost",
        key + "efficiency_floor": "Efficiency, at least",
        key + "efficiency": "at most",
        key + "ratio": "Ratio",
        key + "cause": "Cause",
        key + "verdict": "Verdict",
        key + "calls": "Calls",
        key + "recommendation": "Do",
    }
    order = ["Trace Service", "gen_ai.agent.name", *titles]
    panel.with_transformation(
        transformation(
            "organize",
            {
                "excludeByName": {"Trace Name": True, "Name": True},
                "indexByName": {
                    name: index for index, name in enumerate(["traceIdHidden", "Span ID", "Start time", *order])
                },
                "renameByName": {**titles, "Span ID": "Turn", "Trace Service": "Service"},
            },
        )
    )
    panel.with_transformation(transformation("sortBy", {"sort": [{"field": "Lost", "desc": True}]}))
    show = {
        "title": "Show below",
        "url": f'/d/{TURNS_UID}/{TURNS_UID}?var-trace=${{__data.fields["traceIdHidden"]}}&${{__url_time_range}}'
        "&${datasource:queryparam}&${job:queryparam}&${agent:queryparam}&${cause:queryparam}",
    }
    panel.override_by_name("Turn", properties(links=[show], custom__width=150))
    steps = [{"value": None, "color": "red"}, {"value": 0.5, "color": "orange"}, {"value": 0.9, "color": "green"}]
    panel.override_by_name("Lost", properties(unit="s", decimals=2, custom__width=90))
    panel.override_by_name(
        "Efficiency",
        properties(
            unit="percentunit",
            decimals=0,
            thresholds={"mode": "absolute", "steps": steps},
            custom__cellOptions={"type": "color-text"},
            custom__width=90,
        ),
    )
    panel.override_by_name("Ratio", properties(unit="none", decimals=2, custom__width=80))
    panel.override_by_name("Calls", properties(unit="none", decimals=0, custom__width=70))
    panel.override_by_name("Do", properties(custom__minWidth=360, custom__wrapText=True))
    return panel


def _losing() -> Any:
    return _table(
        "Turns by time lost",
        f"The turns with time to gain, the largest loss first; out of the {MOST} that Tempo finds first, which with "
        "more traffic are not all: narrow the time range or the agent. Click a turn to see its trace below.",
        LOSSES,
        NO_LOSSES,
    )


def _contended() -> Any:
    return _table(
        "Contended turns",
        "Turns whose calls overlap but wait for one another inside: a lock, a pool, one session. They have no "
        "efficiency, because nothing here tells how long the calls would take alone. Look behind the tool.",
        CONTENDED,
        "No contended turn",
    )


def _trace() -> Any:
    """Return the panel that draws one trace, for which the SDK has no builder."""
    shown = search("A", "$trace", limit=1)
    return (
        make.Panel()
        .type("traces")
        .title("Trace")
        .description(
            "The turn's own trace. Bars one below the other, each starting where the last ends, ran one after "
            "another; the turn's span carries the numbers, and its events agent.parallelism.finding say which "
            "calls, why, and where to fix it."
        )
        .datasource(TEMPO)
        .with_target(shown)
        .no_value("Click a turn above")
    )


def _lost_by_cause() -> Any:
    panel = stacked(
        "Time lost, by cause",
        "Sum of the avoidable time of all turns, by the cause of its largest part.",
        [trace_metrics("A", f"{LOSSES} | sum_over_time({P}avoidable) by ({P}cause)")],
        "s",
        NO_LOSSES,
    )
    return coloured(panel, CAUSE_COLOURS)


def _efficiency() -> Any:
    panel = lines(
        "Efficiency, median and worst tenth",
        "Quantiles that Tempo takes from all turns; it puts values into buckets of powers of two, so between 0.5 "
        "and 1 they are interpolated. The other dashboard is finer.",
        [trace_metrics("A", f"{JUDGED} | quantile_over_time({P}efficiency, 0.5, 0.1)")],
        "percentunit",
        NO_TURNS,
    )
    return panel.min(0).max(1)


def _verdicts() -> Any:
    panel = stacked(
        "Turns by verdict",
        "How many turns ended, by what they are; the words are those of the other dashboard.",
        [trace_metrics("A", f"{{ {CHOSEN} && {P}verdict != nil }} | count_over_time() by ({P}verdict)")],
        "short",
        NO_TURNS,
    )
    return coloured(panel, VERDICT_COLOURS)
