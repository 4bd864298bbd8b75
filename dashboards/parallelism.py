"""The dashboard of all agents, from the metrics in Prometheus: what parallelism costs, whom, and why."""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders import bargauge, heatmap
from grafana_foundation_sdk.builders import common as make_common
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import heatmap as heatmap_model
from kit import (
    CAUSE_COLOURS,
    COLUMNS,
    GREEN,
    ORANGE,
    PARALLELISM_UID,
    PROMETHEUS,
    RED,
    TURNS_UID,
    VERDICT_COLOURS,
    YELLOW,
    Board,
    choice,
    coloured,
    efficiency_thresholds,
    heat,
    instant,
    lines,
    link,
    number,
    plain_link,
    properties,
    prose,
    query,
    rows,
    source_choice,
    stacked,
    thresholds,
    transformation,
)

AGENT = "gen_ai_agent_name"
VERDICT = "agent_parallelism_verdict"
CAUSE = "agent_parallelism_cause"
ADVICE = "agent_parallelism_advice"
TOOL = "gen_ai_tool_name"
EFFICIENCY = "agent_parallelism_efficiency_bucket"
RATIO = "agent_parallelism_ratio_bucket"
TURNS = "agent_parallelism_turn_duration_seconds_count"
LOST = "agent_parallelism_time_lost_seconds_sum"
CALLS = "agent_parallelism_call_duration_seconds_bucket"
SINCE = "$__rate_interval"
ALL = "$__range"
HOURLY = "3600 / $__range_s"

NO_TURNS = "No turns in this time"
NO_FINDINGS = "Nothing to gain found"
TO_AN_EDGE = (
    "Taken from a histogram: right as to which bucket it lies in, interpolated inside it. "
    "The edges are 0.05, 0.1, 0.2 … 0.9, 0.95, 0.99 and 1, so the colours, which change at 0.5 and 0.9, are exact."
)
RATIO_EDGES = (
    "Taken from a histogram with edges at 0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 8, 13, 21 and 50, "
    "interpolated in between: good for telling 1 from 2 from 5, not 3.4 from 3.6."
)

HOW_TO_READ = """\
**Efficiency** is the number to watch: how long the tool calls would have taken had each started as soon as what it needs \
was there ÷ how long they took. **1** means nothing to gain, even where calls run one after another because each needs the one \
before. Below **0.9** something could be saved, below **0.5** most of it. **Ratio** is how parallel the calls ran: 1 is one after another, \
5 is five at once. A ratio of 1 alone is no fault. **Time lost** is what running independent calls together \
would certainly have saved.

Start with the table of agents below: its first row is where the most can be gained. *Cause* says who can mend it: `model` the system prompt, \
`dispatch`, `code` and `blocking` the program, `limit` and `contention` the service behind the tool. A click on an agent leads to its turns.
"""


def selector(metric: str, *matchers: str) -> str:
    """Return *metric* of the jobs and agents that are chosen, with further *matchers*."""
    chosen = ('job=~"$job"', f'{AGENT}=~"$agent"', *matchers)
    return f"{metric}{{{', '.join(chosen)}}}"


def finding(metric: str, *matchers: str) -> str:
    """Return *metric*, which is about findings, of the chosen causes too."""
    return selector(metric, f'{CAUSE}=~"$cause"', *matchers)


def grew(series: str, window: str, *by: str) -> str:
    """Return by how much the counter *series* grew in *window*, summed *by* these labels."""
    return f"sum by ({', '.join(by)}) (increase({series}[{window}]))" if by else f"sum(increase({series}[{window}]))"


def per_hour(series: str, *by: str) -> str:
    """Return how fast the counter *series* grows, per hour, summed *by* these labels."""
    return f"sum by ({', '.join(by)}) (rate({series}[{SINCE}])) * 3600"


def quantile(share: float, metric: str, window: str, *by: str) -> str:
    """Return a quantile of the histogram behind *metric*, *by* these labels; nothing, not NaN, where nothing grew."""
    return f"histogram_quantile({share}, {grew(selector(metric), window, 'le', *by)}) >= 0"


def board() -> Board:
    """Return the whole dashboard."""
    made = Board(
        "Agent parallelism",
        PARALLELISM_UID,
        "How parallel the tool calls of AI agents run, how parallel they could run, what the difference costs, and why.",
        ["agents", "otel-parallelism"],
    )
    made.variables(_variables())
    made.made.link(plain_link("Turns", TURNS_UID))
    made.row(5, (COLUMNS, prose("How to read this", HOW_TO_READ)))
    made.row(5, *((4, panel) for panel in _headline()))
    made.section("Where to start")
    made.row(9, (24, _agents()))
    made.section("Efficiency and ratio")
    made.row(9, (12, _efficiency_by_agent()), (12, _efficiency_spread()))
    made.row(9, (12, _ratio_by_agent()), (12, _ratio_spread()))
    made.row(9, (12, _ratio_heatmap()), (12, _verdicts()))
    made.section("Time lost, and why")
    made.row(9, (12, _lost_by_cause()), (12, _lost_by_advice()))
    made.row(8, (8, _steps()), (8, _tokens()), (8, _chain_length()))
    made.section("Calls")
    made.row(8, (12, _calls_per_step()), (12, _tool_durations()))
    made.section("Right now")
    made.row(7, (8, _open_turns()), (8, _open_calls()), (8, _live_ratio()))
    return made


def _variables() -> list[Any]:
    return [
        source_choice("prometheus"),
        choice(
            "job",
            "Job",
            "The service whose agents are shown: service.name, or the scrape job.",
            f"label_values({TURNS}, job)",
            PROMETHEUS,
            ".+",
        ),
        choice(
            "agent",
            "Agent",
            "gen_ai.agent.name of the turn; All holds turns without a name too.",
            f'label_values({TURNS}{{job=~"$job"}}, {AGENT})',
            PROMETHEUS,
            ".*",
        ),
        choice(
            "cause",
            "Cause",
            "Why calls ran one after another. Narrows only what is about findings: time lost and chains.",
            f'label_values({LOST}{{job=~"$job", {AGENT}=~"$agent"}}, {CAUSE})',
            PROMETHEUS,
            ".*",
        ),
    ]


def _headline() -> list[Any]:
    lost = finding(LOST, f'{ADVICE}="recommended"')
    every = grew(selector(TURNS), ALL)
    sequential = grew(selector(TURNS, f'{VERDICT}="sequential"'), ALL)
    return [
        number(
            "Efficiency, median",
            f"Half of all turns do better than this. 1 = nothing to gain. {TO_AN_EDGE}",
            instant("A", quantile(0.5, EFFICIENCY, ALL)),
            "percentunit",
            NO_TURNS,
        )
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
            "Summed time of the calls ÷ time from the first start to the last end. 1 = one after another, 5 = five at "
            f"once. It has no colour: 1 is as it should be where each call needs the one before. {RATIO_EDGES}",
            instant("A", quantile(0.5, RATIO, ALL)),
            "none",
            NO_TURNS,
        )
        .thresholds(thresholds((None, "text")))
        .decimals(1),
        number(
            "Time lost per hour",
            "What users waited for, per hour of the time shown, that running independent calls together would have saved "
            "for certain (advice `recommended`), all agents together.",
            instant("A", f"{grew(lost, ALL)} * {HOURLY} or 0 * ({every} > 0)"),
            "s",
            NO_TURNS,
        )
        .thresholds(thresholds((None, GREEN), (60, YELLOW), (600, ORANGE), (3600, RED)))
        .decimals(1),
        number(
            "Turns that are sequential",
            "Share of all turns with the verdict `sequential`: most of the calls' time could have been saved, known for "
            "certain.",
            instant("A", f"({sequential} or 0 * {every}) / ({every} > 0)"),
            "percentunit",
            NO_TURNS,
        )
        .thresholds(thresholds((None, GREEN), (0.05, YELLOW), (0.25, RED)))
        .decimals(0),
        number(
            "Turns",
            "How many turns the numbers here rest on. With a handful, look at the turns themselves instead of quantiles. "
            "Prometheus sees growth between two samples, so the turns before a program's first scrape are not in it.",
            instant("A", every),
            "short",
            NO_TURNS,
        )
        .thresholds(thresholds((None, "text")))
        .decimals(0),
    ]


def _agents() -> Any:
    lost = grew(finding(LOST, f'{ADVICE}="recommended"'), ALL, AGENT)
    maybe = grew(finding(LOST, f'{ADVICE}="potential"'), ALL, AGENT)
    every = grew(selector(TURNS), ALL, AGENT)
    sequential = grew(selector(TURNS, f'{VERDICT}="sequential"'), ALL, AGENT)
    columns = {
        "A": (f"{lost} * {HOURLY} or 0 * ({every} > 0)", "Time lost per hour"),
        "B": (f"{maybe} * {HOURLY} or 0 * ({every} > 0)", "Perhaps more per hour"),
        "C": (quantile(0.5, EFFICIENCY, ALL, AGENT), "Efficiency"),
        "D": (quantile(0.1, EFFICIENCY, ALL, AGENT), "Efficiency, worst tenth"),
        "E": (quantile(0.5, RATIO, ALL, AGENT), "Ratio"),
        "F": (f"({sequential} or 0 * {every}) / ({every} > 0)", "Sequential"),
        "G": (f"{every} > 0", "Turns"),
    }
    panel = rows(
        "Agents with the most to gain",
        "One row an agent, the largest certain loss first. `Perhaps more` is what could come on top if what the traces "
        "do not tell allows it: declare it, or capture content. An agent's name leads to its turns in the traces. "
        f"Efficiency and ratio are medians. {TO_AN_EDGE}",
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
    to_turns = link("Turns of ${__value.text}", TURNS_UID, "var-agent=${__value.raw}")
    panel.override_by_name("Agent", properties(links=[to_turns], custom__minWidth=160))
    seconds = {"unit": "s", "decimals": 1}
    bar = {"mode": "gradient", "type": "gauge", "valueDisplayMode": "text"}
    loss_steps = [{"value": None, "color": GREEN}, {"value": 0.001, "color": ORANGE}]
    loss = {"mode": "absolute", "steps": loss_steps}
    panel.override_by_name(
        "Time lost per hour", properties(**seconds, min=0, thresholds=loss, custom__cellOptions=bar, custom__minWidth=220)
    )
    panel.override_by_name("Perhaps more per hour", properties(**seconds))
    steps = [{"value": None, "color": RED}, {"value": 0.5, "color": ORANGE}, {"value": 0.9, "color": GREEN}]
    text = {"type": "color-text"}
    for name in ("Efficiency", "Efficiency, worst tenth"):
        shown = properties(
            unit="percentunit", thresholds={"mode": "absolute", "steps": steps}, custom__cellOptions=text
        )
        panel.override_by_name(name, shown)
    panel.override_by_name("Ratio", properties(unit="none", decimals=1))
    panel.override_by_name("Sequential", properties(unit="percentunit"))
    return panel


def _efficiency_by_agent() -> Any:
    panel = lines(
        "Efficiency by agent, median",
        f"Each agent's median. A step down after a release is what to look for. {TO_AN_EDGE}",
        [query("A", quantile(0.5, EFFICIENCY, SINCE, AGENT), f"{{{{{AGENT}}}}}", exemplar=True)],
        "percentunit",
        NO_TURNS,
    )
    return _zones(panel.min(0).max(1).decimals(0))


def _efficiency_spread() -> Any:
    panel = lines(
        "Efficiency of the chosen agents, median and spread",
        "Between the lower and the upper edge of the band lie eight turns of ten. A median of 1 over a low edge means "
        f"that some kind of request is much worse than the others. Choose one agent above. {TO_AN_EDGE}",
        _spread(EFFICIENCY),
        "percentunit",
        NO_TURNS,
    )
    return _zones(_band(panel.min(0).max(1).decimals(0)))


def _ratio_by_agent() -> Any:
    panel = lines(
        "Ratio by agent, median",
        f"How parallel each agent's calls run; 1 = one after another. {RATIO_EDGES}",
        [query("A", quantile(0.5, RATIO, SINCE, AGENT), f"{{{{{AGENT}}}}}", exemplar=True)],
        "none",
        NO_TURNS,
    )
    return panel.min(0).decimals(1)


def _ratio_spread() -> Any:
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
    return panel.thresholds(thresholds((None, "transparent"), (0.5, RED), (0.9, GREEN))).thresholds_style(style)


def _ratio_heatmap() -> Any:
    return (
        heatmap.Panel()
        .title("Ratio, all turns")
        .description(
            "Each cell is how many turns had a ratio up to the number at its upper edge, and above the one below. Two bands "
            "mean two kinds of turns; one at 1 beside one at 5 is the same work done in two ways. Dots are single turns: a click "
            "leads to the trace."
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


def _verdicts() -> Any:
    panel = stacked(
        "Turns by verdict",
        "All turns, by what they are. `sequential` and `partly_sequential` are known to lose time; `possibly_sequential` "
        "needs declarations or content to be judged; `contended` overlaps but waits inside; the rest are as they should be.",
        [query("A", grew(selector(TURNS), SINCE, VERDICT), f"{{{{{VERDICT}}}}}")],
        "short",
        NO_TURNS,
    )
    return coloured(panel.decimals(0), VERDICT_COLOURS)


def _lost_by_cause() -> Any:
    panel = stacked(
        "Time lost per hour, by cause",
        "Certain and possible losses together, by why the calls ran one after another. The tallest colour names who mends it: "
        "`model` the system prompt; `dispatch`, `code`, `blocking` the program; `limit` and `contention` the service.",
        [query("A", per_hour(finding(LOST), CAUSE), f"{{{{{CAUSE}}}}}")],
        "s",
        NO_FINDINGS,
    )
    return coloured(panel, CAUSE_COLOURS)


def _lost_by_advice() -> Any:
    panel = stacked(
        "Time lost per hour, by advice",
        "`recommended`: known to be safe to run together, act on it. `potential`: nothing forbids it, but something is "
        "unknown; declare `effect=` and `depends_on=`, or capture content, and it becomes one or the other.",
        [query("A", per_hour(finding(LOST), ADVICE), f"{{{{{ADVICE}}}}}")],
        "s",
        NO_FINDINGS,
    )
    return coloured(panel, {"recommended": RED, "potential": YELLOW})


def _steps() -> Any:
    return stacked(
        "Model requests that merging would save, per hour",
        "Had the model asked for independent calls in one response, this many requests would not have been made. "
        "The system prompt mends it.",
        [query("A", per_hour(selector("agent_parallelism_steps_avoidable_total"), AGENT), f"{{{{{AGENT}}}}}")],
        "short",
        NO_FINDINGS,
    )


def _tokens() -> Any:
    return stacked(
        "Input tokens that merging would save, per hour",
        "The input tokens of those requests, each counted as its turn's mean. Only where the spans carry token usage.",
        [query("A", per_hour(selector("agent_parallelism_tokens_avoidable_total"), AGENT), f"{{{{{AGENT}}}}}")],
        "short",
        "Nothing to gain found, or spans without token usage",
    )


def _chain_length() -> Any:
    length = grew(finding("agent_parallelism_chain_length_bucket"), ALL, "le")
    return (
        bargauge.Panel()
        .title("Chains by length")
        .description(
            "How many chains of calls that ran one by one and need not have, by their number of calls. A bar holds the "
            "lengths up to its label and above the label before: exact up to 6, then 7–8, 9–10, 11–15 and so on. "
            "Long ones are loops: `parallel_map`."
        )
        .datasource(PROMETHEUS)
        .with_target(instant("A", length, "{{le}}", form="heatmap"))
        .no_value(NO_FINDINGS)
        .unit("short")
        .decimals(0)
        .min(0)
        .orientation(common.VizOrientation.VERTICAL)
        .display_mode(common.BarGaugeDisplayMode.BASIC)
        .value_mode(common.BarGaugeValueMode.TEXT)
        .show_unfilled(False)
        .thresholds(thresholds((None, ORANGE)))
        .reduce_options(make_common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    )


def _calls_per_step() -> Any:
    ratio = [
        f"sum by ({AGENT}) (rate({selector(f'agent_parallelism_calls_per_step_{part}')}[{SINCE}]))"
        for part in ("sum", "count")
    ]
    return lines(
        "Calls per model response",
        "Mean number of calls in the responses that asked for any. At 1 the model always asks for one call at a time: "
        "where the loss is by `model`, this is what the system prompt has to raise.",
        [query("A", f"{ratio[0]} / ({ratio[1]} > 0)", f"{{{{{AGENT}}}}}")],
        "none",
        "No turns with model requests in this time",
    ).min(0).decimals(1)


def _tool_durations() -> Any:
    by_tool = [query(key, quantile(share, CALLS, SINCE, TOOL), f"{{{{{TOOL}}}}} {name}") for key, share, name in _PARTS]
    panel = lines(
        "Duration of tool calls",
        "Median and 95th percentile by tool. Edges at 10, 25, 50, 100, 250, 500 ms, 1, 2.5, 5, 10, 25 s and up, interpolated "
        "in between. Recorded only with OTEL_PARALLELISM_CALL_DURATION_METRIC=true.",
        by_tool,
        "s",
        "Set OTEL_PARALLELISM_CALL_DURATION_METRIC=true to record this",
    )
    panel.override_by_query("B", properties(custom__lineStyle={"fill": "dash", "dash": [6, 6]}, custom__lineWidth=1))
    return panel.min(0)


_PARTS = (("A", 0.5, "median"), ("B", 0.95, "95th percentile"))


def _open_turns() -> Any:
    return stacked(
        "Open turns",
        "Turns that run at this moment. A floor that never falls to 0 while nothing is asked is a turn that hangs.",
        [query("A", f"sum by ({AGENT}) ({selector('agent_parallelism_active_turns')})", f"{{{{{AGENT}}}}}")],
        "short",
        "No agent has run since the program started",
    ).decimals(0)


def _open_calls() -> Any:
    return stacked(
        "Open calls",
        "Calls that run at this moment. Above the number of open turns, calls run together.",
        [query("A", f"sum by ({AGENT}) ({selector('agent_parallelism_active_calls')})", f"{{{{{AGENT}}}}}")],
        "short",
        "No agent has run since the program started",
    ).decimals(0)


def _live_ratio() -> Any:
    return lines(
        "Live ratio",
        "Ratio of the turns that are open, their open calls counted up to now; the median of an agent's turns, averaged over "
        "its instances. It tells of a turn that takes minutes before it has ended.",
        [query("A", f"avg by ({AGENT}) ({selector('agent_parallelism_live_ratio')})", f"{{{{{AGENT}}}}}")],
        "none",
        "No turn with calls is open",
    ).min(0).decimals(1)
