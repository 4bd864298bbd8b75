"""Names of the series in Prometheus, and the expressions of the panels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism import names

if TYPE_CHECKING:
    from otel_parallelism.names import Instrument

AGENT = "gen_ai_agent_name"
VERDICT = "agent_parallelism_verdict"
CAUSE = "agent_parallelism_cause"
ADVICE = "agent_parallelism_advice"
TOOL = "gen_ai_tool_name"
EFFICIENCY = "agent_parallelism_efficiency_bucket"
EFFICIENCY_FLOOR = "agent_parallelism_efficiency_floor_bucket"
RATIO = "agent_parallelism_ratio_bucket"
TURNS = "agent_parallelism_turn_duration_seconds_count"
LOST = "agent_parallelism_time_lost_seconds_sum"
CALLS = "agent_parallelism_call_duration_seconds_bucket"
SINCE = "$__rate_interval"
ALL = "$__range"
HOURLY = "3600 / $__range_s"

NO_TURNS = "No turns in this time"
NO_FINDINGS = "Nothing to gain found"


def edges(metric: Instrument) -> str:
    """Return the bucket boundaries of *metric* as text: ``0.5, 1 and 2``."""
    *most, last = (f"{edge:g}" for edge in metric.boundaries)
    return f"{', '.join(most)} and {last}"


TO_AN_EDGE = (
    f"From a histogram with edges at {edges(names.METRIC_EFFICIENCY)}, interpolated in between; colours change at "
    "edges only."
)
RATIO_EDGES = (
    f"From a histogram with edges at {edges(names.METRIC_RATIO)}, interpolated in between: good for telling 1 from 2 "
    "from 5, not 3.4 from 3.6."
)


def selector(metric: str, *matchers: str) -> str:
    """Return *metric* for the selected jobs and agents, with further *matchers*."""
    chosen = ('job=~"$job"', f'{AGENT}=~"$agent"', *matchers)
    return f"{metric}{{{', '.join(chosen)}}}"


def finding(metric: str, *matchers: str) -> str:
    """Return *metric*, which is about findings, for the selected jobs, agents and causes."""
    return selector(metric, f'{CAUSE}=~"$cause"', *matchers)


def grew(series: str, window: str, *by: str) -> str:
    """Return the increase of the counter *series* in *window*, summed *by* these labels."""
    return f"sum by ({', '.join(by)}) (increase({series}[{window}]))" if by else f"sum(increase({series}[{window}]))"


def per_hour(series: str, *by: str) -> str:
    """Return the increase of the counter *series* per hour, summed *by* these labels."""
    return f"sum by ({', '.join(by)}) (rate({series}[{SINCE}])) * 3600"


def quantile(share: float, metric: str, window: str, *by: str) -> str:
    """Return a quantile of the histogram *metric*, *by* these labels; no value instead of NaN without increase."""
    return f"histogram_quantile({share}, {grew(selector(metric), window, 'le', *by)}) >= 0"
