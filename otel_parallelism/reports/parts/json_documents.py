"""The types of the JSON report: every key, and what its value means."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from otel_parallelism.model import Cause


class Location(msgspec.Struct, frozen=True):
    """Where the fix goes: the file, and the line counted from 1."""

    file_path: str
    line_number: int


class WorstTurn(msgspec.Struct, frozen=True):
    """The turn with the largest of several findings: its position in ``turns``, its ids, and its avoidable seconds."""

    position: int
    trace_id: str
    span_id: str
    avoidable: float


class FindingDocument(msgspec.Struct, frozen=True):
    """
    A finding: its calls by tool name and by span id, avoidable seconds, evidence, and where the fix goes.

    ``stages`` are the positions in ``calls`` of those that can run at once, then of those that need them, and so on; it
    is empty if all can run at once. ``effect_sources`` say for each call how its effect is known: ``declared``,
    ``framework``, ``settings``, ``arguments``, ``assumed`` (from the name) or unknown (empty). ``id`` is the short name
    of the finding that ``otel-parallelism fix`` takes; the same finding has it in every report. ``framework`` is the
    agent framework or the instrumentation that made the calls, ``setting`` its setting that limits them.
    """

    id: str
    kind: str
    cause: str
    advice: str
    calls: tuple[str, ...]
    span_ids: tuple[str, ...]
    avoidable: float
    evidence: tuple[str, ...]
    location: Location | None
    stages: tuple[tuple[int, ...], ...]
    effect_sources: tuple[str, ...]
    framework: str | None
    setting: str | None


class FaultDocument(msgspec.Struct, frozen=True):
    """
    Findings of the same calls at the same place, over one or several turns.

    ``avoidable`` is their sum in seconds, ``count`` their number and ``turns`` the number of turns that show them.
    ``calls`` are the calls in the worst turn; ``worst`` says which turn that is and what it would save alone. ``id`` is
    that of each of the findings.
    """

    id: str
    kind: str
    cause: str
    advice: str
    agent: str | None
    calls: tuple[str, ...]
    count: int
    turns: int
    avoidable: float
    worst: WorstTurn
    recommendation: str | None
    location: Location | None


class CallDocument(msgspec.Struct, frozen=True):
    """One call: ``start`` in seconds after its turn's start, ``duration`` in seconds."""

    tool: str
    span_id: str
    start: float
    duration: float


class TurnDocument(msgspec.Struct, frozen=True):
    """A turn and its measurements: ``start`` in seconds since the Unix epoch, durations in seconds."""

    trace_id: str
    span_id: str
    name: str
    agent: str | None
    start: float
    duration: float
    calls: int
    ratio: float | None
    efficiency: float | None
    efficiency_floor: float | None
    achievable_ratio: float | None
    effective_ratio: float | None
    work: float
    makespan: float
    busy: float
    peak_concurrency: int
    calls_per_step: float | None
    verdict: str
    cause: str | None
    recommendation: str | None
    avoidable: float
    avoidable_potential: float
    avoidable_by_cause: Mapping[Cause, float]
    avoidable_steps: int
    avoidable_tokens: int | None
    avoidable_cached_tokens: int | None
    chains: int
    coverage: float
    slowest_calls: tuple[CallDocument, ...]
    findings: tuple[FindingDocument, ...]
    silenced: tuple[FindingDocument, ...]
    notes: tuple[str, ...]


class CoverageDocument(msgspec.Struct, frozen=True):
    """How much of the input was recognized: numbers of calls, of spans, and of intervals that end before they start."""

    calls: int
    calls_without_turn: int
    spans: int
    anomalies: int


class TotalsDocument(msgspec.Struct, frozen=True):
    """
    Sums over all turns; durations in seconds.

    ``avoidable_tokens`` is null if it is null for all turns. ``avoidable_cached_tokens`` are those of them that would
    have been read from the provider's cache.
    """

    turns: int
    calls: int
    findings: int
    silenced: int
    work: float
    makespan: float
    avoidable: float
    avoidable_potential: float
    avoidable_steps: int
    avoidable_tokens: int | None
    avoidable_cached_tokens: int | None


class AnalysisDocument(msgspec.Struct, frozen=True):
    """
    The whole document. Every key is always present; an unknown value is null.

    ``findings`` are those of all turns, joined where they are of the same calls at the same place: recommended ones
    first, then those with the largest sum.
    """

    schema_version: int
    totals: TotalsDocument
    findings: tuple[FaultDocument, ...]
    turns: tuple[TurnDocument, ...]
    coverage: CoverageDocument
