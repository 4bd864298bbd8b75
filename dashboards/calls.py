"""How many calls the model asks for, how long tools take, and what runs at this moment."""

from __future__ import annotations

from typing import Any

from expressions import (
    AGENT,
    CALLS,
    SINCE,
    TOOL,
    edges,
    quantile,
    selector,
)
from kit import (
    lines,
    properties,
    query,
    stacked,
)

from otel_parallelism import names


def calls_per_step() -> Any:
    """Return how many calls the model asks for at once."""
    ratio = [
        f"sum by ({AGENT}) (rate({selector(f'agent_parallelism_calls_per_step_{part}')}[{SINCE}]))"
        for part in ("sum", "count")
    ]
    return (
        lines(
            "Calls per model response",
            "Mean number of calls in the responses that asked for any. At 1 the model always asks for one call at a "
            "time: where the loss is by `model`, this is what the system prompt has to raise.",
            [query("A", f"{ratio[0]} / ({ratio[1]} > 0)", f"{{{{{AGENT}}}}}")],
            "none",
            "No turns with model requests in this time",
        )
        .min(0)
        .decimals(1)
    )


def tool_durations() -> Any:
    """Return how long each tool takes."""
    by_tool = [query(key, quantile(share, CALLS, SINCE, TOOL), f"{{{{{TOOL}}}}} {name}") for key, share, name in _PARTS]
    panel = lines(
        "Duration of tool calls",
        f"Median and 95th percentile by tool, from a histogram with edges at {edges(names.METRIC_CALL_DURATION)} s, "
        "interpolated in between. Recorded only with OTEL_PARALLELISM_CALL_DURATION_METRIC=true.",
        by_tool,
        "s",
        "Set OTEL_PARALLELISM_CALL_DURATION_METRIC=true to record this",
    )
    panel.override_by_query("B", properties(custom__lineStyle={"fill": "dash", "dash": [6, 6]}, custom__lineWidth=1))
    return panel.min(0)


_PARTS = (("A", 0.5, "median"), ("B", 0.95, "95th percentile"))


def open_turns() -> Any:
    """Return the turns that run."""
    return stacked(
        "Open turns",
        "Turns that run at this moment. If the number stays above 0 while nothing is asked, a turn hangs.",
        [query("A", f"sum by ({AGENT}) ({selector('agent_parallelism_active_turns')})", f"{{{{{AGENT}}}}}")],
        "short",
        "No agent has run since the program started",
    ).decimals(0)


def open_calls() -> Any:
    """Return the calls that run."""
    return stacked(
        "Open calls",
        "Calls that run at this moment. Above the number of open turns, calls run together.",
        [query("A", f"sum by ({AGENT}) ({selector('agent_parallelism_active_calls')})", f"{{{{{AGENT}}}}}")],
        "short",
        "No agent has run since the program started",
    ).decimals(0)


def live_ratio() -> Any:
    """Return the ratio of what runs."""
    return (
        lines(
            "Live ratio",
            "Ratio of the turns that are open, their open calls counted up to now; the median of an agent's turns, "
            "averaged over its instances. It tells of a turn that takes minutes before it has ended.",
            [query("A", f"avg by ({AGENT}) ({selector('agent_parallelism_live_ratio')})", f"{{{{{AGENT}}}}}")],
            "none",
            "No turn with calls is open",
        )
        .min(0)
        .decimals(1)
    )
