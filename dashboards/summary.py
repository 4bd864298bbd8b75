"""The head of the dashboard: the numbers of all turns, and the agents with the most to gain."""

from __future__ import annotations

from typing import Any

from expressions import (
    ADVICE,
    AGENT,
    ALL,
    EFFICIENCY,
    EFFICIENCY_FLOOR,
    HOURLY,
    LOST,
    NO_TURNS,
    RATIO,
    RATIO_EDGES,
    TO_AN_EDGE,
    TURNS,
    VERDICT,
    finding,
    grew,
    quantile,
    selector,
)
from kit import (
    BAD_EFFICIENCY,
    GOOD_EFFICIENCY,
    GREEN,
    ORANGE,
    RED,
    TURNS_UID,
    YELLOW,
    efficiency_thresholds,
    instant,
    link,
    number,
    properties,
    rows,
    thresholds,
    transformation,
)


def headline() -> list[Any]:
    """Return the numbers of the head."""
    lost = finding(LOST, f'{ADVICE}="recommended"')
    every = grew(selector(TURNS), ALL)
    sequential = grew(selector(TURNS, f'{VERDICT}="sequential"'), ALL)
    return [
        number(
            "Efficiency, median",
            "Half of all turns do better than this. 1 = nothing to gain. Two values where the traces do not tell what "
            f"depends on what: the efficiency lies between them. {TO_AN_EDGE}",
            instant("A", quantile(0.5, EFFICIENCY_FLOOR, ALL), "at least"),
            "percentunit",
            NO_TURNS,
        )
        .with_target(instant("B", quantile(0.5, EFFICIENCY, ALL), "at most"))
        .thresholds(efficiency_thresholds())
        .decimals(0),
        number(
            "Efficiency, worst tenth",
            f"One turn in ten does worse than this: the 10th percentile. {TO_AN_EDGE}",
            instant("A", quantile(0.1, EFFICIENCY, ALL)),
            "percentunit",
            NO_TURNS,
        )
        .thresholds(efficiency_thresholds())
        .decimals(0),
        number(
            "Ratio, median",
            "Summed time of the calls ÷ time from the first start to the last end. 1 = one after another, 5 = five "
            f"at once. It has no colour: 1 is as it should be where each call needs the one before. {RATIO_EDGES}",
            instant("A", quantile(0.5, RATIO, ALL)),
            "none",
            NO_TURNS,
        )
        .thresholds(thresholds((None, "text")))
        .decimals(1),
        number(
            "Time lost per hour",
            "What users waited for and running independent calls together would certainly have saved (advice "
            "`recommended`), summed over all agents, per hour of the time shown. Red from 1 h per hour.",
            instant("A", f"{grew(lost, ALL)} * {HOURLY} or 0 * ({every} > 0)"),
            "s",
            NO_TURNS,
        )
        .thresholds(thresholds((None, GREEN), (60, YELLOW), (600, ORANGE), (3600, RED)))
        .decimals(1),
        number(
            "Turns that are sequential",
            "Share of all turns with the verdict `sequential`: most of the calls' time could have been saved, known "
            "for certain.",
            instant("A", f"({sequential} or 0 * {every}) / ({every} > 0)"),
            "percentunit",
            NO_TURNS,
        )
        .thresholds(thresholds((None, GREEN), (0.05, YELLOW), (0.25, RED)))
        .decimals(0),
        number(
            "Turns",
            "How many turns the numbers here rest on. With a handful, look at the turns themselves instead of "
            "quantiles. Prometheus sees growth between two samples, so the turns before a program's first scrape "
            "are not in it.",
            instant("A", every),
            "short",
            NO_TURNS,
        )
        .thresholds(thresholds((None, "text")))
        .decimals(0),
    ]


def agents() -> Any:
    """Return the table of agents."""
    lost = grew(finding(LOST, f'{ADVICE}="recommended"'), ALL, AGENT)
    maybe = grew(finding(LOST, f'{ADVICE}="potential"'), ALL, AGENT)
    every = grew(selector(TURNS), ALL, AGENT)
    sequential = grew(selector(TURNS, f'{VERDICT}="sequential"'), ALL, AGENT)
    columns = {
        "A": (f"{lost} * {HOURLY} or 0 * ({every} > 0)", "Time lost per hour"),
        "B": (f"{maybe} * {HOURLY} or 0 * ({every} > 0)", "Perhaps more per hour"),
        "C": (quantile(0.5, EFFICIENCY_FLOOR, ALL, AGENT), "Efficiency, at least"),
        "D": (quantile(0.5, EFFICIENCY, ALL, AGENT), "Efficiency, at most"),
        "E": (quantile(0.1, EFFICIENCY, ALL, AGENT), "Efficiency, worst tenth"),
        "F": (quantile(0.5, RATIO, ALL, AGENT), "Ratio"),
        "G": (f"({sequential} or 0 * {every}) / ({every} > 0)", "Sequential"),
        "H": (f"{every} > 0", "Turns"),
    }
    panel = rows(
        "Agents with the most to gain",
        "One row an agent, the largest certain loss first. `Perhaps more` could be saved beyond that, where the "
        "traces do not show whether calls are independent: declare it, or capture content. An agent's name leads to "
        f"its turns in the traces. Efficiency and ratio are medians. {TO_AN_EDGE}",
        [instant(ref_id, expression, form="table") for ref_id, (expression, _) in columns.items()],
        NO_TURNS,
    )
    panel.unit("short").decimals(0)
    panel.with_transformation(transformation("merge", {}))
    panel.with_transformation(
        transformation(
            "organize",
            {
                "excludeByName": {"Time": True},
                "indexByName": {AGENT: 0, **{f"Value #{ref_id}": index for index, ref_id in enumerate(columns, 1)}},
                "renameByName": {AGENT: "Agent", **{f"Value #{key}": title for key, (_, title) in columns.items()}},
            },
        )
    )
    panel.with_transformation(transformation("sortBy", {"sort": [{"field": "Time lost per hour", "desc": True}]}))
    to_turns = link("Turns of ${__value.text}", TURNS_UID, "var-agent=${__value.raw:percentencode}")
    panel.override_by_name("Agent", properties(links=[to_turns], custom__minWidth=160))
    seconds = {"unit": "s", "decimals": 1}
    bar = {"mode": "gradient", "type": "gauge", "valueDisplayMode": "text"}
    loss_steps = [{"value": None, "color": GREEN}, {"value": 0.001, "color": ORANGE}]
    loss = {"mode": "absolute", "steps": loss_steps}
    panel.override_by_name(
        "Time lost per hour",
        properties(**seconds, min=0, thresholds=loss, custom__cellOptions=bar, custom__minWidth=220),
    )
    panel.override_by_name("Perhaps more per hour", properties(**seconds))
    steps = [
        {"value": None, "color": RED},
        {"value": BAD_EFFICIENCY, "color": ORANGE},
        {"value": GOOD_EFFICIENCY, "color": GREEN},
    ]
    text = {"type": "color-text"}
    for name in ("Efficiency, at least", "Efficiency, at most", "Efficiency, worst tenth"):
        shown = properties(
            unit="percentunit", thresholds={"mode": "absolute", "steps": steps}, custom__cellOptions=text
        )
        panel.override_by_name(name, shown)
    panel.override_by_name("Ratio", properties(unit="none", decimals=1))
    panel.override_by_name("Sequential", properties(unit="percentunit"))
    return panel
