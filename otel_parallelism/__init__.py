"""Shows which tool calls of an AI agent ran one after another although they could have run together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import (
    CancelledCallError,
    GraphError,
    ParallelismError,
    SettingError,
    SkippedTaskError,
    UnreadableError,
)
from .model import (
    Advice,
    Analysis,
    Call,
    Caller,
    CallFrame,
    CallStack,
    CallTotals,
    Cause,
    Content,
    Coverage,
    Dispatch,
    Effect,
    EffectSource,
    Finding,
    FindingKind,
    HandedObject,
    Interval,
    Observation,
    Passage,
    Report,
    Slot,
    SpanEvent,
    SpanRecord,
    Step,
    Turn,
    TurnSpan,
    UnknownSpans,
    Verdict,
)
from .presentation import lazy_attribute as __getattr__  # noqa: F401 - Python calls it
from .presentation import load_ipython_extension, unload_ipython_extension
from .settings import Settings

if TYPE_CHECKING:
    from .dialects import classify
    from .execution import (
        GraphReport,
        GraphResults,
        ParallelMap,
        Plan,
        Rate,
        Retry,
        Task,
        TaskGraph,
        Timing,
        parallel_map,
        run_tools,
    )
    from .execution.prompt import prompt
    from .reports.html import render_html
    from .reports.text import render_text
    from .stored import analyze_spans
    from .tracing.install import coverage, install, subscribe, uninstall, wait_for_reports
    from .tracing.profile import Profile, profile
    from .tracing.spans.decorator import profiled
    from .tracing.spans.turn import AgentTurn, agent_turn
    from .tracing.state.live_turns import LiveTurn, live_turns

    __version__: str

__all__ = [
    "Advice",
    "AgentTurn",
    "Analysis",
    "Call",
    "CallFrame",
    "CallStack",
    "CallTotals",
    "Caller",
    "CancelledCallError",
    "Cause",
    "Content",
    "Coverage",
    "Dispatch",
    "Effect",
    "EffectSource",
    "Finding",
    "FindingKind",
    "GraphError",
    "GraphReport",
    "GraphResults",
    "HandedObject",
    "Interval",
    "LiveTurn",
    "Observation",
    "ParallelMap",
    "ParallelismError",
    "Passage",
    "Plan",
    "Profile",
    "Rate",
    "Report",
    "Retry",
    "SettingError",
    "Settings",
    "SkippedTaskError",
    "Slot",
    "SpanEvent",
    "SpanRecord",
    "Step",
    "Task",
    "TaskGraph",
    "Timing",
    "Turn",
    "TurnSpan",
    "UnknownSpans",
    "UnreadableError",
    "Verdict",
    "__version__",
    "agent_turn",
    "analyze_spans",
    "classify",
    "coverage",
    "install",
    "live_turns",
    "load_ipython_extension",
    "parallel_map",
    "profile",
    "profiled",
    "prompt",
    "render_html",
    "render_text",
    "run_tools",
    "subscribe",
    "uninstall",
    "unload_ipython_extension",
    "wait_for_reports",
]
