"""Efficiency, ratio and verdicts over time."""

from __future__ import annotations

from typing import Any

from expressions import (
    AGENT,
    EFFICIENCY,
    NO_TURNS,
    RATIO,
    RATIO_EDGES,
    SINCE,
    TO_AN_EDGE,
    TURNS,
    VERDICT,
    grew,
    quantile,
    selector,
)
from grafana_foundation_sdk.builders import common as make_common
from grafana_foundation_sdk.builders import heatmap
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import heatmap as heatmap_model
from kit import (
    BAD_EFFICIENCY,
    GOOD_EFFICIENCY,
    GREEN,
    PROMETHEUS,
    RED,
    VERDICT_COLOURS,
    coloured,
    heat,
    lines,
    properties,
    query,
    stacked,
    thresholds,
)


def efficiency_by_agent() -> Any:
    """Return the median of each agent."""
    panel = lines(
        "Efficiency by agent, median",
        f"Each agent's median. A step down after a release is what to look for. {TO_AN_EDGE}",
        [query("A", quantile(0.5, EFFICIENCY, SINCE, AGENT), f"{{{{{AGENT}}}}}", exemplar=True)],
        "percentunit",
        NO_TURNS,
    )
    return _zones(panel.min(0).max(1).decimals(0))


def efficiency_spread() -> Any:
    """Return median and spread of the chosen agents."""
    panel = lines(
        "Efficiency of the chosen agents, median and spread",
        "Between the lower and the upper edge of the band lie eight turns of ten. A median of 1 over a low edge "
        f"means that some kind of request is much worse than the others. Choose one agent above. {TO_AN_EDGE}",
        _spread(EFFICIENCY),
        "percentunit",
        NO_TURNS,
    )
    return _zones(_band(panel.min(0).max(1).decimals(0)))


def ratio_by_agent() -> Any:
    """Return the median of each agent."""
    panel = lines(
        "Ratio by agent, median",
        f"How parallel each agent's calls run; 1 = one after another. {RATIO_EDGES}",
        [query("A", quantile(0.5, RATIO, SINCE, AGENT), f"{{{{{AGENT}}}}}", exemplar=True)],
        "none",
        NO_TURNS,
    )
    return panel.min(0).decimals(1)


def ratio_spread() -> Any:
    """Return median and spread of the chosen agents."""
    panel = lines(
        "Ratio of the chosen agents, median and spread",
        f"Between the edges of the band lie eight turns of ten. {RATIO_EDGES}",
        _spread(RATIO),
        "none",
        NO_TURNS,
    )
    return _band(panel.min(0).decimals(1))


def _spread(metric: str) -> list[Any]:
    return [
        query("A", quantile(0.9, metric, SINCE), "90th percentile"),
        query("B", quantile(0.5, metric, SINCE), "median", exemplar=True),
        query("C", quantile(0.1, metric, SINCE), "10th percentile"),
    ]


def _band(panel: Any) -> Any:
    quiet = {"mode": "fixed", "fixedColor": "blue"}
    edge = properties(color=quiet, custom__lineWidth=1, custom__fillBelowTo="10th percentile", custom__fillOpacity=15)
    panel.override_by_name("90th percentile", edge)
    panel.override_by_name("10th percentile", properties(color=quiet, custom__lineWidth=1))
    panel.override_by_name("median", properties(color={"mode": "fixed", "fixedColor": "text"}))
    return panel


def _zones(panel: Any) -> Any:
    style = make_common.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
    return panel.thresholds(
        thresholds((None, "transparent"), (BAD_EFFICIENCY, RED), (GOOD_EFFICIENCY, GREEN))
    ).thresholds_style(style)


def ratio_heatmap() -> Any:
    """Return all turns by their ratio."""
    return (
        heatmap.Panel()
        .title("Ratio, all turns")
        .description(
            "Each cell is how many turns had a ratio up to the number at its upper edge, and above the one below. "
            "Two bands mean two kinds of turns; one at 1 beside one at 5 is the same work done in two ways. Dots "
            "are single turns: a click leads to the trace."
        )
        .datasource(PROMETHEUS)
        .with_target(heat("A", grew(selector(RATIO), SINCE, "le")))
        .no_value(NO_TURNS)
        .unit("short")
        .decimals(0)
        .calculate(False)
        .cell_gap(1)
        .y_axis(heatmap.YAxisConfig().unit("none").axis_placement(common.AxisPlacement.LEFT))
        .rows_frame(heatmap.RowsHeatmapOptions().layout(common.HeatmapCellLayout.LE).value("Turns"))
        .color(
            heatmap.HeatmapColorOptions()
            .mode(heatmap_model.HeatmapColorMode.SCHEME)
            .scheme("Blues")
            .steps(32)
            .scale(heatmap_model.HeatmapColorScale.EXPONENTIAL)
            .exponent(0.5)
            .fill("dark-blue")
            .reverse(False)
        )
        .filter_values(heatmap.FilterValueRange().le(1e-9))
        .tooltip(heatmap.HeatmapTooltip().mode(common.TooltipDisplayMode.SINGLE).y_histogram(True))
        .exemplars_color("rgba(255,0,255,0.7)")
        .show_legend()
    )


def verdicts() -> Any:
    """Return all turns by their verdict."""
    panel = stacked(
        "Turns by verdict",
        "All turns, by what they are. `sequential` and `partly_sequential` are known to lose time; "
        "`possibly_sequential` needs declarations or content to be judged; `contended` overlaps but waits inside; "
        "of `unseen` no call was recorded; "
        "the rest are as they should be.",
        [query("A", grew(selector(TURNS), SINCE, VERDICT), f"{{{{{VERDICT}}}}}")],
        "short",
        NO_TURNS,
    )
    return coloured(panel.decimals(0), VERDICT_COLOURS)
