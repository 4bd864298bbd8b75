"""The types of results: findings, reports, and the analysis of an input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from .caller_types import Caller
from .turn_types import EffectSource, Turn

Cause: TypeAlias = Literal[
    "model", "dispatch", "blocking", "limit", "contention", "code", "intended", "unknown", "over_parallel"
]
Advice: TypeAlias = Literal["recommended", "potential", "intended"]
FindingKind: TypeAlias = Literal["sequential_chain", "limit", "contention", "repeated_call", "over_parallel"]
Verdict: TypeAlias = Literal[
    "unseen",
    "single",
    "contended",
    "negligible",
    "sequential",
    "partly_sequential",
    "accepted",
    "parallel",
    "serial_by_need",
    "possibly_sequential",
]

BESIDE_EFFICIENCY: frozenset[FindingKind] = frozenset({"repeated_call", "over_parallel"})
"""Kinds of findings whose time counts in no efficiency and in no sum of avoidable time."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """
    Calls that ran one after another although they need not have, or together although they had better not, and the fix.

    ``calls`` are the tool names in order of start, ``span_ids`` the spans in the same order. ``avoidable`` is how many
    seconds the turn would be shorter if they ran together, or apart if there were too many; it is 0 if that is unknown,
    which only kind ``over_parallel`` allows. ``scope`` is the span id of the call inside which they ran, empty for
    calls of the turn itself. ``limit`` is the number of calls that a limit lets run at once, or that are not too many;
    ``longest`` the number of calls of the longest chain. A finding may join chains whose calls need one another:
    ``stages`` are the positions in ``calls`` of those that can run at once, then of those that need them, and so on;
    empty if all can. ``effect_sources`` say for each call how its effect is known, ``assumed`` if only from its name.
    """

    kind: FindingKind
    cause: Cause
    advice: Advice
    calls: tuple[str, ...]
    span_ids: tuple[str, ...]
    avoidable: float
    evidence: tuple[str, ...] = ()
    recommendation: str = ""
    location: Caller | None = None
    scope: str = ""
    limit: int | None = None
    longest: int = 0
    stages: tuple[tuple[int, ...], ...] = ()
    effect_sources: tuple[EffectSource, ...] = ()


class RecordedFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A finding as an event of a turn's span records it: ``tools`` in order of start, ``avoidable`` in seconds."""

    kind: FindingKind
    cause: Cause
    advice: Advice
    tools: tuple[str, ...]
    avoidable: float
    evidence: tuple[str, ...] = ()
    location: Caller | None = None


class RecordedResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result that a turn's span carries: its attributes and finding events; absent values are None."""

    verdict: Verdict
    ratio: float | None = None
    efficiency: float | None = None
    avoidable: float = 0.0
    cause: Cause | None = None
    recommendation: str = ""
    calls: int | None = None
    coverage: float | None = None
    chains: int = 0
    makespan: float | None = None
    work: float | None = None
    efficiency_floor: float | None = None
    avoidable_potential: float = 0.0
    achievable_ratio: float | None = None
    effective_ratio: float | None = None
    peak_concurrency: int | None = None
    busy: float | None = None
    max_chain_length: int = 0
    avoidable_steps: int = 0
    findings: tuple[RecordedFinding, ...] = ()


class Slot(msgspec.Struct, frozen=True, gc=False):
    """When a call would run if all recommendations were followed, in seconds after the start of its turn."""

    span_id: str
    start_s: float
    end_s: float


RENDERERS: dict[Literal["text", "html", "json"], Callable[[Report], str]] = {}
"""The renderer of each form; the façade sets them, so that the model depends on no higher layer."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """
    The measurements of one turn and its findings; durations are in seconds, absent values are None.

    ``avoidable_by_cause`` splits ``avoidable``. ``avoidable_cached_tokens`` are those of ``avoidable_tokens`` that
    would have been read from the provider's cache. ``max_chain_length`` is the number of calls of the longest reported
    chain. ``silenced`` are findings that settings or decorators exclude from ``findings`` and from every sum. ``notes``
    say where a bound cut the analysis short. ``schedule`` is when each call, at any depth, would run in the safe
    schedule; it is empty if nothing is ``avoidable``.
    """

    turn: Turn
    calls: int
    verdict: Verdict
    coverage: float
    work: float = 0.0
    makespan: float = 0.0
    busy: float = 0.0
    ratio: float | None = None
    concurrency: float | None = None
    effective_ratio: float | None = None
    peak_concurrency: int = 0
    critical_path: float | None = None
    achievable_ratio: float | None = None
    efficiency: float | None = None
    efficiency_floor: float | None = None
    think: float = 0.0
    steps: int = 0
    calls_per_step: float | None = None
    avoidable: float = 0.0
    avoidable_potential: float = 0.0
    avoidable_by_cause: Mapping[Cause, float] = msgspec.field(default_factory=dict)
    avoidable_steps: int = 0
    avoidable_tokens: int | None = None
    avoidable_cached_tokens: int | None = None
    chains: int = 0
    max_chain_length: int = 0
    cause: Cause | None = None
    recommendation: str = ""
    findings: tuple[Finding, ...] = ()
    silenced: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    schedule: tuple[Slot, ...] = ()

    def __repr__(self) -> str:
        """Return the turn's name with the most important values."""
        name = self.turn.agent or self.turn.name or self.turn.span_id
        efficiency = "" if self.efficiency is None else f", efficiency {self.efficiency:.2f}"
        return f"<Report {name!r}: {self.verdict}, calls {self.calls}{efficiency}>"

    def __str__(self) -> str:
        """Return the report as text, as ``otel-parallelism analyze`` prints it."""
        return RENDERERS["text"](self).rstrip("\n")

    def _repr_html_(self) -> str:
        """Return the timeline and the findings as an HTML fragment, for notebooks."""
        return RENDERERS["html"](self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001, ARG002 - IPython's signature
        """Print the report as text, for IPython in a terminal."""
        printer.text(str(self))

    def to_json(self) -> str:
        """Return the report as JSON, in the form of ``otel-parallelism analyze --format json``."""
        return RENDERERS["json"](self)


class UnknownSpans(msgspec.Struct, frozen=True):
    """How many ``spans`` of one ``name`` from one instrumentation ``scope`` an input has."""

    scope: str
    name: str
    spans: int


class Coverage(msgspec.Struct, frozen=True):
    """
    Counts of an input: spans, calls among them, calls in no turn, and intervals that end before they start.

    ``unknown`` are the spans of an input without any turn and call, most frequent first.
    """

    calls: int = 0
    calls_without_turn: int = 0
    spans: int = 0
    anomalies: int = 0
    unknown: tuple[UnknownSpans, ...] = ()

    @property
    def share(self) -> float:
        """The share of calls that are in a turn; 1.0 if there are no calls."""
        return 1.0 if not self.calls else 1.0 - self.calls_without_turn / self.calls


class Analysis(msgspec.Struct, frozen=True):
    """
    The reports on all turns of an input, in order of start, and how much of the input they cover.

    The reports of a very large input may be in a file, and are then read anew each time one is asked for.
    """

    reports: Sequence[Report]
    coverage: Coverage
