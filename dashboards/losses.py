"""What was lost: by cause, by advice, in model requests and tokens, and in chains of what length."""

from __future__ import annotations

from typing import Any

from expressions import (
    ADVICE,
    AGENT,
    ALL,
    CAUSE,
    LOST,
    NO_FINDINGS,
    finding,
    grew,
    per_hour,
    selector,
)
from grafana_foundation_sdk.builders import bargauge
from grafana_foundation_sdk.builders import common as make_common
from grafana_foundation_sdk.models import common
from kit import (
    CAUSE_COLOURS,
    ORANGE,
    PROMETHEUS,
    RED,
    YELLOW,
    coloured,
    instant,
    query,
    stacked,
    thresholds,
)


def lost_by_cause() -> Any:
    """Return the loss by cause."""
    panel = stacked(
        "Time lost per hour, by cause",
        "Certain and possible losses together, by why the calls ran one after another. The tallest colour names who "
        "fixes it: `model` the system prompt; `dispatch`, `code`, `blocking` the program; `limit` and `contention` "
        "the service.",
        [query("A", per_hour(finding(LOST), CAUSE), f"{{{{{CAUSE}}}}}")],
        "s",
        NO_FINDINGS,
    )
    return coloured(panel, CAUSE_COLOURS)


def lost_by_advice() -> Any:
    """Return the loss by how certain it is."""
    panel = stacked(
        "Time lost per hour, by advice",
        "`recommended`: known to be safe to run together, act on it. `potential`: nothing forbids it, but something "
        "is unknown; declare `effect=` and `depends_on=`, or capture content, and it becomes one or the other.",
        [query("A", per_hour(finding(LOST), ADVICE), f"{{{{{ADVICE}}}}}")],
        "s",
        NO_FINDINGS,
    )
    return coloured(panel, {"recommended": RED, "potential": YELLOW})


def steps() -> Any:
    """Return the model requests that could be saved."""
    return stacked(
        "Model requests that merging would save, per hour",
        "Had the model asked for independent calls in one response, this many requests would not have been made. "
        "The system prompt fixes it.",
        [query("A", per_hour(selector("agent_parallelism_steps_avoidable_total"), AGENT), f"{{{{{AGENT}}}}}")],
        "short",
        NO_FINDINGS,
    )


def tokens() -> Any:
    """Return the input tokens that could be saved."""
    return stacked(
        "Input tokens that merging would save, per hour",
        "The input tokens of those requests, each counted as its turn's mean. Only where the spans carry token usage.",
        [query("A", per_hour(selector("agent_parallelism_tokens_avoidable_total"), AGENT), f"{{{{{AGENT}}}}}")],
        "short",
        "Nothing to gain found, or spans without token usage",
    )


def chain_length() -> Any:
    """Return the chains by their length."""
    length = grew(finding("agent_parallelism_chain_length_bucket"), ALL, "le")
    return (
        bargauge.Panel()
        .title("Chains by length")
        .description(
            "How many chains of calls that ran one by one and need not have, by their number of calls. A bar holds "
            "the lengths up to its label and above the label before: exact up to 6, then 7–8, 9–10, 11–15 and so "
            "on. Long ones are loops: `parallel_map`."
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
