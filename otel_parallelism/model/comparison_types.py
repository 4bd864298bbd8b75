"""The types of the comparison of two inputs, before and after a change."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from .fleet_types import Pattern

Measure: TypeAlias = Literal["efficiency", "lost", "duration", "tokens", "calls_per_response"]
PatternFate: TypeAlias = Literal["gone", "new", "changed", "unchanged", "unsure"]
Outcome: TypeAlias = Literal["held", "less", "more", "unsure"]


class Difference(msgspec.Struct, frozen=True):
    """
    The mean of one measure before and after, and the interval of the difference.

    ``low`` to ``high`` holds the difference; all intervals of a comparison hold together with its confidence. They are
    None where one side has too few turns. ``sure`` is true if the interval excludes 0, ``worse`` if the difference is
    sure, in the bad direction, and above the tolerance. ``needed`` is how many turns of each side would make a
    difference of this size sure.
    """

    measure: Measure
    before: float
    after: float
    difference: float
    low: float | None = None
    high: float | None = None
    sure: bool = False
    worse: bool = False
    needed: int | None = None


class Prediction(msgspec.Struct, frozen=True):
    """
    What fixing the patterns that are gone was to save, in seconds a turn, and by how much the turns became shorter.

    ``outcome`` is ``held`` if the interval of what came holds the prediction and excludes 0, ``less`` or ``more`` if it
    excludes the prediction, and ``unsure`` otherwise.
    """

    patterns: int
    predicted: float
    came: float
    low: float
    high: float
    outcome: Outcome


class AgentComparison(msgspec.Struct, frozen=True):
    """One agent before and after."""

    agent: str
    turns_before: int
    turns_after: int
    differences: tuple[Difference, ...]
    prediction: Prediction | None = None


class PatternChange(msgspec.Struct, frozen=True):
    """
    What became of a pattern. ``before`` and ``after`` are the shares of the turns that call its tools and show it.

    ``pattern`` is that of before, or that of after if it is new. ``now`` is the other one if it is ``changed``: the
    same calls of the same agent, with another cause or another advice.
    """

    fate: PatternFate
    pattern: Pattern
    before: float
    after: float
    now: Pattern | None = None


class TurnPicture(msgspec.Struct, frozen=True):
    """
    One turn to draw. Times are in microseconds after its start.

    A step is ``(start, duration)``, a call ``(tool, start, duration, failed)``.
    """

    trace_id: str
    span_id: str
    duration: float
    lost: float
    steps: tuple[tuple[int, int], ...]
    calls: tuple[tuple[str, int, int, bool], ...]
    calls_left_out: int = 0


class TurnPair(msgspec.Struct, frozen=True):
    """One turn of an agent before and after: ``same_request`` if the user asked for the same, else with equal tools."""

    agent: str
    same_request: bool
    before: TurnPicture
    after: TurnPicture


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """
    Two inputs, before and after a change; with one input, only the days on which patterns began.

    ``intervals`` is how many intervals hold together with ``confidence``. ``dated`` are the patterns of both inputs
    whose beginning or end the days show. ``turns_left_out`` are of agents beyond the bound on them. ``worse`` is
    the result for CI.
    """

    schema_version: int
    confidence: float
    tolerance: float
    intervals: int
    turns_before: int
    turns_after: int | None
    agents: tuple[AgentComparison, ...] = ()
    only_before: tuple[str, ...] = ()
    only_after: tuple[str, ...] = ()
    changes: tuple[PatternChange, ...] = ()
    dated: tuple[Pattern, ...] = ()
    undated: int = 0
    turns_left_out: int = 0
    pairs: tuple[TurnPair, ...] = ()
    worse: bool = False
