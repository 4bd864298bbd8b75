"""
The value types of the package: spans in, calls, model requests and turns in between, reports out.

Times are integer nanoseconds since the Unix epoch, in names that end in ``_ns``; reports have float seconds. All types
are frozen ``msgspec`` structs, because one is made for every call of a running agent.
"""

from __future__ import annotations

from .caller_types import Caller, CallFrame, CallStack
from .dispatch_types import Dispatch
from .report_types import (
    BESIDE_EFFICIENCY,
    Advice,
    Analysis,
    Cause,
    Coverage,
    Finding,
    FindingKind,
    RecordedFinding,
    RecordedResult,
    Report,
    Slot,
    UnknownSpans,
    Verdict,
)
from .span_types import SpanEvent, SpanRecord
from .time_types import CallTotals, Interval
from .turn_types import (
    AskedCall,
    Call,
    Content,
    DeveloperText,
    Effect,
    EffectSource,
    HandedObject,
    Observation,
    Passage,
    Step,
    Turn,
    TurnSpan,
)

__all__ = [
    "BESIDE_EFFICIENCY",
    "Advice",
    "Analysis",
    "AskedCall",
    "Call",
    "CallFrame",
    "CallStack",
    "CallTotals",
    "Caller",
    "Cause",
    "Content",
    "Coverage",
    "DeveloperText",
    "Dispatch",
    "Effect",
    "EffectSource",
    "Finding",
    "FindingKind",
    "HandedObject",
    "Interval",
    "Observation",
    "Passage",
    "RecordedFinding",
    "RecordedResult",
    "Report",
    "Slot",
    "SpanEvent",
    "SpanRecord",
    "Step",
    "Turn",
    "TurnSpan",
    "UnknownSpans",
    "Verdict",
]
