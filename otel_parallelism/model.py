"""
The value types that every other module speaks: spans in, calls, steps and turns between, reports out.

Times are integer nanoseconds since the Unix epoch and their names end in ``_ns``; everything a report
shows is float seconds. The types are frozen and carry no behaviour but their own arithmetic. They are
``msgspec`` structs because one is made for every call of a running agent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import msgspec

Effect: TypeAlias = Literal["read", "write", "unknown"]
EffectSource: TypeAlias = Literal["", "declared", "framework", "settings", "assumed"]
Cause: TypeAlias = Literal["model", "dispatch", "blocking", "limit", "contention", "code", "intended", "unknown"]
Advice: TypeAlias = Literal["recommended", "potential", "intended"]
FindingKind: TypeAlias = Literal["sequential_chain", "limit", "contention"]
Verdict: TypeAlias = Literal[
    "single", "contended", "sequential", "partly_sequential", "parallel", "serial_by_need", "possibly_sequential"
]


class Interval(msgspec.Struct, frozen=True, gc=False):
    """A half-open stretch of time ``[start_ns, end_ns)``; one that ends before it starts is empty."""

    start_ns: int
    end_ns: int

    @property
    def duration_ns(self) -> int:
        """Length in nanoseconds, never negative."""
        return max(0, self.end_ns - self.start_ns)


class SpanEvent(msgspec.Struct, frozen=True, gc=False):
    """An event of a span: its name and its attributes."""

    name: str
    attributes: Mapping[str, object]


class SpanRecord(msgspec.Struct, frozen=True, gc=False):
    """
    One ended span of any dialect, live or stored.

    Ids are lower-case hex. ``parent_id`` is empty for a root; ``remote_parent`` says that the parent ran in
    another process. ``source`` identifies the resource (the same process and service give the same string) and
    ``instrumentation`` is the name of the instrumentation scope. ``kind`` is the OTLP number (2 server, 3 client).
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, object]
    events: tuple[SpanEvent, ...] = ()
    links: tuple[str, ...] = ()
    kind: int = 0
    error: bool = False
    remote_parent: bool = False
    source: str = ""
    instrumentation: str = ""


class Content(msgspec.Struct, frozen=True):
    """
    Arguments, a result or messages, held for evidence only and read only when a chain is suspected.

    ``parse`` turns ``value`` into plain Python (dicts, lists, scalars); without it the value is taken as it is.
    ``whole`` is false where something was cut off, streamed or too large. ``identities`` are the ``id()`` of the
    mutable objects that were passed (arguments), or of the object returned and those right inside of it (result);
    ``receiver`` is that of the object whose method was called, 0 where it was none's.
    """

    value: object
    parse: Callable[[object], object] | None = None
    whole: bool = True
    identities: tuple[int, ...] = ()
    receiver: int = 0


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Where a call was made: the file and the line (from 1)."""

    file_path: str
    line_number: int


class Call(msgspec.Struct, frozen=True):
    """
    One execution of a tool.

    Before normalisation ``scope`` is empty and ``parent_id`` is the span's own; after it ``scope`` is the span id
    of the nearest enclosing call, or empty for a turn's own call. ``round`` numbers the turn's rounds from 0
    (None: not known) and ``proved`` says that the model's output lists this call's id. ``bound``: it started while
    its model step was still streaming, so it could not have started earlier. ``depends_on`` is None where nothing
    was declared and ``()`` where independence was. ``called_ns`` (when the wrapper was called), ``task`` and
    ``thread`` are 0 where not known. ``silenced``: its decorator asks not to report findings about it.
    ``blocking``: its body is no coroutine, so whoever runs it waits for it. ``remote_parent``: its parent came over the
    wire, or it is a server's account of what somebody asked it for.
    """

    trace_id: str
    span_id: str
    parent_id: str
    tool: str
    start_ns: int
    end_ns: int
    call_id: str = ""
    scope: str = ""
    round: int | None = None
    proved: bool = False
    bound: bool = False
    error: bool = False
    arguments: Content | None = None
    result: Content | None = None
    effect: Effect = "unknown"
    effect_source: EffectSource = ""
    resource: str = ""
    depends_on: tuple[str, ...] | None = None
    links: tuple[str, ...] = ()
    called_ns: int = 0
    task: int = 0
    thread: int = 0
    in_loop: bool = False
    queue_ns: int = 0
    caller: Caller | None = None
    sub_agent: bool = False
    silenced: bool = False
    blocking: bool = False
    source: str = ""
    instrumentation: str = ""
    remote_parent: bool = False

    @property
    def duration_ns(self) -> int:
        """Length in nanoseconds, never negative."""
        return max(0, self.end_ns - self.start_ns)


class Step(msgspec.Struct, frozen=True):
    """
    One model request of a turn.

    ``requested`` are the ids of the tool calls its output asks for: None where the output was not captured,
    ``()`` where it was and asks for none. ``messages`` are the user's words in its input.
    """

    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    requested: tuple[str, ...] | None = None
    input_tokens: int | None = None
    messages: Content | None = None
    source: str = ""
    instrumentation: str = ""


class TurnSpan(msgspec.Struct, frozen=True):
    """A span that is one agent run, as its dialect tells it; ``input`` are the user's words."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_ns: int
    end_ns: int
    agent: str = ""
    input: Content | None = None
    source: str = ""
    instrumentation: str = ""


class Passage(msgspec.Struct, frozen=True):
    """
    Any other span: it only passes ancestry on.

    ``cycle`` is true for a step-like parent, a span that some frameworks make once a round (``Step 2``, ``turn``,
    ``execute_event_loop_cycle``, a ``tools`` node).
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_ns: int
    end_ns: int
    cycle: bool = False
    remote_parent: bool = False
    source: str = ""
    instrumentation: str = ""


Observation: TypeAlias = Call | Step | TurnSpan | Passage
"""A span as its dialect understands it, before normalisation."""


class Turn(msgspec.Struct, frozen=True):
    """
    One agent run after normalisation.

    ``calls`` are all calls inside it at any depth (``scope`` tells which are its own), in order of
    (start, end, id); ``steps`` the turn's own model requests in order of start. ``coverage`` is the share of its
    calls with a known interval, tool name and scope; ``anomalies`` counts intervals that ended before they began.
    ``wrappers`` are the span ids of turns that hold nothing but this one.
    """

    trace_id: str
    span_id: str
    name: str
    agent: str
    start_ns: int
    end_ns: int
    calls: tuple[Call, ...] = ()
    steps: tuple[Step, ...] = ()
    inputs: tuple[Content, ...] = ()
    coverage: float = 1.0
    anomalies: int = 0
    wrappers: tuple[str, ...] = ()


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """
    One thing to act on: calls that ran one after another and need not have.

    ``avoidable`` is in seconds: what mending this finding shortens its turn by. ``calls`` are tool names in order
    of start, ``span_ids`` the spans in the same order. ``scope`` is the span id of the call whose code made them,
    or empty for the turn's own. ``limit`` is the number of calls a seen limit lets run at once,
    ``longest`` the number of calls of its longest chain. Several chains can be one finding and need one another's
    calls: ``stages`` are the positions in ``calls`` of those that can run together, then of those that need them, and
    so on; empty where all can.
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


class Slot(msgspec.Struct, frozen=True, gc=False):
    """When a call would run if all that is recommended were done, in seconds after its turn's start."""

    span_id: str
    start_s: float
    end_s: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """
    What one turn measured, as ``definitions`` names it; durations in float seconds, absent values None.

    ``avoidable_by_cause`` splits ``avoidable``; ``max_chain_length`` is the number of calls of the longest reported
    chain. ``silenced`` are findings that settings or decorators keep out of ``findings`` and of every sum.
    ``notes`` say where a bound cut the analysis short. ``schedule`` is where every call, at any depth, would stand in
    the safe schedule; empty where nothing is ``avoidable``.
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
    chains: int = 0
    max_chain_length: int = 0
    cause: Cause | None = None
    recommendation: str = ""
    findings: tuple[Finding, ...] = ()
    silenced: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    schedule: tuple[Slot, ...] = ()


class Coverage(msgspec.Struct, frozen=True):
    """How much of an input was understood: spans read, calls among them, calls in no turn, impossible intervals."""

    calls: int = 0
    calls_without_turn: int = 0
    spans: int = 0
    anomalies: int = 0

    @property
    def share(self) -> float:
        """Calls with a turn ÷ calls; 1.0 where there are none."""
        return 1.0 if not self.calls else 1.0 - self.calls_without_turn / self.calls


class Analysis(msgspec.Struct, frozen=True):
    """The reports of all turns of an input, in order of start, and what of the input they cover."""

    reports: tuple[Report, ...]
    coverage: Coverage
