"""The types of what many turns show: groups of turns, patterns of findings, and the comparison of two inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from .caller_types import Caller
from .report_types import Advice, Cause, FindingKind, Verdict

Grouping: TypeAlias = Literal["agent", "tool", "cause", "place", "day"]
Change: TypeAlias = Literal["began", "rose", "fell", "ended"]


class Spread(msgspec.Struct, frozen=True):
    """
    The distribution of a number over the turns that have it.

    ``mean`` and the ends are exact. The percentiles ``p10``, ``p50`` and ``p90`` are exact to three digits.
    """

    turns: int
    mean: float
    least: float
    p10: float
    p50: float
    p90: float
    most: float


class FleetGroup(msgspec.Struct, frozen=True, kw_only=True):
    """
    The sums over the turns of one group; durations are in seconds, absent values are None.

    ``turns`` are those of the agent or the day, those with a call of the tool, or those with a finding of the cause or
    the place. ``duration``, ``work``, ``makespan``, the distributions and the responses are those of these turns.
    ``calls``, ``findings``, ``lost``, ``perhaps`` and ``tokens`` are the group's own share, so they add up to the
    totals. ``tokens`` are avoidable input tokens, ``cached_tokens`` those of them that a cache would have answered.
    ``responses`` are the model responses that asked for calls, ``several`` those that asked for more than one.
    """

    name: str
    turns: int
    calls: int
    findings: int
    duration: float
    work: float
    makespan: float
    lost: float
    perhaps: float
    tokens: int | None = None
    cached_tokens: int | None = None
    money: float | None = None
    responses: int = 0
    several: int = 0
    calls_per_response: float | None = None
    several_share: float | None = None
    ratio: Spread | None = None
    efficiency: Spread | None = None
    efficiency_floor: Spread | None = None
    verdicts: Mapping[Verdict, int] = msgspec.field(default_factory=dict)


class Onset(msgspec.Struct, frozen=True):
    """
    When the share of an agent's turns that show a pattern changed.

    It changed on ``day``, or on a day from ``day`` to ``latest``. ``before`` and ``after`` are the shares.
    """

    change: Change
    day: str
    latest: str
    before: float
    after: float


class Pattern(msgspec.Struct, frozen=True, kw_only=True):
    """
    Findings of the same calls at the same place, over many turns.

    ``calls`` are the distinct tools in the order of the finding that loses most, which is in the turn ``trace_id`` and
    ``span_id`` and loses ``worst`` seconds. ``around`` is the tool inside which the calls run. ``lost`` is the sum of
    the avoidable time in seconds: a promise if the advice is ``recommended``, else at most that.
    """

    kind: FindingKind
    cause: Cause
    advice: Advice
    agent: str
    calls: tuple[str, ...]
    around: str
    location: Caller | None
    turns: int
    findings: int
    lost: float
    tokens: int | None
    cached_tokens: int | None
    money: float | None
    first_day: str
    last_day: str
    trace_id: str
    span_id: str
    worst: float
    recommendation: str
    onset: Onset | None = None


class Savings(msgspec.Struct, frozen=True):
    """What fixing ``patterns`` patterns would have saved: seconds, their share of the turns' duration, and tokens."""

    patterns: int
    lost: float
    share: float
    tokens: int | None
    cached_tokens: int | None
    money: float | None


class FleetReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    Many turns as one picture. ``patterns`` are the recommended ones with the largest sums, then potential ones.

    ``groups`` are sorted by lost time, those of ``day`` by day. ``groups_left_out`` and ``patterns_left_out`` say how
    many more there are. ``top`` is what fixing the first three recommended patterns would have saved.
    """

    schema_version: int
    total: FleetGroup
    first_day: str
    last_day: str
    groups: Mapping[Grouping, tuple[FleetGroup, ...]]
    groups_left_out: Mapping[Grouping, int]
    patterns: tuple[Pattern, ...]
    patterns_left_out: int
    top: Savings
    calls_without_turn: int = 0
    spans: int = 0
    notes: tuple[str, ...] = ()
