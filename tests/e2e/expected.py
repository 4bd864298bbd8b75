"""
Computes what each query of the dashboard and each recording rule should return, from the report of the same run.

A number is expected within 1 %. A histogram's quantile is known only up to its bucket, so the expectation is the bucket
that contains the report's own quantile.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple, TypeAlias

from otel_parallelism import names

Turn: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str | float, ...]
"""The values of a result's labels, in the order of their names, without the job."""


class Bounds(NamedTuple):
    """The bucket that contains a value: above *low*, up to *high*."""

    low: float
    high: float


class Seen(NamedTuple):
    """The turns that ended within a window of some seconds, by agent."""

    turns: Mapping[str, list[Turn]]
    seconds: float

    def every(self) -> Iterator[tuple[str, Turn]]:
        return ((agent, turn) for agent, turns in self.turns.items() for turn in turns)

    def findings(self) -> Iterator[tuple[str, dict[str, Any]]]:
        return ((agent, finding) for agent, turn in self.every() for finding in turn["findings"])


Found: TypeAlias = dict[Key, float | Bounds]
Expect: TypeAlias = Callable[[Seen], Found]
By: TypeAlias = Callable[[str, dict[str, Any]], Key]


def in_all(agent: str, item: dict[str, Any]) -> Key:
    return ()


def by_agent(agent: str, item: dict[str, Any]) -> Key:
    return (agent,)


def by(field: str) -> By:
    return lambda _, item: (item[field],)


def turns(key: By, **wanted: str) -> Expect:
    """Return the number of turns per group; a group without wanted turns has 0."""

    def expect(seen: Seen) -> Found:
        found: Found = {key(agent, turn): 0.0 for agent, turn in seen.every()}
        for group, some in grouped((key(agent, turn), turn) for agent, turn in seen.every()).items():
            found[group] = float(sum(wanted.items() <= turn.items() for turn in some))
        return found

    return expect


def extended(growth: Expect) -> Expect:
    """Return growth within an hour, with less than a minute of it observed: up to one scrape is added at both ends."""
    return lambda seen: {
        key: Bounds(value * (1 - 1e-9), value * (1 + 2 * 0.5 / seen.seconds + 0.01))
        for key, value in numbers(growth(seen)).items()
    }


def share(part: Expect, whole: Expect) -> Expect:
    return lambda seen: divided(part(seen), whole(seen))


def per_hour(total: Expect) -> Expect:
    return lambda seen: {key: float(value) * 3600 / seen.seconds for key, value in numbers(total(seen)).items()}


def of_turns(field: str, key: By) -> Expect:
    """Return the sum of a field over the turns, without groups whose sum is 0: their counters do not exist."""
    return lambda seen: sums((key(agent, turn), turn[field]) for agent, turn in seen.every() if turn[field])


def lost(key: By, advice: str = "") -> Expect:
    """Return the summed time lost."""

    def expect(seen: Seen) -> Found:
        some = ((agent, one) for agent, one in seen.findings() if not advice or one["advice"] == advice)
        return sums((key(agent, one), one["avoidable"]) for agent, one in some)

    return expect


def or_zero(some: Expect, key: By) -> Expect:
    """Return 0 for groups that have turns but no value."""
    return lambda seen: {**dict.fromkeys(turns(key)(seen), 0.0), **some(seen)}


def quantile(at: float, field: str, instrument: names.Instrument, key: By = in_all) -> Expect:
    return lambda seen: quantiles(
        at, ((key(agent, turn), turn[field]) for agent, turn in seen.every() if turn[field] is not None), instrument
    )


def call_quantile(at: float) -> Expect:
    """Return a quantile of the calls' durations by tool. The report lists all calls of the fleet's agents."""
    return lambda seen: quantiles(
        at,
        (((call["tool"],), call["duration"]) for _, turn in seen.every() for call in turn["slowest_calls"]),
        names.METRIC_CALL_DURATION,
    )


def quantiles(at: float, values: Iterable[tuple[Key, float]], instrument: names.Instrument) -> Found:
    edges = (0.0, *instrument.boundaries)
    found: Found = {}
    for group, some in grouped(values).items():
        ranked = sorted(some)
        # Where the rank is a whole number, rounding decides between two neighbours.
        around = [ranked[min(max(math.floor(at * len(ranked)) + step, 0), len(ranked) - 1)] for step in (-1, 0)]
        buckets = [next((low, high) for low, high in pairwise(edges) if value <= high) for value in around]
        exact = at * len(ranked)
        if exact != int(exact):
            buckets = buckets[1:]
        found[group] = Bounds(min(low for low, _ in buckets), max(high for _, high in buckets))
    return found


def cumulated(values: Callable[[Seen], Iterable[float]], instrument: names.Instrument) -> Expect:
    """Return the cumulative number of values up to each bucket."""

    def expect(seen: Seen) -> Found:
        some = list(values(seen))
        return {(edge,): float(sum(value <= edge for value in some)) for edge in (*instrument.boundaries, math.inf)}

    return expect


def grouped(pairs: Iterable[tuple[Key, Any]]) -> dict[Key, list[Any]]:
    found: defaultdict[Key, list[Any]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return dict(found)


def sums(pairs: Iterable[tuple[Key, float]]) -> Found:
    return {key: float(sum(some)) for key, some in grouped(pairs).items()}


def numbers(found: Found) -> dict[Key, float]:
    return {key: value for key, value in found.items() if not isinstance(value, Bounds)}


def divided(part: Found, whole: Found) -> Found:
    some = numbers(part)
    return {key: some[key] / value for key, value in numbers(whole).items() if key in some}


def mean_calls_per_step(seen: Seen) -> Found:
    found = ((agent, turn["calls_per_step"]) for agent, turn in seen.every() if turn["calls_per_step"] is not None)
    return {key: sum(some) / len(some) for key, some in grouped(((agent,), value) for agent, value in found).items()}


def ratios(seen: Seen) -> Iterator[float]:
    return (turn["ratio"] for _, turn in seen.every() if turn["ratio"] is not None)


def chains(seen: Seen) -> Iterator[float]:
    return (len(one["calls"]) for _, one in seen.findings() if one["kind"] == "sequential_chain")


def verdicts(agent: str, turn: Turn) -> Key:
    # agent_parallelism_verdict comes before gen_ai_agent_name
    return (turn["verdict"], agent)


def share_of_verdicts(seen: Seen) -> Found:
    counts, whole = numbers(turns(verdicts)(seen)), numbers(turns(by_agent)(seen))
    return {key: value / whole[key[1:]] for key, value in counts.items()}


R, E, F = names.METRIC_RATIO, names.METRIC_EFFICIENCY, names.METRIC_EFFICIENCY_FLOOR
SEQUENTIAL: Final = {"verdict": "sequential"}

PANELS: Final[Mapping[tuple[str, str], Expect]] = {
    ("Efficiency, median", "A"): quantile(0.5, "efficiency_floor", F),
    ("Efficiency, median", "B"): quantile(0.5, "efficiency", E),
    ("Efficiency, worst tenth", "A"): quantile(0.1, "efficiency", E),
    ("Ratio, median", "A"): quantile(0.5, "ratio", R),
    ("Time lost per hour", "A"): per_hour(lost(in_all, "recommended")),
    ("Turns that are sequential", "A"): share(turns(in_all, **SEQUENTIAL), turns(in_all)),
    ("Turns", "A"): turns(in_all),
    ("Agents with the most to gain", "A"): or_zero(per_hour(lost(by_agent, "recommended")), by_agent),
    ("Agents with the most to gain", "B"): or_zero(per_hour(lost(by_agent, "potential")), by_agent),
    ("Agents with the most to gain", "D"): quantile(0.5, "efficiency", E, by_agent),
    ("Agents with the most to gain", "C"): quantile(0.5, "efficiency_floor", F, by_agent),
    ("Agents with the most to gain", "E"): quantile(0.1, "efficiency", E, by_agent),
    ("Agents with the most to gain", "F"): quantile(0.5, "ratio", R, by_agent),
    ("Agents with the most to gain", "G"): share(turns(by_agent, **SEQUENTIAL), turns(by_agent)),
    ("Agents with the most to gain", "H"): turns(by_agent),
    ("Efficiency by agent, median", "A"): quantile(0.5, "efficiency", E, by_agent),
    ("Efficiency of the chosen agents, median and spread", "A"): quantile(0.9, "efficiency", E),
    ("Efficiency of the chosen agents, median and spread", "B"): quantile(0.5, "efficiency", E),
    ("Efficiency of the chosen agents, median and spread", "C"): quantile(0.1, "efficiency", E),
    ("Ratio by agent, median", "A"): quantile(0.5, "ratio", R, by_agent),
    ("Ratio of the chosen agents, median and spread", "A"): quantile(0.9, "ratio", R),
    ("Ratio of the chosen agents, median and spread", "B"): quantile(0.5, "ratio", R),
    ("Ratio of the chosen agents, median and spread", "C"): quantile(0.1, "ratio", R),
    ("Ratio, all turns", "A"): cumulated(ratios, R),
    ("Turns by verdict", "A"): turns(by("verdict")),
    ("Time lost per hour, by cause", "A"): per_hour(lost(by("cause"))),
    ("Time lost per hour, by advice", "A"): per_hour(lost(by("advice"))),
    ("Model requests that merging would save, per hour", "A"): per_hour(of_turns("avoidable_steps", by_agent)),
    ("Input tokens that merging would save, per hour", "A"): per_hour(of_turns("avoidable_tokens", by_agent)),
    ("Chains by length", "A"): cumulated(chains, names.METRIC_CHAIN_LENGTH),
    ("Calls per model response", "A"): mean_calls_per_step,
    ("Duration of tool calls", "A"): call_quantile(0.5),
    ("Duration of tool calls", "B"): call_quantile(0.95),
}
"""By title and letter of the query."""

RULES: Final[Mapping[str, Expect]] = {
    "job_agent:agent_parallelism_turns:increase1h": extended(turns(by_agent)),
    "job_agent:agent_parallelism_efficiency:p50_1h": quantile(0.5, "efficiency", E, by_agent),
    "job_agent:agent_parallelism_efficiency:p10_1h": quantile(0.1, "efficiency", E, by_agent),
    "job_agent:agent_parallelism_time_lost:share1h": share(
        lost(by_agent, "recommended"), of_turns("duration", by_agent)
    ),
    "job_agent_verdict:agent_parallelism_turns:share1h": share_of_verdicts,
}
"""By the name of what is recorded."""
