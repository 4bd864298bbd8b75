"""Tells which tool calls of an AI agent ran one after another, and which of them could have run together."""

from __future__ import annotations

from .execution import TaskGraph, parallel_map, prompt, run_tools
from .model import Caller, Coverage, Finding, Report
from .settings import Settings
from .tracing.install import coverage, install, subscribe, uninstall
from .tracing.spans.decorator import profiled
from .tracing.spans.turn import AgentTurn, agent_turn
from .tracing.state.live_turns import LiveTurn, live_turns

__all__ = [
    "AgentTurn",
    "Caller",
    "Coverage",
    "Finding",
    "LiveTurn",
    "Report",
    "Settings",
    "TaskGraph",
    "agent_turn",
    "coverage",
    "install",
    "live_turns",
    "parallel_map",
    "profiled",
    "prompt",
    "run_tools",
    "subscribe",
    "uninstall",
]
